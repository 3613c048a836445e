//! What the service gets to see.

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::CallSettings;
use hookwright_testkit::SeenRequest;
use serde_json::{Value, json};

use crate::bench::{BODY, Bench, hook};

async fn seen(path: &str, config: Value) -> SeenRequest {
    let bench = Bench::start().await;
    let hook = hook(&bench.service.url(path), HookType::Registration, &config);
    let prepared = bench.engine.prepare(&hook, CallSettings::for_type(HookType::Registration));
    let report = bench.engine.call(&prepared, Bytes::from_static(BODY)).await;
    assert_eq!(report.result.unwrap().status, 204);
    bench.service.requests().remove(0)
}

#[tokio::test]
async fn the_request_is_a_post_with_okta_s_fields_and_the_body_as_given() {
    let bench = Bench::start().await;
    let hook = hook(&bench.service.url("/a/b?c=d%20e&f"), HookType::Registration, &json!({}));
    let prepared = bench.engine.prepare(&hook, CallSettings::for_type(HookType::Registration));
    bench.engine.call(&prepared, Bytes::from_static(BODY)).await.result.unwrap();
    let request = bench.service.requests().remove(0);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/a/b?c=d%20e&f"));
    assert_eq!(request.body, BODY);
    let expected = [
        ("host", bench.service.address().to_string()),
        ("user-agent", format!("Hookwright/{}", env!("CARGO_PKG_VERSION"))),
        ("accept", "application/json".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("accept-encoding", "identity".to_owned()),
        ("content-length", BODY.len().to_string()),
    ];
    let mut sent = request.headers.clone();
    sent.sort();
    let mut expected = expected.map(|(name, value)| (name.to_owned(), value)).to_vec();
    expected.sort();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn the_secret_goes_under_the_key_of_the_auth_scheme() {
    let scheme =
        json!({"authScheme": {"type": "HEADER", "key": "Authorization", "value": "Basic YWRtaW46c3VwZXJzZWNyZXQ="}});
    assert_eq!(seen("/hook", scheme).await.header("authorization"), Some("Basic YWRtaW46c3VwZXJzZWNyZXQ="));
    let scheme = json!({"authScheme": {"type": "HEADER", "key": "x-api-key", "value": "k"}});
    assert_eq!(seen("/hook", scheme).await.header("x-api-key"), Some("k"));
}

#[tokio::test]
async fn configured_headers_are_sent_and_names_that_http_forbids_are_not() {
    let headers = json!({"headers": [
        {"key": "X-Tenant", "value": "acme, inc"}, {"key": "X-Empty", "value": ""}, {"key": "Field 1", "value": "never"},
        {"key": "X(1)", "value": "never"}, {"key": "X:2", "value": "never"},
    ]});
    let request = seen("/hook", headers).await;
    assert_eq!(request.header("x-tenant"), Some("acme, inc"));
    assert_eq!(request.header("x-empty"), Some(""));
    assert!(!String::from_utf8_lossy(&request.head).contains("never"));
}

#[tokio::test]
async fn a_header_that_was_stored_before_the_rules_is_checked_again_on_send() {
    let bench = Bench::start().await;
    let mut hook = hook(&bench.service.url("/hook"), HookType::Registration, &json!({}));
    let unruly = [
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Cookie", "a=b"),
        ("Expect", "100-continue"),
        ("TE", "trailers"),
        ("Proxy-Authorization", "x"),
        ("Accept", "text/html"),
        ("X-A", "b\r\nX-B: c"),
        ("X-C\r\nX-D", "e"),
        ("Upgrade", "h2c"),
        ("Content-Encoding", "gzip"),
        ("user-agent", "other"),
        ("Trailer", "x"),
    ];
    for (key, value) in unruly {
        let header = hookwright_model::channel::Header { key: key.to_owned(), value: value.to_owned() };
        hook.channel.headers.push(header);
    }
    let prepared = bench.engine.prepare(&hook, CallSettings::for_type(HookType::Registration));
    bench.engine.call(&prepared, Bytes::from_static(BODY)).await.result.unwrap();
    let request = bench.service.requests().remove(0);
    assert_eq!(request.headers.len(), 6, "{:?}", request.headers);
    assert_eq!(request.body, BODY);
}

#[tokio::test]
async fn a_body_of_a_megabyte_arrives_whole() {
    let bench = Bench::start().await;
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    bench.engine.call(&bench.prepare(HookType::Registration), body.clone()).await.result.unwrap();
    assert_eq!(bench.service.requests().remove(0).body, body);
}

#[tokio::test]
async fn no_secret_is_shown_by_what_can_be_printed() {
    let bench = Bench::start().await;
    let config = json!({"authScheme": {"type": "HEADER", "key": "Authorization", "value": "s3cret-value"}});
    let hook = hook(&bench.service.url("/hook"), HookType::Registration, &config);
    let prepared = bench.engine.prepare(&hook, CallSettings::for_type(HookType::Registration));
    let report = bench.engine.call(&prepared, Bytes::from_static(BODY)).await;
    assert!(!format!("{prepared:?} {report:?} {:?}", bench.engine).contains("s3cret"));
}
