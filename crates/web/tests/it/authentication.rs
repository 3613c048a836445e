//! Who may call: API tokens, and how many calls a minute they have.

use std::collections::HashSet;
use std::time::Duration;

use hookwright_app::{RateClass, revoke_api_token};
use hookwright_testkit::{Answer, Org, OrgOptions, SeededEntropy, TOKEN};
use http::Method;

use crate::expectations::{accepted, has_every_header, has_rate_limit, refused};
use crate::fixtures::{HOOKS, created, hook};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn with_authorization(org: &Org, value: &str) -> Answer {
    org.stranger().request(Method::GET, HOOKS).header("Authorization", value).send().await
}

#[tokio::test]
async fn the_scheme_is_read_with_and_without_a_blank_in_any_letter_case() {
    let org = Org::start().await;
    for scheme in ["SSWS ", "SSWS", "ssws ", "Ssws   ", " SSWS "] {
        accepted(&with_authorization(&org, &format!("{scheme}{TOKEN}")).await);
    }
}

#[tokio::test]
async fn a_call_without_credentials_is_refused() {
    let org = Org::start().await;
    let answer = org.stranger().get(HOOKS).await;
    assert!(refused(&answer, 401, "E0000004").is_empty());
    assert_eq!(answer.json()["errorSummary"], "Authentication failed");
    has_rate_limit(&answer);
}

