//! `execute`: the body goes to the service, the service's answer comes back, and a failure says what failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookwright_testkit::{Answer, ExternalService, Org, OrgOptions, Reply};
use http::Method;
use serde_json::{Value, json};

use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{created, hook_with, id_of, path_of};

pub(crate) const ALLOW: &str = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#;

/// A payload of a sign-up.
pub(crate) fn payload() -> Value {
    json!({
        "eventId": "GOsk2z6tSSeABHA3V0j7Kg", "eventTime": "2023-11-14T22:13:20.000Z",
        "eventType": "com.okta.user.pre-registration", "requestType": "self.service.registration",
        "contentType": "application/json", "cloudEventVersion": "0.1", "eventTypeVersion": "1.0",
        "source": "reg00000000000000001",
        "data": {"userProfile": {"login": "a@okta.com", "email": "a@okta.com"}, "action": "ALLOW"},
    })
}

/// An org that gives each attempt half a second, so that tests of timeouts are quick.
pub(crate) async fn hasty_org() -> Org {
    let mut options = OrgOptions::default();
    options.settings.attempt_timeout = Duration::from_millis(500);
    Org::start_with(options).await
}

/// Registers a hook of this type that leads to a path of the service.
pub(crate) async fn hook_at(org: &Org, service: &ExternalService, path: &str, kind: &str) -> Value {
    let mut body = hook_with(&format!("{kind} {path}"), "/channel/config/uri", json!(service.url(path)));
    body["type"] = json!(kind);
    created(org, &body).await
}

pub(crate) const REGISTRATION: &str = "com.okta.user.pre-registration";

/// Executes a hook that was shown.
pub(crate) async fn execute(org: &Org, hook: &Value) -> Answer {
    org.client.post(&format!("{}/execute", path_of(hook)), &payload()).await
}

#[tokio::test]
async fn the_answer_comes_back_byte_for_byte() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    for body in [
        ALLOW,
        "{}",
        " {\n\t\"debugContext\" : {\"b\":1.0,\"a\":[1e2,\"\\u00fc\"]} , \"commands\":[],\"unheardOf\":null}\r\n",
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"lastName":"Ü"}}]}"#,
    ] {
        // The content type of an answer decides nothing: the guide's own sample says text/html.
        service.on(
            "/hook",
            [Reply::answer(200, &[("Content-Type", "text/html; charset=utf-8"), ("X-Powered-By", "x")], body)],
        );
        let answer = execute(&org, &hook).await;
        accepted(&answer);
        assert_eq!(answer.text(), body);
        assert_eq!(answer.header("x-powered-by"), "");
        let execution = answer.header("x-hookwright-execution-id");
        assert!(execution.starts_with("exe") && execution.len() == 20, "{execution}");
    }
}

#[tokio::test]
async fn an_empty_answer_is_an_empty_object() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let answer = execute(&org, &hook).await;
    assert_eq!(service.requests().len(), 1);
    assert_eq!((accepted(&answer), answer.text().as_str()), (json!({}), "{}"));
}

#[tokio::test]
async fn an_error_of_the_service_is_an_answer_too() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    for body in [
        r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}],"error":{"errorSummary":"Not here","errorCauses":[{"errorSummary":"Only okta.com","reason":"INVALID_EMAIL_DOMAIN","locationType":"body","location":"data.userProfile.login","domain":"end-user"}]}}"#,
        r#"{"error":{}}"#,
        r#"{"error":{"errorSummary":"x"},"commands":[]}"#,
    ] {
        service.on("/hook", [Reply::json(200, body)]);
        let answer = execute(&org, &hook).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, body));
    }
}

