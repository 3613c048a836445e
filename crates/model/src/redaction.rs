//! What an execution record must not keep: passwords, one-time codes, the hook's own secret.

use bytes::Bytes;
use hookwright_contract::json::{self, Value};
use memchr::memmem::Finder;

use crate::secret_display::SECRET_MASK;

/// Members whose values are never recorded, in lower case, wherever they stand.
const SENSITIVE_MEMBERS: [&str; 17] = [
    "password",
    "passcode",
    "otp",
    "otpcode",
    "secret",
    "clientsecret",
    "client_secret",
    "client_assertion",
    "access_token",
    "refresh_token",
    "id_token",
    "session_token",
    "sessiontoken",
    "authorization",
    "recovery_answer",
    "apitoken",
    "private_key",
];

/// A member that repeats the one-time code in words.
const MESSAGE_TEMPLATE: &str = "msgtemplate";

/// The lengths of sensitive names, a bit for each, so that most names are told apart by theirs.
const LENGTHS: u32 = {
    let (mut lengths, mut rest) = (1 << MESSAGE_TEMPLATE.len(), SENSITIVE_MEMBERS.as_slice());
    while let [name, others @ ..] = rest {
        lengths |= 1 << name.len();
        rest = others;
    }
    lengths
};

/// The letters that sensitive names begin with, a bit for each, `a` the lowest.
const FIRST_LETTERS: u32 = {
    let (mut letters, mut rest) = (0, SENSITIVE_MEMBERS.as_slice());
    while let [name, others @ ..] = rest {
        if let [first, ..] = name.as_bytes() {
            letters |= 1 << (*first - b'a');
        }
        rest = others;
    }
    letters
};

/// Whether this bit is set; `false` for places beyond the last.
fn has_bit(bits: u32, place: usize) -> bool {
    u32::try_from(place).ok().and_then(|place| bits.checked_shr(place)).is_some_and(|bits| bits & 1 == 1)
}

/// Secrets shorter than this are not searched for in answers: they would blot out innocent text.
const SHORTEST_SECRET: usize = 4;

/// Takes secrets out of what is recorded. Made once for a hook: to prepare the search costs as much as to search.
#[derive(Clone)]
pub struct Redaction {
    secrets: Vec<Secret>,
}

/// One form of a secret.
#[derive(Clone)]
struct Secret {
    text: String,
    /// Finds it; `None` if another form stands where it stands.
    finder: Option<Finder<'static>>,
}

impl Secret {
    fn looked_for(text: &str) -> Self {
        Self { text: text.to_owned(), finder: Some(Finder::new(text).into_owned()) }
    }

    fn found_by_another(text: &str) -> Self {
        Self { text: text.to_owned(), finder: None }
    }
}

