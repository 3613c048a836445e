//! The addresses that no stranger's service has: IANA's special-purpose blocks and the forms of IPv6 that hide an IPv4 address.
//!
//! From the registries "IPv4 Special-Purpose Address Space", "IPv6 Special-Purpose Address Space" (both RFC 6890 and its
//! successors), "IPv4 Multicast" and "IPv6 Global Unicast".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not public, with the length of their prefix.
pub(super) const SPECIAL_IPV4: [(Ipv4Addr, u32); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network (RFC 791)
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private (RFC 1918)
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by carriers (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback (RFC 1122)
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the platform's own services on Azure
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata services (RFC 3927)
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private (RFC 1918)
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments (RFC 6890)
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation (RFC 5737)
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112 (RFC 7535)
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // AMT (RFC 7450)
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays (RFC 7526)
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private (RFC 1918)
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112 (RFC 7534)
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks (RFC 2544)
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation (RFC 5737)
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation (RFC 5737)
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast (RFC 5771)
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast (RFC 1112, RFC 919)
];

/// The one IPv6 block that holds public addresses (RFC 4291 section 2.4).
pub(super) const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks inside [`GLOBAL_UNICAST`] that are not public.
pub(super) const SPECIAL_IPV6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, with Teredo (RFC 2928, RFC 4380)
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation (RFC 3849)
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4 (RFC 3056)
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112 (RFC 7534)
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

/// Whether an address is public unicast: not special-purpose by IANA's registries, not multicast, not hiding another.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => !SPECIAL_IPV4.iter().any(|block| ipv4_in(address, *block)),
        IpAddr::V6(address) => {
            ipv6_in(address, GLOBAL_UNICAST)
                && !SPECIAL_IPV6.iter().any(|block| ipv6_in(address, *block))
                && !is_isatap(address)
        }
    }
}

/// The address that a connect would use: an IPv4-mapped one (`::ffff:a.b.c.d`) is an IPv4 address in disguise.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(inner) => inner.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Addresses that nothing can be reached at, so that no configuration opens them: unspecified, multicast, reserved.
pub(super) fn is_unusable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [0 | 224..=255, ..]),
        IpAddr::V6(address) => address.is_unspecified() || address.is_multicast(),
    }
}

/// Addresses at which clouds hand out credentials to whoever asks.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_link_local() || matches!(address.octets(), [168, 63, 129, 16] | [100, 100, 100, 200])
        }
        IpAddr::V6(address) => {
            matches!(address.segments(), [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254])
        }
    }
}

/// The IPv4 address that an IPv6 address leads to through a translator or tunnel.
pub(super) fn embedded_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let low = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => None,                             // loopback, not ::0.0.0.1
        [0, 0, 0, 0, 0, 0, high, last] => Some(low(high, last)),      // compatible (RFC 4291 section 2.5.5.1)
        [0, 0, 0, 0, 0xffff, 0, high, last] => Some(low(high, last)), // translated (RFC 2765)
        [0x64, 0xff9b, 0, 0, 0, 0, high, last] => Some(low(high, last)), // NAT64 (RFC 6052)
        [0x64, 0xff9b, 1, _, _, _, high, last] => Some(low(high, last)), // local NAT64 (RFC 8215), with /96
        [0x2002, high, last, ..] => Some(low(high, last)),            // 6to4 (RFC 3056)
        [0x2001, 0, _, _, _, _, high, last] => Some(low(!high, !last)), // Teredo, inverted (RFC 4380)
        [_, _, _, _, 0 | 0x200, 0x5efe, high, last] => Some(low(high, last)), // ISATAP (RFC 5214)
        _ => None,
    }
}

fn is_isatap(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, ..])
}

fn ipv4_in(address: Ipv4Addr, (block, prefix): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= prefix
}

fn ipv6_in(address: Ipv6Addr, (block, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= prefix
}
