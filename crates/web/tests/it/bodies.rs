//! Bodies that are not what was asked for.

use hookwright_testkit::{Answer, Org, TOKEN};
use http::Method;
use serde_json::{Value, json};

use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{HOOKS, created, hook, path_of};

const MEBIBYTE: usize = 1024 * 1024;

async fn post(org: &Org, body: impl Into<Vec<u8>>) -> Answer {
    let request = org.client.request(Method::POST, HOOKS).header("Content-Type", "application/json");
    request.body(body.into()).send().await
}

/// The cause with which a body is refused as malformed.
async fn malformed(org: &Org, body: impl Into<Vec<u8>>) -> String {
    let causes = refused(&post(org, body).await, 400, "E0000003");
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.into_iter().next().unwrap_or_default()
}

#[tokio::test]
async fn what_is_no_json_is_refused_with_line_and_column() {
    let org = Org::start().await;
    for (body, line, column) in [
        ("", 1, 1),
        ("   ", 1, 4),
        ("{", 1, 2),
        ("\n\n  nonsense", 3, 3),
        ("{\"name\": \"a\",}", 1, 13),
        ("{\n  \"name\": 'a'\n}", 2, 11),
        ("{\"ü\": \"ü\" \"b\"}", 1, 11),
        ("{} {}", 1, 4),
        ("{\"a\": 01}", 1, 8),
        ("{\"a\": NaN}", 1, 7),
        ("{\"a\": \"\n\"}", 1, 8),
        ("<hook/>", 1, 1),
        ("name=mine&type=x", 1, 1),
        ("// comment\n{}", 1, 1),
    ] {
        let cause = malformed(&org, body).await;
        let place = format!("line {line}, column {column}: ");
        assert!(cause.starts_with(&place), "{body:?}: {cause}");
    }
}

#[tokio::test]
async fn the_summary_of_a_malformed_body_is_oktas() {
    let org = Org::start().await;
    let answer = post(&org, "{").await;
    assert_eq!(answer.json()["errorSummary"], "The request body was not well-formed.");
}

#[tokio::test]
async fn json_that_is_no_object_is_refused() {
    let org = Org::start().await;
    for (body, found) in [("[]", "array"), ("null", "null"), ("true", "true"), ("7", "number"), ("\"{}\"", "string")] {
        let cause = malformed(&org, body).await;
        assert!(cause.contains("object"), "{cause}");
        assert!(cause.contains(found) || cause.contains("boolean"), "{body}: {cause}");
    }
}

