use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::hook_uri::HookUri;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn policy(networks: &[&str], hosts: &[&str]) -> AddressPolicy {
    AddressPolicy {
        development: false,
        allowed_networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        allowed_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
    }
}

/// Each block by its first and last address, with the neighbours where those are public.
const BLOCKS: [(&str, &str, Option<&str>, Option<&str>); 27] = [
    ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
    ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
    ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
    ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
    ("168.63.129.16", "168.63.129.16", Some("168.63.129.15"), Some("168.63.129.17")),
    ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
    ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
    ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
    ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
    ("192.31.196.0", "192.31.196.255", Some("192.31.195.255"), Some("192.31.197.0")),
    ("192.52.193.0", "192.52.193.255", Some("192.52.192.255"), Some("192.52.194.0")),
    ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
    ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
    ("192.175.48.0", "192.175.48.255", Some("192.175.47.255"), Some("192.175.49.0")),
    ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
    ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
    ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
    ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
    ("240.0.0.0", "255.255.255.255", None, None),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, Some("2000::")),
    (
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("2001:200::"),
    ),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:db7:ffff::"), Some("2001:db9::")),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:ffff::"), Some("2003::")),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Some("2620:4f:7fff::"), Some("2620:4f:8001::")),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3ffe:ffff::"), Some("3fff:1000::")),
    ("4000::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3fff:ffff::"), None),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
];

#[test]
fn both_edges_of_each_special_block_are_denied_and_their_neighbours_public() {
    let policy = AddressPolicy::default();
    for (first, last, before, after) in BLOCKS {
        assert!(!policy.permits(ip(first)), "{first}");
        assert!(!policy.permits(ip(last)), "{last}");
        for neighbour in [before, after].into_iter().flatten() {
            assert!(policy.permits(ip(neighbour)), "{neighbour}");
        }
    }
}

#[test]
fn addresses_that_hide_another_are_denied_even_if_that_one_is_public() {
    let hidden = [
        "::8.8.8.8", // compatible
        "::127.0.0.1",
        "::ffff:0:8.8.8.8", // translated
        "::ffff:0:7f00:1",
        "64:ff9b::8.8.8.8", // NAT64
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:808:808::1", // 6to4
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", // Teredo
        "2a00:1450:4001::5efe:8.8.8.8",         // ISATAP
        "2a00:1450:4001:0:200:5efe:a00:1",
        "100::1",
        "100:0:0:1::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "fe80::5efe:a00:1",
    ];
    for text in hidden {
        assert!(!AddressPolicy::default().permits(ip(text)), "{text}");
        assert!(!AddressPolicy::for_development().permits(ip(text)), "{text}");
    }
}

#[test]
fn a_mapped_address_is_judged_as_the_ipv4_address_it_is() {
    let policy = AddressPolicy::default();
    assert!(policy.permits(ip("::ffff:8.8.8.8")));
    for text in ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"] {
        assert!(!policy.permits(ip(text)), "{text}");
    }
    assert!(AddressPolicy::for_development().permits(ip("::ffff:127.0.0.1")));
}

