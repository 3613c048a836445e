//! The journal: executions and events in the order they were written.

pub(crate) mod chunk;
mod query;
pub(crate) mod read;
mod stored_event;

pub use query::{
    Direction, ExecutionQuery, JournalEntry, JournalItem, JournalScan, Page, Position, PositionError, Removed,
};
