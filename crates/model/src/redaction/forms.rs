//! What a secret may look like when a service repeats it: as it is, without its scheme, decoded, encoded.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Secrets shorter than this are not looked for: they would blot out innocent text.
const SHORTEST: usize = 4;

/// Secrets shorter than this are looked for as whole words and as they are: `test` is in `latest`.
const SHORTEST_INSIDE: usize = 6;

/// What only looks like a secret by its name is one from this length on.
const SHORTEST_GUESS: usize = 8;

/// How many bytes of a form decide whether the rest is compared. A longer one that was cut is known by as many.
const HEAD: usize = 16;

/// What URLs leave as it is besides letters and digits: RFC 3986 section 2.3, and `encodeURIComponent`.
const UNESCAPED: [&str; 2] = ["-_.~", "-_.~!*'()"];

/// One form of a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) bytes: Box<[u8]>,
    /// Whether it counts only where no letter or digit is next to it.
    pub(super) is_word: bool,
}

impl Form {
    /// What it is found by.
    pub(super) fn head(&self) -> &[u8] {
        self.bytes.get(..HEAD).unwrap_or(&self.bytes)
    }
}

/// The forms of secrets, each once.
#[derive(Clone, Default)]
pub(super) struct Forms(pub(super) Vec<Form>);

impl Forms {
    /// The value of a header that holds credentials: all of it, what follows the scheme, and of `Basic` what is in it.
    pub(super) fn add_credentials(&mut self, value: &str) {
        let Some((scheme, credentials)) = value.split_once(' ') else { return self.add(value) };
        self.add_plain(value);
        self.add(credentials);
        if scheme.eq_ignore_ascii_case("Basic")
            && let Ok(pair) =
                STANDARD.decode(credentials.trim()).or_else(|_| STANDARD_NO_PAD.decode(credentials.trim()))
            && let Ok(pair) = String::from_utf8(pair)
        {
            self.add_plain(&pair);
            if let Some((_, password)) = pair.split_once(':') {
                self.add(password);
            }
        }
    }

    /// What is most likely a secret, going by its name.
    pub(super) fn add_guess(&mut self, value: &str) {
        if value.len() >= SHORTEST_GUESS {
            self.add_credentials(value);
        }
    }

    /// A secret as it is and as it may be encoded.
    fn add(&mut self, secret: &str) {
        self.add_plain(secret);
        if secret.len() < SHORTEST_INSIDE {
            return;
        }
        let bytes = secret.as_bytes();
        let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        self.push(hex.to_uppercase(), false);
        self.push(hex, false);
        for shift in 0..3 {
            let (from, to) = certain(shift, bytes.len());
            let shifted = [vec![0; shift], bytes.to_vec()].concat();
            for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
                self.push(text.get(from..to).unwrap_or_default().to_owned(), false);
            }
        }
    }

    /// A secret as it is, and as JSON and URLs write it.
    fn add_plain(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let is_word = secret.len() < SHORTEST_INSIDE;
        self.push(secret.to_owned(), is_word);
        let quoted = serde_json::Value::from(secret).to_string();
        self.push(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned(), is_word);
        for unescaped in UNESCAPED {
            let escaped = percent_encoded(secret, unescaped);
            self.push(with_lower_escapes(&escaped), is_word);
            self.push(escaped, is_word);
        }
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.push(with_lower_escapes(&form), is_word);
        self.push(form, is_word);
    }

    fn push(&mut self, text: String, is_word: bool) {
        let form = Form { bytes: text.into_bytes().into(), is_word };
        if form.bytes.len() >= SHORTEST && !self.0.contains(&form) {
            self.0.push(form);
        }
    }
}

/// Which characters of base64 come from these bytes alone, when others stand before them and behind.
const fn certain(before: usize, length: usize) -> (usize, usize) {
    ((before * 8).div_ceil(6), (before + length) * 8 / 6)
}

fn percent_encoded(text: &str, unescaped: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        let letter = char::from(byte);
        let _ = match letter.is_ascii_alphanumeric() || unescaped.contains(letter) {
            true => encoded.write_char(letter),
            false => write!(encoded, "%{byte:02X}"),
        };
        encoded
    })
}

/// `%2F` as some write it: `%2f`.
fn with_lower_escapes(text: &str) -> String {
    let mut left = 0;
    let lower = |letter: char| {
        let is_escape = left > 0;
        left = if letter == '%' { 2 } else { usize::saturating_sub(left, 1) };
        if is_escape { letter.to_ascii_lowercase() } else { letter }
    };
    text.chars().map(lower).collect()
}

/// Whether what has this name, a header or a parameter, is most likely a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    const PARTS: [&str; 11] = [
        "key",
        "token",
        "secret",
        "passw",
        "authoriz",
        "authent",
        "x-auth",
        "signature",
        "credential",
        "session",
        "cookie",
    ];
    const WHOLE: [&str; 6] = ["code", "sig", "pwd", "pass", "hmac", "auth"];
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}
