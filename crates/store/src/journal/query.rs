//! What can be asked of the journal, and the form of its answers.

use std::fmt;
use std::str::FromStr;

use hookwright_model::Timestamp;
use hookwright_model::execution::{Execution, Verdict};
use hookwright_model::system_log::LogEvent;

/// A place in the journal. Places are ordered as things were written; as text it is a cursor for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub(crate) seq: i64,
    pub(crate) index: u32,
}

impl Position {
    /// Before everything.
    pub const START: Self = Self { seq: 0, index: 0 };
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.seq, self.index)
    }
}

/// The text is no place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor of ours")]
pub struct PositionError;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, index) = text.split_once('-').ok_or(PositionError)?;
        let position =
            Self { seq: seq.parse().map_err(|_| PositionError)?, index: index.parse().map_err(|_| PositionError)? };
        // One text for one place: no signs, no leading zeros.
        if position.to_string() == text { Ok(position) } else { Err(PositionError) }
    }
}

/// Which executions are wanted; all filters must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionQuery {
    /// Only of this hook.
    pub hook_id: Option<String>,
    /// Only with this verdict.
    pub verdict: Option<Verdict>,
    /// Only those that began at or after this time.
    pub since: Option<Timestamp>,
    /// Only those that began before this time.
    pub until: Option<Timestamp>,
    /// Only what comes after this place, as an earlier page gave it.
    pub after: Option<Position>,
    /// How many at most.
    pub limit: usize,
}

impl Default for ExecutionQuery {
    fn default() -> Self {
        Self { hook_id: None, verdict: None, since: None, until: None, after: None, limit: 100 }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

/// Which way to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The first written first.
    #[default]
    Forward,
    /// The last written first.
    Backward,
}

/// Which part of the journal is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalScan {
    /// Only what comes after this place in the direction of the walk.
    pub after: Option<Position>,
    /// Only what was published at or after this time.
    pub since: Option<Timestamp>,
    /// Only what was published before this time.
    ///
    /// Without it a forward walk stops where a commit is still under way, so that a reader who goes on from the last
    /// position misses nothing.
    pub until: Option<Timestamp>,
    /// Which way to walk.
    pub direction: Direction,
    /// Leave out executions, which are by far the most, without reading them.
    pub events_only: bool,
    /// How many at most.
    pub max_items: usize,
}

/// One thing in the journal.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    /// Its place.
    pub position: Position,
    /// When it happened; for an execution, when it ended.
    pub published: Timestamp,
    /// What it is.
    pub item: JournalItem,
}

/// What the journal holds.
#[derive(Debug, Clone)]
pub enum JournalItem {
    /// An event of the System Log.
    Event(Box<LogEvent>),
    /// A call of a hook; its events are derived from it.
    Execution(Box<Execution>),
}

/// What retention took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many executions and events.
    pub items: u64,
    /// How many bytes of them.
    pub bytes: u64,
}
