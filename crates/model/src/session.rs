//! A signed-in browser.

use std::time::Duration;

use crate::Timestamp;
use crate::id::UserId;

/// A session ends after so long without a request.
const IDLE_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// A session ends after so long in any case.
pub const WHOLE_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// A session as it is stored, under the SHA-256 of its token, which only the browser has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token.
    pub id: [u8; 32],
    /// Who is signed in.
    pub user: UserId,
    /// When it began, which is when the user proved who they are.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
}

impl Session {
    /// Whether it is alive.
    #[must_use]
    pub fn is_alive_at(&self, now: Timestamp) -> bool {
        // What was used in the future is judged by that use. What was seen ended once is gone: see the app.
        now.max(self.last_used) < self.expires()
    }

    /// When it ends if it is not used again.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.created.plus(WHOLE_LIFETIME).min(self.last_used.plus(IDLE_LIFETIME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let at = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
        let session = Session { id: [0; 32], user: UserId::from_text("00u1"), created: at(0), last_used: at(5) };
        assert!(session.is_alive_at(at(6)) && !session.is_alive_at(at(7)));
        let busy = Session { last_used: at(11), ..session };
        assert!(!busy.is_alive_at(at(12)));
        assert!(busy.is_alive_at(at(0)));
    }
}
