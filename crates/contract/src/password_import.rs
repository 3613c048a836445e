//! The password import hook: whether the external service knows the password.

use crate::command::{Credential, Operand};
use crate::reply::Reply;

/// What an accepted answer says of the password; with several commands the last one, with none or with an `error`
/// [`Credential::Unverified`], the default that every request names.
#[must_use]
pub fn credential(reply: &Reply<'_>) -> Credential {
    if reply.error.is_some() {
        return Credential::Unverified;
    }
    let said = reply.commands.iter().rev().find_map(|command| match command.operand {
        Operand::Credential(credential) => Some(credential),
        _ => None,
    });
    said.unwrap_or(Credential::Unverified)
}
