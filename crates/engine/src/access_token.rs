//! An access token as the calls of a hook show it, and as their records don't.

use bytes::Bytes;
use hookwright_model::secret_display::SECRET_MASK;
use http::HeaderValue;

/// The longest token that is taken, in bytes; a header field must hold it.
const MAX_BYTES: usize = 16 * 1024;

/// An access token, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessToken {
    /// `Bearer …`, marked sensitive.
    header: HeaderValue,
}

impl AccessToken {
    /// The token as it is sent; `None` if it can't stand in a header.
    pub(crate) fn bearer(token: &str) -> Option<Self> {
        if token.len() > MAX_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        header.set_sensitive(true);
        Some(Self { header })
    }

    /// The value of the Authorization field.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The token itself.
    pub(crate) fn token(&self) -> &str {
        self.header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// The body with asterisks in place of the token, where a service sent it back.
    pub(crate) fn hidden_in(&self, body: &Bytes) -> Bytes {
        let (token, text) = (self.token(), String::from_utf8_lossy(body));
        if token.is_empty() || !text.contains(token) {
            return body.clone();
        }
        Bytes::from(text.replace(token, SECRET_MASK))
    }
}
