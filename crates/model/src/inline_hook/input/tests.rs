use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{AddressPolicy, InlineHook, InlineHookId, LifecycleStatus, Timestamp, Violations};
use crate::channel::ChannelAuth;
use crate::secret_display::SecretDisplay;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn body() -> Value {
    json!({
        "name": "My Test Inline Hook", "type": "com.okta.user.pre-registration", "version": "1.0.0", "status": "INACTIVE",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {
            "uri": "https://hooks.example.com/inlineHook", "method": "POST",
            "headers": [{"key": "X-Other-Header", "value": "some-other-value"}],
            "authScheme": {"type": "HEADER", "key": "Authorization", "value": "api-key"}}}
    })
}

fn create(body: &Value) -> Result<InlineHook, Violations> {
    let id = InlineHookId::from_text("cal00000000000000001");
    InlineHook::create(id, &body.into(), &AddressPolicy::default(), NOW)
}

fn replaced(hook: &InlineHook, body: &Value) -> Result<InlineHook, Violations> {
    hook.replaced(&body.into(), &AddressPolicy::default(), NOW)
}

fn secret(hook: &InlineHook) -> &str {
    hook.channel.auth.secret().unwrap().expose_secret()
}

/// Asserts that a body with `member` (a JSON pointer) set to `value` is refused with a violation of `field`.
#[track_caller]
fn refused(member: &str, value: Value, field: &str) -> String {
    let mut body = body();
    let (parent, name) = member.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    let violations = create(&body).unwrap_err();
    let found = violations.iter().find(|violation| violation.field == field);
    found.unwrap_or_else(|| panic!("no violation of {field} in {violations}")).message.clone()
}

#[test]
fn a_hook_starts_active_and_shows_dates_of_whole_seconds() {
    let hook = create(&body()).unwrap();
    assert_eq!(hook.status, LifecycleStatus::Active);
    let shown = json!(hook.shown("https://org.example", SecretDisplay::Mask));
    assert_eq!((&shown["created"], &shown["lastUpdated"]), (&json!("2023-11-14T22:13:20.000Z"), &shown["created"]));
    assert_eq!(secret(&hook), "api-key");
}

#[test]
fn every_fault_is_named_by_its_field() {
    for name in [json!(null), json!(""), json!("  "), json!(7), json!("x".repeat(256)), json!("a\nb")] {
        refused("/name", name, "name");
    }
    refused("/type", json!("com.okta.unknown"), "type");
    for version in ["1", "1.0", "1.0.0.0", "1.0.x", "1..0", "1.0.0 "] {
        refused("/version", json!(version), "version");
    }
    refused("/channel", json!(null), "channel");
    refused("/channel/type", json!("SMTP"), "channel.type");
    refused("/channel/version", json!("2.0.0"), "channel.version");
    refused("/channel/config/method", json!("GET"), "channel.config.method");
    refused("/channel/config/headers", json!({}), "channel.config.headers");
    refused("/metadata", json!({"a": 1}), "metadata");
    refused("/metadata", json!({"a": "x".repeat(16 * 1024)}), "metadata");
    refused("/channel/config/authScheme/key", json!("Field 1"), "channel.config.authScheme.key");
}

#[test]
fn several_faults_are_told_at_once() {
    let violations = create(&json!({"channel": {"type": "HTTP", "config": {}}})).unwrap_err();
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["name", "type", "channel.config.uri"]);
}

#[test]
fn names_may_have_255_characters_of_any_script() {
    let mut body = body();
    body["name"] = json!("ü".repeat(255));
    assert_eq!(create(&body).unwrap().name.chars().count(), 255);
}

#[test]
fn header_names_and_values_that_could_break_a_request_are_refused() {
    let headers = "/channel/config/headers";
    for key in ["X-A\r\nX-B", "Host", "content-length", "Accept", "authorization", "Tränen", "", "Proxy-Connection"] {
        refused(headers, json!([{"key": key, "value": "v"}]), "channel.config.headers[0].key");
    }
    for value in ["a\r\nb", "a\0b", "ü", "\u{7f}"] {
        refused(headers, json!([{"key": "X-A", "value": value}]), "channel.config.headers[0].value");
    }
    refused(
        headers,
        json!([{"key": "X-A", "value": "1"}, {"key": "x-a", "value": "2"}]),
        "channel.config.headers[1].key",
    );
    refused(
        headers,
        json!((0..51).map(|n| json!({"key": format!("X-{n}"), "value": ""})).collect::<Vec<_>>()),
        "channel.config.headers",
    );
    refused("/channel/config/authScheme/value", json!("a\r\nb"), "channel.config.authScheme.value");
    refused("/channel/config/authScheme/key", json!("Host"), "channel.config.authScheme.key");
}

#[test]
fn a_header_name_with_a_blank_is_kept_as_live_orgs_do() {
    let mut body = body();
    body["channel"]["config"]["headers"] = json!([{"key": "Field 1", "value": "v"}]);
    assert_eq!(create(&body).unwrap().channel.headers[0].key, "Field 1");
}

#[test]
fn a_secret_is_kept_when_the_mask_or_nothing_comes_back() {
    let hook = create(&body()).unwrap();
    for value in [json!("******"), json!(null), json!("")] {
        let mut body = body();
        body["channel"]["config"]["authScheme"]["value"] = value;
        body["channel"]["config"]["uri"] = json!("https://hooks.example.com/moved");
        assert_eq!(secret(&replaced(&hook, &body).unwrap()), "api-key");
    }
}

