//! Strict JSON, as the answer of an external service is read.
//!
//! A [`Value`] borrows its strings from the text it was parsed from and keeps the order of an object's members,
//! because commands are applied in that order. [`parse`] gives one meaning to one text or refuses it: see there.

mod malformed;
mod number;
mod parse;
mod pointer;

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

pub use malformed::{Malformed, MalformedReason};
pub use parse::{MAX_DEPTH, MAX_VALUES, parse};
pub(crate) use pointer::index;
pub use pointer::{escape_token, tokens};

/// One JSON value, borrowing from the text it was read from where no escape had to be undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that serde_json's `u64`, `i64` or `f64` holds without loss.
    Number(serde_json::Number),
    /// A string, its escapes undone.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object: its members in the order of the text, no name twice.
    Object(Members<'a>),
}

/// The members of an object, in the order of the text.
pub type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

impl<'a> Value<'a> {
    /// The member of that name; `None` if there is none or this is no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.as_object()?.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The value a JSON Pointer (RFC 6901) names; `""` is this value. `None` for a bad pointer and for no such value.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Value<'a>> {
        let mut here = self;
        for token in tokens(pointer)? {
            here = match here {
                Value::Object(_) => here.get(&token)?,
                Value::Array(elements) => elements.get(index(&token)?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<&serde_json::Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The number as a whole, non-negative one, if it is that.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(serde_json::Number::as_u64)
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members in order, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Value<'a>)]> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What kind of value it is, in the words of the JSON specification.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// Levels of arrays and objects: 0 for a scalar, 1 for `[]`.
    #[must_use]
    pub fn depth(&self) -> usize {
        let below = match self {
            Value::Array(elements) => elements.iter().map(Value::depth).max(),
            Value::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
            _ => return 0,
        };
        below.unwrap_or(0).saturating_add(1)
    }

    /// The same value as serde_json's tree, which owns its text. Member order is kept.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => serde_json::Value::Bool(*bool),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => serde_json::Value::String(text.clone().into_owned()),
            Value::Array(elements) => serde_json::Value::Array(elements.iter().map(Value::to_json).collect()),
            Value::Object(members) => serde_json::Value::Object(
                members.iter().map(|(name, value)| (name.clone().into_owned(), value.to_json())).collect(),
            ),
        }
    }
}

/// A view of a serde_json tree, for callers that hold one (a stored request, a payload just built). Nothing but the
/// skeleton is copied.
impl<'a> From<&'a serde_json::Value> for Value<'a> {
    fn from(json: &'a serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(bool) => Value::Bool(*bool),
            serde_json::Value::Number(number) => Value::Number(number.clone()),
            serde_json::Value::String(text) => Value::String(Cow::Borrowed(text)),
            serde_json::Value::Array(elements) => Value::Array(elements.iter().map(Value::from).collect()),
            serde_json::Value::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), Value::from(value))).collect(),
            ),
        }
    }
}

impl From<Value<'_>> for serde_json::Value {
    fn from(value: Value<'_>) -> Self {
        value.to_json()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    sequence.serialize_element(element)?;
                }
                sequence.end()
            }
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
