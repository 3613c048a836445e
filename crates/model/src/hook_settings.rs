//! What Okta leaves to its support team: how long, how often, how many at once. Ours alone, with Okta's behaviour as default.

use std::num::NonZeroU32;
use std::time::Duration;

use hookwright_contract::{HookType, OnFailure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Violations;

/// The shortest time-out of an attempt, in milliseconds.
pub const MIN_TIMEOUT_MS: u64 = 100;
/// The longest time-out of an attempt, in milliseconds.
pub const MAX_TIMEOUT_MS: u64 = 30_000;
/// The most calls of one hook at once that can be asked for.
pub const MAX_CONCURRENT: u64 = 10_000;
/// The highest rate that can be asked for, in calls a second.
pub const MAX_RATE: u64 = 100_000;

/// What a flow does if a hook gives no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FailurePolicy {
    /// The flow ends.
    Stop,
    /// The flow goes on as if there were no hook.
    Continue,
}

impl FailurePolicy {
    /// What Okta does for hooks of this type.
    #[must_use]
    pub fn default_of(hook_type: HookType) -> Self {
        match hook_type.on_failure() {
            OnFailure::Stop => Self::Stop,
            OnFailure::ContinueUnchanged | OnFailure::FallbackProvider => Self::Continue,
        }
    }

    /// Whether a hook of this type may be set so. Where Okta ends the flow, going on would let somebody in whom the hook was
    /// to judge, so those types can't be opened.
    #[must_use]
    pub fn is_allowed_for(self, hook_type: HookType) -> bool {
        self == Self::Stop || hook_type.on_failure() != OnFailure::Stop
    }
}

/// After so many failures in a row, calls fail at once for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Failures in a row that open the circuit, 1 to 1,000.
    pub failures: NonZeroU32,
    /// How long it stays open before one call may try again, in milliseconds, 100 to 600,000.
    pub open_ms: u64,
}

/// The settings of one hook. What is absent is as Okta does it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HookSettings {
    /// Time of one attempt, in milliseconds; 3,000 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether a failed attempt is followed by another; as Okta does for the type if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<bool>,
    /// Calls at once; the org's limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_calls: Option<u64>,
    /// Calls a second; no limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_calls_per_second: Option<NonZeroU32>,
    /// What a flow does without a usable answer; as Okta does for the type if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<FailurePolicy>,
    /// Off if absent, since Okta has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
}

impl HookSettings {
    /// Reads the body of a PUT. Members that are absent or null go back to their defaults; unknown ones are refused, since a
    /// misspelt limit would protect nobody.
    ///
    /// # Errors
    /// Each member that is wrong.
    pub fn read(body: &Map<String, Value>, hook_type: HookType) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let mut settings = Self::default();
        for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            match name.as_str() {
                "timeoutMs" => {
                    settings.timeout_ms = number(name, value, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, &mut violations);
                }
                "retry" => match value.as_bool() {
                    Some(retry) => settings.retry = Some(retry),
                    None => violations.add(name, "The field must be true or false"),
                },
                "maxConcurrentCalls" => {
                    settings.max_concurrent_calls = number(name, value, 1, MAX_CONCURRENT, &mut violations);
                }
                "maxCallsPerSecond" => {
                    settings.max_calls_per_second =
                        number(name, value, 1, MAX_RATE, &mut violations).and_then(non_zero);
                }
                "failurePolicy" => {
                    settings.failure_policy = read_policy(value, hook_type, &mut violations);
                }
                "circuitBreaker" => settings.circuit_breaker = read_breaker(value, &mut violations),
                _ => violations.add(name, "There is no such setting"),
            }
        }
        violations.into_result().map(|()| settings)
    }

    /// Time of one attempt.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.unwrap_or(3_000))
    }

    /// The settings as they work, defaults filled in.
    #[must_use]
    pub fn effective_json(&self, hook_type: HookType, org_concurrency: usize) -> Value {
        serde_json::json!({
            "timeoutMs": self.timeout_ms.unwrap_or(3_000),
            "retry": self.retry.unwrap_or_else(|| hook_type.retries()),
            "maxConcurrentCalls": self.max_concurrent_calls.unwrap_or(org_concurrency as u64),
            "maxCallsPerSecond": self.max_calls_per_second,
            "failurePolicy": self.failure_policy.unwrap_or_else(|| FailurePolicy::default_of(hook_type)),
            "circuitBreaker": self.circuit_breaker,
        })
    }
}

