//! JSON Patch as token and SAML hooks take it: part of RFC 6902, with Okta's rules on top.
//!
//! A patch is applied as a whole or not at all. The crate json-patch fits neither side: it removes a member by
//! swapping the last one into its place, which loses the order of claims, it knows neither reserved claims nor the
//! other rules, and its errors cannot say what would have been right.

mod place;
mod rules;

use crate::HookType;
use crate::command::{Command, CommandType, Operand, PatchOperation};
use crate::fault::Fault;
use crate::json::Value;

pub(crate) use rules::operations;

/// What a patch changes, and so whose rules it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An ID token: the request's `data.identity`.
    IdToken,
    /// An access token: the request's `data.access`.
    AccessToken,
    /// A SAML assertion: the request's `data.assertion`, `data.tokens.assertion` in the 2018 type.
    Assertion,
}

impl Target {
    /// What a command patches; `None` for commands that are no patches.
    #[must_use]
    pub fn of(command_type: CommandType) -> Option<Self> {
        match command_type {
            CommandType::IdentityPatch => Some(Self::IdToken),
            CommandType::AccessPatch => Some(Self::AccessToken),
            CommandType::AssertionPatch | CommandType::TokensAssertionPatch => Some(Self::Assertion),
            _ => None,
        }
    }

    /// The part of a request that a patch of this target changes; `None` if this token was not requested.
    #[must_use]
    pub fn document<'v, 'a>(self, hook_type: HookType, request: &'v Value<'a>) -> Option<&'v Value<'a>> {
        let pointer = match (self, hook_type) {
            (Self::IdToken, _) => "/data/identity",
            (Self::AccessToken, _) => "/data/access",
            (Self::Assertion, HookType::LegacyTokens) => "/data/tokens/assertion",
            (Self::Assertion, _) => "/data/assertion",
        };
        request.pointer(pointer).filter(|document| document.as_object().is_some())
    }
}

/// Applies operations to a token or assertion, which is returned changed; order of members is kept.
///
/// # Errors
/// The first operation that cannot be applied, its pointer relative to the array of operations (`/0/path`).
pub fn apply<'a>(target: Target, document: &Value<'a>, operations: &[PatchOperation<'a>]) -> Result<Value<'a>, Fault> {
    let mut changed = document.clone();
    apply_in_place(target, &mut changed, operations)?;
    Ok(changed)
}

/// [`apply`] for serde_json's trees: on a fault the document stays as it was.
///
/// # Errors
/// As [`apply`].
pub fn apply_to_json(
    target: Target,
    document: &mut serde_json::Value,
    operations: &[PatchOperation<'_>],
) -> Result<(), Fault> {
    let mut changed = Value::from(&*document);
    apply_in_place(target, &mut changed, operations)?;
    *document = changed.to_json();
    Ok(())
}

/// What an accepted answer makes of one of the tokens, or of the assertion, of its request: all commands for that
/// target applied in order. `None` if the request has no such token.
///
/// # Errors
/// As [`apply`]; there is none for an answer that [`check_reply`](crate::check_reply) accepted for this request.
pub fn patched(
    hook_type: HookType,
    target: Target,
    request: &Value<'_>,
    commands: &[Command<'_>],
) -> Result<Option<serde_json::Value>, Fault> {
    let Some(document) = target.document(hook_type, request) else {
        return Ok(None);
    };
    let mut changed = document.clone();
    for command in commands.iter().filter(|command| Target::of(command.command_type) == Some(target)) {
        if let Operand::Patch(operations) = &command.operand {
            apply_in_place(target, &mut changed, operations)?;
        }
    }
    Ok(Some(changed.to_json()))
}

/// Applies operations one after the other; on a fault the document is left half changed, so callers keep a copy.
pub(crate) fn apply_in_place<'a>(
    target: Target,
    document: &mut Value<'a>,
    operations: &[PatchOperation<'a>],
) -> Result<(), Fault> {
    for (position, operation) in operations.iter().enumerate() {
        let applied = rules::check(target, operation).and_then(|path| place::place(document, operation, &path));
        applied.map_err(|fault| fault.below(&format!("/{position}")))?;
    }
    Ok(())
}
