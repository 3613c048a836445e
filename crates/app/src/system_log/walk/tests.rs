//! The walk over a journal in memory, written in any order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hookwright_contract::HookType;
use hookwright_model::execution::{Actor, ExecutionSummary, Origin, Trigger, Verdict};
use hookwright_model::id::ExecutionId;
use hookwright_model::shown::{Shown, ShownBody};
use hookwright_model::system_log::{Severity, events_of_call, read_filter};
use hookwright_store::Position;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::system_log::cursor::Cursor;

/// The journal, and how long a step through it takes.
#[derive(Clone, Default)]
struct Journal {
    entries: Arc<Mutex<Vec<JournalEntry>>>,
    step: Duration,
    /// How many entries it has given out.
    given_out: Arc<AtomicUsize>,
}

impl Journal {
    fn of(published: impl IntoIterator<Item = i64>) -> Self {
        let journal = Self::default();
        published.into_iter().for_each(|millis| journal.write(millis));
        journal
    }

    /// Every third entry is a call; an event's `uuid` is its place.
    fn write(&self, published: i64) {
        let mut entries = self.entries.lock().unwrap();
        let number = entries.len();
        let position: Position = format!("{}-{}", number / 4 + 1, number % 4).parse().unwrap();
        let item = if number % 3 == 2 {
            JournalItem::Execution(Box::new(call(position, published)))
        } else {
            JournalItem::Event(Box::new(change(position, published)))
        };
        entries.push(JournalEntry { position, published: Timestamp::from_millis(published), item });
    }

    fn read(&self, scan: &JournalScan) -> Vec<JournalEntry> {
        assert_eq!(scan.direction, Direction::Forward);
        let entries = self.entries.lock().unwrap();
        let behind = scan.after.map_or(0, |after| entries.partition_point(|entry| entry.position <= after));
        let wanted = entries.iter().skip(behind).filter(|entry| {
            !(scan.events_only && matches!(entry.item, JournalItem::Execution(_)))
                && scan.since.is_none_or(|since| entry.published >= since)
                && scan.until.is_none_or(|until| entry.published < until)
        });
        let found: Vec<JournalEntry> = wanted.take(scan.max_items).cloned().collect();
        self.given_out.fetch_add(found.len(), Ordering::Relaxed);
        found
    }

    /// Where and when, as the journal has it, one line for each event.
    fn keys(&self) -> Vec<(Timestamp, String)> {
        let entries = self.entries.lock().unwrap();
        let keys = entries.iter().flat_map(|entry| {
            let count = if matches!(entry.item, JournalItem::Execution(_)) { 2 } else { 1 };
            (0..count).map(|index| (entry.published, name(entry.position, index)))
        });
        keys.collect()
    }
}

fn name(position: Position, index: usize) -> String {
    if index == 0 { position.to_string() } else { format!("{position} again") }
}

fn call(position: Position, published: i64) -> Execution {
    let actor =
        Actor { id: String::new(), kind: String::new(), display_name: String::new(), alternate_id: String::new() };
    let summary = ExecutionSummary {
        hook_id: "cal1".into(),
        hook_name: position.to_string(),
        hook_type: HookType::Registration,
        url: Shown::default(),
        trigger: Trigger::Execute,
        actor,
        origin: Origin::default(),
        event_id: None,
        request_type: None,
        started_ms: published,
        duration_us: 0,
        verdict: Verdict::TimedOut,
        failure: None,
        effect: None,
        attempts: Vec::new(),
    };
    Execution { id: ExecutionId::from_text(position.to_string()), summary, request: ShownBody::default() }
}

/// The event of a change; its `uuid` is its place.
fn change(position: Position, published: i64) -> LogEvent {
    let event = events_of_call(&call(position, published), true).remove(0);
    LogEvent { uuid: position.to_string(), severity: Severity::Info, ..event }
}

/// Two events a call, as there may be one day.
fn two_events(execution: &Execution) -> Vec<LogEvent> {
    let event = events_of_call(execution, true).remove(0);
    let place = execution.id.to_string();
    vec![LogEvent { uuid: place.clone(), ..event.clone() }, LogEvent { uuid: format!("{place} again"), ..event }]
}

