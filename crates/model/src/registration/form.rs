//! The form: which fields a policy asks for, and reading what was filled in.

use serde_json::{Map, Number, Value};

use super::message::{Message, MessageKind};
use crate::enrollment_policy::{EnrollmentRule, FormAttribute};
use crate::profile::{MAX_TEXT_CHARACTERS, MISSING, check_value};
use crate::shown::Shown;
use crate::text::{composed, has_controls};
use crate::user::User;
use crate::user_schema::{Attribute, AttributeFormat, AttributeType, Choice, ItemType, Permission, UserSchema};

/// What people sign in with, and what it is taken from where the form doesn't ask for it.
const LOGIN: &str = "login";
const EMAIL: &str = "email";

/// The attributes that every sign-up form may ask for, whatever the schema permits people to change later.
const ALWAYS_ASKED: [&str; 4] = [LOGIN, EMAIL, "firstName", "lastName"];

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct FormField {
    /// The attribute.
    pub name: String,
    /// What the form calls it.
    pub label: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What is filled in.
    pub kind: FieldKind,
    /// The values to choose from, if there is such a list.
    pub choices: Option<Vec<Choice>>,
    /// The most characters of a text.
    pub max_length: Option<u32>,
    /// Whether the user schema has the attribute; what it has not is shown to the hook and never stored.
    pub in_schema: bool,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// An email address.
    Email,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// Several values, one a line.
    List(ItemType),
}

/// The fields of the sign-up form, in the order of the policy.
#[must_use]
pub fn sign_up_fields(rule: &EnrollmentRule, schema: &UserSchema) -> Vec<FormField> {
    rule.profile_attributes.iter().filter_map(|asked| field(asked, schema)).collect()
}

/// The fields that an existing user is asked for at sign-in: what the profile lacks. None unless at least one of them is
/// required and can be stored.
#[must_use]
pub fn missing_fields(rule: &EnrollmentRule, schema: &UserSchema, user: &User) -> Vec<FormField> {
    let lacks = |name: &str| user.profile.get(name).is_none_or(is_blank);
    let asked = rule.profile_attributes.iter().filter(|asked| lacks(&asked.name));
    let fields: Vec<FormField> = asked.filter_map(|asked| field(asked, schema)).collect();
    if fields.iter().any(|field| field.required && field.in_schema) { fields } else { Vec::new() }
}

/// A field for what the policy asks; `None` if people may not fill it in.
fn field(asked: &FormAttribute, schema: &UserSchema) -> Option<FormField> {
    let attribute = schema.get(&asked.name);
    let may_fill_in = attribute.is_none_or(|attribute| {
        attribute.permission == Permission::ReadWrite || ALWAYS_ASKED.contains(&attribute.name.as_str())
    });
    may_fill_in.then(|| FormField {
        name: asked.name.clone(),
        label: asked.label.clone(),
        required: asked.required,
        kind: attribute.map_or(FieldKind::Text, kind),
        choices: attribute.and_then(Attribute::choices),
        max_length: attribute.and_then(|attribute| attribute.max_length),
        in_schema: attribute.is_some(),
    })
}

fn kind(attribute: &Attribute) -> FieldKind {
    match attribute.kind {
        AttributeType::String if attribute.format == Some(AttributeFormat::Email) || attribute.name == EMAIL => {
            FieldKind::Email
        }
        AttributeType::String => FieldKind::Text,
        AttributeType::Boolean => FieldKind::Boolean,
        AttributeType::Number => FieldKind::Number,
        AttributeType::Integer => FieldKind::Integer,
        AttributeType::Array(items) => FieldKind::List(items),
    }
}

/// Reads what was filled in: the form's own fields and nothing else, in the form's order.
///
/// A form sends text whatever the type, so text that reads as the field's type is taken as such. Empty fields are left out.
/// Without a field of its own the login is the email address.
///
/// # Errors
/// A message for each field that is wrong.
pub fn read_form(
    fields: &[FormField],
    schema: &UserSchema,
    given: &Map<String, Value>,
    is_sign_up: bool,
) -> Result<Map<String, Value>, Vec<Message>> {
    let mut messages = Vec::new();
    let mut profile = Map::new();
    let asks_login = fields.iter().any(|field| field.name == LOGIN);
    for field in fields {
        let value = given.get(&field.name).and_then(|value| typed(field, value));
        let Some(value) = value else {
            if field.required {
                messages.push(Message::at(&field.name, MessageKind::Blank, MISSING));
            }
            continue;
        };
        if let Err(text) = check_field(field, schema, &value) {
            messages.push(Message::at(&field.name, MessageKind::Invalid, Shown::own(text)));
        } else if is_sign_up && field.name == EMAIL && !asks_login {
            if let Some(Err(text)) = schema.get(LOGIN).map(|login| check_value(login, &value)) {
                messages.push(Message::at(EMAIL, MessageKind::Invalid, Shown::own(text)));
            }
            profile.insert(LOGIN.to_owned(), value.clone());
        }
        profile.insert(field.name.clone(), value);
    }
    if messages.is_empty() { Ok(profile) } else { Err(messages) }
}

fn check_field(field: &FormField, schema: &UserSchema, value: &Value) -> Result<(), String> {
    match (schema.get(&field.name), value) {
        (Some(attribute), value) => check_value(attribute, value),
        (None, Value::String(text)) if text.chars().count() > MAX_TEXT_CHARACTERS => {
            Err(format!("The field must be at most {MAX_TEXT_CHARACTERS} characters long"))
        }
        (None, Value::String(text)) if has_controls(text) => {
            Err("The field must not contain control characters".to_owned())
        }
        (None, Value::Object(_) | Value::Array(_)) => Err("The field must be of type string".to_owned()),
        (None, _) => Ok(()),
    }
}

/// The value that was meant; `None` if the field was left empty. What can't be read as the field's type stays as it is, and
/// fails the check.
fn typed(field: &FormField, value: &Value) -> Option<Value> {
    let Value::String(text) = value else {
        return (!is_blank(value)).then(|| value.clone());
    };
    let text = composed(text);
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Some(choice) = field.choices.as_ref().and_then(|choices| choices.iter().find(|choice| named(choice, text))) {
        return Some(choice.value.clone());
    }
    let as_text = || Value::String(text.to_owned());
    Some(match field.kind {
        FieldKind::Text | FieldKind::Email => as_text(),
        FieldKind::Boolean => text.parse().map_or_else(|_| as_text(), Value::Bool),
        FieldKind::Integer => text.parse::<i64>().map_or_else(|_| as_text(), Value::from),
        FieldKind::Number => number(text).unwrap_or_else(as_text),
        FieldKind::List(items) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let item = |line: &str| match items {
                ItemType::String => Value::String(line.to_owned()),
                ItemType::Number => number(line).unwrap_or_else(|| Value::String(line.to_owned())),
                ItemType::Integer => line.parse::<i64>().map_or_else(|_| Value::String(line.to_owned()), Value::from),
            };
            lines.map(item).collect()
        }
    })
}

fn named(choice: &Choice, text: &str) -> bool {
    let printed = match &choice.value {
        Value::String(value) => value.clone(),
        other => other.to_string(),
    };
    printed == text
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
}

/// Whether a value is none: null, an empty text, an empty list.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}
