//! SQLite and PostgreSQL behind one concrete [`Store`].
//!
//! The store invents nothing: ids and times arrive finished. What it adds is durability (a commit that returned is kept),
//! order (the journal), and sealed secrets. What differs between the engines is in `dialect.rs`.

mod account_links;
mod api_tokens;
mod applications;
mod backup;
mod change;
mod commit;
mod database;
mod dialect;
mod enrollment_policies;
mod error;
mod fault;
mod flow_change;
mod flow_codes;
mod flows;
mod groups;
mod health;
mod hook_keys;
mod inline_hooks;
mod journal;
mod keyring;
mod lacking;
mod leases;
mod mails;
mod meeting;
mod notices;
mod oauth_change;
mod oauth_grants;
mod options;
mod postgres;
mod private_file;
mod recorder;
mod relay;
mod reseal;
mod restore;
mod retention;
mod schema;
mod seal;
mod session;
mod sessions;
mod sign_in_failures;
mod signing_keys;
mod signing_secrets;
mod sqlite;
mod sqlite_check;
mod sqlite_session;
mod statement;
mod store;
mod stored_form;
mod tenure;
mod trusted_origins;
mod user_roles;
mod user_schemas;
mod users;
mod work;
mod write_side;
mod writer;

pub use backup::{Backup, BackupError, backup};
pub use change::{Change, Conflict};
pub use error::{CommitError, OpenError, StoreError};
pub use fault::DriverError;
pub use flow_change::{Expected, FlowChange};
pub use flows::is_claimed;
pub use journal::{
    BreakKind, Direction, ExecutionQuery, JournalEntry, JournalItem, JournalScan, LogBreak, LogHead, LogHeadError,
    LogPlace, LogProof, Page, Position, PositionError, Removed,
};
pub use keyring::{Keyring, KeyringError};
pub use leases::Claim;
pub use mails::ClaimedMail;
pub use notices::{Listener, Notice, Touched};
pub use oauth_change::OAuthChange;
pub use options::{Gauges, StoreOptions};
pub use restore::{Restored, restore};
pub use store::{Store, database_file};
pub use users::UserQuery;
