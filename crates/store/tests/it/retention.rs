//! Retention: whole chunks, oldest first, executions before events.

use hookwright_store::{Change, Direction, ExecutionQuery, JournalScan, Store};

use crate::fixture::{Fixture, on_both_engines};
use crate::samples::{after, event, execution};

on_both_engines! {
    what_is_older_goes_and_the_rest_stays,
    the_size_is_brought_below_the_limit_and_executions_go_first,
    the_links_to_hooks_go_with_their_chunk,
}

async fn fill(store: &Store) {
    for number in 0..150 {
        store
            .commit(vec![Change::AppendExecution(execution(number)), Change::AppendEvents(vec![event(number)])])
            .await
            .unwrap();
    }
}

async fn counts(store: &Store) -> (usize, usize) {
    let scan = JournalScan { max_items: usize::MAX, direction: Direction::Backward, ..JournalScan::default() };
    let all = store.journal(&scan).await.unwrap().len();
    let query = ExecutionQuery { limit: usize::MAX, ..ExecutionQuery::default() };
    let executions = store.executions(&query).await.unwrap().items.len();
    (executions, all - executions)
}

async fn what_is_older_goes_and_the_rest_stays(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store).await;
    assert_eq!(store.apply_retention(after(0), u64::MAX).await.unwrap().items, 0);
    assert_eq!(counts(&store).await, (150, 150));
    // An execution began at its number and ended 2 ms later.
    let removed = store.apply_retention(after(100), u64::MAX).await.unwrap();
    assert_eq!(counts(&store).await, (52, 50));
    assert_eq!(removed.items, 198);
    assert!(removed.bytes > 198 * 100);
    assert!(store.execution(&execution(97).id).await.unwrap().is_none());
    assert!(store.execution(&execution(98).id).await.unwrap().is_some());
    assert_eq!(store.apply_retention(after(100), u64::MAX).await.unwrap().items, 0);
}

async fn the_size_is_brought_below_the_limit_and_executions_go_first(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store).await;
    let size = || fixture.number("SELECT CAST(coalesce(sum(octets), 0) AS BIGINT) FROM journal");
    let full = u64::try_from(size().await).unwrap();
    store.apply_retention(after(-1), full).await.unwrap();
    assert_eq!(counts(&store).await, (150, 150));
    store.apply_retention(after(-1), full - 1).await.unwrap();
    assert_eq!(counts(&store).await, (149, 150));
    assert!(store.execution(&execution(0).id).await.unwrap().is_none());
    store.apply_retention(after(-1), full / 3).await.unwrap();
    let (executions, events) = counts(&store).await;
    assert!(executions < 149 && (events == 150 || executions == 0), "{executions} executions, {events} events");
    assert!(u64::try_from(size().await).unwrap() <= full / 3);
    store.apply_retention(after(-1), 0).await.unwrap();
    assert_eq!(counts(&store).await, (0, 0));
    fill(&store).await;
    assert_eq!(counts(&store).await, (150, 150));
}

async fn the_links_to_hooks_go_with_their_chunk(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store).await;
    assert_eq!(fixture.number("SELECT count(*) FROM journal_hooks").await, 150);
    store.apply_retention(after(100), u64::MAX).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM journal_hooks").await, 52);
}
