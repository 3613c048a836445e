//! Okta's rate limits: so many calls a minute of each kind of path, counted per API token, or per address for those without.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hookwright_model::Timestamp;

/// A window is a minute, as Okta's are.
const WINDOW_SECONDS: i64 = 60;

/// How many callers are told apart within a minute. Those beyond are counted as one, so that a flood from everywhere takes no
/// more memory than this.
const MAX_COUNTS: usize = 65_536;

/// Kinds of paths that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// `/api/v1/inlineHooks`.
    InlineHooks,
    /// `/api/v1/logs`.
    Logs,
    /// Everything else.
    Other,
}

impl RateClass {
    /// Calls a minute and token, as live orgs announce them.
    #[must_use]
    pub const fn limit(self) -> u32 {
        match self {
            Self::InlineHooks | Self::Other => 1000,
            Self::Logs => 120,
        }
    }
}

/// What the `X-Rate-Limit-*` headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// Calls a minute.
    pub limit: u32,
    /// Calls that are left in this minute.
    pub remaining: u32,
    /// When the minute ends, in seconds since the epoch.
    pub reset: i64,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

/// Counts calls per token and kind of path.
pub struct RateLimits {
    enforced: bool,
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    minute: i64,
    counts: HashMap<(Box<str>, RateClass), u32>,
}

impl RateLimits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced, windows: Mutex::default() }
    }

    /// Counts one call and says how many are left. Nothing is counted, and all are left, where limits are off.
    pub fn count(&self, token_id: &str, class: RateClass, now: Timestamp) -> RateState {
        let minute = now.as_millis().div_euclid(WINDOW_SECONDS * 1000);
        let limit = class.limit();
        let reset = (minute + 1) * WINDOW_SECONDS;
        if !self.enforced {
            return RateState { limit, remaining: limit, reset, exceeded: false };
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.minute != minute {
            windows.minute = minute;
            windows.counts.clear();
        }
        let room = windows.counts.len() < MAX_COUNTS;
        let mut key = (token_id.into(), class);
        if !room && !windows.counts.contains_key(&key) {
            key.0 = Box::default();
        }
        let count = windows.counts.entry(key).or_default();
        *count = count.saturating_add(1);
        RateState { limit, remaining: limit.saturating_sub(*count), reset, exceeded: *count > limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_after_the_last_is_one_too_many_until_the_next_minute() {
        let limits = RateLimits::new(true);
        let now = Timestamp::from_millis(59_999);
        for left in (0..120).rev() {
            let state = limits.count("00T1", RateClass::Logs, now);
            assert_eq!((state.remaining, state.exceeded, state.reset), (left, false, 60));
        }
        assert!(limits.count("00T1", RateClass::Logs, now).exceeded);
        assert!(!limits.count("00T2", RateClass::Logs, now).exceeded);
        assert!(!limits.count("00T1", RateClass::InlineHooks, now).exceeded);
        assert_eq!(limits.count("00T1", RateClass::Logs, Timestamp::from_millis(60_000)).remaining, 119);
    }

    #[test]
    fn a_flood_from_everywhere_is_counted_as_one_and_leaves_those_who_were_there_alone() {
        let limits = RateLimits::new(true);
        let now = Timestamp::from_millis(0);
        let count = |who: &str| limits.count(who, RateClass::Other, now);
        count("00T1");
        for number in 1..MAX_COUNTS {
            assert_eq!(count(&number.to_string()).remaining, 999);
        }
        let refused = (0..2000).filter(|number| count(&format!("late {number}")).exceeded).count();
        assert_eq!(refused, 1000);
        assert_eq!(count("00T1").remaining, 998);
        assert_eq!(limits.windows.lock().unwrap().counts.len(), MAX_COUNTS + 1);
    }

    #[test]
    fn limits_that_are_off_leave_everything() {
        let limits = RateLimits::new(false);
        for _ in 0..2000 {
            assert_eq!(limits.count("00T1", RateClass::Logs, Timestamp::from_millis(0)).remaining, 120);
        }
    }
}
