//! Which addresses a hook may be sent to.
//!
//! Denied by default: everything that is not a public unicast address. `--development` opens `http` and loopback, the
//! configuration may open networks and hosts by name. A URL is judged here when it is stored; every address that its host
//! resolves to is judged again by the engine, for each new connection.

mod network;
mod special;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use url::{Host, Url};

pub use network::{Network, ParseNetworkError};
pub use special::is_public;

use special::{canonical, embedded_ipv4, is_metadata, is_unusable};

/// Which addresses and schemes are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Opens `http://` and loopback addresses, and nothing else.
    pub development: bool,
    /// Networks that are allowed besides the public ones. The addresses of cloud metadata services (169.254.0.0/16,
    /// fd00:ec2::254 and a few more) are opened by a network of that one address only.
    pub allowed_networks: Vec<Network>,
    /// Host names, in lower case, whose addresses are allowed even if they are not public; metadata addresses never.
    pub allowed_hosts: Vec<String>,
}

const HTTPS_ONLY: &str = "The URI must begin with https://";
const LOOPBACK_HTTP_ONLY: &str = "The URI must begin with https://; --development allows http:// to loopback only";
const PUBLIC_ONLY: &str = "The URI must lead to a public address";

impl AddressPolicy {
    /// The policy of `--development`: `http://` and loopback besides the public addresses.
    #[must_use]
    pub fn for_development() -> Self {
        Self { development: true, ..Self::default() }
    }

    /// Judges a URL as far as that is possible without asking a resolver: its scheme, its host where that is an address, and
    /// the names that always mean this machine (RFC 6761 section 6.3).
    ///
    /// # Errors
    /// A sentence that says why it is refused.
    pub fn judge_url(&self, url: &Url) -> Result<(), String> {
        let loopback = leads_to_loopback(url);
        match url.scheme() {
            "https" => {}
            "http" if self.development && loopback => {}
            // Who tries loopback is told of the way, also where it is closed.
            "http" if self.development || loopback => return Err(LOOPBACK_HTTP_ONLY.to_owned()),
            _ => return Err(HTTPS_ONLY.to_owned()),
        }
        let allowed = match url.host() {
            Some(Host::Ipv4(address)) => self.permits(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.permits(IpAddr::V6(address)),
            Some(Host::Domain(name)) => !loopback || self.development || self.lists(name),
            None => false,
        };
        if allowed { Ok(()) } else { Err(PUBLIC_ONLY.to_owned()) }
    }

    /// Whether a connection for this URL may be opened to an address that its host resolved to.
    #[must_use]
    pub fn permits_connection(&self, url: &Url, address: IpAddr) -> bool {
        let address = canonical(address);
        if url.scheme() != "https" {
            return self.development && url.scheme() == "http" && address.is_loopback();
        }
        let listed = matches!(url.host(), Some(Host::Domain(name)) if self.lists(name));
        self.permits(address) || (listed && !is_unusable(address) && !is_metadata(address))
    }

    /// Whether a connection to this address is allowed, whatever name led to it.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        if is_unusable(address) {
            return false;
        }
        if is_public(address) || (self.development && address.is_loopback()) {
            return true;
        }
        let metadata = is_metadata(address);
        let listed = self
            .allowed_networks
            .iter()
            .any(|network| network.contains(address) && (!metadata || network.is_single_address()));
        // A listed NAT64 prefix opens the way to IPv4 hosts, not to those that are denied.
        listed && embedded_ipv4(address).is_none_or(|inner| self.permits(IpAddr::V4(inner)))
    }

    fn lists(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.allowed_hosts.iter().any(|listed| listed.eq_ignore_ascii_case(name))
    }

    /// What this policy opens besides public addresses, one sentence each; said on every start.
    #[must_use]
    pub fn openings(&self) -> Vec<String> {
        let mut openings = Vec::new();
        if self.development {
            openings.push(
                "Development mode: hooks may use http:// and loopback addresses; never do this in production."
                    .to_owned(),
            );
        }
        for network in &self.allowed_networks {
            openings.push(format!("Hooks may be sent to the network {network}."));
        }
        for host in &self.allowed_hosts {
            openings.push(format!("Hooks may be sent to the host {host}, whatever its addresses."));
        }
        openings
    }
}

/// Whether the host is a loopback address or a name that always means one.
#[must_use]
pub fn leads_to_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => canonical(IpAddr::V6(address)).is_loopback(),
        None => false,
    }
}

/// Whether a name is `localhost` or below it, which no resolver is asked about (RFC 6761 section 6.3).
#[must_use]
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case("localhost"))
}
