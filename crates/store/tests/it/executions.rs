//! Executions: written soon, found by id, listed newest first through filters and pages.

use std::time::{Duration, Instant};

use hookwright_model::execution::{Execution, Verdict};
use hookwright_model::id::ExecutionId;
use hookwright_model::shown::ShownBody;
use hookwright_store::{Change, ExecutionQuery, Store};

use crate::fixture::{Fixture, on_both_engines, settled};
use crate::samples::{after, execution, hook_id};

on_both_engines! {
    a_recorded_execution_is_found_by_its_id,
    a_committed_execution_is_there_at_once,
    executions_are_listed_newest_first_in_pages,
    executions_are_filtered_by_hook_verdict_and_time,
    records_are_written_within_50_ms,
    a_full_buffer_makes_callers_wait_and_drops_nothing,
    closing_writes_what_is_buffered,
    dropping_the_store_writes_what_is_buffered,
    large_bodies_come_back_whole,
}

async fn record(store: &Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        store.record(execution(number)).await;
    }
    settled(store).await;
}

async fn all(store: &Store, query: ExecutionQuery) -> Vec<Execution> {
    let mut query = query;
    let mut found = Vec::new();
    loop {
        let page = store.executions(&query).await.unwrap();
        assert!(page.items.len() <= query.limit);
        found.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            None => return found,
        }
    }
}

async fn a_recorded_execution_is_found_by_its_id(fixture: Fixture) {
    let store = fixture.open().await;
    for number in 0..700 {
        store.record(execution(number)).await;
    }
    assert!(store.execution(&execution(699).id).await.unwrap().is_some(), "who reads finds what they just did");
    settled(&store).await;
    for number in [0, 1, 255, 256, 699] {
        assert_eq!(store.execution(&execution(number).id).await.unwrap(), Some(execution(number)));
    }
    for id in ["", "exe", "exe00000000000000000", "exezzzzzzzzzzzzzzzzz", "cal00000000000000001", "exe../../etc/passwd"]
    {
        assert_eq!(store.execution(&ExecutionId::from_text(id)).await.unwrap(), None, "{id}");
    }
    assert_eq!(store.execution(&execution(701).id).await.unwrap(), None);
}

async fn a_committed_execution_is_there_at_once(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![Change::AppendExecution(execution(1)), Change::AppendExecution(execution(2))]).await.unwrap();
    assert_eq!(store.execution(&execution(2).id).await.unwrap(), Some(execution(2)));
    let hook_id = Some(hook_id(1).as_str().to_owned());
    assert_eq!(all(&store, ExecutionQuery { hook_id, ..ExecutionQuery::default() }).await, [execution(1)]);
}

async fn executions_are_listed_newest_first_in_pages(fixture: Fixture) {
    let store = fixture.open().await;
    for start in [0, 10, 300] {
        record(&store, start..start + 10).await;
        store.commit(vec![Change::AppendExecution(execution(start + 10))]).await.unwrap();
    }
    let mut numbers: Vec<u64> = Vec::new();
    for start in [0, 10, 300] {
        numbers.extend(start..=start + 10);
    }
    let mut expected: Vec<ExecutionId> = numbers.iter().map(|number| execution(*number).id).collect();
    for limit in [1, 7, 11, 33, 100] {
        let mut found: Vec<ExecutionId> = all(&store, ExecutionQuery { limit, ..ExecutionQuery::default() })
            .await
            .into_iter()
            .map(|found| found.id)
            .collect();
        assert_eq!(found.len(), 33, "limit {limit}");
        // Each batch comes before the one recorded earlier; inside a batch the commit may overtake the buffer.
        assert!(found[..11].iter().all(|id| *id >= execution(300).id), "limit {limit}");
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "limit {limit}");
    }
    assert!(
        store.executions(&ExecutionQuery { limit: 0, ..ExecutionQuery::default() }).await.unwrap().items.is_empty()
    );
}

