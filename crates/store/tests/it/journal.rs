//! The journal in the order of writing: scans, cursors, and polling that misses nothing.

use std::collections::BTreeSet;

use hookwright_model::id::ExecutionId;
use hookwright_store::{Change, Direction, JournalEntry, JournalItem, JournalScan, Position, Store};

use crate::fixture::{Fixture, on_both_engines};
use crate::samples::{after, event, execution};

on_both_engines! {
    events_come_back_as_they_were_written,
    a_scan_walks_both_ways_and_goes_on_from_a_position,
    a_scan_is_bounded_by_time_of_publication,
    a_window_of_time_finds_what_a_walk_finds_however_long_chunks_span,
    a_scan_for_events_leaves_executions_out,
    a_poll_beside_many_writers_misses_nothing,
    numbers_are_not_used_twice_after_everything_was_deleted,
}

fn name(entry: &JournalEntry) -> String {
    match &entry.item {
        JournalItem::Event(event) => event.uuid.clone(),
        JournalItem::Execution(execution) => execution.id.as_str().to_owned(),
    }
}

async fn names(store: &Store, scan: JournalScan) -> Vec<String> {
    store.journal(&scan).await.unwrap().iter().map(name).collect()
}

fn all() -> JournalScan {
    JournalScan { max_items: usize::MAX, ..JournalScan::default() }
}

fn events(numbers: std::ops::Range<u64>) -> Change {
    Change::AppendEvents(numbers.map(event).collect())
}

fn event_names(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("event-{number}")).collect()
}

async fn events_come_back_as_they_were_written(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![events(0..3)]).await.unwrap();
    let entries = store.journal(&all()).await.unwrap();
    for (number, entry) in (0..).zip(&entries) {
        assert_eq!(entry.published, event(number).published);
        let JournalItem::Event(written) = &entry.item else { panic!("not an event") };
        assert_eq!(**written, event(number));
    }
    assert_eq!(entries.len(), 3);
    store.commit(vec![Change::AppendEvents(Vec::new())]).await.unwrap();
    assert_eq!(store.journal(&all()).await.unwrap().len(), 3);
}

async fn a_scan_walks_both_ways_and_goes_on_from_a_position(fixture: Fixture) {
    let store = fixture.open().await;
    let mut expected = Vec::new();
    for start in [0, 300, 400] {
        store.commit(vec![events(start..start + 5)]).await.unwrap();
        expected.extend(event_names(start..start + 5));
        store.commit(vec![Change::AppendExecution(execution(start))]).await.unwrap();
        expected.push(execution(start).id.as_str().to_owned());
    }
    assert_eq!(names(&store, all()).await, expected);
    for direction in [Direction::Forward, Direction::Backward] {
        for max_items in [1, 2, 5, 6, 18] {
            let mut found = Vec::new();
            let mut after: Option<Position> = None;
            loop {
                let scan = JournalScan { after, direction, max_items, ..JournalScan::default() };
                let entries = store.journal(&scan).await.unwrap();
                found.extend(entries.iter().map(name));
                if entries.len() < max_items {
                    break;
                }
                after = entries.last().map(|entry| entry.position.to_string().parse().unwrap());
            }
            if direction == Direction::Backward {
                found.reverse();
            }
            assert_eq!(found, expected, "{direction:?} by {max_items}");
        }
    }
    assert!(names(&store, JournalScan { max_items: 0, ..all() }).await.is_empty());
    assert_eq!(names(&store, JournalScan { after: Some(Position::START), ..all() }).await, expected);
}

async fn a_scan_is_bounded_by_time_of_publication(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![events(0..400)]).await.unwrap();
    for direction in [Direction::Forward, Direction::Backward] {
        let scan = JournalScan { since: Some(after(250)), until: Some(after(260)), direction, ..all() };
        let mut expected = event_names(250..260);
        if direction == Direction::Backward {
            expected.reverse();
        }
        assert_eq!(names(&store, scan).await, expected);
    }
    // An execution counts from when it ended, 2 ms after it began.
    store.commit(vec![Change::AppendExecution(execution(1_000))]).await.unwrap();
    let ended = JournalScan { since: Some(after(1_002)), until: Some(after(1_003)), ..all() };
    assert_eq!(names(&store, ended).await, [execution(1_000).id.as_str()]);
    let too_late = JournalScan { since: Some(after(1_003)), ..all() };
    assert!(names(&store, too_late).await.is_empty());
}

