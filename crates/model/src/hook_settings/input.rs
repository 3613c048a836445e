//! Reading settings from a request: every fault is named by its field, all of them at once.

use std::num::NonZeroU32;

use hookwright_contract::HookType;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{CircuitBreaker, ClientCertificate, FailurePolicy, HookSettings};
use crate::Violations;
use crate::secret_display::SECRET_MASK;

/// The shortest time-out of an attempt, in milliseconds.
const MIN_TIMEOUT_MS: u64 = 100;
/// The longest time-out of an attempt, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 30_000;
/// The most calls of one hook at once that can be asked for.
const MAX_CONCURRENT: u64 = 10_000;
/// The highest rate that can be asked for, in calls a second.
const MAX_RATE: u64 = 10_000;
/// The longest text of certificates or of a key, in bytes.
const MAX_PEM_BYTES: usize = 64 * 1024;

impl HookSettings {
    /// Reads the body of a PUT. Members that are absent or null go back to their defaults; unknown ones are refused, since a
    /// misspelt limit would protect nobody. `_links`, which answers carry, is ignored. A private key that is absent or masked
    /// is the one of `self`, as long as its certificate is the same.
    ///
    /// # Errors
    /// Each member that is wrong.
    pub fn replaced(&self, body: &Map<String, Value>, hook_type: HookType) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let mut settings = Self::default();
        for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            match name.as_str() {
                "timeoutMs" => {
                    settings.timeout_ms = number(name, value, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, &mut violations);
                }
                "retry" => settings.retry = read_retry(value, hook_type, &mut violations),
                "maxConcurrentCalls" => {
                    settings.max_concurrent_calls = number(name, value, 1, MAX_CONCURRENT, &mut violations);
                }
                "maxCallsPerSecond" => {
                    settings.max_calls_per_second =
                        number(name, value, 1, MAX_RATE, &mut violations).and_then(non_zero);
                }
                "failurePolicy" => settings.failure_policy = read_policy(value, hook_type, &mut violations),
                "circuitBreaker" => settings.circuit_breaker = read_breaker(value, &mut violations),
                "trustedCertificates" => settings.tls.trusted_certificates = read_pem(name, value, &mut violations),
                "clientCertificate" => {
                    let kept = self.tls.client_certificate.as_ref();
                    settings.tls.client_certificate = read_certificate(value, kept, &mut violations);
                }
                "_links" => {}
                _ => violations.add(name, "There is no such setting"),
            }
        }
        violations.into_result().map(|()| settings)
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

/// Token and telephony hooks are never tried twice: a second attempt would send a second code, or hold up a token for longer
/// than a client waits.
fn read_retry(value: &Value, hook_type: HookType, violations: &mut Violations) -> Option<bool> {
    match value.as_bool() {
        Some(true) if !hook_type.retries() => {
            violations
                .add("retry", format!("Hooks of type {hook_type} are never tried twice; the field can only be false"));
        }
        Some(retry) => return Some(retry),
        None => violations.add("retry", "The field must be true or false"),
    }
    None
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
    let members = members("circuitBreaker", value, &["failures", "openMs"], violations)?;
    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
    let failures = number("circuitBreaker.failures", member("failures"), 1, 1_000, violations).and_then(non_zero);
    let open_ms = number("circuitBreaker.openMs", member("openMs"), 100, 600_000, violations);
    Some(CircuitBreaker { failures: failures?, open_ms: open_ms? })
}

fn read_certificate(
    value: &Value,
    kept: Option<&ClientCertificate>,
    violations: &mut Violations,
) -> Option<ClientCertificate> {
    let members = members("clientCertificate", value, &["certificate", "privateKey"], violations)?;
    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
    let certificate = read_pem("clientCertificate.certificate", member("certificate"), violations);
    let field = "clientCertificate.privateKey";
    let private_key = match member("privateKey") {
        Value::Null => None,
        Value::String(text) if text == SECRET_MASK => None,
        value => Some(SecretString::from(read_pem(field, value, violations)?)),
    };
    let certificate = certificate?;
    let kept = kept.filter(|kept| kept.certificate == certificate).map(|kept| kept.private_key.clone());
    match private_key.or(kept) {
        Some(private_key) => Some(ClientCertificate { certificate, private_key }),
        None => {
            violations.add(field, "The private key must be sent with a certificate that was not there before");
            None
        }
    }
}

/// A PEM text; what stands in it is for the engine to judge.
fn read_pem(name: &str, value: &Value, violations: &mut Violations) -> Option<String> {
    match value.as_str() {
        Some(text) if text.len() > MAX_PEM_BYTES => {
            violations.add(name, format!("The field must be at most {MAX_PEM_BYTES} bytes long"));
        }
        Some(text) if text.contains("-----BEGIN ") && !text.contains('\0') => return Some(text.to_owned()),
        _ => violations.add(name, "The field must be a text in PEM, with its -----BEGIN and -----END lines"),
    }
    None
}

/// The members of an object that has no others than these.
fn members<'a>(
    name: &str,
    value: &'a Value,
    known: &[&str],
    violations: &mut Violations,
) -> Option<&'a Map<String, Value>> {
    let Some(members) = value.as_object() else {
        violations.add(name, format!("The field must be an object with {}, or null", known.join(" and ")));
        return None;
    };
    for member in members.keys().filter(|member| !known.contains(&member.as_str())) {
        violations.add(format!("{name}.{member}"), "There is no such setting");
    }
    Some(members)
}
