//! From a URL to a connection: resolve, judge each address, connect to one that passed, secure it.
//!
//! What was judged is what is connected to, as a socket address; the name is kept for the certificate and the Host field only.
//! Literal addresses take the same road as names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use hookwright_model::address::{AddressPolicy, is_localhost};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::classify::Failed;
use crate::connection::Connection;
use crate::outcome::{CallFailure, TlsFailure, Unreachable};
use crate::resolver::Resolve;
use crate::retry::{Progress, Stage};
use crate::tls;

/// How many addresses of a host are tried.
const MAX_ADDRESSES: usize = 8;
/// How long an address may take before the next one is tried beside it (RFC 8305 section 8).
const STAGGER: Duration = Duration::from_millis(250);

/// What connections are made with.
pub(crate) struct Connector {
    pub(crate) policy: AddressPolicy,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) tls: Arc<ClientConfig>,
    /// Where this process itself listens; never called.
    pub(crate) own: RwLock<Vec<SocketAddr>>,
}

impl Connector {
    /// A new connection to where a URL leads.
    pub(crate) async fn connect(&self, url: &Url, progress: &mut Progress) -> Result<Connection, Failed> {
        progress.stage = Stage::Resolving;
        let addresses = self.addresses(url).await?;
        progress.stage = Stage::Connecting;
        let (stream, address) = race(&addresses).await?;
        let peer = address.to_string().into_boxed_str();
        progress.peer = Some(peer.to_string());
        let stream = if url.scheme() == "https" {
            progress.stage = Stage::Securing;
            crate::wire::Stream::Tls(Box::new(self.secure(url, stream).await?))
        } else {
            crate::wire::Stream::Plain(stream)
        };
        Connection::open(stream, peer).await.map_err(|error| no_connection(format!("No HTTP connection: {error}")))
    }

    /// The addresses that may be connected to, best first.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failed> {
        let host = url.host_str().unwrap_or_default();
        let found = match url.host() {
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
            return Err(no_connection(format!("The name {host} has no address")));
        }
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
            let detail = format!("Hooks may not be sent to {host} ({})", refused.join(", "));
            return Err(Failed::unsent(CallFailure::AddressRefused, detail));
        }
        Ok(permitted)
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

    async fn secure(&self, url: &Url, stream: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failed> {
        let failed = |failure, detail| Failed::unsent(CallFailure::Unreachable(Unreachable::Tls(failure)), detail);
        let name = match url.host() {
            Some(Host::Ipv4(address)) => Ok(ServerName::from(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => Ok(ServerName::from(IpAddr::V6(address))),
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()),
            None => ServerName::try_from(String::new()),
        };
        let name =
            name.map_err(|error| failed(TlsFailure::WrongName, format!("No certificate can name the host: {error}")))?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|error| failed(tls::failure(&error), format!("TLS handshake failed: {error}")))
    }
}

fn no_connection(detail: String) -> Failed {
    Failed::unsent(CallFailure::Unreachable(Unreachable::NoConnection), detail)
}

/// Connects to the first address that answers. Each gets a head start before the next, so that one that swallows packets does
/// not use up the time of the attempt.
async fn race(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failed> {
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut faults: Vec<String> = Vec::new();
    let mut all_started = false;
    loop {
        if !all_started {
            match waiting.next() {
                Some(address) => running.push(connect(address)),
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

async fn connect(address: SocketAddr) -> (SocketAddr, std::io::Result<TcpStream>) {
    #[expect(clippy::disallowed_methods, reason = "the one place that may: the address was judged just before")]
    let stream = TcpStream::connect(address).await;
    (address, stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream)))
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connector").field("policy", &self.policy).finish_non_exhaustive()
    }
}
