//! The System Log: what is in it, how it is asked for, how it is paged.

mod calls;
mod changes;
mod paging;
mod refusals;

use std::time::{Duration, Instant};

use hookwright_testkit::{Answer, Client, Org};
use serde_json::Value;

use crate::expectations::accepted;
use crate::fixtures::{created, hook, id_of, path_of};

const LOGS: &str = "/api/v1/logs";

/// The path of a query with these parameters, encoded.
fn logs(parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{LOGS}?{query}")
}

/// The events of an answer that must be a success.
#[track_caller]
fn events(answer: &Answer) -> Vec<Value> {
    accepted(answer).as_array().expect("events come in an array").clone()
}

/// The link of this relation without scheme and host, as a path to follow.
fn link(client: &Client, answer: &Answer, relation: &str) -> Option<String> {
    let base = format!("<http://{}", client.address());
    let end = format!(">; rel=\"{relation}\"");
    let links = answer.headers.get_all("link").iter().map(|value| value.to_str().expect("a link is text"));
    let found = links.filter_map(|link| link.strip_suffix(&end)).next()?;
    Some(found.strip_prefix(&base).expect("links are absolute, on the public URL").to_owned())
}

/// The values of a member, one for each event.
fn each<'e>(events: &'e [Value], pointer: &str) -> Vec<&'e str> {
    let text = |event: &'e Value| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    events.iter().map(text).collect()
}

/// Asks until there are so many events: calls are recorded a moment after their answer.
async fn wait_for(org: &Org, path: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = events(&org.client.get(path).await);
        if found.len() >= count || begun.elapsed() > Duration::from_secs(5) {
            assert_eq!(found.len(), count, "{path}");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_change_of_a_hook_is_found_as_the_sdks_look_for_it() {
    let org = Org::start().await;
    let first = created(&org, &hook("First")).await;
    let second = created(&org, &hook("Second")).await;
    let path = path_of(&second);
    for step in ["lifecycle/deactivate", "lifecycle/activate", "lifecycle/deactivate"] {
        accepted(&org.client.post_empty(&format!("{path}/{step}")).await);
    }
    accepted(&org.client.put(&path, &hook("Renamed")).await);
    assert_eq!(org.client.delete(&path).await.status, 204);

    let filter = format!(r#"eventType eq "inline_hook.created" and target.id eq "{}""#, id_of(&first));
    let found = events(&org.client.get(&logs(&[("filter", &filter)])).await);
    assert_eq!(each(&found, "/target/0/displayName"), ["First"]);

    let filter = format!(r#"target.id eq "{}" and eventType sw "inline_hook.""#, id_of(&second));
    let found = events(&org.client.get(&logs(&[("filter", &filter)])).await);
    assert_eq!(
        each(&found, "/eventType"),
        [
            "inline_hook.created",
            "inline_hook.deactivated",
            "inline_hook.activated",
            "inline_hook.deactivated",
            "inline_hook.updated",
            "inline_hook.deleted",
        ]
    );
    for event in &found {
        assert_eq!(event["outcome"]["result"], "SUCCESS");
        assert_eq!(event["target"][0]["type"], "InlineHook");
        assert_eq!(event["target"][0]["alternateId"], Value::Null);
    }
}

#[tokio::test]
async fn an_event_has_the_members_that_clients_insist_on() {
    let org = Org::start().await;
    let request = org.client.request(http::Method::POST, crate::fixtures::HOOKS);
    let answer = request.header("user-agent", "okta-sdk-python/3.4.6").json(&hook("Hook")).send().await;
    let hook = accepted(&answer);
    let mut event =
        events(&org.client.get(&logs(&[("filter", r#"event_type eq "inline_hook.created""#)])).await).remove(0);
    let token = event["transaction"]["detail"]["requestApiTokenId"].as_str().expect("the token's id").to_owned();
    assert!(token.starts_with("00T"), "{token}");
    assert_eq!(event["uuid"].as_str().map(str::len), Some(36));
    event["uuid"] = "[uuid]".into();
    let members = event.as_object().expect("an event is an object").iter();
    let text: Vec<String> = members.map(|(name, value)| format!("{name}: {value}")).collect();
    let text = text
        .join("\n")
        .replace(&token, "[token]")
        .replace(org.administrator.as_str(), "[user]")
        .replace(id_of(&hook), "[hook]");
    insta::assert_snapshot!(text.replace(answer.header("x-okta-request-id"), "[request]"), @r#"
    actor: {"id":"[user]","type":"User","alternateId":"admin@hookwright.invalid","displayName":"Hookwright Administrator","detailEntry":null}
    client: {"userAgent":{"rawUserAgent":"okta-sdk-python/3.4.6","os":null,"browser":null},"zone":null,"device":null,"id":null,"ipAddress":"127.0.0.1","geographicalContext":null}
    authenticationContext: {"authenticationProvider":null,"credentialProvider":null,"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"externalSessionId":null,"rootSessionId":null}
    displayMessage: "Create inline hook"
    eventType: "inline_hook.created"
    outcome: {"result":"SUCCESS","reason":null}
    published: "2023-11-14T22:13:20.000Z"
    securityContext: {"asNumber":null,"asOrg":null,"isp":null,"domain":null,"isProxy":null}
    severity: "INFO"
    debugContext: {"debugData":{}}
    legacyEventType: null
    transaction: {"type":"WEB","id":"[request]","detail":{"requestApiTokenId":"[token]"}}
    uuid: "[uuid]"
    version: "0"
    request: {"ipChain":[{"ip":"127.0.0.1","geographicalContext":null,"version":"V4","source":null}]}
    target: [{"id":"[hook]","type":"InlineHook","alternateId":null,"displayName":"Hook","detailEntry":null}]
    "#);
}

#[tokio::test]
async fn keywords_and_filter_must_both_hold() {
    let org = Org::start().await;
    created(&org, &hook("Employee check")).await;
    created(&org, &hook("Employee-Number check")).await;
    for (keywords, filter, names) in [
        ("employee", "", vec!["Employee check", "Employee-Number check"]),
        ("CHECK number", "", vec!["Employee-Number check"]),
        ("empl", "", vec![]),
        ("", r#"target.displayName ew "NUMBER CHECK""#, vec!["Employee-Number check"]),
        ("employee", r#"not (target.displayName co "number")"#, vec!["Employee check"]),
        ("number", r#"not (target.displayName co "number")"#, vec![]),
    ] {
        let filter = if filter.is_empty() { "target.type pr".to_owned() } else { filter.to_owned() };
        let filter = format!(r#"({filter}) and eventType eq "inline_hook.created""#);
        let found = events(&org.client.get(&logs(&[("q", keywords), ("filter", &filter)])).await);
        assert_eq!(each(&found, "/target/0/displayName"), names, "{keywords} {filter}");
    }
}

#[tokio::test]
async fn the_log_is_for_callers_with_a_token() {
    let org = Org::start().await;
    let stranger = Client::new(org.client.address());
    assert_eq!(stranger.get(LOGS).await.refusal(), (401, "E0000004".to_owned()));
    assert_eq!(stranger.with_token("wrong").get(LOGS).await.refusal(), (401, "E0000011".to_owned()));
    assert_eq!(org.client.post_empty(LOGS).await.refusal(), (405, "E0000022".to_owned()));
}
