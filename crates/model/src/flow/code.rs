//! The code at the end of a flow.

use std::time::Duration;

use super::ClientBinding;
use crate::Timestamp;
use crate::id::{AppId, UserId};

/// How long after its exchange a code that comes again may be a retry of its client, whose first answer was lost or late.
pub const CODE_RETRY_GRACE: Duration = Duration::from_secs(10);

/// What a client exchanges for tokens, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCode {
    /// SHA-256 of the code.
    pub sha256: [u8; 32],
    /// The app that was signed in to.
    pub application: AppId,
    /// Who signed in.
    pub user: UserId,
    /// What the client asked for.
    pub client: ClientBinding,
    /// When the user proved who they are.
    pub authenticated: Timestamp,
    /// When it is worth nothing any longer.
    pub expires: Timestamp,
    /// When it was exchanged, if it was.
    pub taken: Option<Timestamp>,
}

impl FlowCode {
    /// Whether a code that was exchanged and comes again is a retry, if it comes with everything that it is bound to. Whoever has
    /// all of that could have exchanged it: what it bought need not end (RFC 6749 section 4.1.2 only says "should").
    #[must_use]
    pub fn may_be_retried(&self, now: Timestamp) -> bool {
        // A clock that was set back revives nothing.
        self.taken.is_some_and(|taken| now.max(taken).since(taken) <= CODE_RETRY_GRACE)
    }
}
