//! What an org is made of: plain data and pure decisions.
//!
//! No async, no I/O, no clock and no randomness of its own: time comes in as a [`Timestamp`], chance through [`Entropy`].

pub mod account_link;
pub mod address;
pub mod admin_role;
pub mod api_scope;
pub mod api_token;
pub mod application;
pub mod channel;
pub mod client_address;
pub mod clock;
pub mod enrollment_policy;
pub mod entropy;
pub mod execution;
mod fields;
pub mod flow;
pub mod group;
pub mod guessing;
mod hex;
pub mod hook_key;
pub mod hook_settings;
pub mod hook_uri;
pub mod id;
pub mod inline_hook;
pub mod lifecycle;
pub mod mail;
mod names;
pub mod oauth;
pub mod password;
pub mod profile;
pub mod redaction;
pub mod registration;
pub mod scim_filter;
pub mod secret_display;
pub mod session;
pub mod shown;
pub mod signing_key;
pub mod signing_secret;
pub mod system_log;
pub mod text;
pub mod trace_parent;
pub mod trusted_origin;
pub mod user;
pub mod user_schema;
pub mod violation;

pub use clock::{Clock, Timestamp};
pub use entropy::Entropy;
pub use violation::{Violation, Violations};
