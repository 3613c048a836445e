//! Rules from a file decide as they say, and a bad file is blamed on a key and a line.

use std::time::Duration;

use hookwright_responder::Responder;
use hookwright_responder::rules::{Rules, RulesError};
use hookwright_responder::sample::{self, Matching};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::caller::{Running, request};
use crate::sample::{expected_answers, requests};

const REGISTRATION: &str = include_str!("../../../../examples/rules/registration.toml");
const OTHER_HOOKS: &str = include_str!("../../../../examples/rules/other-hooks.toml");

fn service(rules: &str) -> Responder {
    Responder::new().rules(rules.parse().unwrap())
}

#[tokio::test]
async fn the_registration_rules_give_every_answer_of_the_guide() {
    let service = Running::start(service(REGISTRATION)).await;
    for expected in expected_answers() {
        let received = service.post(&expected.endpoint, requests()[expected.request.as_str()]).await;
        assert_eq!((received.status, received.body), (200, expected.answer.to_string()), "{}", expected.request);
    }
}

/// The guide's requests, and what people and attackers make of them.
fn variations() -> Vec<String> {
    let mut bodies = vec![String::new(), "[]".to_owned(), "{}".to_owned(), request!("token").to_owned()];
    let addresses = ["a@sub.okta.com", "a@OKTA.COM", "a@okta.com.evil.example", "a@notokta.com", "a", "a@b@okta.com"];
    let numbers = [json!("0000"), json!("000"), json!("12a4"), json!(1234), json!(null), json!("١٢٣٤")];
    for request in requests().into_values() {
        let original: Value = serde_json::from_str(request).unwrap();
        bodies.push(request.to_owned());
        let data = if original["data"]["userProfile"].is_object() { "userProfile" } else { "userProfileUpdate" };
        for address in addresses {
            let mut body = original.clone();
            body["data"][data]["login"] = json!(address);
            body["data"][data]["email"] = json!(address);
            bodies.push(body.to_string());
        }
        for number in &numbers {
            let mut body = original.clone();
            body["data"][data]["employeeNumber"] = number.clone();
            bodies.push(body.to_string());
        }
        for path in ["/eventType", "/requestType", "/data", "/data/userProfile", "/data/userProfileUpdate"] {
            let (parent, name) = path.rsplit_once('/').unwrap();
            let mut body = original.clone();
            body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            bodies.push(body.to_string());
        }
        let mut body = original.clone();
        body["requestType"] = json!("something.new");
        body["data"]["userProfile"] = json!({ "email": "a@okta.com" });
        bodies.push(body.to_string());
    }
    bodies
}

#[tokio::test]
async fn the_registration_rules_behave_as_the_built_in_sample() {
    let built_in = Running::start(sample::responder(Matching::Strict)).await;
    let by_rules = Running::start(service(REGISTRATION)).await;
    for path in sample::PATHS {
        for body in variations() {
            let wanted = built_in.post(path, &body).await;
            let given = by_rules.post(path, &body).await;
            assert_eq!(given.status, wanted.status, "{path} {body}\n{wanted:?}\n{given:?}");
            if wanted.status == 200 {
                assert_eq!(given.body, wanted.body, "{path} {body}");
            }
        }
    }
}

#[tokio::test]
async fn the_rules_for_other_hooks_answer_the_published_requests() {
    let service = Running::start(service(OTHER_HOOKS)).await;
    for (path, request, answer) in [
        (
            "/token",
            request!("token"),
            r#"{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/loginName","value":"administrator1@clouditude.net"},{"op":"replace","path":"/token/lifetime/expiration","value":900}]}]}"#,
        ),
        (
            "/saml",
            request!("saml"),
            r#"{"commands":[{"type":"com.okta.assertion.patch","value":[{"op":"replace","path":"/authentication/sessionIndex","value":"exampleSession"}]}]}"#,
        ),
        ("/password", request!("password-import"), "{}"),
        ("/import", request!("user-import"), "{}"),
        (
            "/telephony",
            request!("telephony"),
            r#"{"commands":[{"type":"com.okta.telephony.action","value":[{"status":"SUCCESSFUL","provider":"rules"}]}]}"#,
        ),
    ] {
        let received = service.post(path, request).await;
        assert_eq!((received.status, received.body.as_str()), (200, answer), "{path}");
    }
    assert_eq!(service.post("/saml", request!("token")).await.status, 400);
}

