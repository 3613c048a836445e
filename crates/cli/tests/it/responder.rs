//! `hookwright responder`: its flags and how it ends.

use std::process::Command;

use hookwright_testkit::{Answer, Client};
use http::Method;
use serde_json::json;

use crate::process::{Process, hookwright, run, text};

/// `admin:supersecret`
const GUIDE: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";
/// `hook:s3:cret`
const OURS: &str = "Basic aG9vazpzMzpjcmV0";

fn responder() -> Command {
    let mut command = hookwright();
    command.args(["responder", "--listen", "127.0.0.1:0"]);
    command
}

async fn sign_up(process: &mut Process, email: &str, authorization: &str) -> Answer {
    let address = process.address();
    let body = json!({
        "eventType": "com.okta.user.pre-registration",
        "requestType": "self.service.registration",
        "data": {"userProfile": {"login": email, "email": email}},
    });
    let request = Client::new(address).request(Method::POST, "/registrationHookSSR");
    request.header("authorization", authorization).json(&body).send().await
}

#[tokio::test]
async fn it_takes_the_guides_credentials_with_a_warning_and_ends_well_when_told() {
    let mut process = Process::start(&mut responder());
    let answer = sign_up(&mut process, "rosario.jones@okta.com", GUIDE).await;
    assert_eq!(answer.text(), r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#);
    assert!(process.signal("TERM").success());
    let errors = process.all_errors();
    assert!(errors.contains("the credentials are those of Okta's guide"), "{errors}");
    assert!(errors.contains("rosario.jones@okta.com has registered!"), "{errors}");
}

#[tokio::test]
async fn credentials_of_ones_own_keep_the_guides_out_and_are_never_shown() {
    let mut process = Process::start(responder().env("HOOKWRIGHT_RESPONDER_BASIC_AUTH", "hook:s3:cret"));
    let address = process.address();
    for (authorization, status) in [(OURS, 200), (GUIDE, 401)] {
        let request = Client::new(address).request(Method::POST, "/registrationHookPP");
        let body = json!({
            "eventType": "com.okta.user.pre-registration",
            "requestType": "self.service.registration",
            "data": {"userProfile": {}},
        });
        let answer = request.header("authorization", authorization).json(&body).send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert!(process.signal("TERM").success());
    let shown = process.printed() + &process.all_errors();
    assert!(!shown.contains("s3:cret") && !shown.contains("those of Okta's guide"), "{shown}");
}

#[tokio::test]
async fn only_on_demand_does_a_look_alike_of_the_domain_get_in() {
    for (matching, decision) in [("strict", "DENY"), ("contains", "ALLOW")] {
        let mut process = Process::start(responder().args(["--match", matching]));
        let answer = sign_up(&mut process, "rosario.jones@okta.com.evil.example", GUIDE).await;
        assert!(answer.text().contains(decision), "{matching}: {}", answer.text());
    }
}

#[tokio::test]
async fn rules_of_a_file_answer_beside_the_guides_endpoints_and_in_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    let text = r#"
        [[endpoint]]
        path = "/registrationHookSSR"
        hook = "com.okta.user.pre-registration"
        [[endpoint.rule]]
        answer.action = "DENY"
        answer.error = "Nobody may sign up today."
    "#;
    std::fs::write(&rules, text).unwrap();
    let mut process = Process::start(responder().arg("--rules").arg(&rules));
    let answer = sign_up(&mut process, "rosario.jones@okta.com", GUIDE).await;
    assert!(answer.text().contains("Nobody may sign up today."), "{}", answer.text());
}

#[test]
fn a_fault_in_the_rules_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, "[[endpoint]]\npath = \"/hook\"\nhock = \"x\"\n").unwrap();
    let output = run(responder().arg("--rules").arg(&rules));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("rules.toml") && errors.contains("line 3") && errors.contains("hock"), "{errors}");
}

#[test]
fn credentials_without_a_colon_are_refused_without_being_shown() {
    let output = run(responder().env("HOOKWRIGHT_RESPONDER_BASIC_AUTH", "topsecret"));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("user:password") && !errors.contains("topsecret"), "{errors}");
}

#[test]
fn a_taken_address_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(hookwright().args(["responder", "--listen", &address]));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains(&address), "{errors}");
}
