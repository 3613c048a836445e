//! The same API over PostgreSQL, where text, locks and conflicts are another matter, and where an org may have two nodes.

use std::time::{Duration, Instant};

use hookwright_app::{TokenGrant, revoke_api_token};
use hookwright_model::id::UserId;
use hookwright_testkit::postgres::PostgresServer;
use hookwright_testkit::{ExternalService, Org, OrgOptions, Reply, SeededEntropy};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::execute::{ALLOW, REGISTRATION, execute, hook_at};
use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, SECRET, created, hook, hook_with, id_of, path_of};

/// What a node that didn't write has to know by then.
const ONE_SECOND: Duration = Duration::from_secs(1);

async fn node(server: &PostgresServer, seed: u64) -> Org {
    Org::start_with(OrgOptions { database_url: Some(server.url("postgres")), seed, ..OrgOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_everything_is_as_on_sqlite() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let org = node(&server, 100).await;
    let service = ExternalService::start().await;
    texts_that_postgresql_cannot_hold_are_not_found_or_refused(&org).await;
    one_of_many_gets_a_name(&org).await;
    writers_lose_nothing(&org).await;
    let (org, hook) = a_call_is_recorded_and_a_secret_kept(org, &service).await;
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    assert_eq!(org.client.delete(&path_of(&hook)).await.status, 204);
    refused(&org.client.get(&path_of(&hook)).await, 404, "E0000007");
    org.stop().await;
}

async fn texts_that_postgresql_cannot_hold_are_not_found_or_refused(org: &Org) {
    for text in ["%00", "cal%00", "calx%00x", "%EF%BF%BF", "%F0%9F%92%A9", "'%20OR%20'1'='1", &"c".repeat(9_000)] {
        refused(&org.client.get(&format!("{HOOKS}/{text}")).await, 404, "E0000007");
        refused(&org.client.delete(&format!("{HOOKS}/{text}")).await, 404, "E0000007");
        refused(&org.client.get(&format!("/hookwright/v1/executions/{text}")).await, 404, "E0000007");
        assert_eq!(accepted(&org.client.get(&format!("/hookwright/v1/executions?hookId={text}")).await), json!([]));
    }
    let null = org.client.request(http::Method::POST, HOOKS).header("Content-Type", "application/json");
    let body = hook_with("null", "/metadata", json!({"a": "b\0c"})).to_string();
    refused(&null.body(body).send().await, 400, "E0000003");
    let odd = json!({"emoji 💩": "\u{10ffff}\u{fffe}", "quotes": "'\"\\", "": ""});
    let kept = created(org, &hook_with("💩 'quoted\" \\", "/metadata", odd.clone())).await;
    assert_eq!(accepted(&org.client.get(&path_of(&kept)).await)["metadata"], odd);
}

async fn one_of_many_gets_a_name(org: &Org) {
    let mut creating = JoinSet::new();
    for number in 0..32 {
        let client = org.client.clone();
        let name = if number % 2 == 0 { "Straße ÄÖ" } else { "sTRAßE äö" };
        creating.spawn(async move { client.post(HOOKS, &hook(name)).await });
    }
    let answers = creating.join_all().await;
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        refused(answer, 400, "E0000001");
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

async fn writers_lose_nothing(org: &Org) {
    let path = path_of(&created(org, &hook("contended")).await);
    let mut writing = JoinSet::new();
    for number in 0..24 {
        let (client, path) = (org.client.clone(), path.clone());
        let body = if number % 2 == 0 {
            json!({"version": format!("1.0.{}", number + 1)})
        } else {
            json!({"metadata": {"number": number.to_string()}})
        };
        writing.spawn(async move { client.post(&path, &body).await });
    }
    let answers: Vec<Value> = writing.join_all().await.iter().map(accepted).collect();
    let last = accepted(&org.client.get(&path).await);
    assert!(last["version"] != "1.0.0" && last["metadata"]["number"].is_string(), "{last}");
    assert!(answers.contains(&last));
}

async fn a_call_is_recorded_and_a_secret_kept(org: Org, service: &ExternalService) -> (Org, Value) {
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let hook = hook_at(&org, service, "/hook", REGISTRATION).await;
    let org = org.restart().await;
    let answer = execute(&org, &hook).await;
    assert_eq!(answer.text(), ALLOW);
    assert_eq!(service.requests()[0].header("authorization"), Some(SECRET));
    let record = crate::executions::record(&org, answer.header("x-hookwright-execution-id")).await;
    assert_eq!(record["inlineHook"]["id"], id_of(&hook));
    (org, hook)
}

/// Asks until the answer is as expected; fails if that takes over a second.
async fn within_a_second(mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < ONE_SECOND + Duration::from_millis(500), "the other node still doesn't know");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_writes_the_other_knows_within_a_second() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let (one, two) = (node(&server, 100).await, node(&server, 200).await);
    let hook = created(&one, &hook("shared")).await;
    let path = path_of(&hook);
    assert_eq!(accepted(&two.client.get(&path).await)["name"], "shared");
    accepted(&one.client.post_empty(&format!("{path}/lifecycle/deactivate")).await);
    within_a_second(async || accepted(&two.client.get(&path).await)["status"] == "INACTIVE").await;
    // Whoever writes reads what is stored, not what is believed.
    accepted(&one.client.post(&path, &json!({"version": "1.0.7"})).await);
    assert_eq!(accepted(&two.client.post(&path, &json!({"name": "renamed"})).await)["version"], "1.0.7");

    let (id, at_one) = one.another_token("revoked").await;
    let at_two = two.client.with_token(at_one.token().unwrap_or_default());
    accepted(&at_two.get(HOOKS).await);
    revoke_api_token(&one.store, &id, one.clock.as_ref(), &SeededEntropy::new(5)).await.unwrap();
    within_a_second(async || at_two.get(HOOKS).await.status == 401).await;

    let mut writing = JoinSet::new();
    for number in 0..32 {
        let (client, path) = (if number % 2 == 0 { &one } else { &two }.client.clone(), path.clone());
        writing.spawn(async move { client.post(&path, &json!({"metadata": {"number": number.to_string()}})).await });
    }
    let answers: Vec<Value> = writing.join_all().await.iter().map(accepted).collect();
    let stored = accepted(&one.client.get(HOOKS).await);
    assert!(answers.iter().any(|answer| answer["metadata"] == stored[0]["metadata"]));

    assert_eq!(one.client.delete(&path).await.status, 204);
    within_a_second(async || two.client.get(&path).await.status == 404).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_is_suspended_on_one_node_is_refused_on_the_other_within_a_second() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    // Nodes that start together make one administrator.
    let (one, two) = tokio::join!(node(&server, 100), node(&server, 200));
    assert_eq!(one.administrator, two.administrator);
    assert_eq!(accepted(&two.client.get("/api/v1/users").await).as_array().unwrap().len(), 1);
    let profile = json!({"login": "a@b.co", "email": "a@b.co", "firstName": "A", "lastName": "B"});
    let body = json!({"profile": profile, "credentials": {"password": {"value": "Tr0ub4dor&3-correct-horse"}}});
    let ada = accepted(&one.client.post("/api/v1/users", &body).await)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{ada}");
    let role = one.client.post(&format!("{path}/roles"), &json!({"type": "SUPER_ADMIN"})).await.json();
    let (_, at_one) = one.token_for("ada", TokenGrant::all_of(UserId::from_text(ada))).await;
    let at_two = two.client.with_token(at_one.token().unwrap_or_default());
    accepted(&at_two.get(HOOKS).await);
    accepted(&one.client.post_empty(&format!("{path}/lifecycle/suspend")).await);
    refused(&at_one.get(HOOKS).await, 401, "E0000011");
    within_a_second(async || at_two.get(HOOKS).await.status == 401).await;
    accepted(&one.client.post_empty(&format!("{path}/lifecycle/unsuspend")).await);
    within_a_second(async || at_two.get(HOOKS).await.status == 200).await;
    let role = format!("{path}/roles/{}", role["id"].as_str().unwrap());
    assert_eq!(one.client.delete(&role).await.status, 204);
    within_a_second(async || at_two.get(HOOKS).await.status == 403).await;
}
