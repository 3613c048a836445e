//! What an execution record must not keep: passwords, one-time codes, the hook's own secret.

use bytes::Bytes;
use hookwright_contract::json::{self, Value};

use crate::inline_hook::SECRET_MASK;

/// Members whose values are never recorded, in lower case, wherever they stand.
const SENSITIVE_MEMBERS: [&str; 14] = [
    "password",
    "passcode",
    "otpcode",
    "secret",
    "clientsecret",
    "client_secret",
    "client_assertion",
    "access_token",
    "refresh_token",
    "id_token",
    "authorization",
    "recovery_answer",
    "apitoken",
    "private_key",
];

/// A member that repeats the one-time code in words.
const MESSAGE_TEMPLATE: &str = "msgtemplate";

/// Secrets shorter than this are not searched for in answers: they would blot out innocent text.
const SHORTEST_SECRET: usize = 4;

/// Takes secrets out of what is recorded.
#[derive(Clone, Copy)]
pub struct Redaction<'a> {
    secret: Option<&'a str>,
}

impl<'a> Redaction<'a> {
    /// Also takes out the hook's own secret where a service echoes it.
    #[must_use]
    pub fn new(secret: Option<&'a str>) -> Self {
        Self { secret: secret.filter(|secret| secret.len() >= SHORTEST_SECRET) }
    }

    /// The request as it may be recorded; shares the bytes if there is nothing to take out.
    #[must_use]
    pub fn request(&self, request: &Value<'_>, bytes: &Bytes) -> Bytes {
        self.by_value(if holds_sensitive(request) { masked(request) } else { bytes.clone() })
    }

    /// The answer as it may be recorded; shares the bytes if there is nothing to take out.
    #[must_use]
    pub fn answer(&self, bytes: &Bytes) -> Bytes {
        // Parsing is only worth it if a sensitive name could be there at all.
        if !SENSITIVE_MEMBERS.iter().any(|name| contains_ignoring_case(bytes, name.as_bytes())) {
            return self.by_value(bytes.clone());
        }
        self.by_value(match json::parse(bytes) {
            Ok(answer) if holds_sensitive(&answer) => masked(&answer),
            _ => bytes.clone(),
        })
    }

    fn by_value(&self, bytes: Bytes) -> Bytes {
        let Some(secret) = self.secret else { return bytes };
        if !contains(&bytes, secret.as_bytes()) {
            return bytes;
        }
        let text = String::from_utf8_lossy(&bytes).replace(secret, SECRET_MASK);
        Bytes::from(text)
    }
}

fn is_sensitive(name: &str) -> bool {
    name.eq_ignore_ascii_case(MESSAGE_TEMPLATE)
        || SENSITIVE_MEMBERS.iter().any(|member| name.eq_ignore_ascii_case(member))
}

fn holds_sensitive(value: &Value<'_>) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| (is_sensitive(name) && is_scalar(value)) || holds_sensitive(value))
        }
        Value::Array(items) => items.iter().any(holds_sensitive),
        _ => false,
    }
}

fn is_scalar(value: &Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Number(_))
}

fn masked(value: &Value<'_>) -> Bytes {
    let mut owned = value.to_json();
    mask(&mut owned);
    Bytes::from(owned.to_string())
}

fn mask(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if is_sensitive(name) && (value.is_string() || value.is_number()) {
                    *value = SECRET_MASK.into();
                } else {
                    mask(value);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

/// Whether the text holds the lower-case needle in any letter case.
fn contains_ignoring_case(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((&first, _)) = needle.split_first() else { return true };
    let mut rest = haystack;
    while let Some(position) = memchr::memchr2(first, first.to_ascii_uppercase(), rest) {
        let Some(found) = rest.get(position..) else { return false };
        if found.get(..needle.len()).is_some_and(|window| window.eq_ignore_ascii_case(needle)) {
            return true;
        }
        let Some(next) = found.get(1..) else { return false };
        rest = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &'static str) -> String {
        let bytes = Bytes::from_static(text.as_bytes());
        let redacted = Redaction::new(Some("api-key")).request(&json::parse(&bytes).unwrap(), &bytes);
        String::from_utf8(redacted.to_vec()).unwrap()
    }

    #[test]
    fn passwords_and_codes_are_masked_wherever_they_stand() {
        assert_eq!(
            request(r#"{"data":{"context":{"credential":{"username":"a","password":"hunter2"}}}}"#),
            r#"{"data":{"context":{"credential":{"username":"a","password":"******"}}}}"#
        );
        let telephony = request(r#"{"data":[{"otpCode":11111,"msgTemplate":"Your code is 11111"}]}"#);
        assert!(!telephony.contains("11111"), "{telephony}");
    }

    #[test]
    fn a_request_without_secrets_keeps_its_bytes() {
        let text = r#"{ "password" : {"note": "an object is no secret"}, "n" : 1.0 }"#;
        assert_eq!(request(text), text);
    }

    #[test]
    fn an_echoed_secret_is_masked_even_in_what_is_no_json() {
        let redaction = Redaction::new(Some("api-key"));
        let masked = redaction.answer(&Bytes::from_static(b"<p>Authorization: api-key</p>"));
        assert_eq!(masked, Bytes::from_static(b"<p>Authorization: ******</p>"));
        let masked = redaction.answer(&Bytes::from_static(br#"{"PassWord":"x"}"#));
        assert_eq!(masked, Bytes::from_static(br#"{"PassWord":"******"}"#));
    }
}