#[test]
fn a_kept_secret_does_not_travel_to_another_place_or_header() {
    let hook = create(&body()).unwrap();
    for uri in ["https://evil.example.net/inlineHook", "https://hooks.example.com:8443/inlineHook"] {
        let mut body = body();
        body["channel"]["config"]["uri"] = json!(uri);
        body["channel"]["config"]["authScheme"]["value"] = json!("******");
        let violations = replaced(&hook, &body).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "channel.config.authScheme.value");
    }
    let mut body = body();
    body["channel"]["config"]["authScheme"] = json!({"type": "HEADER", "key": "X-Key", "value": "******"});
    assert!(replaced(&hook, &body).is_err());
}

#[test]
fn the_type_never_changes_and_the_status_is_ignored() {
    let hook = create(&body()).unwrap();
    let mut body = body();
    body["status"] = json!("INACTIVE");
    assert_eq!(replaced(&hook, &body).unwrap().status, LifecycleStatus::Active);
    body["type"] = json!("com.okta.saml.tokens.transform");
    assert_eq!(replaced(&hook, &body).unwrap_err().iter().next().unwrap().field, "type");
    body.as_object_mut().unwrap().remove("type");
    assert!(replaced(&hook, &body).is_ok());
}

#[test]
fn an_update_merges_whole_members_and_a_replacement_replaces() {
    let mut with_metadata = body();
    with_metadata["metadata"] = json!({"k": "v"});
    let hook = create(&with_metadata).unwrap();
    let updated = hook.updated(&(&json!({"name": "New"})).into(), &AddressPolicy::default(), NOW).unwrap();
    assert_eq!(updated.name, "New");
    assert!(updated.metadata.is_some());
    assert_eq!(secret(&updated), "api-key");
    let mut without_auth = body();
    without_auth["channel"]["config"].as_object_mut().unwrap().remove("authScheme");
    let replaced = replaced(&hook, &without_auth).unwrap();
    assert!(matches!(replaced.channel.auth, ChannelAuth::None));
    assert!(replaced.metadata.is_none());
}

#[test]
fn the_representation_masks_or_omits_the_secret() {
    let hook = create(&body()).unwrap();
    let masked = json!(hook.shown("https://org.example", SecretDisplay::Mask));
    assert_eq!(masked["channel"]["config"]["authScheme"]["value"], "******");
    assert_eq!(
        masked["_links"]["deactivate"]["href"],
        format!("https://org.example/api/v1/inlineHooks/{}/lifecycle/deactivate", hook.id)
    );
    assert!(masked["_links"].get("delete").is_none());
    let omitted = json!(hook.shown("https://org.example", SecretDisplay::Omit));
    assert!(omitted["channel"]["config"]["authScheme"].get("value").is_none());
    assert!(!format!("{hook:?}{masked}{omitted}").contains("api-key"));
}

#[test]
fn an_oauth_channel_keeps_its_client_secret_for_the_same_client_and_place() {
    let mut body = body();
    body["channel"] = json!({"type": "OAUTH", "version": "1.0.0", "config": {
        "uri": "https://hooks.example.com/h", "authType": "client_secret_post", "clientId": "c", "clientSecret": "s3cret",
        "tokenUrl": "https://as.example.com/token", "scope": "hook"}});
    let hook = create(&body).unwrap();
    let shown = json!(hook.shown("https://org.example", SecretDisplay::Mask));
    assert!(shown["channel"]["config"].get("clientSecret").is_none());
    assert_eq!(shown["channel"]["config"]["authScheme"], Value::Null);
    body["channel"]["config"].as_object_mut().unwrap().remove("clientSecret");
    assert_eq!(secret(&replaced(&hook, &body).unwrap()), "s3cret");
    body["channel"]["config"]["tokenUrl"] = json!("https://other.example.com/token");
    assert!(replaced(&hook, &body).is_err());
    body["channel"]["config"]["tokenUrl"] = json!("https://as.example.com/token");
    body["channel"]["config"]["clientId"] = json!("another");
    assert!(replaced(&hook, &body).is_err());
    body["channel"]["config"]["clientId"] = json!("c");
    body["channel"]["config"]["uri"] = json!("https://elsewhere.example.com/h");
    let violations = replaced(&hook, &body).unwrap_err();
    assert_eq!(violations.iter().next().unwrap().field, "channel.config.clientSecret");
}

#[test]
fn oauth_parameters_are_short_visible_text() {
    let config = json!({"uri": "https://hooks.example.com/h", "authType": "client_secret_post", "clientId": "c",
        "clientSecret": "s3cret", "tokenUrl": "https://as.example.com/token", "scope": "hook"});
    for (member, value) in [("clientId", "a\nb".to_owned()), ("scope", "é".to_owned()), ("clientId", "x".repeat(1025))]
    {
        let mut body = body();
        body["channel"] = json!({"type": "OAUTH", "version": "1.0.0", "config": config});
        body["channel"]["config"][member] = json!(value);
        let violations = create(&body).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, format!("channel.config.{member}"));
    }
}

#[test]
fn the_2018_type_and_the_https_channel_of_2019_are_read() {
    let mut body = body();
    body["type"] = json!("com.okta.tokens.transform");
    body["channel"]["type"] = json!("HTTPS");
    let hook = create(&body).unwrap();
    let shown = json!(hook.shown("https://org.example", SecretDisplay::Mask));
    assert_eq!(shown["type"], "com.okta.tokens.transform");
    assert_eq!(shown["channel"]["type"], "HTTP");
}
