//! What can go wrong, in terms of what the caller can do about it. The web turns it into Okta's codes.

use std::time::Duration;

use hookwright_model::api_scope::Lacking;
use hookwright_model::execution::Verdict;
use hookwright_model::id::{Id, InlineHookId, Kind};
use hookwright_model::shown::Shown;
use hookwright_model::system_log::FilterRefusal;
use hookwright_model::{Violation, Violations};
use hookwright_store::{CommitError, StoreError};
use thiserror::Error;

/// How many characters of an unknown id are repeated in the refusal.
const MAX_SHOWN_ID: usize = 64;

/// Why an operation did not happen.
#[derive(Debug, Error)]
pub enum Error {
    /// The input breaks a rule; each violation names its field.
    #[error("{object} is invalid: {violations}")]
    Invalid {
        /// What is invalid, such as `inlineHook`.
        object: &'static str,
        /// What is wrong with it.
        violations: Violations,
    },
    /// Parameters of a query are wrong; each violation names its parameter.
    #[error("the query is invalid: {0}")]
    InvalidQuery(Violations),
    /// The System Log can't be filtered so.
    #[error("the filter can't be used: {0}")]
    InvalidLogFilter(FilterRefusal),
    /// The System Log was asked for events that are too old.
    #[error("'since' is more than 180 days ago")]
    SinceTooOld,
    /// The time of a query was up before there was anything to show.
    #[error("the query took too long")]
    QueryTooSlow,
    /// A `filter` or `search` expression can't be used; the text says why.
    #[error("the search criteria can't be used: {0}")]
    InvalidSearch(String),
    /// The body is not the JSON that was asked for.
    #[error("the body is malformed: {0}")]
    Malformed(String),
    /// No credentials were sent.
    #[error("no credentials were sent")]
    NoCredentials,
    /// The token is unknown, expired or revoked.
    #[error("the token is unknown, expired or revoked")]
    BadToken,
    /// The token opens the door, but not for this; the text says what is lacking.
    #[error("not permitted: {0}")]
    Forbidden(Lacking),
    /// The user has the role already.
    #[error("the user has the role already")]
    RoleAssigned,
    /// There is no such thing.
    #[error("there is no {class} {id}")]
    NotFound {
        /// The id as it was asked for.
        id: String,
        /// What was looked for, such as `InlineHook`.
        class: &'static str,
    },
    /// The thing exists, but not in a state that allows this.
    #[error("not in the expected state: {0}")]
    WrongState(String),
    /// The user's status does not allow this.
    #[error("the user's status does not allow this")]
    WrongUserStatus,
    /// Nothing keeps the user from signing in that could be lifted.
    #[error("the user is not locked out")]
    NotLockedOut,
    /// The user is active already.
    #[error("the user is active already")]
    AlreadyActive,
    /// The old password of a change is not the right one.
    #[error("the old password is wrong")]
    WrongPassword,
    /// The app has to be deactivated before it is deleted.
    #[error("the app is active")]
    ActiveApplication,
    /// The paging cursor is not one of ours.
    #[error("the paging cursor is invalid")]
    BadCursor,
    /// A hook was called and gave no usable answer.
    #[error("the inline hook {} gave no usable answer: {}", .0.hook_id, .0.reason)]
    HookFailed(Box<HookFailure>),
    /// Too much of this is under way or was asked for; the same request may work later.
    #[error("too much of this is under way or was asked for")]
    TooBusy {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The database can't do it now; the same request may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// This node lacks a key that stored secrets are sealed with; another node has it, and this one may be given it.
    #[error("this node lacks sealing key {0}")]
    LacksKey(String),
    /// Something that should not happen; the source is logged, never shown.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What is known of a failed call.
#[derive(Debug)]
pub struct HookFailure {
    /// The hook.
    pub hook_id: InlineHookId,
    /// The execution that holds everything about it.
    pub execution_id: String,
    /// How it ended, as far as callers of the API may know: an address that was refused is one that could not be reached.
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub reason: Shown,
    /// One sentence an attempt.
    pub attempts: Vec<Shown>,
}

impl Error {
    /// There is no thing with this id.
    pub(crate) fn not_found<K: Kind>(id: &Id<K>) -> Self {
        let shown = match id.as_str().char_indices().nth(MAX_SHOWN_ID) {
            Some((end, _)) => format!("{}…", id.as_str().get(..end).unwrap_or_default()),
            None => id.to_string(),
        };
        Self::NotFound { id: shown, class: K::CLASS }
    }

    /// One field is wrong.
    #[must_use]
    pub fn invalid(object: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { object, violations: Violations::one(field, message) }
    }

    /// What is wrong with the input, if that is the error.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        match self {
            Self::Invalid { violations, .. } | Self::InvalidQuery(violations) => violations.iter(),
            _ => [].iter(),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LacksKey(id) => Self::LacksKey(id),
            error if error.is_unavailable() => Self::Unavailable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            // Nothing of ours is broken: the client reads, and tries again if its write is not there.
            CommitError::Unavailable(_) | CommitError::OutcomeUnknown(_) => Self::Unavailable(error.to_string()),
            CommitError::Failed(error @ StoreError::LacksKey(_)) => error.into(),
            _ => Self::Internal(error.to_string()),
        }
    }
}
