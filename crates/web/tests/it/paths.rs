//! Paths and methods that lead nowhere.

use std::collections::HashSet;

use hookwright_testkit::Org;
use http::Method;

use crate::expectations::{accepted, has_every_header, refused};
use crate::fixtures::{HOOKS, created, hook, id_of, path_of};

#[tokio::test]
async fn unknown_paths_are_refused_with_and_without_a_token() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let id = id_of(&hook);
    for path in [
        "/api".to_owned(),
        "/api/v1".to_owned(),
        "/api/v1/".to_owned(),
        "/api/v1/inlinehooks".to_owned(),
        "/api/v1/inlineHoooks".to_owned(),
        "/api/v1/inlineHooks/".to_owned(),
        "//api/v1/inlineHooks".to_owned(),
        "/api/v1//inlineHooks".to_owned(),
        "/api/v1/./inlineHooks".to_owned(),
        "/api/v2/inlineHooks".to_owned(),
        "/API/v1/inlineHooks".to_owned(),
        format!("{HOOKS}/{id}/"),
        format!("{HOOKS}/{id}/verify"),
        format!("{HOOKS}/{id}/lifecycle"),
        format!("{HOOKS}/{id}/lifecycle/suspend"),
        format!("{HOOKS}/{id}/execute/more"),
        format!("{HOOKS}/../inlineHooks/{id}/nothing"),
        "/hookwright/v1".to_owned(),
        "/index.html".to_owned(),
        "/.env".to_owned(),
        "/favicon.ico".to_owned(),
    ] {
        for client in [&org.client, &org.stranger()] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let answer = client.request(method, &path).send().await;
                assert!(refused(&answer, 404, "E0000008").is_empty(), "{path}");
                assert_eq!(answer.json()["errorSummary"], "The requested path was not found");
            }
        }
    }
}

#[tokio::test]
async fn ids_with_tricks_are_simply_not_found() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let id = id_of(&hook);
    let long = "c".repeat(20_000);
    for text in [
        "cal%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2F..%2F",
        "%2e%2e",
        "%00",
        &format!("{id}%00"),
        &format!("{id}%20"),
        &format!("%20{id}"),
        "cal'%20OR%20'1'='1",
        "%22%7B%7D",
        "%E2%80%AE",
        "%F0%9F%92%A9",
        "cal*",
        "%25",
        "null",
        "undefined",
        &id.to_lowercase(),
        &id[..19],
        &format!("{id}x"),
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        &long,
        "-1",
        "0",
    ] {
        for tail in ["", "/execute", "/lifecycle/activate"] {
            let method = if tail.is_empty() { Method::GET } else { Method::POST };
            let answer = org.client.request(method, &format!("{HOOKS}/{text}{tail}")).send().await;
            refused(&answer, 404, "E0000007");
            let summary = answer.json()["errorSummary"].as_str().unwrap_or_default().to_owned();
            assert!(summary.starts_with("Not found: Resource not found: ") && summary.ends_with("(InlineHook)"));
            assert!(summary.len() < 400, "{}", summary.len());
        }
        let answer = org.client.get(&format!("/hookwright/v1/executions/{text}")).await;
        refused(&answer, 404, "E0000007");
    }
    // Bytes that are no text name nothing.
    for text in ["%ff", "%c0%af", "a%80"] {
        refused(&org.client.get(&format!("{HOOKS}/{text}")).await, 404, "E0000008");
    }
    // Half an escape is text like any other.
    refused(&org.client.get(&format!("{HOOKS}/%zz")).await, 404, "E0000007");
}

#[tokio::test]
async fn an_id_may_be_percent_encoded() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let encoded: String = id_of(&hook).bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(accepted(&org.client.get(&format!("{HOOKS}/{encoded}")).await), hook);
}

#[tokio::test]
async fn a_wrong_method_is_refused_and_the_right_ones_are_named() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let sorted = |text: &str| {
        let mut methods: Vec<String> = text.split(',').map(|method| method.trim().to_owned()).collect();
        methods.sort();
        methods.join(",")
    };
    for (path, allowed, wrong) in [
        (HOOKS.to_owned(), "GET,HEAD,POST", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"]),
        (path.clone(), "DELETE,GET,HEAD,POST,PUT", ["PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "BREW"]),
        (format!("{path}/execute"), "POST", ["GET", "PUT", "DELETE", "TRACE", "HEAD", "OPTIONS"]),
        (format!("{path}/lifecycle/activate"), "POST", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"]),
        ("/hookwright/v1/executions".to_owned(), "GET,HEAD", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]),
        ("/healthz".to_owned(), "GET,HEAD", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]),
    ] {
        for method in wrong {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let answer = org.client.request(method.clone(), &path).send().await;
            assert_eq!(sorted(answer.header("allow")), allowed, "{method} {path}");
            if method == Method::HEAD {
                assert_eq!((answer.status.as_u16(), answer.body.len()), (405, 0));
                continue;
            }
            assert!(refused(&answer, 405, "E0000022").is_empty());
            assert_eq!(answer.json()["errorSummary"], "The endpoint does not support the provided HTTP method");
        }
    }
}

#[tokio::test]
async fn headers_that_claim_another_method_are_ignored() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    accepted(&org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await);
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"] {
        let request = org.client.request(Method::GET, &path).header(name, "DELETE");
        assert_eq!(accepted(&request.send().await)["status"], "INACTIVE");
        let request = org.client.request(Method::POST, &path).header(name, "DELETE").json(&serde_json::json!({}));
        accepted(&request.send().await);
    }
    accepted(&org.client.get(&format!("{path}?_method=DELETE")).await);
    accepted(&org.client.get(&path).await);
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let get = org.client.get(&path).await;
    let head = org.client.request(Method::HEAD, &path).send().await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    has_every_header(&head);
    let missing = org.client.request(Method::HEAD, "/nowhere").send().await;
    assert_eq!((missing.status.as_u16(), missing.body.len()), (404, 0));
}

#[tokio::test]
async fn each_refusal_has_an_id_of_its_own_that_its_request_shares() {
    let org = Org::start().await;
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let answer = org.client.get("/nowhere").await;
        let error_id = answer.json()["errorId"].as_str().unwrap_or_default().to_owned();
        assert_eq!(error_id.get(3..), answer.header("x-okta-request-id").get(3..));
        assert!(seen.insert(error_id));
    }
    // A client can't choose it.
    let request = org.client.request(Method::GET, "/nowhere").header("X-Okta-Request-Id", "reqmine");
    assert_ne!(request.send().await.header("x-okta-request-id"), "reqmine");
}