#[tokio::test]
async fn the_request_reaches_the_service_as_it_was_sent() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let mut body = hook_with("mine", "/channel/config/uri", json!(service.url("/hook/a%20b?c=d&e")));
    body["channel"]["config"]["headers"] =
        json!([{"key": "X-Tenant", "value": "one"}, {"key": "Field 1", "value": "never sent"}]);
    let hook = created(&org, &body).await;
    let sent = "{ \"data\" : {\"n\": 1.50, \"u\": \"\\u00fc\"},\n \"eventId\":\"x\" }";
    let request = org.client.request(Method::POST, &format!("{}/execute", path_of(&hook)));
    let request = request.header("Content-Type", "application/json; charset=utf-8").header("X-Mine", "not yours");
    accepted(&request.header("Cookie", "a=b").body(sent).send().await);

    let seen = service.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/hook/a%20b?c=d&e"));
    assert_eq!(seen.body, sent.as_bytes());
    let length = sent.len().to_string();
    let host = service.address().to_string();
    for (name, value) in [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("authorization", crate::fixtures::SECRET),
        ("x-tenant", "one"),
        ("host", &host),
        ("content-length", &length),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("Hookwright/")));
    for name in ["cookie", "x-mine", "field 1", "referer", "x-forwarded-for"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_inactive_hook_is_not_called() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    accepted(&execute(&org, &hook).await);
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    let cause = refused_for(&execute(&org, &hook).await, "status");
    assert!(cause.contains(id_of(&hook)) && cause.contains("INACTIVE"), "{cause}");
    assert_eq!(service.requests().len(), 1);
    accepted(&org.client.post_empty(&format!("{}/lifecycle/activate", path_of(&hook))).await);
    accepted(&execute(&org, &hook).await);
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn what_is_no_json_object_is_not_sent() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let path = format!("{}/execute", path_of(&hook));
    for body in ["", "{", "[]", "null", "\"x\"", "7", "{\"a\":1,\"a\":2}", "{} {}", "{\n// a comment\n}"] {
        let request = org.client.request(Method::POST, &path).header("Content-Type", "application/json");
        refused(&request.body(body).send().await, 400, "E0000003");
    }
    let request = org.client.request(Method::POST, &path).header("Content-Type", "text/plain");
    refused(&request.body("{}").send().await, 400, "E0000021");
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    let request = org.client.request(Method::POST, &path).header("Content-Type", "application/json");
    refused(&request.body(large).send().await, 413, "E0000003");
    assert!(service.requests().is_empty());
}

/// Asserts how an `execute` failed; gives the causes.
#[track_caller]
pub(crate) fn failed(answer: &Answer, hook: &Value, verdict: &str, attempts: usize) -> Vec<String> {
    let code = if verdict == "TIMED_OUT" { "E0000137" } else { "E0000134" };
    let causes = refused(answer, 400, code);
    let begin = format!("Inline hook {}, {verdict}, {attempts} attempt(s): ", id_of(hook));
    assert!(causes[0].starts_with(&begin), "{causes:?}");
    assert!(causes.last().is_some_and(|cause| cause.starts_with("Execution exe")), "{causes:?}");
    assert_eq!(causes.len(), attempts + 2, "{causes:?}");
    causes
}

#[tokio::test]
async fn a_hook_that_leads_back_into_the_org_is_not_called() {
    let org = Org::start().await;
    let uri = format!("http://{}/api/v1/inlineHooks", org.client.address());
    let hook = created(&org, &hook_with("loop", "/channel/config/uri", json!(uri))).await;
    let answer = execute(&org, &hook).await;
    let causes = failed(&answer, &hook, "UNREACHABLE", 2);
    assert_eq!(recorded(&org, &causes).await["verdict"], "ADDRESS_REFUSED");
}

/// The record that the causes of a failure name.
async fn recorded(org: &Org, causes: &[String]) -> Value {
    crate::executions::record(org, causes.last().expect("a cause").trim_start_matches("Execution ")).await
}

/// An address policy refuses one hook, nobody knows the name of another, at the third's port nobody listens.
async fn org_with_hooks_that_reach_nobody() -> (Org, [Value; 3]) {
    let mut options = OrgOptions::default();
    options.engine.resolver = Arc::new(|name: &str| match name {
        "inner.example.com" => Ok(vec!["10.1.2.3".parse().expect("an address")]),
        name => Err(std::io::Error::other(format!("nobody knows {name}"))),
    });
    let org = Org::start_with(options).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let mut hooks = Vec::new();
    for uri in [
        "https://inner.example.com/x".to_owned(),
        "https://gone.example.com/x".to_owned(),
        format!("https://{closed}/x"),
    ] {
        hooks.push(created(&org, &hook_with(&uri.clone(), "/channel/config/uri", json!(uri))).await);
    }
    (org, hooks.try_into().expect("three hooks"))
}

