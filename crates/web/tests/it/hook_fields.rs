//! What each field of a hook may hold, and how a refusal names it.

use hookwright_testkit::Org;
use serde_json::{Value, json};

use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{HOOKS, created, hook, hook_with, path_of, shown};

const CONFIG: &str = "/channel/config";

/// Asserts that a hook with the member set so is refused with a cause for `field`.
async fn refuses(org: &Org, member: &str, value: Value, field: &str) -> String {
    refused_for(&org.client.post(HOOKS, &hook_with("mine", member, value)).await, field)
}

#[tokio::test]
async fn names_have_1_to_255_characters_of_any_script() {
    let org = Org::start().await;
    for name in ["x".to_owned(), "ü".repeat(255), "登録 フック ✓".to_owned(), "  padded  ".to_owned()] {
        assert_eq!(created(&org, &hook(&name)).await["name"], name);
    }
    for name in [json!(""), json!("   "), json!("ü".repeat(256)), json!("a\nb"), json!("a\u{7f}b"), json!(7), json!([])]
    {
        refuses(&org, "/name", name, "name").await;
    }
    refuses(&org, "/name", Value::Null, "name").await;
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_letter_case() {
    let org = Org::start().await;
    let first = created(&org, &hook("Straßen-Hook")).await;
    let second = created(&org, &hook("another")).await;
    let taken = "name: An object with this field already exists in the current organization";
    for name in ["Straßen-Hook", "STRAßEN-HOOK", "straßen-hook"] {
        assert_eq!(refused(&org.client.post(HOOKS, &hook(name)).await, 400, "E0000001"), [taken]);
        assert_eq!(refused(&org.client.put(&path_of(&second), &hook(name)).await, 400, "E0000001"), [taken]);
        assert_eq!(
            refused(&org.client.post(&path_of(&second), &json!({"name": name})).await, 400, "E0000001"),
            [taken]
        );
    }
    // A hook is not in its own way.
    accepted(&org.client.put(&path_of(&first), &hook("STRAßEN-HOOK")).await);
    // A name is free again when its hook lets it go.
    accepted(&org.client.put(&path_of(&first), &hook("something else")).await);
    created(&org, &hook("straßen-hook")).await;
    assert_eq!(refused(&org.client.post(HOOKS, &hook("another")).await, 400, "E0000001"), [taken]);
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&second))).await);
    assert_eq!(refused(&org.client.post(HOOKS, &hook("another")).await, 400, "E0000001"), [taken]);
    assert_eq!(org.client.delete(&path_of(&second)).await.status, 204);
    created(&org, &hook("another")).await;
}