#[tokio::test]
async fn every_token_that_opens_no_door_gets_the_same_answer() {
    let org = Org::start().await;
    let (revoked_id, revoked) = org.another_token("revoked").await;
    accepted(&revoked.get(HOOKS).await);
    revoke_api_token(&org.store, &revoked_id, org.clock.as_ref(), &SeededEntropy::new(99)).await.unwrap();

    let longer = format!("{TOKEN}0");
    let shorter = &TOKEN[..TOKEN.len() - 1];
    let other_case = TOKEN.to_uppercase();
    let mut answers = Vec::new();
    for value in [
        "SSWS",
        "SSWS ",
        "SSWS x",
        "SSWS  \t",
        "",
        " ",
        "Bearer x",
        "Basic YTpi",
        TOKEN,
        "SSWS,SSWS",
        "SSWS \"quoted\"",
        &format!("SSWS {longer}"),
        &format!("SSWS {shorter}"),
        &format!("SSWS {other_case}"),
        &format!("Bearer {TOKEN}"),
        &format!("SSWS {TOKEN} {TOKEN}"),
        &format!("SSWS {TOKEN},"),
        &format!("SSWS {TOKEN};"),
        &format!("SSWS {}", "x".repeat(8000)),
        "SSWS ' OR 1=1 --",
    ] {
        answers.push(with_authorization(&org, value).await);
    }
    let doubled = org.client.request(Method::GET, HOOKS).header("Authorization", &format!("SSWS {TOKEN}"));
    answers.push(doubled.send().await);
    let not_text =
        format!("GET {HOOKS} HTTP/1.1\r\nHost: a\r\nAuthorization: SSWS {TOKEN}\u{fc}\r\nConnection: close\r\n\r\n");
    answers.push(org.stranger().ask(not_text).await);
    // A revoked token is believed for a second at most.
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    answers.push(revoked.get(HOOKS).await);

    let mut texts = HashSet::new();
    for answer in &answers {
        assert!(refused(answer, 401, "E0000011").is_empty());
        let error_id = answer.json()["errorId"].as_str().unwrap_or_default().to_owned();
        texts.insert(answer.text().replace(&error_id, ""));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn a_fresh_token_works_at_once_even_if_it_was_tried_before() {
    let org = Org::start().await;
    let (_, client) = org.another_token("fresh").await;
    accepted(&client.get(HOOKS).await);
}

#[tokio::test]
async fn an_unused_token_dies_after_thirty_days_and_each_use_renews_it() {
    let org = Org::start().await;
    let (_, idle) = org.another_token("idle").await;
    for _ in 0..3 {
        org.clock.advance(DAY * 14);
        accepted(&org.client.get(HOOKS).await);
        // What is known of a token is believed for a second; its renewal is written by then.
        tokio::time::sleep(Duration::from_millis(1_050)).await;
    }
    refused(&idle.get(HOOKS).await, 401, "E0000011");
    accepted(&org.client.get(HOOKS).await);
    org.clock.advance(DAY * 30);
    refused(&org.client.get(HOOKS).await, 401, "E0000011");
}

#[tokio::test]
async fn a_configured_token_that_died_unused_lives_again_after_a_start() {
    let org = Org::start().await;
    org.clock.advance(DAY * 31);
    refused(&org.client.get(HOOKS).await, 401, "E0000011");
    let org = org.restart().await;
    accepted(&org.client.get(HOOKS).await);
}

#[tokio::test]
async fn nothing_is_read_or_written_without_a_token() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let path = crate::fixtures::path_of(&hook);
    for (method, path) in [
        (Method::GET, HOOKS.to_owned()),
        (Method::POST, HOOKS.to_owned()),
        (Method::GET, path.clone()),
        (Method::PUT, path.clone()),
        (Method::POST, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/lifecycle/activate")),
        (Method::POST, format!("{path}/lifecycle/deactivate")),
        (Method::POST, format!("{path}/execute")),
        (Method::GET, "/hookwright/v1/executions".to_owned()),
        (Method::GET, "/hookwright/v1/executions/exe00000000000000001".to_owned()),
    ] {
        let answer = org.stranger().request(method.clone(), &path).json(&crate::fixtures::hook("theirs")).send().await;
        refused(&answer, 401, "E0000004");
        let wrong = org.client.with_token("hwt_wrong").request(method, &path).json(&crate::fixtures::hook("theirs"));
        refused(&wrong.send().await, 401, "E0000011");
    }
    assert_eq!(accepted(&org.client.get(HOOKS).await), serde_json::json!([hook]));
}

async fn limited() -> Org {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    Org::start_with(options).await
}

#[tokio::test]
async fn each_answer_says_how_many_calls_are_left_in_this_minute() {
    let org = limited().await;
    for left in [999, 998, 997] {
        let answer = org.client.get(HOOKS).await;
        let shown =
            ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"].map(|name| answer.header(name));
        assert_eq!(shown, ["1000", &left.to_string(), "1700000040"]);
    }
    // Refusals count too.
    let answer = org.client.get(&format!("{HOOKS}/calNotThere")).await;
    assert_eq!(answer.header("x-rate-limit-remaining"), "996");
    org.clock.advance(Duration::from_secs(60));
    let answer = org.client.get(HOOKS).await;
    assert_eq!((answer.header("x-rate-limit-remaining"), answer.header("x-rate-limit-reset")), ("999", "1700000100"));
}

#[tokio::test]
async fn the_call_after_the_last_is_refused_until_the_next_minute() {
    let org = limited().await;
    let (_, other) = org.another_token("other").await;
    let token = org.store.api_tokens().await.unwrap().into_iter().find(|token| token.name == "test").unwrap();
    for _ in 0..999 {
        org.app.rate_limits().count(token.id.as_str(), RateClass::InlineHooks, org.app.now());
    }
    accepted(&org.client.get(HOOKS).await);
    for request in [org.client.request(Method::GET, HOOKS), org.client.request(Method::POST, HOOKS).json(&hook("mine"))]
    {
        let answer = request.send().await;
        refused(&answer, 429, "E0000047");
        assert_eq!(answer.json()["errorSummary"], "API call exceeded rate limit due to too many requests.");
        assert_eq!(answer.header("x-rate-limit-remaining"), "0");
        has_rate_limit(&answer);
    }
    // Other tokens and other kinds of paths have their own minute.
    accepted(&other.get(HOOKS).await);
    accepted(&org.client.get("/hookwright/v1/executions").await);
    org.clock.advance(Duration::from_secs(40));
    assert_eq!(accepted(&org.client.get(HOOKS).await), serde_json::json!([]));
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_counted_and_recorded_by_its_own_address() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    options.settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let org = Org::start_with(options).await;
    for _ in 0..1000 {
        org.app.rate_limits().count("203.0.113.7", RateClass::InlineHooks, org.app.now());
    }
    let ask = |forwarded: &'static str| {
        let request = org.stranger().request(Method::GET, HOOKS).header("X-Forwarded-For", forwarded);
        async move { request.send().await }
    };
    refused(&ask("203.0.113.7").await, 429, "E0000047");
    // What the client itself claimed stands before the proxy's word and helps it nothing.
    refused(&ask("198.51.100.1, 203.0.113.7").await, 429, "E0000047");
    refused(&ask("203.0.113.7, 198.51.100.1").await, 401, "E0000004");
    refused(&ask("nobody").await, 401, "E0000004");
    let request = org.client.request(Method::POST, HOOKS).header("X-Forwarded-For", "2001:db8::9");
    accepted(&request.json(&hook("mine")).send().await);
    let events = accepted(&org.client.get("/api/v1/logs?q=inline_hook.created").await);
    assert_eq!(events[0]["client"]["ipAddress"], "2001:db8::9");
}

#[tokio::test]
async fn guesses_are_counted_by_address_and_never_lock_out_a_valid_token() {
    let org = limited().await;
    for _ in 0..1000 {
        org.app.rate_limits().count("127.0.0.1", RateClass::InlineHooks, org.app.now());
    }
    let guess = org.stranger().request(Method::GET, HOOKS).header("X-Forwarded-For", "203.0.113.7");
    refused(&guess.header("Authorization", "SSWS guess").send().await, 429, "E0000047");
    refused(&org.stranger().get(HOOKS).await, 429, "E0000047");
    accepted(&org.client.get(HOOKS).await);
}

#[tokio::test]
async fn with_limits_off_all_calls_are_left_for_ever() {
    let org = Org::start().await;
    for _ in 0..3 {
        let answer = org.client.get(HOOKS).await;
        assert_eq!(answer.header("x-rate-limit-remaining"), "1000");
        has_every_header(&answer);
    }
}
