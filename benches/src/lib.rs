//! What the measuring programs share.
//!
//! `load` sends requests and times the answers, `baseline` is what Hookwright is held against, `figures` turns the
//! runs of both into the table of `docs/performance.md`. `scripts/bench` drives the three. Nothing here is shipped.

pub mod closed_loop;
pub mod figures;
pub mod in_flight;
pub mod open_loop;
pub mod process;
pub mod service;
pub mod sqlite_rows;
pub mod start;
pub mod summary;
pub mod tally;
pub mod visitors;
pub mod wire;
