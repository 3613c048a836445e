//! The HTTP API through the real server: each test starts an org of its own and speaks HTTP to it.

mod expectations;
mod fixtures;

mod authentication;
mod bodies;
mod hook_fields;
mod hook_life;
mod paths;
mod secrets;
mod wire;
