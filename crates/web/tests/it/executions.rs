//! The records of calls: complete, without secrets, found again.

use std::time::Duration;

use hookwright_testkit::{Answer, ExternalService, Org, Reply, TOKEN};
use http::Method;
use serde_json::{Value, json};

use crate::execute::{ALLOW, REGISTRATION, execute, hasty_org, hook_at, payload};
use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{SECRET, id_of, path_of};

const EXECUTIONS: &str = "/hookwright/v1/executions";

/// A record; it is written a few milliseconds after the answer.
pub(crate) async fn record(org: &Org, id: &str) -> Value {
    for _ in 0..500 {
        let answer = org.client.get(&format!("{EXECUTIONS}/{id}")).await;
        if answer.status == 200 {
            return accepted(&answer);
        }
        refused(&answer, 404, "E0000007");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the execution {id} was never recorded");
}

/// The record of an `execute` that was answered.
async fn record_of(org: &Org, answer: &Answer) -> Value {
    record(org, answer.header("x-hookwright-execution-id")).await
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(id_of).collect()
}

/// The link of this relation, without the server.
fn link(answer: &Answer, relation: &str) -> Option<String> {
    let mark = format!(">; rel=\"{relation}\"");
    let values = answer.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let url = values.filter_map(|value| value.strip_suffix(&mark)?.strip_prefix('<')).next()?;
    url.split_once(EXECUTIONS).map(|(_, query)| format!("{EXECUTIONS}{query}"))
}

#[tokio::test]
async fn a_record_holds_everything_about_the_call() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(503, r#"{"down":true}"#), Reply::json(200, ALLOW)]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let request = org.client.request(Method::POST, &format!("{}/execute", path_of(&hook)));
    let answer = request.json(&payload()).header("User-Agent", "a test").send().await;
    accepted(&answer);
    let mut record = record_of(&org, &answer).await;
    assert_eq!(record["id"], answer.header("x-hookwright-execution-id"));
    assert_eq!(record["inlineHook"], json!({"id": id_of(&hook), "name": hook["name"], "type": REGISTRATION}));
    assert_eq!(record["url"], service.url("/hook"));
    assert_eq!(record["request"]["id"], answer.header("x-okta-request-id"));
    assert_eq!(record["request"]["ipAddress"], "127.0.0.1");
    assert_eq!(record["request"]["userAgent"], "a test");
    let administrator = json!({"id": org.administrator, "kind": "User", "displayName": "Hookwright Administrator",
        "alternateId": "admin@hookwright.invalid"});
    assert_eq!(record["actor"], administrator);
    assert_eq!(record["request"]["apiTokenId"], org.store.api_tokens().await.unwrap()[0].id.as_str());
    assert_eq!(record["payload"], payload());
    assert_eq!(record["eventId"], payload()["eventId"]);
    assert_eq!(record["requestType"], "self.service.registration");
    assert_eq!(record["trigger"], "EXECUTE");
    assert_eq!(record["verdict"], "ANSWERED");
    assert_eq!(record["failure"], Value::Null);
    assert_eq!(record["started"], "2023-11-14T22:13:20.000Z");
    assert!(record["durationUs"].as_u64().is_some_and(|micros| micros > 0));
    let attempts = record["attempts"].as_array_mut().unwrap();
    assert_eq!(attempts.len(), 2);
    for attempt in attempts.iter_mut() {
        assert!(attempt["durationUs"].as_u64().is_some_and(|micros| micros > 0));
        assert_eq!(attempt["peer"], service.address().to_string());
        assert_eq!(attempt["contentType"], "application/json");
    }
    assert_eq!((&attempts[0]["status"], &attempts[0]["body"]), (&json!(503), &json!({"down": true})));
    assert_eq!((&attempts[1]["status"], attempts[1]["body"].to_string()), (&json!(200), ALLOW.to_owned()));
    assert!(attempts[1]["startedAfterUs"].as_u64() > attempts[0]["startedAfterUs"].as_u64());
}

#[tokio::test]
async fn a_record_of_a_failure_says_why() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, r#"{"commands":[{"type":"com.okta.action.updat","value":{}}]}"#)]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let causes = execute(&org, &hook).await.causes();
    let id = causes.last().unwrap().trim_start_matches("Execution ").to_owned();
    let record = record(&org, &id).await;
    assert_eq!(record["verdict"], "INVALID_ANSWER");
    let failure = record["failure"].as_str().unwrap_or_default();
    assert!(failure.contains("/commands/0/type") && causes[0].ends_with(failure), "{failure}");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_recorded_as_text() {
    let (org, service) = (hasty_org().await, ExternalService::start().await);
    service.on("/hook", [Reply::answer(404, &[], "<h1>Not \u{fc}ber here</h1>")]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let causes = execute(&org, &hook).await.causes();
    let record = record(&org, causes.last().unwrap().trim_start_matches("Execution ")).await;
    assert_eq!(record["attempts"][0]["body"], "<h1>Not \u{fc}ber here</h1>");
}

#[tokio::test]
async fn a_record_holds_no_secret_password_or_code() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let import = hook_at(&org, &service, "/hook", "com.okta.user.credential.password.import").await;
    let phone = hook_at(&org, &service, "/hook", "com.okta.telephony.provider").await;
    let answer = json!({
        "debugContext": {"echo": format!("Authorization: {SECRET}"), "access_token": "canary-token", "Password": "canary-echo"},
    });
    service.on("/hook", [Reply::json(200, answer.to_string())]);
    let credential = json!({"data": {"context": {"credential": {"username": "isaac", "password": "canary-password"}}}});
    let code = json!({"data": {"messageProfile": {"otpCode": "31337", "msgTemplate": "Your code is 31337", "phoneNumber": "1"}}});
    for (hook, payload) in [(&import, &credential), (&phone, &code)] {
        let answer = org.client.post(&format!("{}/execute", path_of(hook)), payload).await;
        accepted(&answer);
        let record = record_of(&org, &answer).await.to_string();
        for canary in [SECRET, "YWRtaW46c3VwZXJzZWNyZXQ=", "canary-", "31337", TOKEN] {
            assert!(!record.contains(canary), "{canary}: {record}");
        }
        assert!(record.contains("******"));
    }
    let seen = service.requests();
    assert!(String::from_utf8_lossy(&seen[0].body).contains("canary-password"), "the service itself gets everything");
    assert!(String::from_utf8_lossy(&seen[1].body).contains("31337"));
    let bytes = org.database_bytes();
    for canary in [SECRET, "canary-password", "canary-token", "canary-echo"] {
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary}");
    }
}

