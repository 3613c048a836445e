//! Reading the journal for a page: in small steps, in bounded memory, in bounded time.
//!
//! A polling request takes entries as they were written. A bounded one must be sorted by `published`, which is nearly, but
//! not quite, the order of writing: calls end while others are being written, and nodes' clocks differ. No bound on that
//! disorder is assumed. The window is cut into slices of time instead; a slice is read whole, in whatever order it was
//! written, and the first `limit` keys are kept. No event of a later slice can come before one of an earlier, so a page is
//! finished as soon as it is full at a slice's end. Slices grow while they hold little and shrink while they hold much; one
//! that turns out to hold far too much is given up and cut again.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::execution::Execution;
use hookwright_model::system_log::LogEvent;
use hookwright_store::{Direction, JournalEntry, JournalItem, JournalScan};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::cursor::{From, Key, Place, Window};
use super::request::Wanted;
use crate::Error;

/// How much one step should read, in bytes.
const STEP_BYTES: usize = 4 * 1024 * 1024;

/// The fewest, the first and the most entries of a step. An entry can be larger than a megabyte.
const STEP_ITEMS: [usize; 3] = [8, 64, 1024];

/// How much time the first slice of a window covers, and the least that one does.
const FIRST_SLICE: Duration = Duration::from_secs(1);
const SHORTEST_SLICE: Duration = Duration::from_millis(10);

/// Slices with fewer entries than this make the next one longer, those with more than that shorter.
const FEW_ENTRIES: usize = 256;
const MANY_ENTRIES: usize = 4096;

/// Slices with more entries than this are given up and cut again, unless they are as short as can be.
const TOO_MANY_ENTRIES: usize = 8_192;

/// How long a full page of a bounded request looks for one more event, to know whether there is a next page.
const LOOK_AHEAD: Duration = Duration::from_millis(500);

type Events = Vec<Box<RawValue>>;

/// A walk through the journal for one page.
pub(super) struct Walk<'a, J> {
    /// [`Store::journal`](hookwright_store::Store::journal).
    pub(super) journal: J,
    pub(super) wanted: &'a Wanted,
    pub(super) limit: usize,
    /// Whether calls can be left aside.
    pub(super) events_only: bool,
    /// What a call made known.
    pub(super) events_of: &'a (dyn Fn(&Execution) -> Vec<LogEvent> + Sync),
    /// When the page must be there.
    pub(super) deadline: Instant,
}