#[tokio::test]
async fn what_can_not_be_reached_looks_alike_whatever_the_reason() {
    let (org, hooks) = org_with_hooks_that_reach_nobody().await;
    let mut seen = Vec::new();
    let mut records = Vec::new();
    for hook in &hooks {
        let answer = execute(&org, hook).await;
        let causes = failed(&answer, hook, "UNREACHABLE", 2);
        let record = recorded(&org, &causes).await;
        // Without the hook's own id, the execution's, and the milliseconds, which are told below.
        let text = causes[..3].join("\n").replace(id_of(hook), "the hook");
        let (mut words, mut millis) = (Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            match word.parse::<u64>() {
                Ok(number) if number >= 10 => millis.push(number),
                _ => words.push(word),
            }
        }
        assert_eq!(millis.len(), 2, "{text}");
        assert!(millis.iter().all(|millis| *millis >= 100), "each attempt takes a while: {text}");
        seen.push((
            words.join(" "),
            answer.status,
            answer.json()["errorCode"].clone(),
            answer.json()["errorSummary"].clone(),
        ));
        records.push((record["verdict"].clone(), record["failure"].clone(), record["attempts"][0]["failure"].clone()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    for forbidden in ["inner.example.com", "10.1.2.3", "gone", "127.0.0.1", "refused", "resolved", "may not"] {
        assert!(!seen.iter().any(|(text, ..)| text.contains(forbidden)), "{forbidden}: {seen:?}");
    }
    // Administrators find all of it in the execution.
    assert_eq!(
        (&records[0].0, &records[1].0, &records[2].0),
        (&json!("ADDRESS_REFUSED"), &json!("UNREACHABLE"), &json!("UNREACHABLE"))
    );
    for ((_, _, detail), told) in records.iter().zip(["10.1.2.3", "nobody knows gone.example.com", "127.0.0.1"]) {
        assert!(detail.as_str().is_some_and(|detail| detail.contains(told)), "{detail}");
    }
    // The System Log tells what the API tells.
    let events =
        org.client.get("/api/v1/logs?since=2023-11-01&filter=eventType%20eq%20%22inline_hook.executed%22").await.json();
    let events = events.as_array().expect("events").clone();
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["outcome"], events[0]["outcome"], "{event}");
        assert_eq!(event["debugContext"]["debugData"]["failureReason"], "The external service could not be reached");
    }
}

#[tokio::test]
async fn each_way_to_fail_has_its_verdict_its_attempts_and_its_reason() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let long = format!("{{\"debugContext\":{{\"x\":\"{}\"}}}}", "x".repeat(300 * 1024));
    for (reply, verdict, attempts, reason) in [
        (Reply::close(), "UNREACHABLE", 1, "closed the connection"),
        (Reply::raw("HTTP/1.1 200 OK\r\nContent-Le").then_close(), "UNREACHABLE", 1, "closed the connection"),
        (Reply::lying_about_its_length("{}", 10).then_close(), "UNREACHABLE", 1, "closed the connection"),
        (Reply::hang(), "TIMED_OUT", 2, "within 500 ms"),
        (Reply::lying_about_its_length("{}", 10).then_hang(), "TIMED_OUT", 2, "within 500 ms"),
        (Reply::json(200, "{}").dripped(Duration::from_millis(30)), "TIMED_OUT", 2, "within 500 ms"),
        (Reply::json(500, "{}"), "WRONG_STATUS", 2, "status 500"),
        (Reply::json(503, "{}"), "WRONG_STATUS", 2, "status 503"),
        (Reply::json(404, "{}"), "WRONG_STATUS", 1, "status 404"),
        (Reply::json(400, r#"{"error":{}}"#), "WRONG_STATUS", 1, "status 400"),
        (Reply::answer(301, &[("Location", "/elsewhere")], ""), "WRONG_STATUS", 1, "status 301"),
        (Reply::answer(307, &[("Location", "/elsewhere")], ""), "WRONG_STATUS", 1, "status 307"),
        (Reply::answer(200, &[("Content-Type", "text/html")], "<p>Hi</p>"), "INVALID_ANSWER", 1, "line 1, column 1"),
        (Reply::json(200, ""), "INVALID_ANSWER", 1, "empty"),
        (Reply::json(200, "{\"commands\":[}"), "INVALID_ANSWER", 1, "line 1, column 14"),
        (Reply::json(200, "[]"), "INVALID_ANSWER", 1, "object"),
        (Reply::json(200, "{\"a\":1,\"a\":2}"), "INVALID_ANSWER", 1, "member"),
        (Reply::json(200, &long), "ANSWER_TOO_LARGE", 1, "262143"),
        (Reply::chunked(200, &[], long.as_bytes(), 9000), "ANSWER_TOO_LARGE", 1, "262143"),
        (Reply::endless_body(), "ANSWER_TOO_LARGE", 1, "262143"),
        (Reply::endless_head(), "ANSWER_TOO_LARGE", 1, "head"),
        (Reply::gzip_bomb(50 * 1024 * 1024), "ANSWER_TOO_LARGE", 1, "262143"),
        (Reply::raw("SSH-2.0-OpenSSH_9.6\r\n").then_close(), "INVALID_ANSWER", 1, "HTTP"),
    ] {
        let shown = format!("{verdict} {reason}");
        let before = service.requests().len();
        service.on("/hook", [reply]);
        let answer = execute(&org, &hook).await;
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        let causes = failed(&answer, &hook, verdict, attempts);
        assert!(causes[0].contains(reason), "{shown}: {causes:?}");
        assert_eq!(service.requests().len() - before, attempts, "{shown}");
        assert!(!answer.text().contains(crate::fixtures::SECRET));
    }
    assert!(service.requests().iter().all(|request| request.target == "/hook"), "no redirect is followed");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unreachable() {
    let org = hasty_org().await;
    let service = ExternalService::start().await;
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    drop(service);
    tokio::task::yield_now().await;
    let answer = execute(&org, &hook).await;
    let causes = failed(&answer, &hook, "UNREACHABLE", 2);
    assert!(causes[0].contains("could not be reached"), "{causes:?}");
    assert_eq!(answer.json()["errorSummary"], "Okta could not communicate correctly with an inline hook.");
}

#[tokio::test]
async fn a_timeout_says_so_in_oktas_words() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    service.on("/hook", [Reply::hang()]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let began = Instant::now();
    let answer = execute(&org, &hook).await;
    assert!(began.elapsed() >= Duration::from_millis(1_000), "two attempts of 500 ms");
    assert_eq!(answer.json()["errorSummary"], "Okta did not receive a response from an inline hook.");
    let causes = failed(&answer, &hook, "TIMED_OUT", 2);
    assert!(causes[1].starts_with("Attempt 1 of 2, ") && causes[2].starts_with("Attempt 2 of 2, "), "{causes:?}");
}

#[tokio::test]
async fn an_attempt_has_three_seconds_unless_it_is_set_otherwise() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(2_700))]);
    service.on("/late", [Reply::json(200, ALLOW).after(Duration::from_millis(3_300))]);
    let in_time = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let late = hook_at(&org, &service, "/late", "com.okta.oauth2.tokens.transform").await;
    let (in_time, late_answer) = tokio::join!(execute(&org, &in_time), execute(&org, &late));
    accepted(&in_time);
    let causes = failed(&late_answer, &late, "TIMED_OUT", 1);
    assert!(causes[0].contains("within 3 s"), "{causes:?}");
}