/// Three hooks' calls a minute apart, the last one failing; the ids in their order.
async fn three_calls(org: &Org, service: &ExternalService) -> (Vec<Value>, Vec<String>) {
    service.on("/two", [Reply::json(404, "{}")]);
    let one = hook_at(org, service, "/one", REGISTRATION).await;
    let two = hook_at(org, service, "/two", REGISTRATION).await;
    let mut executions = Vec::new();
    for hook in [&one, &one, &two] {
        let answer = execute(org, hook).await;
        let cause = answer.causes().pop();
        let named = cause.as_deref().and_then(|cause| cause.strip_prefix("Execution ")).unwrap_or_default();
        let id = [answer.header("x-hookwright-execution-id"), named].concat();
        record(org, &id).await;
        executions.push(id);
        org.clock.advance(Duration::from_secs(60));
    }
    (vec![one, two], executions)
}

#[tokio::test]
async fn records_are_found_by_hook_verdict_and_time_the_newest_first() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let (hooks, made) = three_calls(&org, &service).await;
    let list = async |query: &str| {
        let answer = org.client.get(&format!("{EXECUTIONS}{query}")).await;
        ids(&accepted(&answer)).iter().map(|&id| made.iter().position(|known| known == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [2, 1, 0]);
    assert_eq!(list(&format!("?hookId={}", id_of(&hooks[0]))).await, [1, 0]);
    assert_eq!(list(&format!("?hookId={}", id_of(&hooks[1]))).await, [2]);
    assert_eq!(list("?hookId=calNotThere").await, [0; 0]);
    assert_eq!(list("?hookId=%00").await, [0; 0]);
    assert_eq!(list("?verdict=ANSWERED").await, [1, 0]);
    assert_eq!(list("?verdict=WRONG_STATUS").await, [2]);
    assert_eq!(list("?verdict=TIMED_OUT").await, [0; 0]);
    assert_eq!(list("?since=2023-11-14T22:14:20.000Z").await, [2, 1]);
    assert_eq!(list("?until=2023-11-14T22:14:20.000Z").await, [0]);
    assert_eq!(list("?since=2023-11-14T22:14:20Z&until=2023-11-14T23:15:20%2B01:00").await, [1]);
    assert_eq!(list(&format!("?verdict=ANSWERED&hookId={}", id_of(&hooks[1]))).await, [0; 0]);
    assert_eq!(list("?unheardOf=x&verdict=").await, [2, 1, 0]);
}

#[tokio::test]
async fn a_list_is_paged_by_links_and_leaves_the_bodies_out() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let (_, made) = three_calls(&org, &service).await;
    let first = org.client.get(&format!("{EXECUTIONS}?limit=2&verdict=")).await;
    assert_eq!(ids(&accepted(&first)), [&made[2], &made[1]]);
    for item in first.json().as_array().unwrap() {
        assert_eq!(item.get("payload"), None);
        assert!(
            item["attempts"].as_array().is_some_and(|attempts| attempts.iter().all(|one| one.get("body").is_none()))
        );
    }
    assert_eq!(link(&first, "self").as_deref(), Some("/hookwright/v1/executions?limit=2&verdict="));
    let next = link(&first, "next").expect("there is more");
    assert!(next.contains("limit=2"), "{next}");
    let second = org.client.get(&next).await;
    assert_eq!(ids(&accepted(&second)), [&made[0]]);
    assert_eq!(link(&second, "next"), None);
    assert_eq!(link(&second, "self").as_deref(), Some(next.as_str()));
}

