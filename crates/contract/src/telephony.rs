//! The telephony hook: whether the external service has taken the passcode over.

use crate::command::{Delivery, DeliveryStatus, Operand};
use crate::reply::Reply;

/// The attempt by which the external service sent the passcode or is about to: the first that did not fail. `None`
/// means that nobody sent it, and the built-in provider has to.
#[must_use]
pub fn delivery<'r, 'a>(reply: &'r Reply<'a>) -> Option<&'r Delivery<'a>> {
    if reply.error.is_some() {
        return None;
    }
    let attempts = reply.commands.iter().filter_map(|command| match &command.operand {
        Operand::Telephony(attempts) => Some(attempts),
        _ => None,
    });
    attempts.flatten().find(|attempt| attempt.status != DeliveryStatus::Failed)
}