#[tokio::test]
async fn a_rule_can_play_a_slow_and_a_failing_service() {
    let rules = r#"
        [[endpoint]]
        path = "/slow"
        [[endpoint.rule]]
        answer = { delay_ms = 120, debug = { waited = "yes", who = "{data.userProfile.login}", no = "{data.none}" } }
        [[endpoint]]
        path = "/failing"
        [[endpoint.rule]]
        answer.status = 503
        [[endpoint]]
        path = "/empty"
        [[endpoint.rule]]
        answer.status = 204
    "#;
    // The wait is no decision: it may be longer than a handler may take.
    let service = Running::start(service(rules).decision_time(Duration::from_millis(100))).await;
    let start = Instant::now();
    let received = service.post("/slow", request!("registration.ssr-okta-domain")).await;
    assert!(start.elapsed() >= Duration::from_millis(120));
    assert_eq!(received.body, r#"{"debugContext":{"waited":"yes","who":"rosario.jones@okta.com"}}"#);
    assert_eq!(service.post("/failing", "{}").await.status, 503);
    let empty = service.post("/empty", "{}").await;
    assert_eq!((empty.status, empty.body.as_str()), (204, ""));
    assert!(empty.header("content-type").is_empty());
}

#[tokio::test]
async fn each_condition_decides() {
    for (condition, member, holds) in [
        ("{ present = true }", json!(null), true),
        ("{ present = false }", json!(null), false),
        ("{ equals = 7 }", json!(7), true),
        ("{ equals = 7 }", json!("7"), false),
        (r#"{ one_of = ["a", true] }"#, json!(true), true),
        (r#"{ one_of = ["a", true] }"#, json!("b"), false),
        ("{ length = 3 }", json!("a😀"), true),
        ("{ length = 3 }", json!(["a", "b", "c"]), false),
        (r#"{ pattern = "+49 ### *" }"#, json!("+49 171 5"), true),
        (r#"{ pattern = "+49 ### *" }"#, json!("+48 171 5"), false),
        (r#"{ domain = "okta.com" }"#, json!("a@Okta.com"), true),
        (r#"{ domain = "okta.com" }"#, json!("a@b.okta.com"), false),
        (r#"{ domain_contains = "okta.com" }"#, json!("a@okta.com.evil.example"), true),
        (r#"{ digits = 4, equals = "1234" }"#, json!("1235"), false),
    ] {
        let rules = format!(
            "[[endpoint]]\npath = \"/hook\"\n[[endpoint.rule]]\nwhen.\"data.list.0\" = {condition}\nanswer.action = \"ALLOW\""
        );
        let service = Running::start(service(&rules)).await;
        let received = service.post("/hook", json!({ "data": { "list": [member.clone()] } }).to_string()).await;
        assert_eq!(received.body != "{}", holds, "{condition} {member}");
    }
}

#[tokio::test]
async fn a_repeated_member_name_is_refused() {
    let service = Running::start(service(REGISTRATION)).await;
    let body = r#"{"eventType":"com.okta.user.pre-registration","requestType":"self.service.registration","data":{"userProfile":{"login":"a@okta.com","login":"b@evil.example"}}}"#;
    let received = service.post("/registrationHookSSR", body).await;
    assert_eq!(received.status, 400);
    assert!(received.problem().0.contains("login"), "{received:?}");
}

fn fault(rules: &str) -> String {
    rules.parse::<Rules>().unwrap_err().to_string()
}

#[test]
fn a_bad_file_is_blamed_on_key_and_line() {
    let rule = |line: &str| format!("[[endpoint]]\npath = \"/hook\"\n[[endpoint.rule]]\n{line}\n");
    for (rules, line, key) in [
        ("endpont = []".to_owned(), "line 1, column 1: ", "endpont"),
        ("[[endpoint]]\npth = \"/hook\"".to_owned(), "line 2, column 1: ", "pth"),
        ("[[endpoint]]\npath = \"hook\"".to_owned(), "line 2, column 8: ", "path"),
        ("[[endpoint]]\npath = \"/healthz\"".to_owned(), "line 2, column 8: ", "path"),
        ("[[endpoint]]\npath = \"/a b\"".to_owned(), "line 2, column 8: ", "path"),
        ("[[endpoint]]\npath = \"/a\"\n[[endpoint]]\npath = \"/a\"".to_owned(), "line 4, column 8: ", "path"),
        ("[[endpoint]]\npath = \"/a\"\nhook = \"com.okta.none\"".to_owned(), "line 3, column 8: ", "hook"),
        (rule("wen = 1"), "line 4, column 1: ", "wen"),
        (rule("when.a = { digit = 4 }"), "line 4, column 12: ", "digit"),
        (rule("when.a = {}"), "line 4, ", "when"),
        (rule("when.a = { subdomains = true }"), "line 4, ", "subdomains"),
        (rule("when.\"a..b\" = { present = true }"), "line 4, ", "a..b"),
        (rule("requires = [\"\"]"), "line 4, column 12: ", "requires"),
        (rule("answer.allow = true"), "line 4, column 8: ", "allow"),
        (rule("answer.action = \"MAYBE\""), "line 4, column 17: ", "answer.action"),
        (rule("answer.status = 99"), "line 4, column 17: ", "status"),
        (rule("answer.delay_ms = 60001"), "line 4, column 19: ", "delay_ms"),
        (rule("answer.causes = [{ reason = \"X\" }]"), "line 4, column 18: ", "summary"),
        (rule("answer.debug = { a = \"{b..c}\" }"), "line 4, ", "b..c"),
        (rule("answer = "), "line 4, ", ""),
    ] {
        let message = fault(&rules);
        assert!(message.starts_with(line) && message.contains(key), "{rules}\n{message}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Rules::read("/no/such/rules.toml").unwrap_err();
    assert!(matches!(error, RulesError::Unreadable { .. }));
    assert!(error.to_string().starts_with("cannot read /no/such/rules.toml: "));
}

#[test]
fn the_paths_of_a_file_are_told_in_its_order() {
    let rules: Rules = REGISTRATION.parse().unwrap();
    assert_eq!(rules.paths().collect::<Vec<_>>(), sample::PATHS);
}
