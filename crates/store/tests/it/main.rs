//! The contract of the store, on both engines.
//!
//! A test is a function over a [`fixture::Fixture`]; `on_both_engines!` makes one test for SQLite and one for PostgreSQL of
//! it. Tests of what only one engine has stand in `sqlite.rs` and `postgres.rs`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that can't go on shall fail")]

mod api_tokens;
mod backup;
mod claims;
mod crash;
mod damage;
mod executions;
mod fixture;
mod hook_keys;
mod hook_settings;
mod identity;
mod inline_hooks;
mod journal;
mod log_proof;
mod oauth;
mod opening;
mod org;
mod postgres;
#[expect(unreachable_pub, reason = "the file is a public module of another crate too")]
#[path = "../../../testkit/src/postgres.rs"]
mod postgres_server;
mod retention;
mod roles;
mod samples;
mod secrets;
mod signing_secrets;
mod sqlite;
mod users;