impl<J, F> Walk<'_, J>
where
    J: Fn(JournalScan) -> F,
    F: Future<Output = Result<Vec<JournalEntry>, Error>>,
{
    /// The events behind a place, in the order of writing, and where the next page begins.
    ///
    /// If the time is up, what was found is the page; an empty one is well, since the next page begins further on.
    pub(super) async fn poll(&self, start: Place) -> Result<(Events, Place), Error> {
        let mut events = Events::new();
        let mut place = start;
        let any = JournalScan { events_only: self.events_only, ..JournalScan::default() };
        let mut step = Step::default();
        while events.len() < self.limit {
            let scan = match place.from {
                // Only the first entry is found by its time: behind it everything counts, so that what was published a
                // little earlier but written later is not missed.
                From::Time(since) => JournalScan { since: Some(since), max_items: 1, ..any },
                From::Entry(entry) => JournalScan { after: Some(entry), max_items: step.items, ..any },
            };
            let asked = scan.max_items;
            let Some(entries) = self.read(scan).await? else {
                return if place == start { Err(Error::QueryTooSlow) } else { Ok((events, place)) };
            };
            let ends = entries.len() < asked;
            step.adapt(&entries);
            for entry in entries {
                let position = entry.position;
                let begun = place.begun.filter(|(begun, _)| *begun == position).map_or(0, |(_, count)| count);
                for (index, event) in self.wanted_events(entry, |index| index >= begun)? {
                    if events.len() == self.limit {
                        place.begun = (index > 0).then_some((position, index));
                        return Ok((events, place));
                    }
                    events.push(event);
                }
                place = Place { from: From::Entry(position), begun: None };
            }
            if ends {
                break;
            }
        }
        Ok((events, place))
    }

    /// The events of a window in the order of `published`, and what is left of the window.
    ///
    /// If the time is up, the page is what was found in slices that were read whole.
    pub(super) async fn window(&self, window: Window) -> Result<(Events, Option<Window>), Error> {
        let mut page = Page { window, limit: self.limit, events: BTreeMap::new() };
        let mut slices = Slices::of(&window);
        let mut step = Step::default();
        let mut full_since = None;
        while self.limit > 0
            && let Some(slice) = slices.first()
        {
            match self.read_slice(slice, &mut page, &mut step).await? {
                Reading::Whole(seen) => slices.move_on(slice, seen),
                Reading::TooMuch => {
                    page.drop_slice(slice);
                    slices.cut_again(slice);
                    continue;
                }
                Reading::TimeIsUp => {
                    page.drop_slice(slice);
                    return if page.events.is_empty() { Err(Error::QueryTooSlow) } else { Ok(page.finish(true)) };
                }
            }
            if page.events.len() > self.limit {
                return Ok(page.finish(true));
            }
            if page.events.len() == self.limit && full_since.get_or_insert_with(Instant::now).elapsed() > LOOK_AHEAD {
                return Ok(page.finish(!slices.is_empty()));
            }
        }
        Ok(page.finish(false))
    }

    async fn read_slice(&self, slice: Slice, page: &mut Page, step: &mut Step) -> Result<Reading, Error> {
        let mut after = None;
        let mut seen = 0;
        loop {
            let scan = JournalScan {
                after,
                since: Some(slice.since),
                until: Some(slice.until),
                direction: Direction::Forward,
                events_only: self.events_only,
                max_items: step.items,
            };
            let asked = scan.max_items;
            let Some(entries) = self.read(scan).await? else { return Ok(Reading::TimeIsUp) };
            let ends = entries.len() < asked;
            seen += entries.len();
            step.adapt(&entries);
            for entry in entries {
                let (published, position) = (entry.published, entry.position);
                let key = |index| Key { published, position, index };
                for (index, event) in self.wanted_events(entry, |index| page.takes(key(index)))? {
                    page.add(key(index), event);
                }
                after = Some(position);
            }
            if ends {
                return Ok(Reading::Whole(seen));
            }
            if seen > TOO_MANY_ENTRIES && slice.since.plus(SHORTEST_SLICE) < slice.until {
                return Ok(Reading::TooMuch);
            }
        }
    }

    /// A step through the journal; `None` if the time is up.
    async fn read(&self, scan: JournalScan) -> Result<Option<Vec<JournalEntry>>, Error> {
        if Instant::now() >= self.deadline {
            return Ok(None);
        }
        timeout_at(self.deadline, (self.journal)(scan)).await.ok().transpose()
    }

    /// The events of an entry that are wanted, with their numbers; `take` is asked first, because it costs least.
    fn wanted_events(&self, entry: JournalEntry, take: impl Fn(u8) -> bool) -> Result<Vec<(u8, Box<RawValue>)>, Error> {
        let events = match entry.item {
            JournalItem::Event(event) => vec![*event],
            JournalItem::Execution(execution) => (self.events_of)(&execution),
        };
        let mut found = Vec::new();
        for (index, event) in (0..).zip(events) {
            if take(index)
                && (self.wanted.is_all() || self.wanted.matches(&serde_json::to_value(&event).map_err(unshown)?))
            {
                found.push((index, serde_json::value::to_raw_value(&event).map_err(unshown)?));
            }
        }
        Ok(found)
    }
}

fn unshown(error: serde_json::Error) -> Error {
    Error::Internal(format!("an event of the System Log can't be shown: {error}"))
}

/// How many entries the next step asks for, so that it reads about [`STEP_BYTES`].
struct Step {
    items: usize,
}

impl Default for Step {
    fn default() -> Self {
        Self { items: STEP_ITEMS[1] }
    }
}

impl Step {
    fn adapt(&mut self, entries: &[JournalEntry]) {
        if entries.is_empty() {
            return;
        }
        let bytes: usize = entries.iter().map(size).sum();
        let fitting = STEP_BYTES.saturating_mul(entries.len()) / bytes.max(1);
        self.items = fitting.clamp(STEP_ITEMS[0], STEP_ITEMS[2]);
    }
}

/// About how much memory an entry takes.
fn size(entry: &JournalEntry) -> usize {
    match &entry.item {
        JournalItem::Event(event) => {
            let details = event.debug_data.values().filter_map(|value| value.as_str()).map(str::len).sum::<usize>();
            1024 + event.display_message.len() + details
        }
        JournalItem::Execution(execution) => {
            let answers: usize = execution.summary.attempts.iter().map(|attempt| attempt.body.len()).sum();
            1024 + execution.request.len() + answers
        }
    }
}