#[tokio::test]
async fn a_refused_name_is_shown_as_live_orgs_show_it() {
    let org = Org::start().await;
    created(&org, &hook("taken")).await;
    insta::assert_snapshot!(shown(&org, &org.client.post(HOOKS, &hook("Taken")).await), @r#"
    400
    {
      "errorCode": "E0000001",
      "errorSummary": "Api validation failed: inlineHook",
      "errorLink": "E0000001",
      "errorId": "[errorId]",
      "errorCauses": [
        {
          "errorSummary": "name: An object with this field already exists in the current organization"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn all_six_types_and_the_one_of_2018_can_be_registered() {
    let org = Org::start().await;
    for kind in [
        "com.okta.user.pre-registration",
        "com.okta.oauth2.tokens.transform",
        "com.okta.saml.tokens.transform",
        "com.okta.user.credential.password.import",
        "com.okta.import.transform",
        "com.okta.telephony.provider",
        "com.okta.tokens.transform",
    ] {
        let hook = created(&org, &hook_with(kind, "/type", json!(kind))).await;
        assert_eq!(hook["type"], kind);
        let list = accepted(&org.client.get(&format!("{HOOKS}?type={kind}")).await);
        assert_eq!(list, json!([hook]));
    }
    for kind in [json!("com.okta.unheard-of"), json!("COM.OKTA.IMPORT.TRANSFORM"), json!(""), json!(1)] {
        let cause = refuses(&org, "/type", kind, "type").await;
        assert!(!cause.contains("com.okta.tokens.transform"), "{cause}");
    }
    refuses(&org, "/type", Value::Null, "type").await;
}

#[tokio::test]
async fn versions_are_three_numbers_and_come_back_as_they_were_sent() {
    let org = Org::start().await;
    for version in ["1.0.0", "1.0.2", "12.345.6"] {
        assert_eq!(created(&org, &hook_with(version, "/version", json!(version))).await["version"], version);
    }
    assert_eq!(created(&org, &hook_with("none", "/version", Value::Null)).await["version"], "1.0.0");
    for version in [json!("1"), json!("1.0"), json!("1.0.0.0"), json!("v1.0.0"), json!("1.0.0\n"), json!(1), json!(1.0)]
    {
        refuses(&org, "/version", version, "version").await;
    }
}

#[tokio::test]
async fn the_channel_has_one_version_one_method_and_two_types() {
    let org = Org::start().await;
    refuses(&org, "/channel", Value::Null, "channel").await;
    refuses(&org, "/channel", json!("HTTP"), "channel").await;
    refuses(&org, "/channel/type", json!("SMTP"), "channel.type").await;
    refuses(&org, "/channel/type", Value::Null, "channel.type").await;
    refuses(&org, "/channel/version", json!("2.0.0"), "channel.version").await;
    refuses(&org, "/channel/version", json!(1), "channel.version").await;
    refuses(&org, CONFIG, Value::Null, "channel.config").await;
    refuses(&org, CONFIG, json!([]), "channel.config").await;
    for method in [json!("GET"), json!("PUT"), json!("post"), json!(1)] {
        refuses(&org, "/channel/config/method", method, "channel.config.method").await;
    }
    let plain = created(&org, &hook_with("no method", "/channel/config/method", Value::Null)).await;
    assert_eq!(plain["channel"]["config"]["method"], "POST");
    let https = created(&org, &hook_with("of 2019", "/channel/type", json!("HTTPS"))).await;
    assert_eq!(https["channel"]["type"], "HTTP");
    let unversioned = created(&org, &hook_with("no version", "/channel/version", Value::Null)).await;
    assert_eq!(unversioned["channel"]["version"], "1.0.0");
}

#[tokio::test]
async fn missing_headers_are_an_empty_list_and_a_missing_scheme_is_null() {
    let org = Org::start().await;
    for nothing in [Value::Null, json!([])] {
        let hook = created(&org, &hook_with(&nothing.to_string(), "/channel/config/headers", nothing)).await;
        assert_eq!(hook["channel"]["config"]["headers"], json!([]));
    }
    for nothing in [Value::Null, json!({})] {
        let hook = created(&org, &hook_with(&format!("scheme {nothing}"), "/channel/config/authScheme", nothing)).await;
        assert_eq!(hook["channel"]["config"].get("authScheme"), Some(&Value::Null));
    }
}

#[tokio::test]
async fn headers_come_back_as_they_were_sent_also_with_a_name_that_http_forbids() {
    let org = Org::start().await;
    let headers = json!([
        {"key": "Field 1", "value": "a b"}, {"key": "X-Empty", "value": ""}, {"key": "x-lower", "value": "\t~"},
    ]);
    let hook = created(&org, &hook_with("mine", "/channel/config/headers", headers.clone())).await;
    assert_eq!(hook["channel"]["config"]["headers"], headers);
}

#[tokio::test]
async fn headers_that_are_reserved_or_could_break_a_request_are_refused() {
    let org = Org::start().await;
    let headers = "/channel/config/headers";
    let key = "channel.config.headers[0].key";
    for name in [
        "Accept",
        "ACCEPT-ENCODING",
        "Content-Type",
        "content-length",
        "Content-Encoding",
        "Host",
        "Connection",
        "Cookie",
        "Expect",
        "Keep-Alive",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Via",
        "authorization",
        "X-A\r\nX-B",
        "X-A\n",
        "Tränen",
        "",
        " ",
    ] {
        refuses(&org, headers, json!([{"key": name, "value": "v"}]), key).await;
    }
    let long = "x".repeat(129);
    refuses(&org, headers, json!([{"key": long, "value": "v"}]), key).await;
    refuses(&org, headers, json!([{"value": "v"}]), key).await;
    refuses(&org, headers, json!([{"key": 1, "value": "v"}]), key).await;
    for value in [json!("a\r\nX-B: 1"), json!("a\nb"), json!("a\u{1}b"), json!("ü"), json!("x".repeat(4097)), json!(1)]
    {
        refuses(&org, headers, json!([{"key": "X-A", "value": value}]), "channel.config.headers[0].value").await;
    }
    let twice = json!([{"key": "X-A", "value": "1"}, {"key": "x-a", "value": "2"}]);
    refuses(&org, headers, twice, "channel.config.headers[1].key").await;
    let many: Vec<Value> = (0..51).map(|number| json!({"key": format!("X-{number}"), "value": "v"})).collect();
    refuses(&org, headers, json!(many), "channel.config.headers").await;
    refuses(&org, headers, json!({"X-A": "1"}), "channel.config.headers").await;
    refuses(&org, headers, json!(["X-A: 1"]), "channel.config.headers[0]").await;
    for value in ["a\r\nb", "a\u{7f}b", "ü"] {
        let scheme = json!({"type": "HEADER", "key": "X-Key", "value": value});
        refuses(&org, "/channel/config/authScheme", scheme, "channel.config.authScheme.value").await;
    }
    for name in ["Host", "Content-Length", "X-A\r\nX-B", "Field 1", "", "X:Y"] {
        let scheme = json!({"type": "HEADER", "key": name, "value": "secret"});
        refuses(&org, "/channel/config/authScheme", scheme, "channel.config.authScheme.key").await;
    }
    let basic = json!({"type": "BASIC", "key": "Authorization", "value": "secret"});
    refuses(&org, "/channel/config/authScheme", basic, "channel.config.authScheme.type").await;
}

#[tokio::test]
async fn the_auth_scheme_is_echoed_in_the_letter_case_in_which_it_was_sent() {
    let org = Org::start().await;
    let scheme = json!({"type": "header", "key": "aUTHORIZATION", "value": "secret"});
    let hook = created(&org, &hook_with("mine", "/channel/config/authScheme", scheme)).await;
    let shown = accepted(&org.client.get(&format!("/api/v1/inlineHooks/{}", hook["id"].as_str().unwrap())).await);
    for hook in [hook, shown] {
        assert_eq!(
            hook["channel"]["config"]["authScheme"],
            json!({"type": "header", "key": "aUTHORIZATION", "value": "******"})
        );
    }
}

#[tokio::test]
async fn uris_are_https_to_public_places_without_tricks() {
    let org = Org::start().await;
    let uri = "/channel/config/uri";
    for text in [
        "https://my.test.url",
        "https://hooks.example.com:8443/a/b?c=d&e=%20",
        "http://127.0.0.1:4567/inlineHook",
        "http://localhost:4567/inlineHook",
        "http://[::1]:4567/",
    ] {
        let hook = created(&org, &hook_with(text, uri, json!(text))).await;
        assert_eq!(hook["channel"]["config"]["uri"], text);
    }
    let long = format!("https://hooks.example.com/{}", "x".repeat(1000));
    for text in [
        "",
        "hooks.example.com",
        "/relative",
        "ftp://hooks.example.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:70000/",
        "https:///no-host",
        "https://hooks.example.com/a b",
        "https://hooks.example.com\\@evil.example/",
        "https://hooks.example.com/\r\nX-A: 1",
        " https://hooks.example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/",
        "https://[fd00::1]/",
        &long,
    ] {
        refuses(&org, uri, json!(text), "channel.config.uri").await;
    }
    refuses(&org, uri, Value::Null, "channel.config.uri").await;
    refuses(&org, uri, json!(["https://hooks.example.com/"]), "channel.config.uri").await;
}

#[tokio::test]
async fn without_development_nothing_leads_to_this_machine() {
    let mut options = hookwright_testkit::OrgOptions::default();
    options.settings.address_policy = hookwright_model::address::AddressPolicy::default();
    let org = Org::start_with(options).await;
    for text in [
        "http://127.0.0.1:4567/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://a.localhost/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "http://hooks.example.com/",
    ] {
        refuses(&org, "/channel/config/uri", json!(text), "channel.config.uri").await;
    }
    created(&org, &hook("a public place")).await;
}

#[tokio::test]
async fn metadata_is_echoed_if_it_is_strings() {
    let org = Org::start().await;
    let metadata = json!({"optOutServiceProtectionRateLimit": "true", "note": "ü"});
    let hook = created(&org, &hook_with("mine", "/metadata", metadata.clone())).await;
    assert_eq!(hook["metadata"], metadata);
    assert_eq!(accepted(&org.client.get(&path_of(&hook)).await), hook);
    assert_eq!(created(&org, &crate::fixtures::hook("without")).await.get("metadata"), None);
    for wrong in [json!({"a": 1}), json!([]), json!("a"), json!({"a": {"b": "c"}}), json!({"a": "x".repeat(20_000)})] {
        refuses(&org, "/metadata", wrong, "metadata").await;
    }
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let org = Org::start().await;
    let body = json!({"name": "", "type": "x", "version": "y", "channel": {"type": "HTTP", "config": {"uri": 1}}});
    let causes = refused(&org.client.post(HOOKS, &body).await, 400, "E0000001");
    let fields: Vec<&str> = causes.iter().filter_map(|cause| cause.split(':').next()).collect();
    assert_eq!(fields, ["name", "type", "version", "channel.config.uri"]);
    let causes = refused(&org.client.post(HOOKS, &json!({})).await, 400, "E0000001");
    let fields: Vec<&str> = causes.iter().filter_map(|cause| cause.split(':').next()).collect();
    assert_eq!(fields, ["name", "type", "channel"]);
}

fn oauth(name: &str) -> Value {
    let mut body = hook(name);
    body["channel"] = json!({"type": "OAUTH", "version": "1.0.0", "config": {
        "uri": "https://hooks.example.com/h", "authType": "client_secret_post", "clientId": "a-client",
        "clientSecret": "a-client-secret", "tokenUrl": "https://as.example.com/token", "scope": "hook:call",
    }});
    body
}

#[tokio::test]
async fn an_oauth_channel_makes_the_round_trip_without_its_secret() {
    let org = Org::start().await;
    let first = created(&org, &oauth("oauth")).await;
    let config = json!({
        "uri": "https://hooks.example.com/h", "headers": [], "method": "POST", "authScheme": null,
        "authType": "client_secret_post", "clientId": "a-client", "tokenUrl": "https://as.example.com/token",
        "scope": "hook:call",
    });
    assert_eq!(first["channel"], json!({"type": "OAUTH", "version": "1.0.0", "config": config}));
    // What was read can be put back.
    assert_eq!(accepted(&org.client.put(&path_of(&first), &first).await), first);

    let key = accepted(&org.client.post("/api/v1/hook-keys", &json!({"name": "mine"})).await)["id"].clone();
    let mut with_key = oauth("key");
    with_key["channel"]["config"] = json!({
        "uri": "https://hooks.example.com/h", "authType": "private_key_jwt", "clientId": "a-client",
        "hookKeyId": key, "tokenUrl": "https://as.example.com/token",
    });
    let with_key = created(&org, &with_key).await;
    assert_eq!(with_key["channel"]["config"]["hookKeyId"], key);
    assert_eq!(with_key["channel"]["config"].get("scope"), Some(&Value::Null));
    assert_eq!(accepted(&org.client.put(&path_of(&with_key), &with_key).await), with_key);
}

#[tokio::test]
async fn faults_of_an_oauth_channel_are_named() {
    let org = Org::start().await;
    for (member, value) in [
        ("authType", json!("client_secret_basic")),
        ("authType", json!(null)),
        ("clientId", json!("")),
        ("clientId", json!("a\r\nb")),
        ("clientSecret", json!("")),
        ("clientSecret", json!("******")),
        ("clientSecret", json!("a\nb")),
        ("tokenUrl", json!("http://as.example.com/token")),
        ("tokenUrl", json!("https://10.0.0.1/token")),
        ("tokenUrl", json!(null)),
        ("scope", json!(["a"])),
        ("authScheme", json!({"type": "HEADER", "key": "X-Key", "value": "v"})),
    ] {
        let mut body = oauth("oauth");
        body["channel"]["config"][member] = value;
        refused_for(&org.client.post(HOOKS, &body).await, &format!("channel.config.{member}"));
    }
    let mut body = oauth("oauth");
    body["channel"]["config"]["headers"] = json!([{"key": "Authorization", "value": "Bearer mine"}]);
    refused_for(&org.client.post(HOOKS, &body).await, "channel.config.headers[0].key");
}

/// The body of the create call in Okta's first public page on inline hooks, white space and all.
const BODY_OF_2018: &str = r#"{
    "name" : "My Test Inline Hook",
    "type" : "com.okta.tokens.transform",
    "version" : "1.0.0",
    "channel" : {
        "type" : "HTTP",
        "version" : "1.0.0",
        "config" : {
            "uri" : "http://127.0.0.1:4567/inlineHook",
            "method" : "POST",
            "headers" : [
                {
                    "key" : "X-Other-Header",
                    "value" : "some-other-value"
                }
            ],
            "authScheme" : {
                "type" : "HEADER",
                "key" : "Authorization",
                "value" : "api-key"
            }
        }
    }
}"#;

#[tokio::test]
async fn the_curl_bodies_of_2018_work_as_they_are() {
    let org = Org::start().await;
    let send = |method: http::Method, path: &str, body: &str| {
        let request = org.client.request(method, path).header("Accept", "application/json");
        request.header("Content-Type", "application/json").body(body.to_owned()).send()
    };
    let hook = accepted(&send(http::Method::POST, "/api/v1/inlineHook", BODY_OF_2018).await);
    let sent: Value = serde_json::from_str(BODY_OF_2018).unwrap();
    let mut expected = sent.clone();
    expected["channel"]["config"]["authScheme"]["value"] = json!("******");
    for member in ["name", "type", "version", "channel"] {
        assert_eq!(hook[member], expected[member], "{member}");
    }
    let moved = BODY_OF_2018.replace(":4567", ":8080");
    let replaced = accepted(&send(http::Method::PUT, &path_of(&hook), &moved).await);
    assert_eq!(replaced["channel"]["config"]["uri"], "http://127.0.0.1:8080/inlineHook");
    assert_eq!(replaced["channel"]["config"]["authScheme"]["value"], "******");
    // The page's line for PUT lacks the id; there is nothing that it could mean.
    refused(&send(http::Method::PUT, "/api/v1/inlineHooks", BODY_OF_2018).await, 405, "E0000022");
}
