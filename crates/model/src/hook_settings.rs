//! What Okta leaves to its support team: how long, how often, how many at once. Ours alone, with Okta's behaviour as default.

mod changes;
mod input;
mod tls;

use std::num::NonZeroU32;
use std::time::Duration;

use hookwright_contract::{HookType, OnFailure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret_display::{SECRET_MASK, SecretDisplay};

pub use tls::{ClientCertificate, TlsSettings};

/// What a flow does if a hook gives no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FailurePolicy {
    /// The flow ends.
    Stop,
    /// The flow goes on as if there were no hook, or with Okta's own provider.
    Continue,
}

impl FailurePolicy {
    /// What Okta does for hooks of this type.
    #[must_use]
    pub(crate) fn default_of(hook_type: HookType) -> Self {
        match hook_type.on_failure() {
            OnFailure::Stop => Self::Stop,
            OnFailure::ContinueUnchanged | OnFailure::FallbackProvider => Self::Continue,
        }
    }

    /// Whether a hook of this type may be set so. Where Okta ends the flow, going on would let somebody in whom the hook was
    /// to judge, so those types can't be opened.
    #[must_use]
    pub(crate) fn is_allowed_for(self, hook_type: HookType) -> bool {
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
    /// Whom the hook trusts besides the org's authorities, and how it proves who it is.
    #[serde(flatten)]
    pub tls: TlsSettings,
}

/// What holds for hooks that are not set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsDefaults {
    /// Time of one attempt.
    pub timeout: Duration,
    /// Calls of one hook at once.
    pub max_concurrent_calls: usize,
}

impl CircuitBreaker {
    /// How long the circuit stays open.
    #[must_use]
    pub const fn open_time(self) -> Duration {
        Duration::from_millis(self.open_ms)
    }
}

impl HookSettings {
    /// Time of one attempt, if it is set.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }

    /// Whether the hook is as Okta has it in everything.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What a flow does without a usable answer. A hook that is set to go on does what Okta does for its type.
    #[must_use]
    pub fn on_failure(&self, hook_type: HookType) -> OnFailure {
        match self.failure_policy {
            Some(FailurePolicy::Stop) => OnFailure::Stop,
            Some(FailurePolicy::Continue) | None => hook_type.on_failure(),
        }
    }

    /// The settings as they work, defaults filled in and the private key masked.
    #[must_use]
    pub fn to_json(
        &self,
        hook_type: HookType,
        defaults: SettingsDefaults,
        secrets: SecretDisplay,
    ) -> Map<String, Value> {
        let timeout = || u64::try_from(defaults.timeout.as_millis()).unwrap_or(u64::MAX);
        let policy = || FailurePolicy::default_of(hook_type);
        let certificate = self.tls.client_certificate.as_ref().map(|own| {
            let mut object = Map::new();
            object.insert("certificate".into(), own.certificate.as_str().into());
            if secrets == SecretDisplay::Mask {
                object.insert("privateKey".into(), SECRET_MASK.into());
            }
            Value::Object(object)
        });
        let members = [
            ("timeoutMs", self.timeout_ms.unwrap_or_else(timeout).into()),
            ("retry", self.retry.unwrap_or_else(|| hook_type.retries()).into()),
            ("maxConcurrentCalls", self.max_concurrent_calls.unwrap_or(defaults.max_concurrent_calls as u64).into()),
            ("maxCallsPerSecond", self.max_calls_per_second.map(NonZeroU32::get).into()),
            ("failurePolicy", serde_json::json!(self.failure_policy.unwrap_or_else(policy))),
            ("circuitBreaker", serde_json::json!(self.circuit_breaker)),
            ("trustedCertificates", self.tls.trusted_certificates.clone().into()),
            ("clientCertificate", certificate.unwrap_or_default()),
        ];
        members.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests;
