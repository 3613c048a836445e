//! Executions: what hooks were asked and answered, for anyone who may look.

use hookwright_model::Timestamp;
use hookwright_model::execution::{Execution, Verdict};
use hookwright_model::id::{ExecutionId, InlineHookId};
use hookwright_model::shown::ShownBody;
use hookwright_store::{ExecutionQuery, Page};

use crate::{App, Error};

/// The most executions of one page.
pub(crate) const MAX_PAGE: usize = 200;

/// The executions of one page if nothing else is asked for.
const DEFAULT_PAGE: usize = 20;

/// How many executions are read with their bodies at once.
const READ_AT_ONCE: usize = 20;

/// Which executions to list, as the query says it.
#[derive(Debug, Default)]
pub struct ExecutionFilter {
    /// Only those of this hook.
    pub hook_id: Option<String>,
    /// Only those that ended so.
    pub verdict: Option<String>,
    /// Only those that began at this time or later.
    pub since: Option<String>,
    /// Only those that began before this time.
    pub until: Option<String>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// How many at most.
    pub limit: Option<String>,
}

impl App {
    /// One execution.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn execution(&self, id: &ExecutionId) -> Result<Execution, Error> {
        let found = if id.is_plausible() { self.inner.store.execution(id).await? } else { None };
        found.ok_or_else(|| Error::not_found(id))
    }

    /// Executions, newest first, a page at a time, without the bodies: a page of them could be hundreds of megabytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter, [`Error::BadCursor`].
    pub async fn executions(&self, filter: &ExecutionFilter) -> Result<Page<Execution>, Error> {
        let mut query = ExecutionQuery {
            hook_id: filter.hook_id.clone(),
            verdict: filter.verdict.as_deref().map(read_verdict).transpose()?,
            since: filter.since.as_deref().map(|text| read_time("since", text)).transpose()?,
            until: filter.until.as_deref().map(|text| read_time("until", text)).transpose()?,
            after: filter.after.as_deref().map(|text| text.parse().map_err(|_| Error::BadCursor)).transpose()?,
            limit: filter.limit.as_deref().map_or(Ok(DEFAULT_PAGE), read_limit)?,
        };
        let mut page = Page { items: Vec::new(), next: None };
        if query.hook_id.as_ref().is_some_and(|id| !InlineHookId::from_text(id.as_str()).is_plausible()) {
            return Ok(page);
        }
        let limit = query.limit;
        loop {
            query.limit = READ_AT_ONCE.min(limit - page.items.len());
            let part = self.inner.store.executions(&query).await?;
            page.items.extend(part.items.into_iter().map(without_bodies));
            page.next = part.next;
            if page.next.is_none() || page.items.len() >= limit {
                return Ok(page);
            }
            query.after = page.next;
        }
    }
}

fn without_bodies(mut execution: Execution) -> Execution {
    execution.request = ShownBody::default();
    for attempt in &mut execution.summary.attempts {
        attempt.body = ShownBody::default();
    }
    execution
}

fn read_verdict(name: &str) -> Result<Verdict, Error> {
    Verdict::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        Error::invalid("verdict", "verdict", format!("The parameter must be one of {}", known.join(", ")))
    })
}

pub(crate) fn read_time(name: &'static str, text: &str) -> Result<Timestamp, Error> {
    Timestamp::parse(text).ok_or_else(|| {
        Error::invalid(
            name,
            name,
            "The date format in your query is not recognized. Please enter dates using ISO8601 string format.",
        )
    })
}

fn read_limit(text: &str) -> Result<usize, Error> {
    match text.parse() {
        Ok(limit @ 1..=MAX_PAGE) => Ok(limit),
        _ => Err(Error::invalid("limit", "limit", format!("The parameter must be a number from 1 to {MAX_PAGE}"))),
    }
}
