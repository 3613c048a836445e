//! Operations on a token or an assertion, a subset of JSON Patch (RFC 6902).

use serde::Serialize;
use serde_json::Value;

/// Changes to a token or an assertion, applied in order. One that fails makes Okta drop the whole answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
#[must_use = "a patch belongs into an answer"]
pub struct Patch(Vec<Operation>);

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Operation {
    Add { path: String, value: Value },
    Replace { path: String, value: Value },
    Remove { path: String },
}

impl Patch {
    /// No changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value at a JSON Pointer (RFC 6901) such as `/claims/department`; an existing one is replaced.
    pub fn add(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.push(Operation::Add { path: path.into(), value: value.into() });
        self
    }

    /// Replaces the value at a JSON Pointer. There must be one.
    pub fn replace(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.push(Operation::Replace { path: path.into(), value: value.into() });
        self
    }

    /// Removes the value at a JSON Pointer. There must be one, and SAML assertions do not take this operation.
    pub fn remove(mut self, path: impl Into<String>) -> Self {
        self.0.push(Operation::Remove { path: path.into() });
        self
    }

    /// Adds a claim by its name, which may be a URI: the name is escaped for the pointer.
    pub fn add_claim(self, name: &str, value: impl Into<Value>) -> Self {
        self.add(format!("/claims/{}", name.replace('~', "~0").replace('/', "~1")), value)
    }

    /// Sets the lifetime of a token in seconds. Okta takes 300 to 86,400.
    pub fn token_lifetime(self, seconds: u32) -> Self {
        self.replace("/token/lifetime/expiration", seconds)
    }

    pub(super) fn into_value(self) -> Value {
        // Serialising strings and values into a tree cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}
