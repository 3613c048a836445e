//! Text that must never reach a log: passwords and one-time codes inside hook requests.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret text. `Debug` hides it, dropping it clears the memory, and only [`reveal`](Self::reveal) and
/// serialisation give it out.
#[derive(Clone, Default)]
pub struct Confidential(SecretString);

impl Confidential {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself. Keep it out of logs and error messages.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Confidential(hidden)")
    }
}

/// For comparing whole requests, in tests for example. Not constant in time: do not authenticate with it.
impl PartialEq for Confidential {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Serialize for Confidential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Confidential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::required(deserializer).map(Self::new)
    }
}