#[tokio::test]
async fn one_text_has_one_meaning_or_is_refused() {
    let org = Org::start().await;
    let duplicate = malformed(&org, r#"{"name": "a", "type": "x", "name": "b"}"#).await;
    assert!(duplicate.contains("name"), "{duplicate}");
    let escaped = malformed(&org, r#"{"name": "a", "n\u0061me": "b"}"#).await;
    assert!(escaped.contains("name"), "{escaped}");
    let nested = r#"{"channel": {"config": {"uri": "a", "uri": "b"}}}"#;
    assert!(malformed(&org, nested).await.contains("uri"));
    malformed(&org, "\u{feff}{}").await;
    malformed(&org, "{\"name\": \"a\\u0000b\"}").await;
    malformed(&org, "{\"name\": \"\\ud800\"}").await;
    malformed(&org, "{\"n\": 1e999}").await;
    malformed(&org, "{\"n\": 12345678901234567890123}").await;
    for bytes in
        [&b"{\"name\": \"\xff\"}"[..], b"\xfe\xff", b"{\"\xc0\xaf\": 1}", b"{\"a\": \"\xed\xa0\x80\"}", b"\0", b"{}\0"]
    {
        malformed(&org, bytes).await;
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_and_shallow_nesting_is_not() {
    let org = Org::start().await;
    let nested = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    let cause = malformed(&org, nested(64)).await;
    assert!(cause.contains("64"), "{cause}");
    malformed(&org, "[".repeat(MEBIBYTE - 1)).await;
    malformed(&org, "{\"a\":".repeat(100_000)).await;
    refused(&post(&org, nested(63)).await, 400, "E0000001");
}

#[tokio::test]
async fn numbers_are_no_strings_and_strings_no_numbers() {
    let org = Org::start().await;
    let mut body = hook("mine");
    body["name"] = json!(42);
    body["version"] = json!(1.0);
    body["channel"]["config"]["headers"] = json!("[]");
    let causes = refused(&org.client.post(HOOKS, &body).await, 400, "E0000001");
    assert_eq!(causes.len(), 3, "{causes:?}");
    refused_for(&org.client.post(HOOKS, &json!({"name": true})).await, "name");
}

#[tokio::test]
async fn a_body_may_have_one_mebibyte_and_not_a_byte_more() {
    let org = Org::start().await;
    let mut body = hook("large");
    body["padding"] = json!("");
    let padding = MEBIBYTE - body.to_string().len();
    body["padding"] = json!("x".repeat(padding));
    assert_eq!(body.to_string().len(), MEBIBYTE);
    accepted(&post(&org, body.to_string()).await);
    let text = format!("{body} ");
    let causes = refused(&post(&org, text).await, 413, "E0000003");
    assert!(causes[0].contains("1048576"), "{causes:?}");
    for byte in [0_u8, b' ', b'{', b'"', 0xff] {
        refused(&post(&org, vec![byte]).await, 400, "E0000003");
    }
}

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_unread() {
    let org = Org::start().await;
    let declared = head("POST", HOOKS, "Content-Type: application/json\r\nContent-Length: 99999999999\r\n");
    refused(&org.stranger().ask(declared).await, 413, "E0000003");
}

#[tokio::test]
async fn the_refusal_of_a_large_body_arrives_although_the_client_is_still_sending() {
    let org = Org::start().await;
    for path in [HOOKS, "/nowhere", "/api/v1/inlineHooks/calNotThere/lifecycle/activate"] {
        let mut bytes =
            head("POST", path, "Content-Type: application/json\r\nContent-Length: 6000000\r\n").into_bytes();
        bytes.resize(bytes.len() + 6_000_000, b'x');
        let answer = org.stranger().ask(bytes).await;
        let expected = if path == HOOKS {
            (413, "E0000003")
        } else if path == "/nowhere" {
            (404, "E0000008")
        } else {
            (404, "E0000007")
        };
        refused(&answer, expected.0, expected.1);
    }
}

#[tokio::test]
async fn a_chunked_body_is_counted_while_it_is_read() {
    let org = Org::start().await;
    let fields = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let chunked = |body: &[u8], size: usize| {
        let mut bytes = head("POST", HOOKS, fields).into_bytes();
        for chunk in body.chunks(size) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    };
    let small = chunked(hook("in pieces").to_string().as_bytes(), 7);
    accepted(&org.stranger().ask(small).await);
    let large = chunked(&vec![b' '; MEBIBYTE + 1], 60_000);
    refused(&org.stranger().ask(large).await, 413, "E0000003");
}

#[tokio::test]
async fn a_body_that_ends_early_is_refused_or_dropped_and_changes_nothing() {
    let org = Org::start().await;
    let body = hook("cut").to_string();
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let mut stream = org.client.connect().await;
    let half = format!("{}{}", head("POST", HOOKS, &fields), &body[..body.len() / 2]);
    tokio::io::AsyncWriteExt::write_all(&mut stream, half.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(accepted(&org.client.get(HOOKS).await), json!([]));
}

#[tokio::test]
async fn other_media_types_than_json_are_refused() {
    let org = Org::start().await;
    let send = |content_type: Option<&str>, name: &str| {
        let request = org.client.request(Method::POST, HOOKS).body(hook(name).to_string());
        content_type
            .map_or_else(
                || request.header("X-None", ""),
                |value| {
                    org.client.request(Method::POST, HOOKS).header("Content-Type", value).body(hook(name).to_string())
                },
            )
            .send()
    };
    for value in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/xml"),
        Some("text/json"),
        Some("json"),
        Some("application/jsonx"),
        Some("*/*"),
        Some("application"),
    ] {
        let answer = send(value, "mine").await;
        let causes = refused(&answer, 400, "E0000021");
        assert!(causes[0].starts_with("Content-Type: "), "{causes:?}");
        assert_eq!(
            answer.json()["errorSummary"],
            "Bad request.  Accept and/or Content-Type headers likely do not match supported values."
        );
    }
    for value in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
        "application/vnd.api+json",
    ] {
        accepted(&send(Some(value), value).await);
    }
    let request = org.client.request(Method::POST, HOOKS).json(&hook("packed")).header("Content-Encoding", "gzip");
    refused(&request.send().await, 400, "E0000021");
}

#[tokio::test]
async fn who_does_not_want_json_is_told_so() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let ask = |accept: &str| org.client.request(Method::GET, &path).header("Accept", accept).send();
    for accept in ["text/html", "application/xml", "image/*", "text/plain, text/html;q=0.9"] {
        let causes = refused(&ask(accept).await, 400, "E0000021");
        assert!(causes[0].starts_with("Accept: "), "{causes:?}");
    }
    for accept in [
        "application/json",
        "*/*",
        "application/*;q=0.1",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "",
        "Application/JSON",
    ] {
        accepted(&ask(accept).await);
    }
    let verbs = [(Method::POST, format!("{path}/lifecycle/deactivate")), (Method::DELETE, path.clone())];
    for (method, path) in verbs {
        refused(&org.client.request(method, &path).header("Accept", "text/html").send().await, 400, "E0000021");
    }
}

#[tokio::test]
async fn calls_without_a_body_need_no_length_and_ignore_what_comes_along() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let without_length = head("POST", &format!("{path}/lifecycle/deactivate"), "");
    assert_eq!(accepted(&org.stranger().ask(without_length).await)["status"], "INACTIVE");
    let zero = head("POST", &format!("{path}/lifecycle/activate"), "Content-Length: 0\r\n");
    assert_eq!(accepted(&org.stranger().ask(zero).await)["status"], "ACTIVE");
    for body in [json!({}), json!({"status": "ACTIVE"}), Value::Null] {
        let answer = org.client.post(&format!("{path}/lifecycle/deactivate"), &body).await;
        assert_eq!(accepted(&answer)["status"], "INACTIVE");
    }
    let not_json = org.client.request(Method::DELETE, &path).header("Content-Type", "text/plain").body("whatever");
    assert_eq!(not_json.send().await.status, 204);
}
