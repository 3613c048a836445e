//! Changes as data, so that they can be grouped, retried and simulated.

use hookwright_model::Timestamp;
use hookwright_model::api_token::ApiToken;
use hookwright_model::execution::Execution;
use hookwright_model::id::{ApiTokenId, InlineHookId};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::system_log::LogEvent;

/// One change of the org. A commit holds several, all or nothing, in this order.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new hook; [`Conflict::NameTaken`] or [`Conflict::LimitReached`] if it can't be.
    InsertInlineHook {
        /// The hook; its `revision` is stored as it is.
        hook: InlineHook,
        /// How many hooks there may be, this one included.
        limit: u64,
    },
    /// The hook with this id gets all these values and the next revision, if its stored revision is still this one;
    /// [`Conflict::Stale`] otherwise, [`Conflict::NameTaken`] if another hook has the name.
    UpdateInlineHook(InlineHook),
    /// The hook goes, if its revision is still this one; [`Conflict::Stale`] otherwise.
    DeleteInlineHook {
        /// The hook.
        id: InlineHookId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new token; [`Conflict::TokenExists`] if its id or hash is there already.
    InsertApiToken(ApiToken),
    /// A token was used: moves its dates forward, never back. Never a conflict, since the use has happened.
    TouchApiToken {
        /// The token.
        id: ApiTokenId,
        /// When it was used.
        last_used: Timestamp,
        /// When it dies if it is not used again.
        expires: Timestamp,
    },
    /// A token ends; [`Conflict::Stale`] if there is none or it was revoked before.
    RevokeApiToken {
        /// The token.
        id: ApiTokenId,
        /// When it ends.
        at: Timestamp,
    },
    /// Events of the System Log, in this order.
    AppendEvents(Vec<LogEvent>),
    /// An execution that is part of what this commit does.
    AppendExecution(Execution),
}

/// Why a commit was not applied although the database is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another hook has the name, letter case aside.
    #[error("another hook has this name")]
    NameTaken,
    /// There are as many hooks as there may be.
    #[error("there are as many hooks as there may be")]
    LimitReached,
    /// A token with this id or hash is there already.
    #[error("this token is there already")]
    TokenExists,
    /// What was to change is gone, or changed since it was read.
    #[error("gone, or changed since it was read")]
    Stale,
}
