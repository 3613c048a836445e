//! Whatever is given as a filter: reading it ends, and what it says of a resource is what it foretells.
#![no_main]

use std::sync::LazyLock;

use hookwright_model::scim_filter::Filter;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static RESOURCE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "eventType": "inline_hook.executed", "published": "2024-05-03T01:23:08.000Z", "severity": "WARN", "n": 1.5,
        "actor": {"id": "00u1", "displayName": "Ann \u{1f980}"}, "target": [{"id": "cal1", "type": "InlineHook"}, {"id": "2"}],
        "outcome": {"result": "FAILURE", "reason": null}, "yes": true, "deep": {"a": [{"b": [1, 2]}]},
    })
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let matches = filter.matches(&RESOURCE);
    assert_eq!(filter.foretell(&RESOURCE, |_| true), Some(matches), "{text:?}");
    // Knowing nothing may only leave it open, or say what holds for everything.
    if let Some(foretold) = filter.foretell(&json!({}), |_| false) {
        assert_eq!(foretold, matches, "{text:?}");
    }
});
