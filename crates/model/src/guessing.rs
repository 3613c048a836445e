//! How long whoever guesses passwords has to wait.
//!
//! Failures are counted for a name and, apart from it, for a browser that signed in with that name before: others can't lock
//! out somebody's own browser.

use std::time::Duration;

use crate::Timestamp;

/// After so many failures the wait is [`LONG_WAIT`].
pub const FAILURES_TO_LOCK: i64 = 100;

/// How long a name is locked after [`FAILURES_TO_LOCK`] failures.
pub const LONG_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// After so long without a failure the count begins anew.
pub const FORGETTING: Duration = Duration::from_secs(24 * 60 * 60);

/// The most failures of one address in a minute.
const FAILURES_PER_ADDRESS: i64 = 10;

/// The window in which the failures of an address are counted.
pub const ADDRESS_WINDOW: Duration = Duration::from_secs(60);

/// The failures so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// When the first of them was.
    pub first: Timestamp,
    /// When the last of them was.
    pub last: Timestamp,
}

impl Failures {
    /// How long must pass after the last failure: 1, 3, 5, then 10 seconds, and a day after the hundredth.
    #[must_use]
    pub const fn wait(self) -> Duration {
        match self.count {
            i64::MIN..=0 => Duration::ZERO,
            1 => Duration::from_secs(1),
            2 => Duration::from_secs(3),
            3 => Duration::from_secs(5),
            4..FAILURES_TO_LOCK => Duration::from_secs(10),
            FAILURES_TO_LOCK.. => LONG_WAIT,
        }
    }

    /// Whether a password may be tried now. A clock that was set back opens nothing.
    #[must_use]
    pub fn may_try(self, now: Timestamp) -> bool {
        now >= self.last.plus(self.wait())
    }

    /// Whether an address has failed too often; how long until it may try again.
    #[must_use]
    pub fn address_wait(self, now: Timestamp) -> Option<Duration> {
        self.wait_within(FAILURES_PER_ADDRESS, ADDRESS_WINDOW, now)
    }

    /// The same for things that are counted as failures are: how long until there may be another one, if there were so many
    /// since the first within this window.
    #[must_use]
    pub fn wait_within(self, most: i64, window: Duration, now: Timestamp) -> Option<Duration> {
        let end = self.first.plus(window);
        (self.count >= most && now < end).then(|| end.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(count: i64) -> Failures {
        Failures { count, first: Timestamp::from_millis(0), last: Timestamp::from_millis(10_000) }
    }

    #[test]
    fn waits_grow_to_ten_seconds_and_then_to_a_day() {
        let seconds: Vec<u64> =
            [0, 1, 2, 3, 4, 50, 99, 100, 5000].map(|count| failures(count).wait().as_secs()).to_vec();
        assert_eq!(seconds, [0, 1, 3, 5, 10, 10, 10, 86_400, 86_400]);
    }

    #[test]
    fn a_try_is_open_when_the_wait_is_over_and_not_before() {
        assert!(!failures(1).may_try(Timestamp::from_millis(10_999)));
        assert!(failures(1).may_try(Timestamp::from_millis(11_000)));
        assert!(!failures(1).may_try(Timestamp::from_millis(0)), "a clock that was set back opens nothing");
    }

    #[test]
    fn an_address_waits_for_the_end_of_its_window() {
        assert_eq!(failures(9).address_wait(Timestamp::from_millis(20_000)), None);
        assert_eq!(failures(10).address_wait(Timestamp::from_millis(20_000)), Some(Duration::from_secs(40)));
        assert_eq!(failures(10).address_wait(Timestamp::from_millis(60_000)), None);
    }
}
