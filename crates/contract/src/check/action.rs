//! Operands that are a word or two: actions, a user's id, the deliveries of a passcode.

use crate::command::{Credential, Delivery, DeliveryStatus, Import, Operand, Registration};
use crate::fault::{Fault, Reason, one_of};
use crate::json::{Members, Value};
use crate::shown::{kind, nearest, quote};

/// The members of an object, or what is wrong with having none.
pub(super) fn members<'a>(value: Option<Value<'a>>, expected: &'static str) -> Result<Members<'a>, Fault> {
    match value {
        Some(Value::Object(members)) => Ok(members),
        other => Err(Fault::new(Reason::BadValueShape, "", expected).found(kind(other.as_ref()))),
    }
}

/// The elements of an array, or what is wrong with having none.
pub(super) fn elements<'a>(value: Option<Value<'a>>, expected: &'static str) -> Result<Vec<Value<'a>>, Fault> {
    match value {
        Some(Value::Array(elements)) => Ok(elements),
        other => Err(Fault::new(Reason::BadValueShape, "", expected).found(kind(other.as_ref()))),
    }
}

fn take<'a>(members: &mut Members<'a>, name: &str) -> Option<Value<'a>> {
    let position = members.iter().position(|(member, _)| member == name)?;
    Some(members.swap_remove(position).1)
}

/// Reads a member that is one of a few words. `shown` says whether any other text may be repeated in the fault.
fn word<T: Copy>(
    members: &mut Members<'_>,
    name: &'static str,
    words: &[(&'static str, T)],
    shown: bool,
) -> Result<T, Fault> {
    let pointer = || format!("/{name}");
    let expected = || one_of(words.iter().map(|(word, _)| *word));
    let Some(value) = take(members, name) else {
        let near = members.iter().find_map(|(member, _)| nearest(member, [name]));
        let expected = format!("a member \"{name}\": {}", expected());
        let found = members.first().map_or_else(|| "nothing".to_owned(), |(member, _)| quote(member));
        return Err(Fault::new(Reason::BadValueShape, pointer(), expected).found(found).nearest(near));
    };
    let Some(text) = value.as_str() else {
        return Err(Fault::new(Reason::BadValue, pointer(), expected()).found(kind(Some(&value))));
    };
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let near = nearest(text, words.iter().map(|(word, _)| *word));
    let found = if shown || near.is_some() { quote(text) } else { "another text".to_owned() };
    Err(Fault::new(Reason::BadValue, pointer(), expected()).found(found).nearest(near))
}

/// `{"registration": "ALLOW"}`. Okta's text calls the member `action`, its samples `registration`; so that a DENY is
/// never missed, the former is read where the latter is absent.
pub(super) fn registration(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let mut members = members(value, "an object such as {\"registration\": \"DENY\"}")?;
    let present = |name: &str| members.iter().any(|(member, _)| member == name);
    let name = if !present("registration") && present("action") { "action" } else { "registration" };
    let words = [("ALLOW", Registration::Allow), ("DENY", Registration::Deny)];
    word(&mut members, name, &words, true).map(Operand::Registration)
}

/// `{"credential": "VERIFIED"}`. A stray text here may be the password, so it is not repeated.
pub(super) fn credential(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let mut members = members(value, "an object such as {\"credential\": \"VERIFIED\"}")?;
    let words = [("VERIFIED", Credential::Verified), ("UNVERIFIED", Credential::Unverified)];
    word(&mut members, "credential", &words, false).map(Operand::Credential)
}

/// `{"result": "LINK_USER"}`.
pub(super) fn import(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let mut members = members(value, "an object such as {\"result\": \"CREATE_USER\"}")?;
    let words = [("CREATE_USER", Import::CreateUser), ("LINK_USER", Import::LinkUser)];
    word(&mut members, "result", &words, true).map(Operand::Import)
}

/// `{"id": "00u..."}`.
pub(super) fn user_id(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let mut members = members(value, "an object such as {\"id\": \"00u...\"}")?;
    let expected = "the id of an existing user";
    match take(&mut members, "id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(Operand::UserId(id)),
        Some(Value::String(_)) => Err(Fault::new(Reason::BadValue, "/id", expected).found("an empty string")),
        other => Err(Fault::new(Reason::BadValueShape, "/id", expected).found(kind(other.as_ref()))),
    }
}

/// `[{"status": "SUCCESSFUL", "provider": ..., "transactionId": ..., "transactionMetadata": ...}]`; only the status
/// is required, and the others are kept if they are text.
pub(super) fn telephony(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let expected = "an array of objects such as [{\"status\": \"SUCCESSFUL\"}]";
    let elements = elements(value, expected)?;
    if elements.is_empty() {
        return Err(Fault::new(Reason::BadValueShape, "", expected).found("an empty array"));
    }
    let mut deliveries = Vec::with_capacity(elements.len());
    for (position, element) in elements.into_iter().enumerate() {
        deliveries.push(delivery(element).map_err(|fault| fault.below(&format!("/{position}")))?);
    }
    Ok(Operand::Telephony(deliveries))
}

fn delivery(element: Value<'_>) -> Result<Delivery<'_>, Fault> {
    let mut members = members(Some(element), "an object with a \"status\"")?;
    let words = [
        ("SUCCESSFUL", DeliveryStatus::Successful),
        ("PENDING", DeliveryStatus::Pending),
        ("FAILED", DeliveryStatus::Failed),
    ];
    let status = word(&mut members, "status", &words, true)?;
    let mut text = |name| match take(&mut members, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    Ok(Delivery {
        status,
        provider: text("provider"),
        transaction_id: text("transactionId"),
        transaction_metadata: text("transactionMetadata"),
    })
}