async fn executions_are_filtered_by_hook_verdict_and_time(fixture: Fixture) {
    let store = fixture.open().await;
    record(&store, 0..600).await;
    let query = ExecutionQuery { limit: 7, ..ExecutionQuery::default() };
    let numbers = async |query: ExecutionQuery| -> Vec<i64> {
        all(&store, query).await.iter().map(|found| found.summary.started_ms - after(0).as_millis()).collect()
    };
    let expected =
        |wanted: &dyn Fn(i64) -> bool| -> Vec<i64> { (0..600).rev().filter(|number| wanted(*number)).collect() };
    let hook = Some(hook_id(1).as_str().to_owned());
    assert_eq!(numbers(ExecutionQuery { hook_id: hook.clone(), ..query.clone() }).await, expected(&|n| n % 3 == 1));
    let verdict = Some(Verdict::TimedOut);
    assert_eq!(numbers(ExecutionQuery { verdict, ..query.clone() }).await, expected(&|n| n % 10 == 9));
    let (since, until) = (Some(after(100)), Some(after(130)));
    assert_eq!(numbers(ExecutionQuery { since, until, ..query.clone() }).await, expected(&|n| (100..130).contains(&n)));
    let narrow = ExecutionQuery { hook_id: hook, verdict, since, until, ..query.clone() };
    assert_eq!(numbers(narrow).await, expected(&|n| (100..130).contains(&n) && n % 3 == 1 && n % 10 == 9));
    for nothing in [
        ExecutionQuery { hook_id: Some("cal\0".to_owned()), ..query.clone() },
        ExecutionQuery { hook_id: Some("nobody".to_owned()), ..query.clone() },
        ExecutionQuery { verdict: Some(Verdict::TokenRefused), ..query.clone() },
        ExecutionQuery { since: Some(after(10_000)), ..query.clone() },
        ExecutionQuery { until: Some(after(0)), ..query },
    ] {
        assert!(numbers(nothing.clone()).await.is_empty(), "{nothing:?}");
    }
}

async fn records_are_written_within_50_ms(fixture: Fixture) {
    let store = fixture.open().await;
    let mut fastest = Duration::MAX;
    for number in 0..20 {
        let begun = Instant::now();
        record(&store, number..number + 1).await;
        fastest = fastest.min(begun.elapsed());
    }
    // The slowest says how busy the test machine is.
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
    assert_eq!(fixture.number("SELECT count(*) FROM journal").await, 20);
}

async fn a_full_buffer_makes_callers_wait_and_drops_nothing(fixture: Fixture) {
    let mut options = fixture.options();
    options.max_buffered_records = 3;
    let store = Store::open(options).await.unwrap();
    let tasks: Vec<_> = (0..8_u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..20 {
                    store.record(execution(task * 20 + number)).await;
                    assert!(store.gauges().buffered_records <= 3);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    settled(&store).await;
    assert_eq!(all(&store, ExecutionQuery::default()).await.len(), 160);
}

async fn closing_writes_what_is_buffered(fixture: Fixture) {
    let store = fixture.open().await;
    for number in 0..500 {
        store.record(execution(number)).await;
    }
    store.close().await;
    store.close().await;
    // Nothing is taken any more, and nothing hangs.
    store.record(execution(1_000)).await;
    assert!(store.commit(vec![Change::AppendExecution(execution(1_001))]).await.is_err());
    let store = fixture.open().await;
    assert_eq!(all(&store, ExecutionQuery::default()).await.len(), 500);
}

async fn dropping_the_store_writes_what_is_buffered(fixture: Fixture) {
    let store = fixture.open().await;
    for number in 0..500 {
        store.record(execution(number)).await;
    }
    drop(store);
    let begun = Instant::now();
    while fixture.number("SELECT CAST(coalesce(sum(items), 0) AS BIGINT) FROM journal").await < 500 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the records are never written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn large_bodies_come_back_whole(fixture: Fixture) {
    let store = fixture.open().await;
    let large = |number: u64, octets: usize| {
        let mut execution = execution(number);
        let byte = u8::try_from(number).unwrap();
        execution.request = ShownBody::stored(vec![byte; octets].into());
        execution.summary.attempts.push(execution.summary.attempts[0].clone());
        execution.summary.attempts[1].body = ShownBody::stored(vec![byte; octets / 2].into());
        execution
    };
    let executions = [large(1, 1 << 20), large(2, 100), large(3, 3 << 20), large(4, 0)];
    for execution in &executions {
        store.record(execution.clone()).await;
    }
    settled(&store).await;
    for execution in &executions {
        let found = store.execution(&execution.id).await.unwrap();
        assert!(found.as_ref() == Some(execution), "{} is there: {}", execution.id, found.is_some());
    }
}
