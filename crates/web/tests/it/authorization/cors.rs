//! Which pages of other origins may read answers: those of clients and of trusted origins, and no others.

use hookwright_testkit::Answer;
use http::Method;
use serde_json::json;

use super::client::{BASE, Party, stranger};

/// What pages call, with the method they call it with.
const CALLED: [(&str, &str); 9] = [
    ("GET", "/oauth2/default/.well-known/openid-configuration"),
    ("GET", "/oauth2/default/v1/keys"),
    ("POST", "/oauth2/default/v1/interact"),
    ("POST", "/oauth2/default/v1/token"),
    ("GET", "/oauth2/default/v1/userinfo"),
    ("POST", "/oauth2/default/v1/revoke"),
    ("POST", "/idp/idx/introspect"),
    ("POST", "/idp/idx/identify"),
    ("POST", "/idp/idx/enroll/new"),
];

/// The origin of the client's redirect URI.
const CLIENT: &str = "https://app.example";

async fn preflight(party: &Party, path: &str, origin: &str, method: &str) -> Answer {
    let request = stranger(party.org()).request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", method);
    request.header("access-control-request-headers", "content-type,x-okta-user-agent-extended").send().await
}

async fn call(party: &Party, path: &str, origin: &str, method: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    stranger(party.org()).request(method, path).header("origin", origin).send().await
}

#[track_caller]
fn allows(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("vary"), "origin");
}

#[track_caller]
fn allows_nobody(answer: &Answer) {
    let said = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(said, None);
}

#[tokio::test]
async fn pages_of_a_client_may_call_what_clients_call_and_read_refusals_too() {
    let party = Party::public().await;
    let own = party.org().app.settings().public_url.clone();
    for (method, path) in CALLED {
        for origin in [CLIENT, own.as_str()] {
            let asked = preflight(&party, path, origin, method).await;
            assert_eq!(asked.status, 204, "{path}");
            allows(&asked, origin);
            assert!(asked.header("access-control-allow-methods").contains(method), "{path}");
            for header in ["content-type", "x-okta-user-agent-extended", "accept", "authorization"] {
                assert!(asked.header("access-control-allow-headers").contains(header), "{header}");
            }
            allows(&call(&party, path, origin, method).await, origin);
        }
    }
    allows(&call(&party, "/idp/idx/unknown", CLIENT, "POST").await, CLIENT);
}

#[tokio::test]
async fn pages_of_nobody_may_call_nothing() {
    let party = Party::public().await;
    for origin in [
        "null",
        "",
        "*",
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "https://APP.example",
        "https://app.example/",
        "https://sub.app.example",
        "https://app.example, https://evil.example",
    ] {
        for (method, path) in CALLED {
            let asked = preflight(&party, path, origin, method).await;
            allows_nobody(&asked);
            assert_eq!(asked.header("vary"), "origin");
        }
        allows_nobody(&call(&party, "/oauth2/default/v1/keys", origin, "GET").await);
    }
    let twice = stranger(party.org()).request(Method::GET, "/oauth2/default/v1/keys");
    allows_nobody(&twice.header("origin", CLIENT).header("origin", "https://evil.example").send().await);
}

#[tokio::test]
async fn nothing_else_is_opened_to_pages_of_other_origins() {
    let party = Party::public().await;
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/inlineHooks"),
        ("GET", "/signin"),
        ("POST", "/signin/identify"),
        ("GET", "/app/UserHome"),
        ("GET", "/hookwright/v1/executions"),
        ("GET", "/metrics"),
        ("GET", "/oauth2/default/v1/authorize"),
        ("GET", "/oauth2/default/v1/logout"),
        ("GET", "/oauth2/v1/keys"),
    ] {
        allows_nobody(&preflight(&party, path, CLIENT, method).await);
        allows_nobody(&call(&party, path, CLIENT, method).await);
    }
}

#[tokio::test]
async fn an_origin_counts_as_long_as_it_is_trusted() {
    let party = Party::public().await;
    let org = party.org();
    let keys = format!("{BASE}/keys");
    let page = "http://localhost:3000";
    allows_nobody(&call(&party, &keys, page, "GET").await);
    let trusted = |scope: &str| json!({"name": "Page", "origin": page, "scopes": [{"type": scope}]});
    let created = org.client.post("/api/v1/trustedOrigins", &trusted("REDIRECT")).await.json();
    allows_nobody(&call(&party, &keys, page, "GET").await);
    let path = format!("/api/v1/trustedOrigins/{}", created["id"].as_str().unwrap());
    assert_eq!(org.client.put(&path, &trusted("CORS")).await.status, 200);
    allows(&call(&party, &keys, page, "GET").await, page);
    org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await;
    allows_nobody(&call(&party, &keys, page, "GET").await);
}

#[tokio::test]
async fn an_app_that_is_switched_off_opens_nothing() {
    let party = Party::public().await;
    let keys = format!("{BASE}/keys");
    allows(&call(&party, &keys, CLIENT, "GET").await, CLIENT);
    party.org().client.post_empty(&format!("/api/v1/apps/{}/lifecycle/deactivate", party.id)).await;
    allows_nobody(&call(&party, &keys, CLIENT, "GET").await);
}
