//! What one node changes the other knows at once, and within a second where it hears nothing.

use std::time::{Duration, Instant};

use hookwright_app::revoke_api_token;
use hookwright_testkit::{Org, SeededEntropy};
use serde_json::{Value, json};

use super::SharedDatabase;
use crate::expectations::accepted;
use crate::fixtures::{HOOKS, created, hook, path_of};

/// What was just read is believed for longer than this, unless the node is told otherwise.
const AT_ONCE: Duration = Duration::from_millis(500);

/// What is cached is believed for a second; the rest is for a busy machine.
const AGE: Duration = Duration::from_secs(5);

const LISTENERS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";

/// How long it takes until something holds.
async fn until(limit: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < limit, "it never comes");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

async fn both_listen(database: &SharedDatabase) {
    until(Duration::from_secs(30), async || database.query(&format!("SELECT count(*) {LISTENERS}")) == "2").await;
}

/// How long one node takes to know what the other changed, at its best of several times: one time shows that it was told, since
/// it had read the thing just before.
async fn quickest(one: &Org, two: &Org, path: &str) -> Duration {
    let mut quickest = AGE;
    for number in 0..5 {
        let version = format!("1.{number}.0");
        // Before, so that the change is not known already: two reads, of which the second at least is from memory.
        accepted(&two.client.get(path).await);
        accepted(&one.client.post(path, &json!({"version": "0.0.1"})).await);
        until(AGE, async || accepted(&two.client.get(path).await)["version"] == "0.0.1").await;
        accepted(&one.client.post(path, &json!({"version": version})).await);
        let known = async || accepted(&two.client.get(path).await)["version"] == version.as_str();
        quickest = quickest.min(until(AGE, known).await);
    }
    quickest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_changes_the_other_knows_at_once() {
    let database = SharedDatabase::create().await;
    let (one, two) = database.nodes(|_| ()).await;
    both_listen(&database).await;
    let path = path_of(&created(&one, &hook("shared")).await);
    let took = quickest(&one, &two, &path).await;
    assert!(took < AT_ONCE, "{took:?}");

    let mut quickest = AGE;
    for number in 0..5 {
        let (id, at_one) = one.another_token(&format!("token {number}")).await;
        let at_two = two.client.with_token(at_one.token().unwrap_or_default());
        accepted(&at_two.get(HOOKS).await);
        revoke_api_token(&one.store, &id, one.clock.as_ref(), &SeededEntropy::new(500 + number))
            .await
            .expect("revoked");
        quickest = quickest.min(until(AGE, async || at_two.get(HOOKS).await.status == 401).await);
    }
    assert!(quickest < AT_ONCE, "{quickest:?}");
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_listening_is_cut_sees_changes_by_their_age_and_at_once_when_it_listens_again() {
    let database = SharedDatabase::create().await;
    let (one, two) = database.nodes(|_| ()).await;
    both_listen(&database).await;
    let path = path_of(&created(&one, &hook("shared")).await);
    accepted(&two.client.get(&path).await);
    for round in 0..3 {
        let cut = database.query(&format!("SELECT count(pg_terminate_backend(pid)) {LISTENERS}"));
        assert!(cut != "0", "{cut}");
        let version = json!({"version": format!("2.{round}.0")});
        accepted(&one.client.post(&path, &version).await);
        until(AGE, async || accepted(&two.client.get(&path).await)["version"] == version["version"]).await;
        assert_eq!(two.stranger().get("/readyz").await.status, 200);
    }
    both_listen(&database).await;
    let took = quickest(&one, &two, &path).await;
    assert!(took < AT_ONCE, "{took:?}");
    let metrics = two.client.get("/metrics").await.text();
    assert!(metrics.contains("hookwright_size{of=\"nodes_heard\"} 1"), "{metrics}");
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_sees_changes_by_their_age() {
    let database = SharedDatabase::create().await;
    let (one, two) = database.nodes(|_| ()).await;
    let path = path_of(&created(&one, &hook("shared")).await);
    both_listen(&database).await;
    // Changed behind the backs of both, so that nobody tells anybody.
    let hook = accepted(&two.client.get(&path).await);
    let id: Value = hook["id"].clone();
    let update = format!(
        "UPDATE inline_hooks SET status = 'INACTIVE', revision = revision + 1 WHERE id = '{}'",
        id.as_str().unwrap_or_default()
    );
    database.query(&update);
    until(AGE, async || accepted(&two.client.get(&path).await)["status"] == "INACTIVE").await;
    tokio::join!(one.stop(), two.stop());
}
