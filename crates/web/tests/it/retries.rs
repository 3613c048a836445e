//! How often each hook type is tried, counted on the wire.

use hookwright_testkit::{ExternalService, Org, Reply};
use serde_json::Value;

use crate::execute::{execute, failed, hasty_org, hook_at};

const RETRYING: [&str; 5] = [
    "com.okta.user.pre-registration",
    "com.okta.saml.tokens.transform",
    "com.okta.user.credential.password.import",
    "com.okta.import.transform",
    "com.okta.tokens.transform",
];
const NEVER_RETRYING: [&str; 2] = ["com.okta.oauth2.tokens.transform", "com.okta.telephony.provider"];

/// What may go wrong: the answer, the verdict, and whether another attempt may help.
fn failures() -> [(&'static str, Reply, &'static str, bool); 9] {
    [
        // The service may have acted on what it read, so it is not asked again.
        ("close", Reply::close(), "UNREACHABLE", false),
        ("hang", Reply::hang(), "TIMED_OUT", true),
        ("500", Reply::json(500, "{}"), "WRONG_STATUS", true),
        ("503", Reply::answer(503, &[("Retry-After", "0")], ""), "WRONG_STATUS", true),
        ("400", Reply::json(400, "{}"), "WRONG_STATUS", false),
        ("429", Reply::answer(429, &[("Retry-After", "0")], ""), "WRONG_STATUS", false),
        ("302", Reply::answer(302, &[("Location", "/")], ""), "WRONG_STATUS", false),
        ("html", Reply::json(200, "<html>"), "INVALID_ANSWER", false),
        ("unknown", Reply::json(200, r#"{"commands":[{"type":"x","value":{}}]}"#), "INVALID_ANSWER", false),
    ]
}

async fn try_all(org: &Org, service: &ExternalService, kind: &'static str, retries: bool) {
    for (name, reply, verdict, worth_another) in failures() {
        let path = format!("/{kind}/{name}");
        service.on(&path, [reply]);
        let hook: Value = hook_at(org, service, &path, kind).await;
        let attempts = if retries && worth_another { 2 } else { 1 };
        failed(&execute(org, &hook).await, &hook, verdict, attempts);
        let seen = service.requests().iter().filter(|request| request.target == path).count();
        assert_eq!(seen, attempts, "{path}");
    }
}

#[tokio::test]
async fn five_types_are_tried_twice_where_another_attempt_may_help() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    let [a, b, c, d, e] = RETRYING.map(|kind| try_all(&org, &service, kind, true));
    tokio::join!(a, b, c, d, e);
}

#[tokio::test]
async fn token_and_telephony_hooks_are_tried_once_whatever_happens() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    let [a, b] = NEVER_RETRYING.map(|kind| try_all(&org, &service, kind, false));
    tokio::join!(a, b);
}
