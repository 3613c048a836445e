//! Integration tests of the contract: the vectors, the table of outcomes, the rules of patches, and properties.

#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

mod effects;
mod faults;
mod outcome;
mod patch;
mod properties;
mod schema;
mod strict_json;
mod vectors;
