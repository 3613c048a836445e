use serde_json::json;

use super::*;
use crate::Violations;

const DEFAULTS: SettingsDefaults = SettingsDefaults { timeout: Duration::from_secs(3), max_concurrent_calls: 32 };
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";

fn read(body: &Value, hook_type: HookType) -> Result<HookSettings, Violations> {
    HookSettings::default().replaced(body.as_object().unwrap(), hook_type)
}

fn shown(settings: &HookSettings, hook_type: HookType) -> Map<String, Value> {
    settings.to_json(hook_type, DEFAULTS, SecretDisplay::Mask)
}

fn fields(violations: &Violations) -> Vec<&str> {
    violations.iter().map(|violation| violation.field.as_str()).collect()
}

#[test]
fn defaults_are_exactly_what_okta_does() {
    for hook_type in HookType::ALL {
        let settings = read(&json!({}), hook_type).unwrap();
        assert!(settings.is_default());
        assert_eq!(settings.on_failure(hook_type), hook_type.on_failure());
        let shown = shown(&settings, hook_type);
        assert_eq!(shown["timeoutMs"], 3000);
        assert_eq!(shown["retry"], hook_type.retries());
        assert_eq!(shown["circuitBreaker"], Value::Null);
        assert_eq!(shown["maxCallsPerSecond"], Value::Null);
        assert_eq!(shown["failurePolicy"] == "STOP", hook_type.on_failure() == OnFailure::Stop);
    }
}

#[test]
fn what_is_shown_can_be_sent_back() {
    let body = json!({"timeoutMs": 100, "retry": false, "maxConcurrentCalls": 1, "maxCallsPerSecond": 5,
        "failurePolicy": "STOP", "circuitBreaker": {"failures": 3, "openMs": 1000}, "trustedCertificates": PEM});
    let settings = read(&body, HookType::Token).unwrap();
    let mut again = shown(&settings, HookType::Token);
    again.insert("_links".to_owned(), json!({"self": {}}));
    assert_eq!(settings.replaced(&again, HookType::Token).unwrap(), settings);
    assert_eq!(serde_json::to_value(&settings).unwrap(), body);
    assert_eq!(serde_json::from_value::<HookSettings>(body).unwrap(), settings);
}

#[test]
fn a_flow_that_must_stop_can_never_be_opened() {
    let open = json!({"failurePolicy": "CONTINUE"});
    for hook_type in HookType::ALL {
        let result = read(&open, hook_type);
        match hook_type.on_failure() {
            OnFailure::Stop => assert_eq!(fields(&result.unwrap_err()), ["failurePolicy"]),
            okta => assert_eq!(result.unwrap().on_failure(hook_type), okta),
        }
        let closed = read(&json!({"failurePolicy": "STOP"}), hook_type).unwrap();
        assert_eq!(closed.on_failure(hook_type), OnFailure::Stop);
    }
}

#[test]
fn what_is_tried_once_at_okta_can_not_be_tried_twice() {
    for hook_type in HookType::ALL {
        assert_eq!(read(&json!({"retry": true}), hook_type).is_ok(), hook_type.retries());
        assert_eq!(read(&json!({"retry": false}), hook_type).unwrap().retry, Some(false));
    }
}

#[test]
fn each_wrong_member_is_named() {
    let body = json!({"timeoutMs": 99, "retry": "yes", "maxConcurrentCalls": 0, "maxCallsPerSecond": 1.5,
        "failurePolicy": "stop", "circuitBreaker": {"failures": 0, "open": 1}, "timeout": 3,
        "trustedCertificates": "MII=", "clientCertificate": {"certificate": PEM}});
    let violations = read(&body, HookType::Token).unwrap_err();
    let expected = [
        "timeoutMs",
        "retry",
        "maxConcurrentCalls",
        "maxCallsPerSecond",
        "failurePolicy",
        "circuitBreaker.open",
        "circuitBreaker.failures",
        "circuitBreaker.openMs",
        "timeout",
        "trustedCertificates",
        "clientCertificate.privateKey",
    ];
    assert_eq!(fields(&violations), expected);
}

#[test]
fn the_edges_of_the_numbers_pass() {
    for body in [
        json!({"timeoutMs": 100, "maxConcurrentCalls": 1, "maxCallsPerSecond": 1}),
        json!({"timeoutMs": 30_000, "maxConcurrentCalls": 10_000, "maxCallsPerSecond": 10_000}),
        json!({"circuitBreaker": {"failures": 1, "openMs": 100}}),
        json!({"circuitBreaker": {"failures": 1000, "openMs": 600_000}}),
    ] {
        assert!(read(&body, HookType::Registration).is_ok(), "{body}");
    }
    for body in [
        json!({"timeoutMs": 30_001}),
        json!({"maxConcurrentCalls": 10_001}),
        json!({"maxCallsPerSecond": 10_001}),
        json!({"circuitBreaker": {"failures": 1001, "openMs": 100}}),
        json!({"circuitBreaker": {"failures": 1, "openMs": 600_001}}),
    ] {
        assert!(read(&body, HookType::Registration).is_err(), "{body}");
    }
}

#[test]
fn a_private_key_is_kept_with_its_certificate_and_shown_to_nobody() {
    let body = json!({"clientCertificate": {"certificate": PEM, "privateKey": KEY}});
    let settings = read(&body, HookType::Saml).unwrap();
    let seen =
        format!("{settings:?} {:?} {}", shown(&settings, HookType::Saml), serde_json::to_string(&settings).unwrap());
    assert!(!seen.contains("c2VjcmV0"), "{seen}");
    for kept in [json!({"certificate": PEM}), json!({"certificate": PEM, "privateKey": "******"})] {
        let body = json!({"clientCertificate": kept});
        assert_eq!(settings.replaced(body.as_object().unwrap(), HookType::Saml).unwrap(), settings);
    }
    let other = json!({"clientCertificate": {"certificate": PEM.replace("MII", "MIJ"), "privateKey": "******"}});
    let violations = settings.replaced(other.as_object().unwrap(), HookType::Saml).unwrap_err();
    assert_eq!(fields(&violations), ["clientCertificate.privateKey"]);
}

#[test]
fn changes_are_told_without_keys_and_certificates() {
    let body = json!({"timeoutMs": 500, "failurePolicy": "STOP", "trustedCertificates": PEM,
        "circuitBreaker": {"failures": 3, "openMs": 1000}, "clientCertificate": {"certificate": PEM, "privateKey": KEY}});
    let (before, after) = (HookSettings::default(), read(&body, HookType::Token).unwrap());
    let expected = json!({"timeoutMs": "default -> 500", "failurePolicy": "default -> STOP",
        "circuitBreaker": "default -> 3 failures, 1000 ms", "trustedCertificates": "added", "clientCertificate": "added"});
    assert_eq!(Value::Object(before.changes_to(&after)), expected);
    assert!(after.changes_to(&after).is_empty());
    assert_eq!(after.changes_to(&before)["clientCertificate"], "removed");
}
