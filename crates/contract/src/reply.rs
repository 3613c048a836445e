//! An accepted answer: its commands, or the error that cancels them.

use std::borrow::Cow;

use crate::command::Command;
use crate::json::{Members, Value};

/// What an end user reads when a token, SAML or telephony answer carries an error without `errorSummary`.
pub const DEFAULT_ERROR_SUMMARY: &str = "The callback service returned an error";

/// An answer that keeps the contract of its hook type. An answer with an `error` does so as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply<'a> {
    /// The commands in the order of the answer. None if there is an `error`: it cancels them.
    pub commands: Vec<Command<'a>>,
    /// The `error` member. Any form of it counts, even `{}`, but `null` is no error.
    pub error: Option<ErrorObject<'a>>,
    /// The `debugContext` member, meant for the System Log.
    pub debug_context: Option<Value<'a>>,
    /// What is odd about the answer though it was accepted: one sentence each, for whoever wrote the service.
    pub warnings: Vec<String>,
}

impl Reply<'_> {
    /// Whether the answer asks for nothing at all: no commands, no error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.error.is_none()
    }
}

/// The `error` member of an answer. Parts of another type than text are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorObject<'a> {
    /// `errorSummary`.
    pub summary: Option<Cow<'a, str>>,
    /// `errorCauses`, in order.
    pub causes: Vec<ErrorCause<'a>>,
}

impl ErrorObject<'_> {
    /// The summary, or the text Okta shows where there is none.
    #[must_use]
    pub fn summary_or_default(&self) -> &str {
        self.summary.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT_ERROR_SUMMARY)
    }
}

/// One element of `errorCauses`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorCause<'a> {
    /// `errorSummary`: the only part an end user may see.
    pub summary: Option<Cow<'a, str>>,
    /// `reason`, for example `UNIQUE_CONSTRAINT`.
    pub reason: Option<Cow<'a, str>>,
    /// `locationType`: `body`, `header`, `url` or `query`.
    pub location_type: Option<Cow<'a, str>>,
    /// `location`, for example `data.userProfile.login`.
    pub location: Option<Cow<'a, str>>,
    /// `domain`.
    pub domain: Option<Cow<'a, str>>,
}

/// Reads an `error` member of whatever form. Telephony answers are documented both as an object and as an array of
/// objects; the causes of an array's objects are put together.
pub(crate) fn read_error(value: Value<'_>) -> ErrorObject<'_> {
    match value {
        Value::Object(members) => read_object(members),
        Value::Array(elements) => elements.into_iter().map(read_error).reduce(merge).unwrap_or_default(),
        _ => ErrorObject::default(),
    }
}

fn merge<'a>(mut first: ErrorObject<'a>, next: ErrorObject<'a>) -> ErrorObject<'a> {
    first.summary = first.summary.or(next.summary);
    first.causes.extend(next.causes);
    first
}

fn read_object<'a>(members: Members<'a>) -> ErrorObject<'a> {
    let mut error = ErrorObject::default();
    for (name, value) in members {
        match (&*name, value) {
            ("errorSummary", Value::String(text)) => error.summary = Some(text),
            ("errorCauses", Value::Array(causes)) => error.causes = causes.into_iter().filter_map(read_cause).collect(),
            _ => {}
        }
    }
    error
}

fn read_cause(value: Value<'_>) -> Option<ErrorCause<'_>> {
    let Value::Object(members) = value else {
        return None;
    };
    let mut cause = ErrorCause::default();
    for (name, value) in members {
        let Value::String(text) = value else {
            continue;
        };
        match &*name {
            "errorSummary" => cause.summary = Some(text),
            "reason" => cause.reason = Some(text),
            "locationType" => cause.location_type = Some(text),
            "location" => cause.location = Some(text),
            "domain" => cause.domain = Some(text),
            _ => {}
        }
    }
    Some(cause)
}
