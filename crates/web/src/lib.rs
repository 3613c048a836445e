//! The HTTP face of the org: Okta's API under Okta's paths, our own under `/hookwright/v1`, and operations.
//!
//! Handlers here unpack a request, call one operation of the app, and pack its answer. They decide nothing.

mod api;
mod bare_refusal;
mod connection_end;
mod connections;
mod context;
mod cors;
mod error;
mod front_door;
mod headers;
mod idx;
mod oauth;
mod operations;
mod rights;
mod router;
mod server;
mod signin;

pub use router::router;
pub use server::{Server, ServerLimits};