fn walk<'a>(
    journal: &Journal,
    wanted: &'a Wanted,
    limit: usize,
) -> Walk<'a, impl Fn(JournalScan) -> futures_of::Read + use<'a>> {
    let journal = journal.clone();
    Walk {
        journal: move |scan| futures_of::read(journal.clone(), scan),
        wanted,
        limit,
        events_only: !wanted.includes_calls(),
        events_of: &two_events,
        deadline: Instant::now() + Duration::from_secs(30),
    }
}

mod futures_of {
    use std::pin::Pin;

    use super::*;

    pub(super) type Read = Pin<Box<dyn Future<Output = Result<Vec<JournalEntry>, Error>>>>;

    pub(super) fn read(journal: Journal, scan: JournalScan) -> Read {
        Box::pin(async move {
            if !journal.step.is_zero() {
                tokio::time::sleep(journal.step).await;
            }
            Ok(journal.read(&scan))
        })
    }
}

fn uuids(events: &Events) -> Vec<String> {
    let json = events.iter().map(|event| serde_json::from_str::<Value>(event.get()).unwrap());
    json.map(|event| event["uuid"].as_str().unwrap().to_owned()).collect()
}

/// The cursor on its way through a client.
fn through_text(cursor: Cursor) -> Cursor {
    cursor.to_string().parse().unwrap()
}

fn window(since: i64, until: i64, direction: Direction) -> Window {
    Window { since: Timestamp::from_millis(since), until: Timestamp::from_millis(until), direction, after: None }
}

/// All pages of a window, with a check that all but the last are full.
async fn read_window(journal: &Journal, window: Window, limit: usize) -> Vec<String> {
    let wanted = Wanted::default();
    let mut found = Vec::new();
    let mut rest = Some(window);
    while let Some(window) = rest {
        let (events, next) = walk(journal, &wanted, limit).window(window).await.unwrap();
        assert!(next.is_none() || events.len() == limit, "a page that is neither full nor the last");
        found.extend(uuids(&events));
        rest = next.map(|next| match through_text(Cursor::Bounded(next)) {
            Cursor::Bounded(next) => next,
            Cursor::Polling(_) => panic!("a cursor of the other kind"),
        });
    }
    found
}

