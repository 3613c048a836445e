//! What a flow must do with the result of a hook call: one table for all hook types.
//!
//! Sources: Okta's page "Inline hooks" (timeouts, statuses, errors) and the reference of each hook type.

use crate::command::{Credential, Registration};
use crate::fault::{Fault, Reason};
use crate::hook_type::{HookType, OnFailure};
use crate::json::Value;
use crate::registration::{EndUserMessage, denied_text, error_messages, failure_text};
use crate::reply::Reply;
use crate::request::RegistrationKind;
use crate::{password_import, registration, telephony};

/// What the flow that called the hook does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowDecision {
    /// The flow goes on, with the commands of the answer applied, if any.
    Proceed,
    /// The flow ends; nothing is stored.
    Stop,
    /// The flow goes on as if there were no hook; nothing of the answer is applied.
    ContinueUnchanged,
    /// Okta's built-in provider sends the passcode.
    FallbackProvider,
}

impl From<OnFailure> for FlowDecision {
    fn from(on_failure: OnFailure) -> Self {
        match on_failure {
            OnFailure::Stop => Self::Stop,
            OnFailure::ContinueUnchanged => Self::ContinueUnchanged,
            OnFailure::FallbackProvider => Self::FallbackProvider,
        }
    }
}

/// Why there is no answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No whole answer within the time limit.
    TimedOut,
    /// No connection, or one that broke off.
    Unreachable,
    /// The call was not made: the address policy forbids the address.
    AddressRefused,
    /// The call was not made: too many calls are under way or began within a second, or too many had failed in a row.
    AtCapacity,
    /// The call was not made: the authorization server in front of the service gave no access token.
    TokenRefused,
    /// A status that does not count as success.
    WrongStatus,
    /// A larger answer than is read.
    AnswerTooLarge,
    /// An answer that is not HTTP or not JSON.
    Malformed,
    /// An answer that breaks the contract of its hook type.
    BreaksContract,
}

impl Failure {
    /// All failures.
    pub const ALL: [Self; 9] = [
        Self::TimedOut,
        Self::Unreachable,
        Self::AddressRefused,
        Self::AtCapacity,
        Self::TokenRefused,
        Self::WrongStatus,
        Self::AnswerTooLarge,
        Self::Malformed,
        Self::BreaksContract,
    ];
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::UnexpectedStatus => Self::WrongStatus,
            Reason::ResponseTooLarge => Self::AnswerTooLarge,
            Reason::MalformedJson => Self::Malformed,
            _ => Self::BreaksContract,
        }
    }
}

impl From<&Fault> for Failure {
    fn from(fault: &Fault) -> Self {
        fault.reason.into()
    }
}

/// How a call ended, as far as the flow is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// An accepted answer with commands that let the flow go on.
    Accepted,
    /// An accepted answer whose commands say no: DENY, UNVERIFIED, or no passcode sent.
    Declined,
    /// An accepted answer without commands and without error.
    Empty,
    /// An accepted answer with an `error`.
    Error,
    /// No answer that could be used.
    Failed(Failure),
}

impl Ending {
    /// How the call ended.
    #[must_use]
    pub fn of(hook_type: HookType, result: Result<&Reply<'_>, Failure>) -> Self {
        let reply = match result {
            Ok(reply) => reply,
            Err(failure) => return Self::Failed(failure),
        };
        if reply.error.is_some() {
            return Self::Error;
        }
        if reply.commands.is_empty() {
            return Self::Empty;
        }
        let declined = match hook_type {
            HookType::Registration => registration::effect(reply).action == Registration::Deny,
            HookType::PasswordImport => password_import::credential(reply) == Credential::Unverified,
            HookType::Telephony => telephony::delivery(reply).is_none(),
            HookType::Token | HookType::Saml | HookType::UserImport | HookType::LegacyTokens => false,
        };
        if declined { Self::Declined } else { Self::Accepted }
    }
}

/// The table: what the flow does for each hook type and ending.
#[must_use]
pub fn flow(hook_type: HookType, ending: Ending) -> FlowDecision {
    use FlowDecision::{ContinueUnchanged, FallbackProvider, Proceed, Stop};
    match (hook_type, ending) {
        (_, Ending::Accepted) => Proceed,
        (_, Ending::Failed(_)) => hook_type.on_failure().into(),
        // An empty answer takes the default action: for passwords always UNVERIFIED; a code nobody sent must be sent.
        (HookType::PasswordImport, Ending::Empty) => Stop,
        (HookType::Telephony, Ending::Empty) => FallbackProvider,
        (_, Ending::Empty) => Proceed,
        (HookType::UserImport, Ending::Declined | Ending::Error) => ContinueUnchanged,
        (HookType::Telephony, Ending::Declined | Ending::Error) => FallbackProvider,
        (_, Ending::Declined | Ending::Error) => Stop,
    }
}

/// What the flow does next, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How the call ended.
    pub ending: Ending,
    /// What the flow does.
    pub flow: FlowDecision,
    /// What the end user reads if the flow stops. A registration flow shows them on its form; a token flow puts the
    /// text into `error_description` beside the OAuth error `server_error`; a SAML flow shows it on its error page.
    /// Password import has no text of its own: the sign-in fails as with any wrong password.
    pub messages: Vec<EndUserMessage>,
}

/// Decides what the flow does with the result of a call.
///
/// `request` is the payload that was sent; `form_fields` are the names of the attributes on the form that was
/// submitted, for registration, and empty otherwise.
#[must_use]
pub fn decide(
    hook_type: HookType,
    request: &Value<'_>,
    result: Result<&Reply<'_>, Failure>,
    form_fields: &[&str],
) -> Decision {
    let ending = Ending::of(hook_type, result);
    let flow = flow(hook_type, ending);
    let mut messages = Vec::new();
    if flow == FlowDecision::Stop {
        let error = result.ok().and_then(|reply| reply.error.as_ref());
        match (hook_type, error) {
            (HookType::Registration, _) => {
                let kind = RegistrationKind::of(request);
                messages = match (error, ending) {
                    (Some(error), _) => error_messages(kind, error, form_fields),
                    (None, Ending::Declined) => vec![EndUserMessage::banner(denied_text(kind))],
                    (None, _) => vec![EndUserMessage::banner(failure_text(kind))],
                };
            }
            (HookType::Token | HookType::Saml | HookType::LegacyTokens, Some(error)) => {
                messages = vec![EndUserMessage::banner(error.summary_or_default())];
            }
            _ => {}
        }
    }
    Decision { ending, flow, messages }
}
