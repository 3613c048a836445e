//! Answers to Okta, built by functions. The type parameter is the hook type, so that a registration handler
//! cannot answer with a token patch.
//!
//! Source of the form: Okta's page "Inline hooks" (concepts), the order of members is that of the guide
//! "Registration inline hook".

mod cause;
mod commands;
mod patch;

use std::borrow::Cow;
use std::marker::PhantomData;

use hookwright_contract::request::Attributes;
use serde::Serialize;
use serde_json::Value;

pub use cause::{Cause, LocationType};
pub use commands::Delivery;
pub use patch::Patch;

/// An answer to a request whose data is `D`, for example
/// [`RegistrationData`](hookwright_contract::request::RegistrationData). The hook type is usually inferred.
///
/// ```
/// # use hookwright_responder::{Answer, Cause, request::RegistrationData};
/// let answer: Answer<RegistrationData> = Answer::deny("Please use your work address.")
///     .cause(Cause::at("data.userProfile.email", "Not a work address.").reason("INVALID_EMAIL_DOMAIN"));
/// # let text = serde_json::to_string(&answer).unwrap();
/// # assert!(text.starts_with(r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}],"error":{"errorSummary":"Pl"#));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "an answer does nothing until a handler returns it"]
pub struct Answer<D> {
    #[serde(skip_serializing_if = "Option::is_none")]
    commands: Option<Vec<Command>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AnswerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    debug_context: Option<Attributes>,
    #[serde(skip)]
    hook: PhantomData<fn() -> D>,
}

/// One command of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Command {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    value: Value,
}

/// The `error` member of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerError {
    error_summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error_causes: Vec<Cause>,
}

impl<D> Answer<D> {
    /// `{}`: Okta goes on as if there were no hook. A password import stays unverified.
    pub fn unchanged() -> Self {
        Self { commands: None, error: None, debug_context: None, hook: PhantomData }
    }

    /// An error, which ends the flow: nothing is stored, no token is minted, no code is sent by this service. What
    /// people read of it depends on the hook type.
    pub fn error(summary: impl Into<String>) -> Self {
        Self::unchanged().with_error(summary)
    }

    /// Adds a cause to the error. An answer without an error gets one with the summary of the cause.
    pub fn cause(mut self, cause: Cause) -> Self {
        match &mut self.error {
            Some(error) => error.error_causes.push(cause),
            None => {
                let error_summary = cause.summary().to_owned();
                self.error = Some(AnswerError { error_summary, error_causes: vec![cause] });
            }
        }
        self
    }

    /// Adds something for the org's System Log. A name used before gets the new value.
    pub fn debug(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.debug_context.get_or_insert_with(Attributes::new).insert(name, value);
        self
    }

    /// Writes `commands` even if there is none, as the guide's progressive sample does beside an error.
    pub fn with_commands_member(mut self) -> Self {
        self.commands.get_or_insert_with(Vec::new);
        self
    }

    pub(crate) fn with_error(mut self, summary: impl Into<String>) -> Self {
        self.error = Some(AnswerError { error_summary: summary.into(), error_causes: Vec::new() });
        self
    }

    pub(crate) fn command(mut self, kind: impl Into<Cow<'static, str>>, value: Value) -> Self {
        self.commands.get_or_insert_with(Vec::new).push(Command { kind: kind.into(), value });
        self
    }
}
