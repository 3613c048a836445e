//! Which addresses a hook may be sent to.
//!
//! Denied by default: everything that is not a public unicast address. `--development` opens `http` and loopback only.

use std::net::IpAddr;

use url::{Host, Url};

/// Which addresses and schemes are allowed.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Opens `http://` and loopback addresses, and nothing else.
    pub development: bool,
    /// Networks that are allowed besides the public ones.
    pub allowed_networks: Vec<Network>,
    /// Host names, in lower case, whose addresses are allowed even if they are not public.
    pub allowed_hosts: Vec<String>,
}

/// A network: an address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The network's first address.
    pub address: IpAddr,
    /// How many leading bits belong to the network.
    pub prefix: u8,
}

impl AddressPolicy {
    /// The policy of `--development`: `http://` and loopback besides the public addresses.
    #[must_use]
    pub fn for_development() -> Self {
        Self { development: true, ..Self::default() }
    }

    /// Judges a URL as far as that is possible without asking a resolver.
    ///
    /// # Errors
    /// A sentence that says why it is refused.
    pub fn judge_url(&self, url: &Url) -> Result<(), String> {
        let loopback_name = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if self.development && loopback_name => {}
            "http" if self.development => {
                return Err(
                    "The URI must begin with https://; --development allows http:// to loopback only".to_owned()
                );
            }
            _ => return Err("The URI must begin with https://".to_owned()),
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ if loopback_name && !self.development => {
                return Err("The URI must lead to a public address".to_owned());
            }
            _ => return Ok(()),
        };
        if self.permits(address) { Ok(()) } else { Err("The URI must lead to a public address".to_owned()) }
    }

    /// Whether a connection to this address is allowed.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        (self.development && address.is_loopback()) || is_public(address)
    }
}

/// Whether an address is public unicast: not special-purpose by IANA's registries, not multicast, not embedding another.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified())
        }
        IpAddr::V6(address) => (address.segments().first().copied().unwrap_or(0) & 0xe000) == 0x2000,
    }
}
