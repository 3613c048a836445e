//! Operands that set attributes of a profile: an allow-list, never the password.

use super::action::members;
use crate::command::Operand;
use crate::fault::{Fault, Reason};
use crate::json::{Value, escape_token};
use crate::shown::{excerpt, kind, nearest, quote};
use crate::user_attributes::{Attribute, UserAttributes};

const EXPECTED: &str = "an object of attribute names and values";

/// Set by no command, whatever a schema says.
const CREDENTIALS: [&str; 4] = ["password", "credentials", "recovery_question", "recoveryQuestion"];

/// Members of a user that are no attributes of the profile, unless a schema has an attribute of that name.
const USER_MEMBERS: [&str; 17] = [
    "id",
    "status",
    "transitioningToStatus",
    "type",
    "roles",
    "groups",
    "groupIds",
    "realm",
    "realmId",
    "created",
    "activated",
    "statusChanged",
    "lastLogin",
    "lastUpdated",
    "passwordChanged",
    "_links",
    "_embedded",
];

/// Attributes of the user profile: those the schema knows, with values a profile can hold. Whether a value has the
/// type and range of its attribute is for the schema's owner to say.
pub(super) fn user_profile<'a>(
    value: Option<Value<'a>>,
    attributes: &dyn UserAttributes,
) -> Result<Operand<'a>, Fault> {
    let members = members(value, EXPECTED)?;
    for (name, value) in &members {
        check_credential(name)?;
        match attributes.attribute(name) {
            Attribute::Known => {}
            Attribute::Unknown if !USER_MEMBERS.contains(&&**name) => {
                let near = nearest(name, attributes.names());
                let expected = "an attribute of the user schema";
                return Err(fault_at(name, Reason::UnknownAttribute, expected).found(quote(name)).nearest(near));
            }
            Attribute::Unknown | Attribute::Forbidden => return Err(forbidden(name)),
        }
        if !fits_profile(value) {
            let expected = "a string, a number, a boolean, null or an array of them";
            let found = if matches!(value, Value::Array(_)) { "a nested array" } else { kind(Some(value)) };
            return Err(fault_at(name, Reason::BadValue, expected).found(found));
        }
    }
    Ok(Operand::Profile(members))
}

/// Attributes of the user's profile for an app, whose schema is the app's.
pub(super) fn app_user_profile(value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let members = members(value, EXPECTED)?;
    for (name, _) in &members {
        check_credential(name)?;
    }
    Ok(Operand::Profile(members))
}

fn check_credential(name: &str) -> Result<(), Fault> {
    let credential = CREDENTIALS.iter().any(|credential| credential.eq_ignore_ascii_case(name));
    if credential { Err(forbidden(name)) } else { Ok(()) }
}

fn forbidden(name: &str) -> Fault {
    fault_at(name, Reason::ForbiddenAttribute, "an attribute that a command may set").found(quote(name))
}

fn fault_at(name: &str, reason: Reason, expected: &str) -> Fault {
    Fault::new(reason, format!("/{}", escape_token(&excerpt(name))), expected)
}

fn fits_profile(value: &Value<'_>) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(elements) => elements.iter().all(|element| !matches!(element, Value::Object(_) | Value::Array(_))),
        _ => true,
    }
}
