//! The contract between Okta and the external service of an inline hook.
//!
//! Pure rules: what may be sent, what may be answered, what an answer means. No I/O, no async, no clock. Everything
//! here can be used alone, by whoever calls a hook and by whoever writes one.

mod check;
pub mod command;
mod fault;
mod hook_type;
pub mod json;
pub mod outcome;
pub mod password_import;
pub mod patch;
pub mod registration;
mod reply;
pub mod request;
mod shown;
pub mod telephony;
mod user_attributes;
pub mod user_import;

pub use check::{MAX_OPERATIONS, check_reply};
pub use command::{Command, CommandType};
pub use fault::{Fault, Reason, UnknownReason};
pub use hook_type::{HookType, OnFailure, SuccessStatus, UnknownHookType};
pub use reply::{DEFAULT_ERROR_SUMMARY, ErrorCause, ErrorObject, Reply};
pub use shown::nearest;
pub use user_attributes::{Attribute, UserAttributes};

/// The largest answer that is read, in bytes after decoding. Okta: smaller than 256 KB.
pub const MAX_REPLY_BYTES: usize = 262_143;

/// The most commands one answer may carry.
pub const MAX_COMMANDS: usize = 100;
