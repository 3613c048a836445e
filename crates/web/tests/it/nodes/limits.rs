//! Rate limits count over all nodes.

use std::time::Duration;

use hookwright_testkit::{Client, Org};
use tokio::task::JoinSet;

use super::SharedDatabase;

const LIMIT: usize = 120;
const SHARE: usize = LIMIT / 20;
const LOGS: &str = "/api/v1/logs?limit=1";

/// Calls until it is refused, or so often; how often it was let through.
async fn call(client: Client, times: usize) -> usize {
    let mut let_through = 0;
    for _ in 0..times {
        let answer = client.get(LOGS).await;
        assert!(answer.status == 200 || answer.status == 429, "{}", answer.text());
        let_through += usize::from(answer.status == 200);
    }
    let_through
}

async fn nodes(database: &SharedDatabase) -> (Org, Org) {
    let (one, two) = database.nodes(|options| options.settings.rate_limits = true).await;
    // Each knows of the other when it counts what the other has counted: a token of its own tells.
    let (_, probe) = one.another_token("probe").await;
    call(probe.clone(), 20).await;
    let at_two = two.client.with_token(probe.token().unwrap_or_default());
    for own in 1..=90 {
        if remaining(&at_two).await <= LIMIT - 20 - own {
            return (one, two);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the nodes never meet");
}

/// What the next call leaves.
async fn remaining(client: &Client) -> usize {
    client.get(LOGS).await.header("x-rate-limit-remaining").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_has_counted_counts_at_the_other() {
    let database = SharedDatabase::create().await;
    let (one, two) = nodes(&database).await;
    assert_eq!(call(one.client.clone(), 70).await, 70);
    // Once the word has come round, not one call more than the limit is let through.
    let mut own = 0;
    loop {
        own += 1;
        if remaining(&two.client).await <= LIMIT - 70 - own {
            break;
        }
        assert!(own < 40, "the count of the other node never comes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(call(two.client.clone(), 100).await, LIMIT - 70 - own);
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_let_through_hardly_more_than_one() {
    let database = SharedDatabase::create().await;
    let (one, two) = nodes(&database).await;
    let mut callers = JoinSet::new();
    for node in [&one, &two] {
        callers.spawn(call(node.client.clone(), 2 * LIMIT));
    }
    let let_through: usize = callers.join_all().await.into_iter().sum();
    // A twentieth that is not told yet, and what comes in while the word is on its way.
    assert!((LIMIT..=LIMIT + 5 * SHARE).contains(&let_through), "{let_through}");
    tokio::join!(one.stop(), two.stop());
}