#[tokio::test]
async fn a_second_attempt_may_succeed() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    for first in [Reply::json(500, "{}"), Reply::hang()] {
        let before = service.requests().len();
        service.on("/hook", [first, Reply::json(200, ALLOW)]);
        assert_eq!(execute(&org, &hook).await.text(), ALLOW);
        let seen = service.requests();
        let bodies: Vec<_> = seen[before..].iter().map(|request| &request.body).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1]);
    }
}

#[tokio::test]
async fn the_cause_names_place_expectation_and_the_nearest_command() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    for (body, parts) in [
        (
            r#"{"commands":[{"type":"com.okta.action.updat","value":{"registration":"ALLOW"}}]}"#,
            ["UNKNOWN_COMMAND", "/commands/0/type", "did you mean \"com.okta.action.update\"?"],
        ),
        (
            r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"PERMIT"}}]}"#,
            ["BAD_VALUE", "/commands/0/value/registration", "\"DENY\""],
        ),
        (
            r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"employeeNumbr":"1"}}]}"#,
            ["UNKNOWN_ATTRIBUTE", "/commands/0/value/employeeNumbr", "did you mean \"employeeNumber\"?"],
        ),
        (
            r#"{"commands":[{"type":"com.okta.user.profile.update","value":"lastName"}]}"#,
            ["BAD_VALUE_SHAPE", "/commands/0/value", "expected"],
        ),
        (r#"{"commands":{}}"#, ["COMMANDS_NOT_ARRAY", "/commands", "expected an array"]),
    ] {
        service.on("/hook", [Reply::json(200, body)]);
        let causes = failed(&execute(&org, &hook).await, &hook, "INVALID_ANSWER", 1);
        for part in parts {
            assert!(causes[0].contains(part), "{part}: {causes:?}");
        }
    }
}

