//! The HTTP API through the real server: each test starts an org of its own and speaks HTTP to it.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

mod expectations;
mod fixtures;

mod authentication;
mod authorization;
mod bodies;
mod canaries;
mod canary_suite;
mod concurrency;
mod execute;
mod executions;
mod flows;
mod hook_fields;
mod hook_keys;
mod hook_life;
mod hook_settings;
mod identity;
mod nodes;
mod oauth;
mod operations;
mod paths;
mod postgres;
mod retries;
mod roles;
mod secrets;
mod signatures;
mod slow_clients;
mod soak;
mod system_log;
mod vectors;
mod wire;
