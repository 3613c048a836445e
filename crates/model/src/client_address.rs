//! Which address a request came from, where proxies stand in between.
//!
//! Anybody can send `X-Forwarded-For`; what it says counts only as far as proxies that the operator named have written it.

use std::net::{IpAddr, SocketAddr};

use crate::address::Network;

/// How many addresses of a chain are looked at, from its end.
const MAX_CHAIN: usize = 32;

/// The client's address. `peer` is who opened the connection, `forwarded` the values of `X-Forwarded-For` in their order.
///
/// The chain is read from its end, since each proxy adds whom it was asked by. The first address that is not a trusted proxy
/// is the client; so is the last trusted one before something that is no address.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    for hop in forwarded.rev().flat_map(|value| value.rsplit(',')).take(MAX_CHAIN) {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = address_in(hop.trim()) else { break };
        client = address.to_canonical();
    }
    client
}

/// Whom the client says that it was asked by, as it forwards a visitor of its own: the address that stands in the chain before its
/// own. It counts for as much as the client's word does. `peer` and `forwarded` as for [`client_address`].
pub fn claimed_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> Option<IpAddr> {
    let mut client = peer.to_canonical();
    for hop in forwarded.rev().flat_map(|value| value.rsplit(',')).take(MAX_CHAIN) {
        let before = address_in(hop.trim())?.to_canonical();
        if !trusted.iter().any(|network| network.contains(client)) {
            return Some(before);
        }
        client = before;
    }
    None
}

/// An address, as proxies write them: bare, in brackets, or with a port.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(bare).or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Whom a limit by address counts: an IPv4 address, or the network of 64 bits that one subscriber of IPv6 has.
#[must_use]
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

/// The site around an address: a /24 of IPv4, a /48 of IPv6. One customer of a hoster has about that many addresses.
#[must_use]
pub fn site_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 80 << 80).into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn what_a_stranger_forwards_counts_for_nothing() {
        assert_eq!(client("203.0.113.7", &["1.1.1.1"], &[]), "203.0.113.7");
        assert_eq!(client("203.0.113.7", &["1.1.1.1"], &["10.0.0.0/8"]), "203.0.113.7");
    }

    #[test]
    fn a_trusted_proxy_tells_whom_it_was_asked_by_and_no_more() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client("10.0.0.1", &["203.0.113.7"], &trusted), "203.0.113.7");
        // What the client itself had sent stands before.
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 203.0.113.7"], &trusted), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "203.0.113.7"], &trusted), "203.0.113.7");
        // Two proxies.
        assert_eq!(client("fd00::1", &["1.1.1.1, 203.0.113.7,10.0.0.2"], &trusted), "203.0.113.7");
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.7"], &trusted), "203.0.113.7");
    }

    #[test]
    fn a_client_may_tell_whom_it_was_asked_by() {
        let claimed = |peer: &str, forwarded: &[&str], trusted: &[&str]| {
            let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
            let address = claimed_address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted);
            address.map(|address| address.to_string()).unwrap_or_default()
        };
        assert_eq!(claimed("203.0.113.7", &["198.51.100.1"], &[]), "198.51.100.1");
        // What the visitor itself had sent stands before, and counts for nothing.
        assert_eq!(claimed("203.0.113.7", &["1.1.1.1, 198.51.100.1"], &[]), "198.51.100.1");
        assert_eq!(claimed("203.0.113.7", &[], &[]), "");
        assert_eq!(claimed("203.0.113.7", &["unknown"], &[]), "");
        // Behind a proxy of the org, which has added the client's own address.
        assert_eq!(claimed("10.0.0.1", &["198.51.100.1, 203.0.113.7"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(claimed("10.0.0.1", &["203.0.113.7"], &["10.0.0.0/8"]), "");
    }

    #[test]
    fn ports_and_brackets_are_read_and_nonsense_is_not() {
        let trusted = ["10.0.0.1"];
        for (forwarded, expected) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("unknown", "10.0.0.1"),
            ("", "10.0.0.1"),
            ("203.0.113.7, _hidden", "10.0.0.1"),
            ("10.0.0.1, 10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[forwarded], &trusted), expected, "{forwarded}");
        }
    }

    #[test]
    fn one_subscriber_counts_once() {
        let counted = |text: &str| counted_address(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("203.0.113.7"), "203.0.113.7");
        assert_eq!(counted("::ffff:203.0.113.7"), "203.0.113.7");
    }

    #[test]
    fn a_site_has_many_networks() {
        let site = |text: &str| site_of(text.parse().unwrap()).to_string();
        assert_eq!(site("2001:db8:1:2:3:4:5:6"), "2001:db8:1::");
        assert_eq!(site("203.0.113.7"), "203.0.113.0");
        assert_eq!(site("::ffff:203.0.113.7"), "203.0.113.0");
    }

    proptest! {
        #[test]
        fn no_text_from_a_stranger_changes_who_he_is(text in ".{0,60}", octets in any::<[u8; 4]>()) {
            let peer = IpAddr::from(octets);
            prop_assume!(octets[0] != 10);
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            prop_assert_eq!(client_address(peer, [text.as_str()].into_iter(), &trusted), peer);
            // Behind one proxy, what stands before its own word counts for nothing either.
            let forwarded = format!("{text},{peer}");
            let proxy = IpAddr::from([10, 0, 0, 1]);
            prop_assert_eq!(client_address(proxy, [forwarded.as_str()].into_iter(), &trusted), peer);
        }
    }
}
