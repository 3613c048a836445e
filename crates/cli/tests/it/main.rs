//! The built binary from outside: its commands, what they print, how they end.

#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

mod backup;
mod crash;
mod demo;
mod documents;
mod key;
mod log;
mod nodes;
mod process;
mod responder;
mod secrets;
mod serve;
mod settings;
mod sign_up;
mod token;