/// What became of reading a slice.
enum Reading {
    /// All of it was read: so many entries.
    Whole(usize),
    /// It holds more than is good.
    TooMuch,
    /// The time was up before its end.
    TimeIsUp,
}

/// A part of a window: from `since` on, before `until`.
#[derive(Clone, Copy)]
struct Slice {
    since: Timestamp,
    until: Timestamp,
}

/// The part of a window that is still to be read, slice by slice, from its beginning or from its end.
struct Slices {
    rest: Slice,
    direction: Direction,
    span: Duration,
    /// The last slice that held too much: within it slices don't grow, or the same flood would be met over and over.
    too_much: Option<Slice>,
}

impl Slices {
    fn of(window: &Window) -> Self {
        let Window { mut since, mut until, direction, after } = *window;
        // The last event that was read shares its millisecond with others, perhaps.
        match (direction, after) {
            (Direction::Forward, Some(key)) => since = since.max(key.published),
            (Direction::Backward, Some(key)) => until = until.min(key.published.plus(Duration::from_millis(1))),
            (_, None) => {}
        }
        Self { rest: Slice { since, until }, direction, span: FIRST_SLICE, too_much: None }
    }

    fn is_empty(&self) -> bool {
        self.rest.since >= self.rest.until
    }

    /// The slice to read next.
    fn first(&self) -> Option<Slice> {
        if self.is_empty() {
            return None;
        }
        let Slice { since, until } = self.rest;
        Some(match self.direction {
            Direction::Forward => Slice { since, until: since.plus(self.span).min(until) },
            Direction::Backward => Slice { since: until.minus(self.span).max(since), until },
        })
    }

    /// The slice was read and had so many entries.
    fn move_on(&mut self, slice: Slice, seen: usize) {
        match self.direction {
            Direction::Forward => self.rest.since = slice.until,
            Direction::Backward => self.rest.until = slice.since,
        }
        if seen > MANY_ENTRIES {
            self.span = (self.span / 4).max(SHORTEST_SLICE);
        } else if seen < FEW_ENTRIES && !self.is_within_too_much() {
            self.span = self.span.saturating_mul(4);
        }
    }

    fn is_within_too_much(&self) -> bool {
        self.too_much.is_some_and(|slice| match self.direction {
            Direction::Forward => self.rest.since < slice.until,
            Direction::Backward => self.rest.until > slice.since,
        })
    }

    fn cut_again(&mut self, slice: Slice) {
        self.too_much = Some(slice);
        self.span = (self.span / 16).max(SHORTEST_SLICE);
    }
}

/// The first `limit` events behind the window's `after`, and one more to know that there is one.
struct Page {
    window: Window,
    limit: usize,
    events: BTreeMap<Key, Box<RawValue>>,
}

impl Page {
    /// Whether `left` comes before `right` in the order of the page.
    fn precedes(&self, left: Key, right: Key) -> bool {
        match self.window.direction {
            Direction::Forward => left < right,
            Direction::Backward => left > right,
        }
    }

    /// The last key in the order of the page.
    fn last(&self) -> Option<Key> {
        let key = match self.window.direction {
            Direction::Forward => self.events.last_key_value(),
            Direction::Backward => self.events.first_key_value(),
        };
        key.map(|(key, _)| *key)
    }

    /// Whether an event with this key belongs to the page, as far as it is known by now.
    fn takes(&self, key: Key) -> bool {
        let is_behind = self.window.after.is_none_or(|after| self.precedes(after, key));
        let has_room = self.events.len() <= self.limit || self.last().is_none_or(|last| self.precedes(key, last));
        is_behind && has_room
    }

    fn add(&mut self, key: Key, event: Box<RawValue>) {
        self.events.insert(key, event);
        self.drop_surplus(self.limit.saturating_add(1));
    }

    /// Forgets what was found in a slice that was not read whole.
    fn drop_slice(&mut self, slice: Slice) {
        self.events.retain(|key, _| key.published < slice.since || key.published >= slice.until);
    }

    fn drop_surplus(&mut self, most: usize) {
        while self.events.len() > most {
            let _ = match self.window.direction {
                Direction::Forward => self.events.pop_last(),
                Direction::Backward => self.events.pop_first(),
            };
        }
    }

    fn finish(mut self, more: bool) -> (Events, Option<Window>) {
        self.drop_surplus(self.limit);
        let rest = more.then(|| Window { after: self.last().or(self.window.after), ..self.window });
        let forward = self.window.direction == Direction::Forward;
        let events = self.events.into_values();
        (if forward { events.collect() } else { events.rev().collect() }, rest)
    }
}
