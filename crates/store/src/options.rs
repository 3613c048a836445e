//! How a store is opened, and what it shows of itself.

use std::fmt;

use crate::keyring::Keyring;

/// How many records may wait for the next flush, if nothing else is said.
const DEFAULT_BUFFERED_RECORDS: usize = 8192;

/// How a store is opened. Start from [`StoreOptions::new`] and change what differs.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite://path`, `sqlite::memory:` or `postgres://…`.
    pub database_url: String,
    /// The keys that seal secrets.
    pub keyring: Keyring,
    /// How many records may wait for the next flush; a record larger than 4 KiB counts as several.
    pub max_buffered_records: usize,
    /// How many connections may be open at once (SQLite: for reading).
    pub max_connections: u32,
    /// Whether another process may have the same SQLite file open: for short commands beside a running `serve`.
    pub shared: bool,
    /// The size at which the SQLite file stops growing, if it shall; writes are then refused like on a full disk.
    pub max_database_bytes: Option<u64>,
    /// Begins the proof of the log anew behind what it holds now: after a break that was looked into. What was before counts
    /// as unproved from then on.
    pub restart_log: bool,
    /// Accepts a PostgreSQL server that does not flush to disk: for tests on a throw-away cluster.
    pub accept_data_loss: bool,
}

impl StoreOptions {
    /// The defaults for this database.
    #[must_use]
    pub fn new(database_url: impl Into<String>, keyring: Keyring) -> Self {
        Self {
            database_url: database_url.into(),
            keyring,
            max_buffered_records: DEFAULT_BUFFERED_RECORDS,
            max_connections: 16,
            shared: false,
            max_database_bytes: None,
            restart_log: false,
            accept_data_loss: false,
        }
    }
}

impl fmt::Debug for StoreOptions {
    /// Leaves out the URL, which may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoreOptions")
            .field("max_buffered_records", &self.max_buffered_records)
            .field("max_connections", &self.max_connections)
            .field("shared", &self.shared)
            .field("max_database_bytes", &self.max_database_bytes)
            .finish_non_exhaustive()
    }
}

/// Fill levels at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Records that are not written yet.
    pub buffered_records: usize,
    /// Commits that wait for their answer.
    pub waiting_commits: usize,
    /// Open connections.
    pub connections: usize,
    /// Open connections that nobody uses.
    pub idle_connections: usize,
    /// Whether what other nodes change is heard now; `None` where there can be none.
    pub hears_nodes: Option<bool>,
}
