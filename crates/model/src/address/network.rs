//! A network in CIDR notation, as the configuration names it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::special::canonical;

/// A network: an address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a network; the text says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// Not an address, or not one with a prefix length.
    #[error("expected a network such as 10.20.0.0/16 or an address such as 10.20.30.40")]
    NotANetwork,
    /// The prefix is longer than the address.
    #[error("the prefix length of this network is at most {0}")]
    PrefixTooLong(u8),
    /// Bits behind the prefix are set.
    #[error("the address has bits set behind its prefix; did you mean {0}?")]
    HostBits(Network),
}

impl Network {
    /// The network of this prefix that the address is in. A prefix longer than the address means the address alone; an
    /// IPv4-mapped network becomes the IPv4 network it stands for.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        let (address, prefix) = match (canonical(address), address) {
            (IpAddr::V4(inner), IpAddr::V6(_)) if prefix >= 96 => (IpAddr::V4(inner), prefix - 96),
            _ => (address, prefix),
        };
        let prefix = prefix.min(width(address));
        Self { address: masked(address, prefix), prefix }
    }

    /// Whether an address is in this network; an IPv4-mapped one is looked at as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }

    /// Whether the network is one address.
    #[must_use]
    pub(crate) fn is_single_address(&self) -> bool {
        self.prefix == width(self.address)
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with all bits behind the prefix cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError::NotANetwork)?;
        let widest = width(address);
        let Some(prefix) = prefix else { return Ok(Self::new(address, widest)) };
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(ParseNetworkError::NotANetwork);
        }
        let prefix = prefix.parse::<u8>().map_err(|_| ParseNetworkError::PrefixTooLong(widest))?;
        if prefix > widest {
            return Err(ParseNetworkError::PrefixTooLong(widest));
        }
        let network = Self::new(address, prefix);
        if masked(address, prefix) != address {
            return Err(ParseNetworkError::HostBits(network));
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}
