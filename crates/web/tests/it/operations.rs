//! Alive, ready, metrics.

use hookwright_testkit::{Client, ExternalService, Org, OrgOptions, Reply};
use hookwright_web::{Server, ServerLimits};
use http::Method;

use crate::execute::{ALLOW, REGISTRATION, execute, hook_at};
use crate::expectations::{accepted, has_every_header, refused};
use crate::fixtures::{HOOKS, id_of, path_of};

#[tokio::test]
async fn health_and_readiness_are_told_to_anyone() {
    let org = Org::start().await;
    assert_eq!(accepted(&org.stranger().get("/healthz").await), serde_json::json!({"status": "alive"}));
    assert_eq!(accepted(&org.stranger().get("/readyz").await), serde_json::json!({"status": "ready"}));
    let ready = accepted(&org.client.get("/readyz").await);
    assert_eq!((&ready["status"], &ready["development"]), (&"ready".into(), &true.into()));
}

/// A proxy on this machine looks like this machine, whatever it adds to requests or takes out of them.
#[tokio::test]
async fn metrics_and_openings_are_for_tokens_whatever_a_proxy_on_this_machine_sends() {
    let mut options = OrgOptions::default();
    options.settings.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    for (org, mark, value) in [
        (Org::start_with(options).await, "x-forwarded-for", "203.0.113.7"),
        (Org::start().await, "x-forwarded-for", "127.0.0.1"),
        (Org::start().await, "forwarded", "for=127.0.0.1"),
        (Org::start().await, "via", "1.1 proxy"),
        (Org::start().await, "x-nothing-of-a-proxy", "1"),
    ] {
        let far = |client: Client, path: &str| client.request(Method::GET, path).header(mark, value);
        refused(&far(org.stranger(), "/metrics").send().await, 401, "E0000004");
        assert_eq!(far(org.stranger(), "/healthz").send().await.status, 200);
        for stranger in [org.stranger(), org.stranger().with_token("nobody's")] {
            let ready = accepted(&far(stranger, "/readyz").send().await);
            assert_eq!(ready, serde_json::json!({"status": "ready"}));
        }
        for (path, expected) in [("/metrics", "# EOF"), ("/readyz", "openings")] {
            let answer = far(org.client.clone(), path).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(answer.text().contains(expected), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn operators_have_an_address_of_their_own_that_answers_nothing_else() {
    let org = Org::start().await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(address, ServerLimits::default()).await.expect("an ephemeral port").for_operators();
    let operator = Client::new(server.local_address());
    let serving = tokio::spawn(server.serve(org.app.clone(), std::future::pending()));
    assert!(operator.get("/metrics").await.text().ends_with("# EOF\n"));
    assert!(accepted(&operator.get("/readyz").await)["openings"].is_array());
    accepted(&operator.get("/healthz").await);
    let with_token = operator.with_token(hookwright_testkit::TOKEN);
    for path in [HOOKS, "/signin", "/oauth2/default/v1/keys", "/"] {
        refused(&with_token.get(path).await, 404, "E0000008");
    }
    serving.abort();
}

#[tokio::test]
async fn an_org_without_its_database_is_alive_but_not_ready() {
    let org = Org::start().await;
    org.store.close().await;
    accepted(&org.stranger().get("/healthz").await);
    let answer = org.stranger().get("/readyz").await;
    refused(&answer, 503, "E0000010");
    for answer in [org.client.get(HOOKS).await, org.client.post(HOOKS, &crate::fixtures::hook("mine")).await] {
        refused(&answer, 503, "E0000010");
        assert!(!answer.text().to_lowercase().contains("sql"), "{}", answer.text());
    }
}

/// The value of the one sample that has all these parts.
#[track_caller]
fn sample(text: &str, parts: &[&str]) -> f64 {
    let lines: Vec<&str> = text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).collect();
    assert_eq!(lines.len(), 1, "{parts:?}: {lines:?}\n{text}");
    lines[0].rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test]
async fn metrics_count_requests_and_calls_and_show_sizes() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on(
        "/hook",
        [
            Reply::json(200, ALLOW),
            Reply::json(200, ALLOW),
            Reply::json(500, ""),
            Reply::json(200, ALLOW),
            Reply::json(404, ""),
        ],
    );
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    for _ in 0..4 {
        execute(&org, &hook).await;
    }
    org.client.get("/nowhere").await;
    let answer = org.client.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    has_every_header(&answer);
    let text = answer.text();
    let id = format!("hook=\"{}\"", id_of(&hook));
    let calls = "hookwright_executions_total";
    assert_eq!(sample(&text, &[calls, &id, "verdict=\"ANSWERED\"", "attempts=\"1\""]), 2.0);
    assert_eq!(sample(&text, &[calls, &id, "verdict=\"ANSWERED\"", "attempts=\"2\""]), 1.0);
    assert_eq!(sample(&text, &[calls, &id, "verdict=\"WRONG_STATUS\"", "attempts=\"1\""]), 1.0);
    assert_eq!(sample(&text, &["hookwright_execution_seconds_count", &id]), 4.0);
    let executes = "route=\"/api/v1/inlineHooks/{id}/execute\"";
    assert_eq!(sample(&text, &["hookwright_requests_total", executes, "status=\"200\""]), 3.0);
    assert_eq!(sample(&text, &["hookwright_requests_total", executes, "status=\"400\""]), 1.0);
    assert_eq!(sample(&text, &["hookwright_requests_total", "route=\"other\"", "status=\"404\""]), 1.0);
    assert_eq!(sample(&text, &["hookwright_request_seconds_count", executes]), 4.0);
    for of in ["calls_under_way", "calls_at_most", "records_buffered", "commits_waiting", "database_connections"] {
        sample(&text, &["hookwright_size", &format!("of=\"{of}\"")]);
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("SSWS") && !text.contains(hookwright_testkit::TOKEN));
}

#[tokio::test]
async fn a_deleted_hook_leaves_no_counters_behind() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    execute(&org, &hook).await;
    assert!(org.client.get("/metrics").await.text().contains(id_of(&hook)));
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    assert_eq!(org.client.delete(&path_of(&hook)).await.status, 204);
    assert!(!org.client.get("/metrics").await.text().contains(id_of(&hook)));
}

#[tokio::test]
async fn clients_can_not_grow_the_metrics() {
    let org = Org::start().await;
    let before = {
        org.client.get("/some/path").await;
        org.client.request("BREW".parse().unwrap(), "/some/path").send().await;
        org.client.get(&format!("{HOOKS}/calOne")).await;
        org.client.get("/metrics").await;
        org.client.get("/metrics").await.text().lines().count()
    };
    for number in 0..50 {
        org.client.get(&format!("/path/{number}")).await;
        org.client.get(&format!("{HOOKS}/cal{number}")).await;
        org.client.request(format!("VERB{number}").parse().unwrap(), "/some/path").send().await;
    }
    assert_eq!(org.client.get("/metrics").await.text().lines().count(), before);
}

#[tokio::test]
async fn a_full_database_refuses_writes_and_goes_on_reading() {
    let options = OrgOptions { max_database_bytes: Some(1024 * 1024), ..OrgOptions::default() };
    let org = Org::start_with(options).await;
    let mut refusals = 0;
    for number in 0..100 {
        let mut body = crate::fixtures::hook(&format!("hook {number}"));
        body["metadata"] = serde_json::json!({"filler": "x".repeat(15_000)});
        let answer = org.client.post(HOOKS, &body).await;
        if answer.status != 200 {
            refused(&answer, 503, "E0000010");
            refusals += 1;
            break;
        }
    }
    assert_eq!(refusals, 1, "the database never became full");
    let hooks = accepted(&org.client.get(HOOKS).await);
    assert!(hooks.as_array().is_some_and(|hooks| !hooks.is_empty()));
    accepted(&org.client.get(&path_of(&hooks[0])).await);
}
