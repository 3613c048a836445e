//! Checking a profile against the schema. Nothing is ever coerced: a number is no text, `"1"` is no number.

mod format;

use serde_json::{Map, Number, Value};

use crate::Violations;
use crate::text::{composed, has_controls};
use crate::user_schema::{Attribute, AttributeType, ItemType, UserSchema};

pub use format::is_email;

/// The most characters of any text in a profile, where its attribute sets no lower limit.
pub(crate) const MAX_TEXT_CHARACTERS: usize = 4_096;

/// The most elements of an array in a profile.
const MAX_ELEMENTS: usize = 500;

/// What stands in a violation where a required value is missing.
pub const MISSING: &str = "The field cannot be left blank";

/// What stands in a violation where another user has the value.
pub const TAKEN: &str = "An object with this field already exists in the current organization";

/// How much of a profile is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// All of it: what is required must be there.
    Whole,
    /// Some attributes: the others are as they were, but a required one can't be emptied.
    Given,
}

/// Everything that is wrong with a profile, one violation for each attribute at most.
///
/// Null counts as no value, and so does an empty text where a value is required. Whether another user has a unique value is
/// not asked here: only the store can tell.
#[must_use]
pub fn check_profile(schema: &UserSchema, profile: &Map<String, Value>, scope: Check) -> Violations {
    let mut violations = Violations::new();
    for attribute in schema.iter() {
        let given = profile.get(&attribute.name);
        match given {
            None if scope == Check::Given => {}
            None | Some(Value::Null) if attribute.required => violations.add(attribute.name.as_str(), MISSING),
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if attribute.required && text.trim().is_empty() => {
                violations.add(attribute.name.as_str(), MISSING);
            }
            Some(value) => {
                if let Err(message) = check_value(attribute, value) {
                    violations.add(attribute.name.as_str(), message);
                }
            }
        }
    }
    for name in profile.keys().filter(|name| schema.get(name).is_none()) {
        violations.add("", format!("Property name '{}' is not defined in profile", shown(name)));
    }
    violations
}

/// Whether the attribute takes this value, which is not null.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn check_value(attribute: &Attribute, value: &Value) -> Result<(), String> {
    match (attribute.kind, value) {
        (AttributeType::String, Value::String(text)) => check_text(attribute, text)?,
        (AttributeType::Boolean, Value::Bool(_)) => {}
        (AttributeType::Number, Value::Number(number)) => check_bounds(attribute, number)?,
        (AttributeType::Integer, Value::Number(number)) if is_integer(number) => check_bounds(attribute, number)?,
        (AttributeType::Array(items), Value::Array(elements)) => check_elements(items, elements)?,
        (kind, _) => return Err(wrong_type(kind)),
    }
    let Some(values) = &attribute.enumeration else { return Ok(()) };
    let known = |value: &Value| values.iter().any(|known| same(known, value));
    let all_known = match value {
        Value::Array(elements) => elements.iter().all(known),
        value => known(value),
    };
    if all_known { Ok(()) } else { Err("The field must be one of the values that it offers".to_owned()) }
}

/// The profile as it is stored: without null members, its text in composed form.
#[must_use]
pub fn stored_form(profile: &Map<String, Value>) -> Map<String, Value> {
    let kept = profile.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(name, value)| (name.clone(), composed_value(value))).collect()
}

/// The profile with the changes on top: a null member takes an attribute away.
#[must_use]
pub fn merged(profile: &Map<String, Value>, changes: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = profile.clone();
    for (name, value) in changes {
        merged.insert(name.clone(), value.clone());
    }
    stored_form(&merged)
}

fn composed_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(composed(text)),
        Value::Array(elements) => elements.iter().map(composed_value).collect(),
        other => other.clone(),
    }
}

fn check_text(attribute: &Attribute, text: &str) -> Result<(), String> {
    // An empty value of an optional attribute is no value.
    if text.is_empty() && !attribute.required {
        return Ok(());
    }
    let limits = (attribute.min_length, attribute.max_length);
    let characters = composed(text).chars().count();
    let least = limits.0.map_or(0, |least| usize::try_from(least).unwrap_or(usize::MAX));
    let most = limits.1.map_or(MAX_TEXT_CHARACTERS, |most| usize::try_from(most).unwrap_or(usize::MAX));
    if characters < least || characters > most {
        return Err(match limits {
            (Some(least), Some(most)) => format!("The field must be {least} to {most} characters long"),
            (Some(least), None) if characters < usize::try_from(least).unwrap_or(usize::MAX) => {
                format!("The field must be at least {least} characters long")
            }
            _ => format!("The field must be at most {most} characters long"),
        });
    }
    if has_controls(text) {
        return Err("The field must not contain control characters".to_owned());
    }
    if attribute.name == "login" && attribute.pattern.is_none() && !is_email(text) {
        return Err("Username must be in the form of an email address".to_owned());
    }
    if let Some(format) = attribute.format.filter(|format| !format::fits(*format, text)) {
        return Err(format::expected(format).to_owned());
    }
    if attribute.pattern.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
        return Err("Does not match required pattern".to_owned());
    }
    Ok(())
}

fn check_bounds(attribute: &Attribute, number: &Number) -> Result<(), String> {
    let Some(value) = number.as_f64().filter(|value| value.is_finite()) else {
        return Err("The field must be a number".to_owned());
    };
    match (attribute.minimum, attribute.maximum) {
        (Some(least), _) if value < least => Err(format!("The field must be at least {least}")),
        (_, Some(most)) if value > most => Err(format!("The field must be at most {most}")),
        _ => Ok(()),
    }
}

fn check_elements(items: ItemType, elements: &[Value]) -> Result<(), String> {
    if elements.len() > MAX_ELEMENTS {
        return Err(format!("The field must have at most {MAX_ELEMENTS} elements"));
    }
    for element in elements {
        let fits = match (items, element) {
            (ItemType::String, Value::String(text)) => {
                text.chars().count() <= MAX_TEXT_CHARACTERS && !has_controls(text)
            }
            (ItemType::Number, Value::Number(number)) => number.as_f64().is_some_and(f64::is_finite),
            (ItemType::Integer, Value::Number(number)) => is_integer(number),
            _ => false,
        };
        if !fits {
            return Err(format!("The field must be an array whose elements are each of type {}", items.as_str()));
        }
    }
    Ok(())
}

fn wrong_type(kind: AttributeType) -> String {
    match kind {
        AttributeType::Array(items) => {
            format!("The field must be an array whose elements are each of type {}", items.as_str())
        }
        AttributeType::Integer => "The field must be an integer of 32 bits".to_owned(),
        kind => format!("The field must be of type {}", kind.as_str()),
    }
}

fn is_integer(number: &Number) -> bool {
    number.as_i64().is_some_and(|value| i32::try_from(value).is_ok())
}

/// Numbers are the same by value, whatever their spelling.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

/// A name from outside in the length that a message bears.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests;