async fn poll(journal: &Journal, place: Place, limit: usize) -> (Vec<String>, Place) {
    let wanted = Wanted::default();
    let (events, next) = walk(journal, &wanted, limit).poll(place).await.unwrap();
    match through_text(Cursor::Polling(next)) {
        Cursor::Polling(next) => (uuids(&events), next),
        Cursor::Bounded(_) => panic!("a cursor of the other kind"),
    }
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_bounded_walk_gives_each_event_of_the_window_once_in_the_order_of_published(
        published in prop::collection::vec(prop_oneof![0_i64..40, 0_i64..100_000], 0..60),
        since in 0_i64..60_000,
        length in 0_i64..100_000,
        limit in 1_usize..9,
        backward in any::<bool>(),
    ) {
        let journal = Journal::of(published);
        let direction = if backward { Direction::Backward } else { Direction::Forward };
        let window = window(since, since + length, direction);
        let mut expected = journal.keys();
        expected.retain(|(published, _)| (window.since..window.until).contains(published));
        // Stable: what was published together stays in the order of writing.
        expected.sort_by_key(|(published, _)| *published);
        if backward {
            expected.reverse();
        }
        let found = in_runtime(read_window(&journal, window, limit));
        let expected: Vec<String> = expected.into_iter().map(|(_, name)| name).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_polling_walk_gives_each_event_once_while_more_are_written(
        first in prop::collection::vec(0_i64..1_000, 0..20),
        later in prop::collection::vec(prop::collection::vec(0_i64..1_000, 0..8), 0..8),
        since in 0_i64..1_200,
        limit in 1_usize..7,
    ) {
        let journal = Journal::of(first);
        let mut place = Place { from: From::Time(Timestamp::from_millis(since)), begun: None };
        let mut found = Vec::new();
        in_runtime(async {
            for writes in later {
                let (events, next) = poll(&journal, place, limit).await;
                found.extend(events);
                place = next;
                writes.into_iter().for_each(|millis| journal.write(millis));
            }
            loop {
                let (events, next) = poll(&journal, place, limit).await;
                if events.is_empty() {
                    break;
                }
                found.extend(events);
                place = next;
            }
        });
        // What was written before the first entry that is young enough is left out, nothing else.
        let keys = journal.keys();
        let begin = keys.iter().position(|(published, _)| published.as_millis() >= since).unwrap_or(keys.len());
        let expected: Vec<String> = keys.into_iter().skip(begin).map(|(_, name)| name).collect();
        prop_assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_page_may_end_between_the_two_events_of_one_call() {
    let journal = Journal::of([0, 1, 2, 3]);
    let start = Place { from: From::Time(Timestamp::from_millis(0)), begun: None };
    let (events, next) = poll(&journal, start, 3).await;
    assert_eq!(events, ["1-0", "1-1", "1-2"]);
    assert_eq!(Cursor::Polling(next).to_string(), "p.1-1.1-2.1");
    let (events, next) = poll(&journal, next, 3).await;
    assert_eq!(events, ["1-2 again", "1-3"]);
    assert_eq!(Cursor::Polling(next).to_string(), "p.1-3");
}

#[tokio::test]
async fn a_poll_that_finds_nothing_goes_on_from_where_it_was() {
    let journal = Journal::of([5]);
    let future = Place { from: From::Time(Timestamp::from_millis(9)), begun: None };
    assert_eq!(poll(&journal, future, 3).await, (vec![], future));
    let end = Place { from: From::Entry("1-0".parse().unwrap()), begun: None };
    assert_eq!(poll(&journal, end, 3).await, (vec![], end));
    assert_eq!(poll(&journal, end, 0).await, (vec![], end));
}

#[tokio::test]
async fn a_question_about_changes_does_not_read_calls() {
    let journal = Journal::of((0..300).map(|number| number * 1_000));
    let filter = read_filter(r#"eventType sw "user." and severity eq "INFO""#).unwrap();
    let wanted = Wanted { filter: Some(filter), ..Wanted::default() };
    let start = Place { from: From::Time(Timestamp::from_millis(0)), begun: None };
    let (_, place) = walk(&journal, &wanted, 10).poll(start).await.unwrap();
    walk(&journal, &wanted, 10).window(window(0, 300_000, Direction::Backward)).await.unwrap();
    assert_eq!(journal.given_out.load(Ordering::Relaxed), 2 * 200);
    // Events behind the place are found, and calls between do no harm.
    journal.write(300_000);
    assert_eq!(walk(&journal, &Wanted::default(), 10).poll(place).await.unwrap().0.len(), 3);
}

#[tokio::test]
async fn a_bounded_request_for_nothing_is_over_at_once() {
    let journal = Journal::of([5]);
    for (since, until, limit) in [(0, 9, 0), (9, 0, 5), (5, 5, 5), (6, i64::MAX, 5), (i64::MIN, 5, 5)] {
        let wanted = Wanted::default();
        let walk = walk(&journal, &wanted, limit);
        let (events, next) = walk.window(window(since, until, Direction::Forward)).await.unwrap();
        assert!(events.is_empty() && next.is_none(), "{since} {until} {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_whose_time_is_up_gives_what_it_has_and_goes_on_later() {
    let journal = Journal { step: Duration::from_secs(5), ..Journal::of((0..8_000).map(|_| 5)) };
    let filter = read_filter(r#"uuid eq "26-0" or uuid eq "2000-3""#).unwrap();
    let wanted = Wanted { filter: Some(filter), ..Wanted::default() };
    let start = Place { from: From::Time(Timestamp::from_millis(0)), begun: None };
    let (events, next) = walk(&journal, &wanted, 10).poll(start).await.unwrap();
    assert_eq!(uuids(&events), ["26-0"]);
    let (events, last) = walk(&journal, &wanted, 10).poll(next).await.unwrap();
    assert_eq!(uuids(&events), ["2000-3"]);
    assert_eq!(last.from, From::Entry("2000-3".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_bounded_request_whose_time_is_up_gives_whole_slices_only() {
    let entries = [3].into_iter().chain((0..4_000).map(|number| 4_000 - number));
    let journal = Journal { step: Duration::from_secs(5), ..Journal::of(entries) };
    let wanted = Wanted::default();
    let everything = window(0, 1_000_000, Direction::Forward);
    // The journal holds the window backwards, so what was read first of the unfinished slice is its end.
    let (mut found, mut rest, mut pages) = (Vec::new(), Some(everything), 0);
    while let Some(window) = rest {
        pages += 1;
        let (events, next) = walk(&journal, &wanted, 30_000).window(window).await.unwrap();
        found.extend(uuids(&events));
        rest = next;
    }
    let mut expected = journal.keys();
    expected.sort_by_key(|(published, _)| *published);
    let expected: Vec<String> = expected.into_iter().map(|(_, name)| name).collect();
    assert!(found == expected, "{} events instead of {}", found.len(), expected.len());
    assert!(pages > 1, "the time was never up");
}

#[tokio::test]
async fn a_slice_that_holds_far_too_much_is_cut_again() {
    // Long silence, in which slices grow, then a flood; and the other way round.
    let begin = 100 * 24 * 60 * 60 * 1000;
    for (direction, pace, expected) in [
        (Direction::Forward, 10, ["1-0", "1-1", "1-2", "1-2 again", "1-3"]),
        (Direction::Backward, -10, ["1-0", "1-1", "1-2 again", "1-2", "1-3"]),
    ] {
        let journal = Journal::of((0..10_000).map(|number| begin + number * pace));
        let wanted = Wanted::default();
        let (events, next) = walk(&journal, &wanted, 5).window(window(0, 2 * begin, direction)).await.unwrap();
        assert_eq!(uuids(&events), expected);
        assert!(next.is_some());
        let given_out = journal.given_out.load(Ordering::Relaxed);
        assert!(given_out < 80_000, "{given_out} entries were read for a page of five");
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_finds_nothing_in_its_time_is_refused() {
    let journal = Journal { step: Duration::from_secs(31), ..Journal::of([5]) };
    let wanted = Wanted::default();
    let place = Place { from: From::Time(Timestamp::from_millis(0)), begun: None };
    let begun = Instant::now();
    let refused = walk(&journal, &wanted, 10).poll(place).await;
    assert!(matches!(refused, Err(Error::QueryTooSlow)));
    assert_eq!(begun.elapsed(), Duration::from_secs(30));
    let refused = walk(&journal, &wanted, 10).window(window(0, 9, Direction::Backward)).await;
    assert!(matches!(refused, Err(Error::QueryTooSlow)));
}

#[tokio::test(start_paused = true)]
async fn a_full_page_does_not_look_long_for_one_more_event() {
    let journal = Journal { step: Duration::from_millis(200), ..Journal::of([1, 2]) };
    let wanted = Wanted::default();
    let begun = Instant::now();
    let (events, next) = walk(&journal, &wanted, 2).window(window(0, 1 << 50, Direction::Forward)).await.unwrap();
    assert_eq!(events.len(), 2);
    assert!(begun.elapsed() < Duration::from_millis(1100));
    let (events, next) = walk(&journal, &wanted, 2).window(next.unwrap()).await.unwrap();
    assert!(events.is_empty() && next.is_none());
}

#[tokio::test]
async fn steps_shrink_where_entries_are_large() {
    let mut step = Step::default();
    let journal = Journal::of([1, 2]);
    let mut entries = journal.read(&JournalScan { max_items: 9, ..JournalScan::default() });
    step.adapt(&entries);
    assert_eq!(step.items, STEP_ITEMS[2]);
    for entry in &mut entries {
        let details = serde_json::Map::from_iter([("detail".to_owned(), "x".repeat(STEP_BYTES).into())]);
        entry.item = JournalItem::Event(Box::new(LogEvent { debug_data: details, ..change(entry.position, 1) }));
    }
    step.adapt(&entries);
    assert_eq!(step.items, STEP_ITEMS[0]);
}
