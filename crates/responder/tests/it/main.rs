//! The crate as its users meet it: real HTTP on a free port, and answers compared byte for byte.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a failed step is a failed test"
)]

mod answers;
mod auth;
mod caller;
mod example;
mod http;
mod log;
mod oauth;
mod properties;
mod rules;
mod sample;
mod signature;
