//! Values that no two users may share, as they are compared.

use serde_json::Value;

use crate::text::folded;

/// A value that no other user may have for this attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueValue {
    /// The attribute.
    pub attribute: String,
    /// What is compared of the value: text without case and marks, as logins are.
    pub key: String,
}

impl UniqueValue {
    /// What is compared of an attribute's value; `None` if it does not count, as null and empty text don't.
    #[must_use]
    pub fn of(attribute: &str, value: &Value) -> Option<Self> {
        let key = match value {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => folded(text.trim()),
            other => other.to_string(),
        };
        Some(Self { attribute: attribute.to_owned(), key })
    }
}
