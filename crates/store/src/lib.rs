//! SQLite and PostgreSQL behind one concrete [`Store`].
//!
//! The store invents nothing: ids and times arrive finished. What it adds is durability (a commit that returned is kept),
//! order (the journal), and sealed secrets. What differs between the engines is in `dialect.rs`.

mod change;
mod error;
mod journal;
mod options;
mod seal;

use hookwright_contract::HookType;
use hookwright_model::Timestamp;
use hookwright_model::api_token::ApiToken;
use hookwright_model::execution::Execution;
use hookwright_model::id::ExecutionId;
use hookwright_model::inline_hook::InlineHook;

pub use change::{Change, Conflict};
pub use error::{CommitError, OpenError, StoreError};
pub use journal::{
    Direction, ExecutionQuery, JournalEntry, JournalItem, JournalScan, Page, Position, PositionError, Removed,
};
pub use options::{Gauges, StoreOptions};
pub use seal::{Keyring, KeyringError};

/// The database of one org; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {}

impl Store {
    /// Opens the database, makes or upgrades its tables, and checks that the keyring fits.
    ///
    /// # Errors
    /// See [`OpenError`]; each prints a sentence that says what to do.
    pub async fn open(options: StoreOptions) -> Result<Self, OpenError> {
        drop(options);
        Err(StoreError::not_yet().into())
    }

    /// Whether a database holds nothing of ours yet, so that a keyring may be made for it.
    ///
    /// # Errors
    /// If the URL can't be read or the database can't be reached.
    pub async fn is_new(database_url: &str) -> Result<bool, OpenError> {
        let _ = database_url;
        Err(StoreError::not_yet().into())
    }

    /// Applies all changes or none; they are durable when it returns.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        drop(changes);
        Err(CommitError::Unavailable(StoreError::not_yet()))
    }

    /// Takes a finished execution into the bounded buffer; it is written within 50 ms. Waits while the buffer is full and
    /// drops nothing.
    pub async fn record(&self, execution: Execution) {
        drop(execution);
    }

    /// The hook of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn inline_hook(&self, id: &str) -> Result<Option<InlineHook>, StoreError> {
        let _ = id;
        Err(StoreError::not_yet())
    }

    /// All hooks, or those of one type, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn inline_hooks(&self, hook_type: Option<HookType>) -> Result<Vec<InlineHook>, StoreError> {
        let _ = hook_type;
        Err(StoreError::not_yet())
    }

    /// The token with this SHA-256, also if it is revoked or expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
        let _ = sha256;
        Err(StoreError::not_yet())
    }

    /// All tokens, oldest first, also revoked and expired ones.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        Err(StoreError::not_yet())
    }

    /// The token of this id, also if it is revoked or expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token(&self, id: &str) -> Result<Option<ApiToken>, StoreError> {
        let _ = id;
        Err(StoreError::not_yet())
    }

    /// The execution of this id, if it is in the database already.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn execution(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        let _ = id;
        Err(StoreError::not_yet())
    }

    /// A page of executions, the last recorded first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn executions(&self, query: &ExecutionQuery) -> Result<Page<Execution>, StoreError> {
        let _ = query;
        Err(StoreError::not_yet())
    }

    /// What the System Log is made of, in the order it was written; fewer than `max_items` mean that there is no more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn journal(&self, scan: &JournalScan) -> Result<Vec<JournalEntry>, StoreError> {
        let _ = scan;
        Err(StoreError::not_yet())
    }

    /// Deletes what is older than `older_than`, then the oldest until at most `max_bytes` remain; executions go before
    /// events, so that a flood of calls can't push out the audit trail. Works in small steps beside other writes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn apply_retention(&self, older_than: Timestamp, max_bytes: u64) -> Result<Removed, StoreError> {
        let _ = (older_than, max_bytes);
        Err(StoreError::not_yet())
    }

    /// Whether the database can be read and written now.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn check_ready(&self) -> Result<(), StoreError> {
        Err(StoreError::not_yet())
    }

    /// Fill levels, for `/metrics`.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges::default()
    }

    /// Writes what is buffered, waits for commits under way, and lets the database go. Later writes are refused.
    pub async fn close(&self) {}
}