impl Redaction {
    /// Also takes out the hook's own secret where a service echoes it: as it is, without the scheme in front of it
    /// (`Basic`, `Bearer`), and as a JSON string writes it.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        Self { secrets: Vec::new() }.and(secret)
    }

    /// Takes out another secret too, such as the access token that a service was shown.
    #[must_use]
    pub fn and(self, secret: Option<&str>) -> Self {
        let Some(secret) = secret.filter(|secret| secret.len() >= SHORTEST_SECRET) else { return self };
        let mut secrets = self.secrets;
        let credentials = secret.split_once(' ').map(|(_, credentials)| credentials);
        let credentials = credentials.filter(|credentials| credentials.len() >= SHORTEST_SECRET);
        match credentials {
            Some(credentials) => {
                secrets.extend([Secret::found_by_another(secret), Secret::looked_for(credentials)]);
            }
            None => secrets.push(Secret::looked_for(secret)),
        }
        if secret.contains(['"', '\\', '\t']) {
            let quoted = serde_json::Value::from(secret).to_string();
            let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            secrets.push(Secret::looked_for(inner));
        }
        Self { secrets }
    }

    /// Text as it may be recorded or shown.
    #[must_use]
    pub fn text(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| {
            if text.contains(&secret.text) { text.replace(&secret.text, SECRET_MASK) } else { text }
        })
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
        if !may_name_secrets(bytes) {
            return self.by_value(bytes.clone());
        }
        self.by_value(match json::parse(bytes) {
            Ok(answer) if holds_sensitive(&answer) => masked(&answer),
            _ => bytes.clone(),
        })
    }

    fn by_value(&self, bytes: Bytes) -> Bytes {
        let stands_in = |finder: &Finder<'_>| finder.find(&bytes).is_some();
        if !self.secrets.iter().any(|secret| secret.finder.as_ref().is_some_and(stands_in)) {
            return bytes;
        }
        Bytes::from(self.text(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Whether a value under a sensitive name is the secret itself, also in a list or as Okta's `{"value": …}`. Other objects are
/// descriptions, such as `refresh_token: {jti}`.
fn is_secret(value: &Value<'_>) -> bool {
    match value {
        Value::String(_) | Value::Number(_) => true,
        Value::Array(items) => items.iter().any(is_secret),
        Value::Object(_) => value.get("value").is_some_and(is_secret),
        _ => false,
    }
}

fn is_sensitive(name: &str) -> bool {
    has_bit(LENGTHS, name.len())
        && (name.eq_ignore_ascii_case(MESSAGE_TEMPLATE)
            || SENSITIVE_MEMBERS.iter().any(|member| name.eq_ignore_ascii_case(member)))
}

fn holds_sensitive(value: &Value<'_>) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| (is_sensitive(name) && is_secret(value)) || holds_sensitive(value))
        }
        Value::Array(items) => items.iter().any(holds_sensitive),
        _ => false,
    }
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
                if is_sensitive(name) {
                    mask_secret(value);
                } else {
                    mask(value);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// Masks what [`is_secret`] finds, and what is sensitive inside of the rest.
fn mask_secret(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(_) | serde_json::Value::Number(_) => *value = SECRET_MASK.into(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask_secret),
        serde_json::Value::Object(members) => {
            if let Some(value) = members.get_mut("value") {
                mask_secret(value);
            }
            mask(value);
        }
        _ => {}
    }
}

/// Whether a sensitive name may stand in a JSON text: behind a quote, in any letter case, or written with escapes.
fn may_name_secrets(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'"', b'\\', text).any(|position| {
        let rest = text.get(position..).unwrap_or_default();
        let starts_with =
            |name: &str| rest.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
        match rest {
            [b'\\', b'u', ..] => true,
            [b'"', first, ..] => {
                let first = first.to_ascii_lowercase();
                has_bit(FIRST_LETTERS, usize::from(first.wrapping_sub(b'a')))
                    && SENSITIVE_MEMBERS.iter().any(|name| name.as_bytes().first() == Some(&first) && starts_with(name))
            }
            _ => false,
        }
    })
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
        let context = request(r#"{"debugContext":{"otp":"11111","session_token":"11111","sessionToken":"11111"}}"#);
        assert!(!context.contains("11111"), "{context}");
    }

    #[test]
    fn a_password_in_a_list_or_an_object_is_masked_and_a_description_is_kept() {
        assert_eq!(
            request(r#"{"credentials":{"password":{"value":"hunter2","hook":{"type":"default"}}}}"#),
            r#"{"credentials":{"password":{"value":"******","hook":{"type":"default"}}}}"#
        );
        assert_eq!(
            request(r#"{"secret":["a",["b"]],"password":{"secret":"c"}}"#),
            r#"{"secret":["******",["******"]],"password":{"secret":"******"}}"#
        );
        let token = r#"{"refresh_token":{"jti":"oarob4a0tckCkGcyo1d6"}}"#;
        assert_eq!(request(token), token);
    }

    #[test]
    fn a_secret_is_found_without_its_scheme_and_in_json_quoting() {
        let basic = Redaction::new(Some("Basic YWRtaW46c2VjcmV0"));
        assert_eq!(basic.text("got YWRtaW46c2VjcmV0, not Basic YWRtaW46c2VjcmV0".to_owned()), "got ******, not ******");
        let quoted = Redaction::new(Some("a\"b\\c"));
        assert_eq!(
            quoted.answer(&Bytes::from_static(br#"{"echo":"a\"b\\c"}"#)),
            Bytes::from_static(br#"{"echo":"******"}"#)
        );
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
        let masked = redaction.answer(&Bytes::from_static(br#"{"p\u0061ssword":"x"}"#));
        assert_eq!(masked, Bytes::from_static(br#"{"password":"******"}"#));
    }
}
