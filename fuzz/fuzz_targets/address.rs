//! Whatever is given as the address of a hook: what is accepted leads outside, and only there.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hookwright_model::address::{AddressPolicy, leads_to_loopback};
use hookwright_model::hook_uri::HookUri;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use url::Host;

/// The plainest of what must never be called, told again here by hand.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => inside_v4(address),
        IpAddr::V6(address) => {
            address.to_ipv4_mapped().map_or_else(|| address.segments()[0] & 0xe000 != 0x2000, inside_v4)
                || address.segments()[0] == 0x2002
                || address.segments()[..2] == [0x2001, 0]
        }
    }
}

fn inside_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_unspecified()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
}

fuzz_target!(|data: &[u8]| {
    let production = AddressPolicy::default();
    if let Some(octets) = data.first_chunk::<16>() {
        let address = IpAddr::V6(Ipv6Addr::from(*octets));
        assert!(!(production.permits(address) && is_inside(address)), "{address}");
    }
    if let Some(octets) = data.first_chunk::<4>() {
        let address = Ipv4Addr::from(*octets);
        assert!(!(production.permits(address.into()) && inside_v4(address)), "{address}");
        assert_eq!(
            production.permits(address.into()),
            production.permits(address.to_ipv6_mapped().into()),
            "{address} in both spellings"
        );
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(uri) = HookUri::parse(text, &production) else { return };
    let url = uri.url();
    assert_eq!(url.scheme(), "https");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none() && url.port() != Some(0));
    assert!(!leads_to_loopback(url), "{url}");
    match url.host() {
        Some(Host::Ipv4(address)) => assert!(!is_inside(address.into()), "{url}"),
        Some(Host::Ipv6(address)) => assert!(!is_inside(address.into()), "{url}"),
        Some(Host::Domain(name)) => assert!(!name.is_empty() && name.is_ascii(), "{url}"),
        None => panic!("{url} has no host"),
    }
    // The canonical form is accepted again, and as itself.
    assert_eq!(HookUri::parse(uri.as_str(), &production).expect("canonical").as_str(), uri.as_str());
    assert_eq!(HookUri::parse_stored(uri.as_str()).expect("canonical").as_str(), uri.as_str());
    let body = json!({
        "name": "n", "type": "com.okta.user.pre-registration", "version": "1.0.0",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {"uri": text, "headers": [{"key": text, "value": text}]}},
    });
    // The header's name is no URI's, so that this hook is refused; reading it must end all the same.
    let _ = InlineHook::create(
        InlineHookId::from_text("cal1"),
        body.as_object().expect("an object"),
        &production,
        Timestamp::from_millis(0),
    );
});
