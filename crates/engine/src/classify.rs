//! Whether a failed attempt is worth another one.
//!
//! Okta repeats a call at most once, and never after an answer of 2xx or 4xx (page "Inline hooks", section on timeout and
//! retry). What is left is a connection that did not come about, no answer in time, and 5xx.

use crate::outcome::{CallFailure, Unreachable};

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What the caller gets to know.
    pub(crate) failure: CallFailure,
    /// One sentence for the attempt's record, which may name addresses; without secrets.
    pub(crate) detail: String,
    /// How far the request had come when the connection ended.
    pub(crate) reach: Reach,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// No byte of it was written.
    Unsent,
    /// It was written to a connection from the pool that ended without a byte in return: most likely the service had let go of
    /// it just then and never read the request.
    LostOnReused,
    /// The service may have acted on it.
    Sent,
    /// It was not written, because the authorization server could not be asked for a token just then.
    NoTokenNow,
}

impl Failed {
    /// A failure before anything was sent.
    pub(crate) fn unsent(failure: CallFailure, detail: String) -> Self {
        Self { failure, detail, reach: Reach::Unsent }
    }

    /// A failure after the request was sent.
    pub(crate) fn sent(failure: CallFailure) -> Self {
        let detail = failure.to_string();
        Self { failure, detail, reach: Reach::Sent }
    }

    /// A token that was not given.
    pub(crate) fn no_token(reason: String, reach: Reach) -> Self {
        Self { reach, ..Self::sent(CallFailure::TokenRefused(reason)) }
    }

    /// Why, as far as a caller of the API may know. What an attempt waited for when its time was up is no secret: everybody sees
    /// the time itself.
    pub(crate) fn told(&self) -> String {
        match self.failure {
            CallFailure::AddressRefused | CallFailure::Unreachable(_) | CallFailure::TokenRefused(_) => {
                self.failure.to_string()
            }
            _ => self.detail.clone(),
        }
    }

    /// Whether no connection came about, by whatever fault. To those who may not look at the record, all of them are one.
    pub(crate) fn is_no_connection(&self) -> bool {
        match self.failure {
            CallFailure::AddressRefused | CallFailure::Unreachable(Unreachable::NoConnection) => true,
            CallFailure::TokenRefused(_) => self.reach == Reach::NoTokenNow,
            _ => false,
        }
    }

    /// Whether a hook that retries makes another attempt after this one.
    pub(crate) fn is_worth_another_attempt(&self) -> bool {
        match self.failure {
            CallFailure::TimedOut(_) => true,
            CallFailure::WrongStatus(status) => (500..600).contains(&status),
            // A refused address is tried again as an unknown host is, so that the two can't be told apart.
            CallFailure::AddressRefused | CallFailure::Unreachable(Unreachable::NoConnection | Unreachable::Tls(_)) => {
                true
            }
            CallFailure::Unreachable(Unreachable::Closed) => self.reach != Reach::Sent,
            CallFailure::AtCapacity { .. }
            | CallFailure::RateLimited { .. }
            | CallFailure::CircuitOpen
            | CallFailure::AnswerTooLarge(_)
            | CallFailure::BadBody(_) => false,
            CallFailure::TokenRefused(_) => self.reach == Reach::NoTokenNow,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::{BadBody, CapacityScope, TlsFailure, TooLarge};

    fn repeats(failure: CallFailure) -> bool {
        Failed::sent(failure).is_worth_another_attempt()
    }

    #[test]
    fn no_connection_no_answer_in_time_and_5xx_are_repeated() {
        assert!(repeats(CallFailure::TimedOut(Duration::from_secs(3))));
        assert!(repeats(CallFailure::AddressRefused));
        assert!(repeats(CallFailure::Unreachable(Unreachable::NoConnection)));
        assert!(repeats(CallFailure::Unreachable(Unreachable::Tls(TlsFailure::Handshake))));
        for status in [500, 502, 503, 504, 599] {
            assert!(repeats(CallFailure::WrongStatus(status)), "{status}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_not_repeated() {
        for status in [100, 101, 201, 204, 206, 301, 302, 307, 400, 401, 404, 408, 429, 499, 600, 999] {
            assert!(!repeats(CallFailure::WrongStatus(status)), "{status}");
        }
        assert!(!repeats(CallFailure::AnswerTooLarge(TooLarge::Body)));
        assert!(!repeats(CallFailure::BadBody(BadBody::NotHttp)));
        assert!(!repeats(CallFailure::TokenRefused("invalid_client".to_owned())));
        assert!(!repeats(CallFailure::AtCapacity { scope: CapacityScope::All, limit: 1 }));
    }

    #[test]
    fn a_connection_that_broke_is_repeated_only_if_the_service_cannot_have_answered_on_it() {
        let closed = |reach| Failed { reach, ..Failed::sent(CallFailure::Unreachable(Unreachable::Closed)) };
        assert!(!closed(Reach::Sent).is_worth_another_attempt());
        assert!(closed(Reach::LostOnReused).is_worth_another_attempt());
        assert!(closed(Reach::Unsent).is_worth_another_attempt());
    }
}
