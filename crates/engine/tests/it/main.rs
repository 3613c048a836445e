//! The engine against a real service on loopback that misbehaves on purpose.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

mod address;
mod answer;
mod any_answer;
mod bench;
mod limits;
mod oauth;
mod pool;
mod proxy;
mod request;
mod retry;
mod simulation;
mod tls;