async fn a_window_of_time_finds_what_a_walk_finds_however_long_chunks_span(fixture: Fixture) {
    let store = fixture.open().await;
    // Out of order, as with clocks that differ; every fifth commit spans more than a minute, one a day.
    for commit in 0..120_u64 {
        let begin = (commit * 79_190) % 4_000_000;
        let span = match commit {
            7 => 86_400_000,
            _ if commit % 5 == 0 => 60_000 + commit,
            _ => commit % 3 * 20,
        };
        let numbers = [begin, begin + span / 2, begin + span];
        store.commit(vec![Change::AppendEvents(numbers.map(event).to_vec())]).await.unwrap();
        if commit % 4 == 0 {
            store.commit(vec![Change::AppendExecution(execution(begin))]).await.unwrap();
        }
    }
    let walked = store.journal(&all()).await.unwrap();
    for number in 0..15_i64 {
        let since = number * 287_972;
        for length in [1, 500, 70_000, 5_000_000] {
            let (since, until) = (after(since), after(since + length));
            for events_only in [false, true] {
                let scan = JournalScan { since: Some(since), until: Some(until), events_only, ..all() };
                let within = |entry: &&JournalEntry| {
                    (since..until).contains(&entry.published)
                        && (!events_only || matches!(entry.item, JournalItem::Event(_)))
                };
                let expected: Vec<String> = walked.iter().filter(within).map(name).collect();
                assert_eq!(names(&store, scan).await, expected, "{since} to {until}");
            }
        }
        let first = JournalScan { since: Some(after(since)), max_items: 1, ..all() };
        let expected = walked.iter().find(|entry| entry.published >= after(since)).map(name);
        assert_eq!(names(&store, first).await.first(), expected.as_ref());
    }
    // Page by page it is the same.
    let window = JournalScan { since: Some(after(500_000)), until: Some(after(2_500_000)), max_items: 7, ..all() };
    let (mut found, mut place) = (Vec::new(), None);
    loop {
        let entries = store.journal(&JournalScan { after: place, ..window }).await.unwrap();
        place = entries.last().map(|entry| entry.position);
        found.extend(entries.iter().map(name));
        if entries.len() < 7 {
            break;
        }
    }
    assert_eq!(found, names(&store, JournalScan { max_items: usize::MAX, ..window }).await);
}

async fn a_scan_for_events_leaves_executions_out(fixture: Fixture) {
    let store = fixture.open().await;
    for number in 0..3 {
        let call = Change::AppendExecution(execution(1_000 + number));
        store.commit(vec![call, events(number..number + 1)]).await.unwrap();
    }
    for direction in [Direction::Forward, Direction::Backward] {
        let mut expected = event_names(0..3);
        if direction == Direction::Backward {
            expected.reverse();
        }
        assert_eq!(names(&store, JournalScan { direction, events_only: true, ..all() }).await, expected);
        assert_eq!(names(&store, JournalScan { direction, ..all() }).await.len(), 6);
    }
}

async fn a_poll_beside_many_writers_misses_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    let writers: Vec<_> = (0..8_u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..40 {
                    let number = task * 1_000 + number;
                    if number % 4 == 0 {
                        store.record(execution(number)).await;
                    } else {
                        store.commit(vec![events(number..number + 1)]).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let is_last = writers.iter().all(tokio::task::JoinHandle::is_finished) && store.gauges().buffered_records == 0;
        let entries = store.journal(&JournalScan { after, max_items: 50, ..JournalScan::default() }).await.unwrap();
        seen.extend(entries.iter().map(name));
        match entries.last() {
            Some(last) => after = Some(last.position),
            None if is_last => break,
            None => tokio::task::yield_now().await,
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (320, 320));
}

async fn numbers_are_not_used_twice_after_everything_was_deleted(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![events(0..1)]).await.unwrap();
    let position = store.journal(&all()).await.unwrap()[0].position;
    store.apply_retention(after(1_000_000), u64::MAX).await.unwrap();
    assert!(names(&store, all()).await.is_empty());
    store.close().await;
    let store = fixture.open().await;
    store.commit(vec![events(1..2)]).await.unwrap();
    assert_eq!(names(&store, JournalScan { after: Some(position), ..all() }).await, ["event-1"]);
}

#[test]
fn a_cursor_has_one_form_and_anything_else_is_refused() {
    let position: Position = "12-3".parse().unwrap();
    assert_eq!(position.to_string(), "12-3");
    assert!(position > Position::START);
    assert!(position < "12-4".parse().unwrap() && position < "13-0".parse().unwrap());
    for text in
        ["", "-", "1", "1-", "-1", "1-2-3", "+1-2", "01-2", "1-02", "1 -2", "a-b", "99999999999999999999-1", "1--2"]
    {
        assert!(text.parse::<Position>().is_err(), "{text:?}");
    }
    assert!(ExecutionId::from_text("12-3").minted_at().is_none());
}
