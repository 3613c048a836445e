//! Texts that people read and records keep. A text of an external service becomes one only by way of a
//! [`Redaction`](crate::redaction::Redaction), which takes the hook's secrets out of it.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A text without secrets: words of ours, or a stranger's words that went through a
/// [`Redaction`](crate::redaction::Redaction). It is read back from the database as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// Words of ours with settings, numbers and names of this org in them. Nothing in them may come from an external service.
    #[must_use]
    pub fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What a redaction made.
    pub(crate) fn redacted(text: String) -> Self {
        Self(text)
    }

    /// This text and the other behind it.
    #[must_use]
    pub fn then(mut self, rest: &Self) -> Self {
        self.0.push_str(&rest.0);
        self
    }

    /// These texts with a blank between two.
    #[must_use]
    pub fn joined(texts: &[Self]) -> Self {
        let texts: Vec<&str> = texts.iter().map(Self::as_str).collect();
        Self(texts.join(" "))
    }

    /// The first characters.
    #[must_use]
    pub fn cut(mut self, characters: usize) -> Self {
        if let Some((end, _)) = self.0.char_indices().nth(characters) {
            self.0.truncate(end);
        }
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Shown {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&'static str> for Shown {
    fn from(text: &'static str) -> Self {
        Self::own(text)
    }
}

impl From<Shown> for String {
    fn from(text: Shown) -> Self {
        text.0
    }
}

impl PartialEq<str> for Shown {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Shown {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

/// A body without secrets, as an execution keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownBody(Bytes);

impl ShownBody {
    /// A body that the store kept: secrets were taken out before it was written.
    #[must_use]
    pub fn stored(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// What a redaction made.
    pub(crate) fn redacted(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Deref for ShownBody {
    type Target = Bytes;
    fn deref(&self) -> &Bytes {
        &self.0
    }
}
