//! What calls of hooks leave in the log.

use std::time::Duration;

use hookwright_testkit::{ExternalService, Org, OrgOptions, Reply};
use serde_json::{Value, json};

use super::{each, events, logs, wait_for};
use crate::fixtures::{created, hook_with, path_of};

const CALLS: &str = r#"eventType eq "inline_hook.executed" or eventType eq "inline_hook.response.processed""#;

/// A call as an API client sends it.
fn request() -> Value {
    json!({
        "eventId": "GOsk3z6tSSeZo6X08IvuZw", "eventTime": "2023-11-14T22:13:20.000Z",
        "eventType": "com.okta.user.pre-registration", "eventTypeVersion": "1.0", "contentType": "application/json",
        "cloudEventVersion": "0.1", "source": "https://example.okta.com/api/v1/inlineHooks/cal1",
        "requestType": "self.service.registration",
        "data": {"context": {}, "userProfile": {"email": "jane@example.com", "login": "jane@example.com"}, "action": "ALLOW"},
    })
}

/// Calls a hook once for each of these answers, a second apart.
async fn call(org: &Org, service: &ExternalService, answers: impl IntoIterator<Item = Reply>) {
    let hook = hook_with("Called", "/channel/config/uri", service.url("/hook").into());
    let path = format!("{}/execute", path_of(&created(org, &hook).await));
    for answer in answers {
        service.on("/hook", [answer]);
        org.client.post(&path, &request()).await;
        org.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_call_is_told_by_what_came_of_it() {
    let org = Org::start().await;
    let service = ExternalService::start().await;
    let answers = [
        Reply::json(200, r#"{"commands":[],"debugContext":{"rule":7}}"#),
        Reply::json(200, r#"{"error":{"errorSummary":"Not today."}}"#),
        Reply::json(200, r#"{"commands":"none"}"#),
        Reply::json(404, "{}"),
        Reply::close(),
    ];
    call(&org, &service, answers).await;
    let found = wait_for(&org, &logs(&[("filter", CALLS)]), 5).await;
    let told: Vec<String> = found
        .iter()
        .map(|event| {
            let (kind, result) = (&event["eventType"], &event["outcome"]["result"]);
            let status = event["debugContext"]["debugData"].get("httpStatus").unwrap_or(&Value::Null);
            format!("{kind} {result} {status} {}", event["severity"])
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""inline_hook.response.processed" "SUCCESS" "200" "INFO""#,
            r#""inline_hook.response.processed" "FAILURE" "200" "WARN""#,
            r#""inline_hook.response.processed" "FAILURE" "200" "WARN""#,
            r#""inline_hook.executed" "FAILURE" "404" "WARN""#,
            r#""inline_hook.executed" "FAILURE" null "WARN""#,
        ]
    );
    assert_eq!(found[0]["debugContext"]["debugData"]["debugContext"], r#"{"rule":7}"#);
    assert_eq!(found[0]["debugContext"]["debugData"]["eventId"], "GOsk3z6tSSeZo6X08IvuZw");
    assert_eq!(found[1]["outcome"]["reason"], "The external service returned an error: Not today.");
    // The record of a call is found from its event.
    let id = found[3]["debugContext"]["debugData"]["executionId"].as_str().unwrap_or_default().to_owned();
    let record = org.client.get(&format!("/hookwright/v1/executions/{id}")).await.json();
    assert_eq!(record["verdict"], "WRONG_STATUS");
    // Reading again gives the same events, and each can be asked for by its own name.
    let again = events(&org.client.get(&logs(&[("filter", CALLS)])).await);
    assert_eq!(again, found);
    for uuid in each(&found, "/uuid") {
        let filter = format!(r#"uuid eq "{uuid}""#);
        assert_eq!(events(&org.client.get(&logs(&[("filter", &filter)])).await).len(), 1);
    }
}

#[tokio::test]
async fn calls_and_changes_stand_in_one_log_in_the_order_they_happened() {
    let org = Org::start().await;
    let service = ExternalService::start().await;
    call(&org, &service, [Reply::json(500, ""), Reply::json(200, "{}")]).await;
    let found = wait_for(&org, &logs(&[("filter", r#"eventType sw "inline_hook""#)]), 3).await;
    let kinds = ["inline_hook.created", "inline_hook.executed", "inline_hook.response.processed"];
    assert_eq!(each(&found, "/eventType"), kinds);
    let until = "2023-11-14T22:14:00.000Z";
    let bounded = [("filter", r#"eventType sw "inline_hook""#), ("since", "2023-11-14"), ("until", until)];
    assert_eq!(events(&org.client.get(&logs(&bounded)).await), found);
    let request = found[1]["transaction"]["id"].as_str().unwrap_or_default();
    assert!(request.starts_with("req"), "{request}");
    let filter = format!(r#"transaction.id eq "{request}""#);
    assert_eq!(events(&org.client.get(&logs(&[("filter", &filter)])).await), [found[1].clone()]);
}

#[tokio::test]
async fn successes_are_left_out_if_the_setting_says_so() {
    let mut options = OrgOptions::default();
    options.settings.log_successful_calls = false;
    let org = Org::start_with(options).await;
    let service = ExternalService::start().await;
    call(&org, &service, [Reply::json(200, "{}"), Reply::json(404, ""), Reply::json(200, r#"{"error":{}}"#)]).await;
    let found = wait_for(&org, &logs(&[("filter", CALLS)]), 2).await;
    assert_eq!(each(&found, "/eventType"), ["inline_hook.executed", "inline_hook.response.processed"]);
}

#[tokio::test]
async fn no_secret_of_a_hook_gets_into_the_log() {
    let org = Org::start().await;
    let service = ExternalService::start().await;
    let echo = json!({"debugContext": {"seen": crate::fixtures::SECRET, "password": "hunter2"}}).to_string();
    call(&org, &service, [Reply::json(200, echo), Reply::json(404, crate::fixtures::SECRET)]).await;
    wait_for(&org, &logs(&[("filter", CALLS)]), 2).await;
    let text = org.client.get(&logs(&[])).await.text();
    assert!(!text.contains(crate::fixtures::SECRET) && !text.contains("hunter2"), "{text}");
    assert!(text.contains("******"), "{text}");
}