#[tokio::test]
async fn a_kept_secret_is_still_the_one_that_is_sent() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let shown = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let authorization = async || {
        accepted(&execute(&org, &shown).await);
        service.requests().last().and_then(|request| request.header("authorization").map(str::to_owned))
    };
    assert_eq!(authorization().await.as_deref(), Some(crate::fixtures::SECRET));
    // Put back as it was read, mask and all; then without the value; then with another one.
    accepted(&org.client.put(&path_of(&shown), &shown).await);
    assert_eq!(authorization().await.as_deref(), Some(crate::fixtures::SECRET));
    let mut body = shown.clone();
    body["channel"]["config"]["authScheme"].as_object_mut().unwrap().remove("value");
    accepted(&org.client.put(&path_of(&shown), &body).await);
    assert_eq!(authorization().await.as_deref(), Some(crate::fixtures::SECRET));
    body["channel"]["config"]["authScheme"]["value"] = json!("Basic b3RoZXI6c2VjcmV0");
    accepted(&org.client.put(&path_of(&shown), &body).await);
    assert_eq!(authorization().await.as_deref(), Some("Basic b3RoZXI6c2VjcmV0"));
    body["channel"]["config"]["authScheme"] = Value::Null;
    accepted(&org.client.put(&path_of(&shown), &body).await);
    assert_eq!(authorization().await, None);
}

#[tokio::test]
async fn a_secret_that_the_service_echoes_gets_into_no_cause_and_no_record() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let secret = crate::fixtures::SECRET;
    let bare = secret.trim_start_matches("Basic ");
    for body in [
        format!(r#"{{"commands":[{{"type":"{secret}","value":{{}}}}]}}"#),
        format!(r#"{{"commands":[{{"type":"{bare}","value":{{}}}}]}}"#),
        format!(r#"{{"commands":[{{"type":"com.okta.action.update","value":{{"registration":"{bare}"}}}}]}}"#),
        format!(r#"{{"commands":[{{"type":"com.okta.user.profile.update","value":{{"{bare}":1}}}}]}}"#),
        format!(r#"{{"{bare}":1,"{bare}":2}}"#),
        // What is in it, and all of it in other letters.
        r#"{"commands":[{"type":"admin:supersecret","value":{}}]}"#.to_owned(),
        r#"{"commands":[{"type":"supersecret","value":{}}],"debugContext":"supersecret"}"#.to_owned(),
        r#"{"commands":5,"debugContext":{"a":"Basic \u0059WRtaW46c3VwZXJzZWNyZXQ="}}"#.to_owned(),
        r#"{"commands":5,"debugContext":{"hex":"7375706572736563726574","url":"admin%3Asupersecret"}}"#.to_owned(),
    ] {
        service.on("/hook", [Reply::answer(200, &[("Content-Type", secret)], body)]);
        let answer = execute(&org, &hook).await;
        let causes = failed(&answer, &hook, "INVALID_ANSWER", 1);
        assert!(!answer.text().contains(bare) && !answer.text().contains("supersecret"), "{causes:?}");
        let id = causes.last().unwrap().trim_start_matches("Execution ").to_owned();
        let record = crate::executions::record(&org, &id).await;
        for form in [bare, "supersecret", "7375706572736563726574"] {
            assert!(!record.to_string().contains(form), "{record}");
        }
    }
    let log = org.client.get("/api/v1/logs?since=2023-11-01").await.text();
    assert!(log.contains("inline_hook.response.processed") && log.contains("******"), "{log}");
    for form in [bare, "supersecret", "7375706572736563726574"] {
        assert!(!log.contains(form), "{log}");
    }
}

#[tokio::test]
async fn a_key_in_the_query_of_a_hook_is_sent_and_not_recorded() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let echo =
        r#"{"error":{"errorSummary":"No right in azure-function-key"},"debugContext":{"code":"azure-function-key"}}"#;
    service.on("/hook", [Reply::json(200, echo)]);
    let uri = json!(service.url("/hook?code=azure-function-key&x=1"));
    let hook = created(&org, &hook_with("azure", "/channel/config/uri", uri)).await;
    let answer = execute(&org, &hook).await;
    accepted(&answer);
    assert_eq!(service.requests()[0].target, "/hook?code=azure-function-key&x=1");
    let record = crate::executions::record(&org, answer.header("x-hookwright-execution-id")).await;
    assert_eq!(record["url"], service.url("/hook?code=******&x=******"));
    let log = org.client.get("/api/v1/logs?since=2023-11-01").await.text();
    assert!(log.contains("?code=******&x=******"), "{log}");
    assert!(
        !record.to_string().contains("azure-function-key") && !log.contains("azure-function-key"),
        "{record} {log}"
    );
}
