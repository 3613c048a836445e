//! Self-service registration and progressive profiling: what the form asks, what of it may pass, and what a hook's answer
//! makes of it. Pure: who calls the hook and who writes the user is decided elsewhere.
//!
//! The order is Okta's: the form is checked, then the hook speaks, then its commands are applied, then all of it is checked
//! once more against the user schema. Texts are those of Okta's reference of the registration inline hook.

mod decide;
mod form;
mod message;

pub use decide::{Admission, Decision, HookResult, Refusal, Submission, decide, refusal_for_taken};
pub use form::{FieldKind, FormField, missing_fields, read_form, sign_up_fields};
pub use message::{Message, MessageKind};

#[cfg(test)]
mod tests;