#[test]
fn development_opens_loopback_and_nothing_else() {
    let policy = AddressPolicy::for_development();
    for text in ["127.0.0.1", "127.255.255.255", "::1", "8.8.8.8"] {
        assert!(policy.permits(ip(text)), "{text}");
    }
    for text in
        ["0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "169.254.169.254", "fd00:ec2::254", "fe80::1", "::127.0.0.1"]
    {
        assert!(!policy.permits(ip(text)), "{text}");
    }
}

#[test]
fn a_listed_network_opens_its_addresses_only() {
    let policy = policy(&["10.20.0.0/16", "fd12:3456::/32", "127.0.0.1"], &[]);
    for text in ["10.20.0.0", "10.20.255.255", "::ffff:10.20.1.1", "fd12:3456::1", "127.0.0.1"] {
        assert!(policy.permits(ip(text)), "{text}");
    }
    for text in ["10.19.255.255", "10.21.0.0", "fd12:3457::", "127.0.0.2", "::1"] {
        assert!(!policy.permits(ip(text)), "{text}");
    }
}

#[test]
fn a_metadata_address_is_opened_by_its_exact_address_only() {
    let metadata = [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "fd20:ce::254",
    ];
    let wide =
        policy(&["169.254.0.0/16", "169.254.169.254/31", "0.0.0.0/0", "::/0", "fd00::/8"], &["metadata.example"]);
    let url = Url::parse("https://metadata.example/").unwrap();
    for text in metadata {
        assert!(!wide.permits(ip(text)), "{text}");
        assert!(!wide.permits_connection(&url, ip(text)), "{text}");
        assert!(policy(&[text], &[]).permits(ip(text)), "{text}");
    }
    assert!(policy(&["::ffff:169.254.169.254/128"], &[]).permits(ip("169.254.169.254")));
    assert!(!policy(&["::ffff:169.254.0.0/112"], &[]).permits(ip("169.254.169.254")));
}

#[test]
fn nothing_opens_an_address_that_leads_nowhere() {
    let wide = policy(&["0.0.0.0/0", "::/0", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::"], &["any.example"]);
    let url = Url::parse("https://any.example/").unwrap();
    for text in ["0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "224.0.0.1", "240.0.0.1", "ff02::1", "::ffff:0.0.0.0"] {
        assert!(!wide.permits(ip(text)), "{text}");
        assert!(!wide.permits_connection(&url, ip(text)), "{text}");
    }
}

#[test]
fn a_listed_translator_leads_only_where_ipv4_may_go() {
    let policy = policy(&["64:ff9b::/96"], &[]);
    assert!(policy.permits(ip("64:ff9b::8.8.8.8")));
    assert!(!policy.permits(ip("64:ff9b::127.0.0.1")));
    assert!(!policy.permits(ip("64:ff9b::169.254.169.254")));
}

#[test]
fn a_listed_host_may_have_private_addresses() {
    let policy = policy(&[], &["hooks.corp.example"]);
    for url in ["https://hooks.corp.example/a", "https://HOOKS.corp.example./a", "https://hooks.corp.example:8443/"] {
        let url = Url::parse(url).unwrap();
        assert!(policy.permits_connection(&url, ip("10.1.2.3")), "{url}");
        assert!(policy.permits_connection(&url, ip("8.8.8.8")), "{url}");
    }
    let other = Url::parse("https://other.corp.example/").unwrap();
    assert!(!policy.permits_connection(&other, ip("10.1.2.3")));
    assert!(policy.permits_connection(&other, ip("8.8.8.8")));
}

#[test]
fn plain_http_connects_to_loopback_in_development_only_whatever_the_name_resolves_to() {
    let url = Url::parse("http://localhost:8081/").unwrap();
    let mut policy = AddressPolicy::for_development();
    assert!(policy.permits_connection(&url, ip("127.0.0.1")));
    assert!(!policy.permits_connection(&url, ip("8.8.8.8")));
    policy.development = false;
    assert!(!policy.permits_connection(&url, ip("127.0.0.1")));
}

#[test]
fn networks_are_read_strictly_and_shown_as_read() {
    for text in ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "::/0", "fd00::/8", "::1/128", "fd00:ec2::254/128"] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
    }
    assert_eq!("10.1.2.3".parse::<Network>().unwrap().to_string(), "10.1.2.3/32");
    assert_eq!("::ffff:10.0.0.0/104".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
    for text in ["", "/", "10.0.0.0/", "10.0.0.0/ 8", "10.0.0.0/+8", "10.0/8", "host/8", "10.0.0.0/8/8", "10.0.0.0/-1"]
    {
        assert_eq!(text.parse::<Network>(), Err(ParseNetworkError::NotANetwork), "{text}");
    }
    assert_eq!("10.0.0.0/33".parse::<Network>(), Err(ParseNetworkError::PrefixTooLong(32)));
    assert_eq!("::/999".parse::<Network>(), Err(ParseNetworkError::PrefixTooLong(128)));
    let meant = "10.1.2.3/8".parse::<Network>().unwrap_err().to_string();
    assert!(meant.contains("10.0.0.0/8"), "{meant}");
}

#[test]
fn what_is_opened_is_said() {
    assert!(AddressPolicy::default().openings().is_empty());
    let mut policy = policy(&["10.0.0.0/8"], &["hooks.corp.example"]);
    policy.development = true;
    let said = policy.openings().join("\n");
    for part in ["http://", "10.0.0.0/8", "hooks.corp.example"] {
        assert!(said.contains(part), "{said}");
    }
}

const ALLOWED_EVERYWHERE: [&str; 26] = [
    "https://hooks.example.com",
    "https://hooks.example.com/",
    "HTTPS://HOOKS.EXAMPLE.COM/a",
    "https://hooks.example.com./",
    "https://hooks.example.com:8443/a",
    "https://hooks.example.com:443/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com/a?b=c&d=%20",
    "https://hooks.example.com/a%0d%0aX:%20y",
    "https://hooks.example.com/?u=http://127.0.0.1/",
    "https://hooks.example.com//a/../b",
    "https://hooks.example.com/a@b",
    "https://8.8.8.8/",
    "https://134744072/",
    "https://0x08.0x08.0x08.0x08/",
    "https://[2606:4700::1111]/",
    "https://[::ffff:8.8.8.8]/",
    "https://xn--bcher-kva.example/",
    "https://b\u{fc}cher.example/",
    "https://example/",
    "https://a_b.example.com/",
    "https://127.0.0.1.example.com/",
    "https://localhost.example.com/",
    "https://notlocalhost/",
    "https://\u{ff45}xample.com/",
    "https://1.1.1.1:65535/x",
];

const LOOPBACK: [&str; 23] = [
    "://127.0.0.1/",
    "://127.0.0.1:8081/a",
    "://localhost/",
    "://LOCALHOST:8081/",
    "://localhost./",
    "://a.localhost/",
    "://a.b.LocalHost./",
    "://127.1/",
    "://127.0.1/",
    "://2130706433/",
    "://0x7f000001/",
    "://0x7f.1/",
    "://0177.0.0.1/",
    "://017700000001/",
    "://127.255.255.255/",
    "://127.0.0.1./",
    "://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
    "://127\u{3002}0\u{3002}0\u{3002}1/",
    "://%31%32%37.0.0.1/",
    "://[::1]/",
    "://[0:0:0:0:0:0:0:1]:8081/",
    "://[::ffff:127.0.0.1]/",
    "://\u{24db}ocalhost/",
];

const REFUSED_EVERYWHERE: [&str; 68] = [
    // Addresses that are neither public nor loopback, in all spellings.
    "https://10.0.0.1/",
    "https://192.168.0.1/",
    "https://172.16.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[fd00:ec2::254]/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::]/",
    "https://[::127.0.0.1]/",
    "https://100.64.0.1/",
    "https://168.63.129.16/",
    "https://255.255.255.255/",
    "https://224.0.0.1/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[2001::1]/",
    "https://10.1/",
    "https://\u{ff11}0.0.0.1/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    // Plain http to anything but loopback.
    "http://hooks.example.com/",
    "http://8.8.8.8/",
    "http://10.0.0.1/",
    "http://localhost.example.com/",
    "http://[::2]/",
    // Forms.
    "",
    " ",
    "hooks.example.com",
    "//hooks.example.com/",
    "https:hooks.example.com",
    "https:/hooks.example.com",
    "https:///hooks.example.com/",
    "https://",
    "https:///",
    "https://?a",
    "https://user@hooks.example.com/",
    "https://user:pass@hooks.example.com/",
    "https://@hooks.example.com/",
    "https://:@hooks.example.com/",
    "https://hooks.example.com@8.8.8.8/",
    "https:///@hooks.example.com/",
    "https://hooks.example.com/#a",
    "https://hooks.example.com/#",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/",
    "https://hooks.example.com:x/",
    "https://hooks.example.com\\@8.8.8.8/",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/a\tb",
    "https://hooks.example.com/a\r\nX: y",
    "https://hooks.example.com/\u{a0}",
    "https://hooks.\u{3000}example.com/",
    "https://a..b/",
    "https://.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "https://[fe80::1%25eth0]/",
    "https://1.2.3.4.5/",
];

#[test]
fn a_hundred_urls_have_their_verdict_in_each_mode() {
    let (production, development) = (AddressPolicy::default(), AddressPolicy::for_development());
    for url in ALLOWED_EVERYWHERE {
        assert_eq!(HookUri::parse(url, &production).err(), None, "{url}");
        assert_eq!(HookUri::parse(url, &development).err(), None, "{url}");
    }
    for rest in LOOPBACK {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}{rest}");
            assert!(HookUri::parse(&url, &production).is_err(), "{url}");
            assert_eq!(HookUri::parse(&url, &development).err(), None, "{url}");
        }
    }
    for url in REFUSED_EVERYWHERE {
        assert!(HookUri::parse(url, &production).is_err(), "{url}");
        assert!(HookUri::parse(url, &development).is_err(), "{url}");
    }
}

