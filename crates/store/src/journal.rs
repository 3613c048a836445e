//! The journal: executions and events in the order they were written.

mod query;

pub use query::{
    Direction, ExecutionQuery, JournalEntry, JournalItem, JournalScan, Page, Position, PositionError, Removed,
};