fn number(name: &str, value: &Value, least: u64, most: u64, violations: &mut Violations) -> Option<u64> {
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Some(number),
        _ => {
            violations.add(name, format!("The field must be a whole number from {least} to {most}"));
            None
        }
    }
}

fn non_zero(number: u64) -> Option<NonZeroU32> {
    u32::try_from(number).ok().and_then(NonZeroU32::new)
}

fn read_policy(value: &Value, hook_type: HookType, violations: &mut Violations) -> Option<FailurePolicy> {
    let policy = match value.as_str() {
        Some("STOP") => FailurePolicy::Stop,
        Some("CONTINUE") => FailurePolicy::Continue,
        _ => {
            violations.add("failurePolicy", "The field must be one of STOP, CONTINUE");
            return None;
        }
    };
    if !policy.is_allowed_for(hook_type) {
        violations.add("failurePolicy", format!("Hooks of type {hook_type} fail closed; the field can only be STOP"));
        return None;
    }
    Some(policy)
}

fn read_breaker(value: &Value, violations: &mut Violations) -> Option<CircuitBreaker> {
    let Some(members) = value.as_object() else {
        violations.add("circuitBreaker", "The field must be an object with failures and openMs, or null");
        return None;
    };
    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
    let failures = number("circuitBreaker.failures", member("failures"), 1, 1_000, violations).and_then(non_zero);
    let open_ms = number("circuitBreaker.openMs", member("openMs"), 100, 600_000, violations);
    Some(CircuitBreaker { failures: failures?, open_ms: open_ms? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value, hook_type: HookType) -> Result<HookSettings, Violations> {
        HookSettings::read(body.as_object().unwrap(), hook_type)
    }

    #[test]
    fn defaults_are_exactly_what_okta_does() {
        for hook_type in HookType::ALL {
            let settings = read(&json!({}), hook_type).unwrap();
            let shown = settings.effective_json(hook_type, 32);
            assert_eq!(shown["timeoutMs"], 3000);
            assert_eq!(shown["retry"], hook_type.retries());
            assert_eq!(shown["circuitBreaker"], Value::Null);
            assert_eq!(shown["failurePolicy"] == "STOP", hook_type.on_failure() == OnFailure::Stop);
        }
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let body = json!({"timeoutMs": 100, "retry": false, "maxConcurrentCalls": 1, "maxCallsPerSecond": 5,
            "failurePolicy": "STOP", "circuitBreaker": {"failures": 3, "openMs": 1000}});
        let settings = read(&body, HookType::Token).unwrap();
        assert_eq!(read(&settings.effective_json(HookType::Token, 32), HookType::Token).unwrap(), settings);
        assert_eq!(serde_json::to_value(&settings).unwrap(), body);
    }

    #[test]
    fn registration_can_never_be_opened() {
        let open = json!({"failurePolicy": "CONTINUE"});
        assert!(read(&open, HookType::Registration).is_err());
        assert!(read(&open, HookType::PasswordImport).is_err());
        assert!(read(&open, HookType::Token).is_ok());
    }

    #[test]
    fn each_wrong_member_is_named() {
        let body = json!({"timeoutMs": 99, "retry": "yes", "maxConcurrentCalls": 0, "maxCallsPerSecond": 1.5,
            "failurePolicy": "stop", "circuitBreaker": {"failures": 0}, "timeout": 3});
        let violations = read(&body, HookType::Token).unwrap_err();
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        let expected = [
            "timeoutMs",
            "retry",
            "maxConcurrentCalls",
            "maxCallsPerSecond",
            "failurePolicy",
            "circuitBreaker.failures",
            "circuitBreaker.openMs",
            "timeout",
        ];
        assert_eq!(fields, expected);
    }
}