/// Found by fuzzing: such a hook could be stored, and then neither it nor the list of hooks could be read.
#[test]
fn what_is_accepted_can_be_read_again_however_it_is_coded() {
    let prefix = "https://hooks.example.com/";
    for letters in [1, 166, 167, 500, 998] {
        let text = format!("{prefix}{}", "\u{64b}".repeat(letters));
        match HookUri::parse(&text, &AddressPolicy::default()) {
            Ok(uri) => assert_eq!(HookUri::parse_stored(uri.as_str()).unwrap().as_str(), uri.as_str()),
            Err(refusal) => assert!(refusal.contains("1024") && letters > 166, "{letters}: {refusal}"),
        }
    }
    let stored_before = format!("{prefix}{}", "%D9%8B".repeat(500));
    assert!(HookUri::parse_stored(&stored_before).is_ok());
}

#[test]
fn a_uri_has_at_most_1024_characters_and_a_name_what_dns_allows() {
    let parse = |text: &str| HookUri::parse(text, &AddressPolicy::default());
    let prefix = "https://hooks.example.com/";
    assert!(parse(&format!("{prefix}{}", "a".repeat(1024 - prefix.len()))).is_ok());
    assert!(parse(&format!("{prefix}{}", "a".repeat(1025 - prefix.len()))).is_err());
    assert!(parse(&format!("https://{}.example/", "a".repeat(63))).is_ok());
    assert!(parse(&format!("https://{}.example/", "a".repeat(64))).is_err());
    assert!(parse(&format!("https://{}example/", "a.".repeat(130))).is_err());
}

