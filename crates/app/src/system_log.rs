//! The System Log, a page at a time.
//!
//! Two kinds of requests, as Okta's "System Log query" page has them. A *polling* request (ascending, without `until`) reads
//! the journal in the order of writing and never ends. A *bounded* one reads a window of time in the order of `published`
//! and ends. `walk` does the reading, `request` knows what may be asked, `cursor` where a page ended.

mod cursor;
mod request;
mod walk;

use std::time::Duration;

use hookwright_model::system_log::events_of_call;
use hookwright_model::{Clock, Entropy};
use hookwright_store::{Change, JournalScan, Store};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::events::{LOG_RESTARTED, log_target, operator_event};
use crate::{App, Error};
use cursor::Cursor;
use request::{Request, Start};

/// How long one query may take, as at Okta.
const QUERY_DEADLINE: Duration = Duration::from_secs(30);

/// Which events are wanted, as the query says it; a parameter that is empty counts as absent.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// From this time on; seven days back if absent.
    pub since: Option<String>,
    /// Before this time; the present if absent, or without end in a polling request.
    pub until: Option<String>,
    /// A SCIM filter.
    pub filter: Option<String>,
    /// Keywords that all must stand in an event.
    pub q: Option<String>,
    /// How many at most: 0 to 1000, 100 if absent.
    pub limit: Option<String>,
    /// `ASCENDING` or `DESCENDING`.
    pub sort_order: Option<String>,
    /// Where the page before ended; never together with `since`.
    pub after: Option<String>,
}

/// One page of the System Log.
#[derive(Debug)]
pub struct LogPage {
    /// The events as JSON objects.
    pub events: Vec<Box<RawValue>>,
    /// The `after` of the next page; `None` on the last page of a bounded request.
    pub next: Option<String>,
}

/// Notes in the log that its proof begins again, as the first thing that is proved.
///
/// # Errors
/// The store's.
pub async fn note_log_restart(store: &Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<(), Error> {
    let event = operator_event(LOG_RESTARTED, log_target(), clock.now(), entropy);
    Ok(store.commit(vec![Change::AppendEvents(vec![event])]).await?)
}

impl App {
    /// A page of the System Log.
    ///
    /// A query that takes more than 30 s ends with what it has found and goes on behind `next`.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] naming each wrong parameter, [`Error::InvalidLogFilter`], [`Error::SinceTooOld`],
    /// [`Error::BadCursor`], [`Error::QueryTooSlow`] if the time was up before there was anything to show.
    pub async fn system_log(&self, query: &LogQuery) -> Result<LogPage, Error> {
        let request = Request::read(query, self.now())?;
        let walk = walk::Walk {
            journal: |scan: JournalScan| {
                let store = self.inner.store.clone();
                async move { Ok(store.journal(&scan).await?) }
            },
            wanted: &request.wanted,
            limit: request.limit,
            events_only: !request.wanted.includes_calls(),
            events_of: &|execution| events_of_call(execution, self.settings().log_successful_calls),
            deadline: Instant::now() + QUERY_DEADLINE,
        };
        let (events, next) = match request.start {
            Start::Polling(place) => {
                let (events, place) = walk.poll(place).await?;
                (events, Some(Cursor::Polling(place)))
            }
            Start::Bounded(window) => {
                let (events, rest) = walk.window(window).await?;
                (events, rest.map(Cursor::Bounded))
            }
        };
        Ok(LogPage { events, next: next.map(|cursor| cursor.to_string()) })
    }
}
