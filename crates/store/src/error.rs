//! What can go wrong, sorted by what the caller can do about it. No text here holds a secret.

use std::path::PathBuf;
use std::sync::Arc;

use crate::change::Conflict;
use crate::fault::{BROKEN_DISK, DriverError, Fault, classify};
use crate::keyring::KeyringError;
use crate::seal::SealError;

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
        source: Option<Arc<DriverError>>,
    },
    /// A stored value can't be read: damaged, moved, or sealed with a key that is not there.
    #[error("a stored value can't be read: {0}")]
    Unreadable(String),
    /// A stored value is sealed with this key, which is not there: another node has it, and this one may be given it.
    #[error("this node lacks key {0}, which a stored value is sealed with")]
    LacksKey(String),
    /// The database contradicts itself.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A value that no row can hold, such as a name with U+0000.
    #[error("this can't be stored: {0}")]
    Unstorable(String),
    /// The database refused a statement: a fault of ours.
    #[error("the database refused a statement")]
    Refused(#[source] Arc<DriverError>),
}

impl StoreError {
    /// Sorts what the driver said.
    pub(crate) fn from_driver(error: impl Into<DriverError>) -> Self {
        let error = error.into();
        let reason = match classify(&error) {
            Fault::Busy => "it is busy",
            Fault::Retry => "other writes were in the way",
            Fault::Away => "it can't be reached",
            Fault::Full => "the disk is full",
            Fault::Unavailable(reason) => reason,
            Fault::Damaged => return Self::Damaged(error.to_string()),
            Fault::Duplicate | Fault::Reference | Fault::Refused => return Self::Refused(Arc::new(error)),
        };
        Self::Unavailable { reason: reason.to_owned(), source: Some(Arc::new(error)) }
    }

    pub(crate) fn unavailable(reason: &str) -> Self {
        Self::Unavailable { reason: reason.to_owned(), source: None }
    }

    /// Whether what is stored, or what it is stored on, is at fault: nothing that passes by itself.
    pub(crate) fn is_of_the_data(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Unavailable { source: Some(source), .. } => classify(source) == Fault::Unavailable(BROKEN_DISK),
            _ => false,
        }
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

impl CommitError {
    /// Of statements that meet no conflict, so that any failure is the store's.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Unavailable(error) | Self::OutcomeUnknown(error) | Self::Failed(error) => error,
            Self::Conflict(conflict) => StoreError::Unreadable(conflict.to_string()),
        }
    }
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
    /// The database is set up in a way that would lose or garble what it acknowledged.
    #[error("the database is not set up as it must be: {0}")]
    Unsuitable(String),
    /// The file or its folder can't be used.
    #[error("{} can't be used: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database contradicts itself.
    #[error(
        "the database is damaged ({0}); nothing was changed: put a backup back with `hookwright restore FILE`, which keeps the damaged files aside"
    )]
    Damaged(String),
    /// The database can't be reached or does not work.
    #[error(transparent)]
    Database(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(what) => Self::Damaged(what),
            error => Self::Database(error),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from_driver(error)
    }
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        Self::Unreadable(format!("a sealed secret: {error}"))
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() { Self::Unavailable(error) } else { Self::Failed(error) }
    }
}
