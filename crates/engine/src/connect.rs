//! From a URL to a connection: resolve, judge each address, connect to one that passed, secure it.
//!
//! What was judged is what is connected to, as a socket address; the name is kept for the certificate and the Host field only.
//! Literal addresses take the same road as names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use hookwright_model::address::{AddressPolicy, is_localhost, leads_to_loopback};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use crate::classify::Failed;
use crate::connection::Connection;
use crate::network::{Network, Socket};
use crate::outcome::{CallFailure, TlsFailure, Unreachable};
use crate::pool::Origin;
use crate::progress::{Progress, Stage};
use crate::proxy::{EgressProxy, ProxyTarget};
use crate::resolver::Resolve;
use crate::tls;
use crate::wire::Stream;

/// How many addresses of a host are tried.
const MAX_ADDRESSES: usize = 8;
/// How long an address may take before the next one is tried beside it (RFC 8305 section 8).
const STAGGER: Duration = Duration::from_millis(250);

/// What connections are made with.
pub(crate) struct Connector {
    pub(crate) policy: AddressPolicy,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) proxy: Option<EgressProxy>,
    /// Where this process itself listens; never called.
    pub(crate) own: RwLock<Vec<SocketAddr>>,
}

impl Connector {
    /// A new connection to a place.
    pub(crate) async fn connect(&self, origin: &Origin, progress: &mut Progress) -> Result<Connection, Failed> {
        let proxy = self.proxy.as_ref().filter(|_| !leads_to_loopback(&origin.url));
        let (stream, peer) = match proxy {
            Some(proxy) => self.connect_through(proxy, &origin.url, progress).await?,
            None => {
                progress.stage = Stage::Resolving;
                let addresses = self.addresses(&origin.url).await?;
                progress.stage = Stage::Connecting;
                let (stream, address) = self.race(&addresses).await?;
                (stream, address.to_string())
            }
        };
        progress.peer = Some(peer.clone());
        let stream = if origin.url.scheme() == "https" {
            progress.stage = Stage::Securing;
            Stream::Tls(Box::new(secure(origin, stream).await?))
        } else {
            Stream::Plain(stream)
        };
        let opened = Connection::open(stream, peer.into()).await;
        opened.map_err(|error| no_connection(format!("No HTTP connection: {error}")))
    }

    /// A tunnel through the proxy, and who is at its end. The proxy's own address is the operator's word and not judged.
    async fn connect_through(
        &self,
        proxy: &EgressProxy,
        url: &Url,
        progress: &mut Progress,
    ) -> Result<(Socket, String), Failed> {
        progress.stage = Stage::Resolving;
        let by_name = proxy.target == ProxyTarget::Name && matches!(url.host(), Some(Host::Domain(_)));
        let target = if by_name {
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443))
        } else {
            let addresses = self.addresses(url).await?;
            addresses.first().map(ToString::to_string).unwrap_or_default()
        };
        let found = self.resolve(Some(borrowed(&proxy.host))).await?;
        let addresses: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, proxy.port)).collect();
        progress.stage = Stage::Connecting;
        let (mut stream, _) = self.race(&addresses).await?;
        let tunnel = proxy.tunnel(&mut stream, &target).await;
        tunnel.map_err(|error| no_connection(format!("No tunnel to {target} through {proxy}: {error}")))?;
        Ok((stream, format!("{target} through {proxy}")))
    }

    /// All addresses of a host, not yet judged.
    async fn resolve(&self, host: Option<Host<&str>>) -> Result<Vec<IpAddr>, Failed> {
        let found = match host {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) if is_localhost(name) => {
                vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            }
            Some(Host::Domain(name)) => self
                .resolver
                .resolve(name)
                .await
                .map_err(|error| no_connection(format!("The name {name} could not be resolved: {error}")))?,
            None => Vec::new(),
        };
        if found.is_empty() {
            let name = host.map(|host| host.to_string()).unwrap_or_default();
            return Err(no_connection(format!("The name {name} has no address")));
        }
        Ok(found)
    }

    /// The addresses that may be connected to, best first.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failed> {
        let found = self.resolve(url.host()).await?;
        let port = url.port_or_known_default().unwrap_or(443);
        let permitted: Vec<SocketAddr> = found
            .iter()
            .filter(|&&address| self.policy.permits_connection(url, address))
            .map(|&address| SocketAddr::new(address.to_canonical(), port))
            .filter(|address| !self.is_own(*address))
            .take(MAX_ADDRESSES)
            .collect();
        if permitted.is_empty() {
            let refused: Vec<String> = found.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect();
            let host = url.host_str().unwrap_or_default();
            let detail = format!("Hooks may not be sent to {host} ({})", refused.join(", "));
            return Err(Failed::unsent(CallFailure::AddressRefused, detail));
        }
        Ok(permitted)
    }

    /// Connects to the first address that answers. Each gets a head start before the next, so that one that swallows packets does
    /// not use up the time of the attempt.
    async fn race(&self, addresses: &[SocketAddr]) -> Result<(Socket, SocketAddr), Failed> {
        let mut waiting = addresses.iter().copied();
        let mut running = FuturesUnordered::new();
        let mut faults: Vec<String> = Vec::new();
        let mut all_started = false;
        loop {
            if !all_started {
                match waiting.next() {
                    Some(address) => running.push(async move { (address, self.network.connect(address).await) }),
                    None => all_started = true,
                }
            }
            tokio::select! {
                biased;
                Some((address, result)) = running.next() => match result {
                    Ok(stream) => return Ok((stream, address)),
                    Err(error) => faults.push(format!("{address}: {error}")),
                },
                () = tokio::time::sleep(STAGGER), if !all_started => {}
                else => return Err(no_connection(format!("No connection: {}", faults.join("; ")))),
            }
        }
    }

    /// Whether an address is one of our own listeners; a wildcard listener is at home at each loopback address.
    fn is_own(&self, address: SocketAddr) -> bool {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        own.iter().any(|own| {
            own.port() == address.port()
                && (own.ip().to_canonical() == address.ip()
                    || (own.ip().is_unspecified() && address.ip().is_loopback()))
        })
    }
}

async fn secure(origin: &Origin, stream: Socket) -> Result<TlsStream<Socket>, Failed> {
    let failed = |failure, detail| Failed::unsent(CallFailure::Unreachable(Unreachable::Tls(failure)), detail);
    let name = match origin.url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::from(IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(IpAddr::V6(address))),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()),
        None => ServerName::try_from(String::new()),
    };
    let name =
        name.map_err(|error| failed(TlsFailure::WrongName, format!("No certificate can name the host: {error}")))?;
    let secured = TlsConnector::from(Arc::clone(&origin.tls)).connect(name, stream).await;
    secured.map_err(|error| {
        let failure = tls::failure(&error).unwrap_or(TlsFailure::Handshake);
        failed(failure, format!("TLS handshake failed: {error}"))
    })
}

fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn no_connection(detail: String) -> Failed {
    Failed::unsent(CallFailure::Unreachable(Unreachable::NoConnection), detail)
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connector").field("policy", &self.policy).finish_non_exhaustive()
    }
}
