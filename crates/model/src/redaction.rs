//! What records and people must not get: passwords, one-time codes, the hook's own secrets.

mod forms;
mod search;

use std::sync::Arc;

use bytes::Bytes;
use hookwright_contract::json::{self, Value};
use secrecy::ExposeSecret;

use crate::channel::{Channel, ChannelAuth};
use crate::hook_uri::HookUri;
use crate::secret_display::SECRET_MASK;
use crate::shown::{Shown, ShownBody};

use forms::{Forms, names_a_secret};
use search::Search;

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

/// Takes secrets out of what is recorded and shown. Made once for a hook, and cheap to clone.
#[derive(Clone, Default)]
pub struct Redaction(Option<Arc<Search>>);

impl std::fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redaction").finish_non_exhaustive()
    }
}

impl Redaction {
    /// Knows no secret: for texts about which no external service was asked.
    pub const NOTHING: Self = Self(None);

    /// Takes out the value of a header that holds credentials, where a service echoes it: as it is, without the scheme in
    /// front of it (`Basic`, `Bearer`), the halves of what `Basic` encodes, and each of them as JSON, URLs, base64 and hex
    /// write it. Values of less than four characters are not looked for, and those of less than six as whole words only.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        Self::NOTHING.and(secret)
    }

    /// Takes out everything of a channel that is a secret: that of its `authScheme` or OAuth client, and what goes by its name
    /// (`X-Api-Key`, `?code=`) among its other headers and in the queries of its URLs.
    #[must_use]
    pub fn of_channel(channel: &Channel) -> Self {
        let mut forms = Forms::default();
        if let Some(secret) = channel.auth.secret() {
            forms.add_credentials(secret.expose_secret());
        }
        for header in channel.headers.iter().filter(|header| names_a_secret(&header.key)) {
            forms.add_guess(&header.value);
        }
        let token_url = match &channel.auth {
            ChannelAuth::OAuth(config) => Some(&config.token_url),
            ChannelAuth::None | ChannelAuth::Header { .. } => None,
        };
        for uri in std::iter::once(&channel.uri).chain(token_url) {
            for (_, value) in uri.url().query_pairs().filter(|(name, _)| names_a_secret(name)) {
                forms.add_guess(&value);
            }
        }
        Self(Search::new(forms).map(Arc::new))
    }

    /// Takes out another secret too, such as the access token that a service was shown.
    #[must_use]
    pub fn and(self, secret: Option<&str>) -> Self {
        let Some(secret) = secret else { return self };
        let mut forms = self.0.as_ref().map(|search| search.forms()).unwrap_or_default();
        forms.add_credentials(secret);
        Self(Search::new(forms).map(Arc::new))
    }

    /// Takes out, too, what a request holds under names that are never recorded, such as a password to be imported or a code:
    /// a service may repeat it under another name.
    #[must_use]
    pub fn of_request(self, request: &Value<'_>) -> Self {
        if !holds_sensitive(request) {
            return self;
        }
        let mut forms = self.0.as_ref().map(|search| search.forms()).unwrap_or_default();
        gather(&request.to_json(), false, &mut forms);
        Self(Search::new(forms).map(Arc::new))
    }

    /// Text as it may be recorded or shown.
    #[must_use]
    pub fn text(&self, text: impl Into<String>) -> Shown {
        let text = text.into();
        Shown::redacted(match &self.0 {
            Some(search) if search.finds(text.as_bytes()) => {
                String::from_utf8_lossy(&search.masked(text.as_bytes())).into_owned()
            }
            _ => text,
        })
    }

    /// A URL as it may be recorded or shown: what its query says is masked, since keys stand there (`?code=…`).
    #[must_use]
    pub fn uri(&self, uri: &HookUri) -> Shown {
        let Some((place, query)) = uri.as_str().split_once('?') else { return self.text(uri.as_str()) };
        let masked = |parameter: &str| match parameter.split_once('=') {
            Some((name, value)) if !value.is_empty() => format!("{name}={SECRET_MASK}"),
            None if !parameter.is_empty() => SECRET_MASK.to_owned(),
            _ => parameter.to_owned(),
        };
        let parameters: Vec<String> = query.split('&').map(masked).collect();
        self.text(format!("{place}?{}", parameters.join("&")))
    }

    /// The request as it may be recorded; shares the bytes if there is nothing to take out.
    #[must_use]
    pub fn request(&self, request: &Value<'_>, bytes: &Bytes) -> ShownBody {
        self.json(request, bytes)
    }

    /// The answer as it may be recorded; shares the bytes if there is nothing to take out.
    #[must_use]
    pub fn answer(&self, bytes: &Bytes) -> ShownBody {
        // Parsing is only worth it if a sensitive name could be there at all, or a secret written with escapes.
        if !may_name_secrets(bytes) && !self.may_be_escaped(bytes) {
            return self.by_value(bytes.clone());
        }
        match json::parse(bytes) {
            Ok(answer) => self.json(&answer, bytes),
            Err(_) => self.by_value(bytes.clone()),
        }
    }

    fn json(&self, value: &Value<'_>, bytes: &Bytes) -> ShownBody {
        if holds_sensitive(value) {
            return self.by_value(masked(value));
        }
        if self.may_be_escaped(bytes) {
            // Written anew, it has no escapes but those that the search knows.
            let plain = Bytes::from(value.to_json().to_string());
            if self.0.as_ref().is_some_and(|search| search.finds(&plain)) {
                return self.by_value(plain);
            }
        }
        self.by_value(bytes.clone())
    }

    /// Whether a secret may stand in a JSON text in other letters than its own: `\u0041`, `\/`.
    fn may_be_escaped(&self, bytes: &[u8]) -> bool {
        self.0.is_some() && memchr::memchr(b'\\', bytes).is_some()
    }

    fn by_value(&self, bytes: Bytes) -> ShownBody {
        ShownBody::redacted(match &self.0 {
            Some(search) if search.finds(&bytes) => Bytes::from(search.masked(&bytes)),
            _ => bytes,
        })
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

/// Adds what [`mask`] would take out.
fn gather(value: &serde_json::Value, is_secret: bool, forms: &mut Forms) {
    match value {
        serde_json::Value::String(text) if is_secret => forms.add_credentials(text),
        serde_json::Value::Number(number) if is_secret => forms.add_credentials(&number.to_string()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| gather(item, is_secret, forms)),
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                // Only lists and `{"value": …}` are secrets themselves; other objects describe.
                gather(value, is_sensitive(name) || (is_secret && name == "value"), forms);
            }
        }
        _ => {}
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
mod tests;
