//! How the calls of one hook are made.

use std::num::NonZeroU32;
use std::time::Duration;

use hookwright_contract::HookType;

use crate::breaker::BreakerRule;

/// The time of one attempt unless a hook is set otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// How the calls of one hook are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSettings {
    /// The time of one attempt, from before resolution to the last byte of the body. 3 s by default.
    pub timeout: Duration,
    /// Whether a failed attempt may be repeated once. By default what the hook type says.
    pub retry: bool,
    /// Calls of this hook at once; `None` takes the engine's own limit.
    pub max_concurrent: Option<usize>,
    /// Calls of this hook that may begin within any second; `None` for no limit, as at Okta.
    pub max_per_second: Option<NonZeroU32>,
    /// When calls fail at once since others failed before; `None` for never, as at Okta.
    pub breaker: Option<BreakerRule>,
}

impl CallSettings {
    /// What Okta does for hooks of this type.
    #[must_use]
    pub fn for_type(hook_type: HookType) -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            retry: hook_type.retries(),
            max_concurrent: None,
            max_per_second: None,
            breaker: None,
        }
    }
}
