//! Executions: what hooks were asked and answered, for anyone who may look.

use hookwright_model::Timestamp;
use hookwright_model::execution::{Execution, Verdict};
use hookwright_model::id::ExecutionId;
use hookwright_store::{ExecutionQuery, Page};

use crate::{App, Error};

/// The most executions of one page.
pub(crate) const MAX_PAGE: usize = 200;

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
        self.inner.store.execution(id).await?.ok_or_else(|| Error::not_found(id))
    }

    /// Executions, newest first, a page at a time.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter, [`Error::BadCursor`].
    pub async fn executions(&self, filter: &ExecutionFilter) -> Result<Page<Execution>, Error> {
        let query = ExecutionQuery {
            hook_id: filter.hook_id.clone(),
            verdict: filter.verdict.as_deref().map(read_verdict).transpose()?,
            since: filter.since.as_deref().map(|text| read_time("since", text)).transpose()?,
            until: filter.until.as_deref().map(|text| read_time("until", text)).transpose()?,
            after: filter.after.as_deref().map(|text| text.parse().map_err(|_| Error::BadCursor)).transpose()?,
            limit: filter.limit.as_deref().map_or(Ok(20), read_limit)?,
        };
        Ok(self.inner.store.executions(&query).await?)
    }
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