#[test]
fn whoever_tries_plain_http_to_loopback_is_told_what_opens_it() {
    let production = AddressPolicy::default();
    let refused = |text: &str| HookUri::parse(text, &production).unwrap_err();
    for text in ["http://127.0.0.1:8081/hook", "http://localhost:8081/hook", "http://[::1]/"] {
        assert!(refused(text).contains("--development"), "{text}: {}", refused(text));
    }
    assert!(!refused("http://hooks.example.com/").contains("--development"));
}

#[test]
fn a_uri_is_shown_in_its_canonical_form() {
    let shown = |text: &str| HookUri::parse(text, &AddressPolicy::for_development()).unwrap().as_str().to_owned();
    assert_eq!(shown("HTTPS://Hooks.Example.com:443/a/../b"), "https://hooks.example.com/b");
    assert_eq!(shown("https://hooks.example.com"), "https://hooks.example.com");
    assert_eq!(shown("http://0x7f.1:8081/a"), "http://127.0.0.1:8081/a");
    assert_eq!(shown("https://B\u{fc}cher.example/"), "https://xn--bcher-kva.example/");
}

/// Pieces of URLs, good and bad, that are put together at random.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "https://",
        "http://",
        "HTTPS://",
        "https:",
        "//",
        "/",
        "\\\\",
        "@",
        ":",
        "#",
        "?",
        "[",
        "]",
        ".",
        "\u{3002}",
        "%2e",
        "%31",
        "%00",
        "127",
        "0x7f",
        "0177",
        "2130706433",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "64:ff9b::a00:1",
        "localhost",
        "LOCALHOST",
        "\u{24db}ocalhost",
        "hooks.example.com",
        "xn--",
        "8.8.8.8",
        ":443",
        ":0",
        ":99999",
        " ",
        "\t",
        "\r\n",
        "\u{ad}",
        "\u{200b}",
        "\u{202e}",
        "a",
        "0",
        "1",
    ]);
    prop_oneof![9 => known.prop_map(ToOwned::to_owned), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic_and_what_passes_is_no_inner_address(
        scheme in any::<bool>(),
        pieces in prop::collection::vec(piece(), 0..8),
    ) {
        let text = format!("{}{}", if scheme { "https://" } else { "" }, pieces.concat());
        if let Ok(uri) = HookUri::parse(&text, &AddressPolicy::default()) {
            let url = uri.url();
            prop_assert_eq!(url.scheme(), "https");
            prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            match url.host().unwrap() {
                Host::Domain(name) => prop_assert!(!is_localhost(name) && name.parse::<IpAddr>().is_err()),
                Host::Ipv4(address) => prop_assert!(is_public(IpAddr::V4(address))),
                Host::Ipv6(address) => prop_assert!(is_public(IpAddr::V6(address))),
            }
            // What is stored is read back as the same place.
            let again = HookUri::parse(uri.as_str(), &AddressPolicy::default());
            prop_assert_eq!(again.as_ref(), Ok(&uri));
        }
    }

    #[test]
    fn production_never_permits_what_hides_a_denied_address(inner in any::<u32>(), form in 0_usize..7) {
        let inner = std::net::Ipv4Addr::from_bits(inner);
        let [a, b, c, d] = inner.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let hidden = [
            format!("::{a}.{b}.{c}.{d}"), format!("::ffff:0:{a}.{b}.{c}.{d}"), format!("64:ff9b::{a}.{b}.{c}.{d}"),
            format!("64:ff9b:1::{a}.{b}.{c}.{d}"), format!("2002:{high:x}:{low:x}::1"), format!("2001:0:1:2:3:4:{:x}:{:x}", !high, !low),
            format!("2a00::5efe:{a}.{b}.{c}.{d}"),
        ];
        prop_assert!(!AddressPolicy::default().permits(ip(&hidden[form])));
        prop_assert_eq!(AddressPolicy::default().permits(ip(&format!("::ffff:{a}.{b}.{c}.{d}"))), is_public(IpAddr::V4(inner)));
    }
}
