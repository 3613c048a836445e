//! What differs between two states of a hook's settings, for the System Log.

use serde_json::{Map, Value};

use super::HookSettings;

/// What stands for a setting that is as Okta has it.
const DEFAULT: &str = "default";

impl HookSettings {
    /// One member for each setting that changed, its value `before -> after` as text. Certificates and keys are not repeated:
    /// it is told that they came, went or changed.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Map<String, Value> {
        let (before, now) = (self.shown(), after.shown());
        let mut changes: Map<String, Value> = before
            .iter()
            .zip(now)
            .filter(|((_, before), (_, after))| before != after)
            .map(|((name, before), (_, after))| ((*name).to_owned(), Value::from(format!("{before} -> {after}"))))
            .collect();
        let (old, new) = (&self.tls, &after.tls);
        let trusted = (old.trusted_certificates.as_ref(), new.trusted_certificates.as_ref());
        let own = (old.client_certificate.as_ref(), new.client_certificate.as_ref());
        changes.extend(replaced(trusted).map(|what| ("trustedCertificates".to_owned(), what.into())));
        changes.extend(replaced(own).map(|what| ("clientCertificate".to_owned(), what.into())));
        changes
    }

    fn shown(&self) -> [(&'static str, String); 6] {
        let or_default = |text: Option<String>| text.unwrap_or_else(|| DEFAULT.to_owned());
        let policy = self.failure_policy.map(|policy| format!("{policy:?}").to_uppercase());
        let breaker = self.circuit_breaker.map(|rule| format!("{} failures, {} ms", rule.failures, rule.open_ms));
        [
            ("timeoutMs", or_default(self.timeout_ms.map(|number| number.to_string()))),
            ("retry", or_default(self.retry.map(|retry| retry.to_string()))),
            ("maxConcurrentCalls", or_default(self.max_concurrent_calls.map(|number| number.to_string()))),
            ("maxCallsPerSecond", or_default(self.max_calls_per_second.map(|number| number.to_string()))),
            ("failurePolicy", or_default(policy)),
            ("circuitBreaker", or_default(breaker)),
        ]
    }
}

fn replaced<T: PartialEq>(pair: (Option<&T>, Option<&T>)) -> Option<&'static str> {
    match pair {
        (None, Some(_)) => Some("added"),
        (Some(_), None) => Some("removed"),
        (Some(before), Some(after)) if before != after => Some("replaced"),
        _ => None,
    }
}
