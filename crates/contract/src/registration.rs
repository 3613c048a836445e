//! The registration hook: its two kinds of request, what an accepted answer changes, and what the end user reads.
//!
//! Texts and rules are those of Okta's reference of the registration inline hook.

use serde_json::Map;

use crate::command::{Operand, Registration};
use crate::json::Value;
use crate::reply::{ErrorObject, Reply};
use crate::request::RegistrationKind;

impl RegistrationKind {
    /// The kind of a request that is there as JSON. One without `requestType`, as Okta's Classic Engine sends it, is a
    /// sign-up.
    #[must_use]
    pub fn of(request: &Value<'_>) -> Self {
        match request.get("requestType").and_then(Value::as_str) {
            Some("progressive.profile") => Self::Progressive,
            None | Some("self.service.registration") => Self::SelfService,
            Some(_) => Self::Other,
        }
    }
}

/// What an accepted registration answer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrationEffect {
    /// Attributes to set, by name; where commands set one twice, the later value. Empty if the answer denies.
    pub profile: Map<String, serde_json::Value>,
    /// Whether the flow may go on.
    pub action: Registration,
    /// What is odd about the commands, one sentence each.
    pub warnings: Vec<String>,
}

/// Folds the commands in array order, members in object order, the last value of an attribute winning. An `error` denies, and so
/// does any DENY, wherever it is: Okta documents the order for commands in general, not for an answer that says both, and whoever
/// was denied once must not get in by what comes after.
#[must_use]
pub fn effect(reply: &Reply<'_>) -> RegistrationEffect {
    let mut profile = Map::new();
    let (mut allowed, mut denied) = (None, None);
    let mut warnings = Vec::new();
    for (index, command) in reply.commands.iter().enumerate() {
        match &command.operand {
            Operand::Profile(members) => {
                for (name, value) in members {
                    profile.insert(name.clone().into_owned(), value.to_json());
                }
            }
            Operand::Registration(Registration::Allow) => allowed = allowed.or(Some(index)),
            Operand::Registration(Registration::Deny) => denied = denied.or(Some(index)),
            _ => {}
        }
    }
    if let (Some(allowed), Some(denied)) = (allowed, denied) {
        warnings.push(format!("/commands/{allowed} says ALLOW and /commands/{denied} says DENY; any DENY counts."));
    }
    let denies = reply.error.is_some() || denied.is_some();
    let action = if denies { Registration::Deny } else { Registration::Allow };
    if action == Registration::Deny {
        profile.clear();
    }
    RegistrationEffect { profile, action, warnings }
}

/// A text for the end user: at one field of the form, or above it. Text of the external service is in it; whoever
/// shows it must escape it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUserMessage {
    /// The form attribute it belongs to; `None` for the banner of the form.
    pub field: Option<String>,
    /// The text.
    pub text: String,
}

impl EndUserMessage {
    pub(crate) fn banner(text: impl Into<String>) -> Self {
        Self { field: None, text: text.into() }
    }
}

/// The text after a denial without an `error`.
#[must_use]
pub fn denied_text(kind: RegistrationKind) -> &'static str {
    match kind {
        RegistrationKind::SelfService | RegistrationKind::Other => "Registration denied.",
        RegistrationKind::Progressive => "Profile update denied.",
    }
}

/// The text after an `error` that names no cause.
#[must_use]
pub fn error_text(kind: RegistrationKind) -> &'static str {
    match kind {
        RegistrationKind::SelfService | RegistrationKind::Other => "Registration cannot be completed at this time.",
        RegistrationKind::Progressive => "We found some errors. Please review the form and make corrections.",
    }
}

/// The text after a call that failed, for whatever reason.
#[must_use]
pub fn failure_text(kind: RegistrationKind) -> &'static str {
    match kind {
        RegistrationKind::SelfService | RegistrationKind::Other => {
            "There was an error creating your account. Please try registering again."
        }
        RegistrationKind::Progressive => "There was an error updating your profile. Please try again later.",
    }
}

/// What the end user reads after an `error`: the summary of each cause at the field its `location` ends with, in the
/// banner if the form has no such field, and a general text if no cause says anything. The error's own summary is for
/// the log.
pub(crate) fn error_messages(
    kind: RegistrationKind,
    error: &ErrorObject<'_>,
    form_fields: &[&str],
) -> Vec<EndUserMessage> {
    let mut messages: Vec<EndUserMessage> = Vec::new();
    for cause in &error.causes {
        let Some(text) = cause.summary.as_deref().filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        // Okta's own samples write data.userProfile in answers to requests that carry data.userProfileUpdate.
        let last = cause.location.as_deref().and_then(|location| location.rsplit(['.', '/']).next());
        let field = last.filter(|name| form_fields.contains(name)).map(str::to_owned);
        messages.push(EndUserMessage { field, text: text.to_owned() });
    }
    if messages.is_empty() {
        messages.push(EndUserMessage::banner(error_text(kind)));
    }
    messages
}
