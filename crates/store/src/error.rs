//! What can go wrong, sorted by what the caller can do about it. No text here holds a secret.

use std::path::PathBuf;
use std::sync::Arc;

use crate::change::Conflict;
use crate::seal::KeyringError;

/// Why something could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Busy, full, read-only or away: the same request may work later, without a restart.
    #[error("the database is not available: {reason}")]
    Unavailable {
        /// Why, for the operator.
        reason: String,
        /// What the driver said.
        #[source]
        source: Option<Arc<sqlx::Error>>,
    },
    /// A stored value can't be read: damaged, moved, or sealed with a key that is not there.
    #[error("a stored value can't be read: {0}")]
    Unreadable(String),
    /// The database refused a statement: a fault of ours.
    #[error("the database refused a statement")]
    Refused(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    pub(crate) fn not_yet() -> Self {
        Self::Unavailable { reason: "not built yet".to_owned(), source: None }
    }

    /// Whether the same request may work later.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Why a commit has no good answer. Nothing of it is stored, except perhaps with [`CommitError::OutcomeUnknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// The changes don't fit what is stored.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Busy, full, read-only or away: answer 503, the client may try again.
    #[error(transparent)]
    Unavailable(StoreError),
    /// The connection was lost while committing: it is stored whole or not at all, and must not be repeated blindly.
    #[error("the outcome of the commit is unknown")]
    OutcomeUnknown(#[source] StoreError),
    /// A fault of ours or of the stored data.
    #[error(transparent)]
    Failed(StoreError),
}

/// Why a database could not be opened; each prints as a sentence for the operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database that we know.
    #[error("the database URL can't be used: {0}")]
    Url(String),
    /// Another process serves this file.
    #[error(
        "{} is in use by another running hookwright (its lock is {}); stop that one first, or give this one its own data folder",
        database.display(), lock.display()
    )]
    InUse {
        /// The database.
        database: PathBuf,
        /// The lock file beside it.
        lock: PathBuf,
    },
    /// A later release has upgraded the tables.
    #[error(
        "the database has schema version {found}, and this release knows versions up to {known}: start the release that wrote it, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The version in the database.
        found: i64,
        /// The latest version we know.
        known: i64,
    },
    /// The keyring does not fit the database.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The database would not keep what it acknowledged.
    #[error("the database is set up to lose acknowledged writes: {0}")]
    NotDurable(String),
    /// The file or its folder can't be used.
    #[error("{} can't be used: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database can't be reached or does not work.
    #[error(transparent)]
    Database(#[from] StoreError),
}
