//! The journal: executions and events in the order they were written.

pub(crate) mod chain;
pub(crate) mod chunk;
pub(crate) mod proof;
mod query;
pub(crate) mod read;
mod stored_event;
mod verify;

pub use proof::{BreakKind, LogBreak, LogHead, LogHeadError, LogPlace, LogProof};
pub use query::{
    Direction, ExecutionQuery, JournalEntry, JournalItem, JournalScan, Page, Position, PositionError, Removed,
};