#[tokio::test]
async fn pages_of_any_size_show_each_record_once() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let mut made = Vec::new();
    for _ in 0..47 {
        let answer = execute(&org, &hook).await;
        made.push(answer.header("x-hookwright-execution-id").to_owned());
    }
    for id in &made {
        record(&org, id).await;
    }
    made.reverse();
    for limit in [1, 7, 20, 45, 47, 200] {
        let mut seen = Vec::new();
        let mut next = Some(format!("{EXECUTIONS}?limit={limit}"));
        while let Some(path) = next {
            let answer = org.client.get(&path).await;
            let page = accepted(&answer);
            assert!(ids(&page).len() <= limit);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            next = link(&answer, "next");
        }
        assert_eq!(seen, made, "{limit}");
    }
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused() {
    let org = Org::start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("verdict=FINE", "verdict"),
        ("verdict=answered", "verdict"),
        ("since=yesterday", "since"),
        ("until=2023-13-01", "until"),
        ("since=2023-11-14T22:13:20", "since"),
    ] {
        refused_for(&org.client.get(&format!("{EXECUTIONS}?{query}")).await, field);
    }
    for after in ["x", "1", "-1-0", "1-", "1-0-0", "01-0", "9999999999999999999999-0", "%00", "' OR 1=1"] {
        let answer = org.client.get(&format!("{EXECUTIONS}?after={}", after.replace(' ', "%20"))).await;
        assert_eq!(refused(&answer, 400, "E0000029"), ["Invalid cursor."]);
    }
}

#[tokio::test]
async fn a_record_outlives_the_stop_of_the_org_and_the_deletion_of_its_hook() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(execute(&org, &hook).await.header("x-hookwright-execution-id").to_owned());
    }
    // At once, without a wait for the records to be written.
    let org = org.restart().await;
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    assert_eq!(org.client.delete(&path_of(&hook)).await.status, 204);
    let list = accepted(&org.client.get(&format!("{EXECUTIONS}?hookId={}", id_of(&hook))).await);
    made.reverse();
    assert_eq!(ids(&list), made);
    let answer = org.client.get(&format!("{EXECUTIONS}/{}", made[0])).await;
    assert_eq!(accepted(&answer)["inlineHook"]["name"], hook["name"]);
}

#[tokio::test]
async fn what_was_not_sent_is_not_recorded() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    let request = org.client.request(Method::POST, &format!("{}/execute", path_of(&hook)));
    refused(&request.header("Content-Type", "application/json").body("{").send().await, 400, "E0000003");
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    refused(&execute(&org, &hook).await, 400, "E0000001");
    let org = org.restart().await;
    assert_eq!(accepted(&org.client.get(EXECUTIONS).await), json!([]));
}
