//! What a browser brings along: cookies, and whether the request came from a page of ours.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use hookwright_app::App;
use hookwright_model::trusted_origin::origin_of;
use secrecy::{ExposeSecret, SecretString};

use crate::error::ApiError;

/// How long a browser keeps the state handle of its flow.
pub(crate) const FLOW_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long a browser is known that somebody signed in with.
pub(crate) const DEVICE_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The longest value of a cookie that is looked at.
const MAX_VALUE_BYTES: usize = 128;

/// The cookies that we set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cookie {
    /// The state handle of the flow.
    Flow,
    /// The token of the session.
    Session,
    /// The secret of the browser, by which it is known again.
    Device,
    /// The same for pages of other origins, which sign people in over IDX. Okta's is called `DT` too.
    IdxDevice,
}

impl Cookie {
    /// The name. With TLS the browser itself sees to it that no other host, no other path and no plain HTTP set it
    /// (`__Host-`, RFC 6265bis section 4.1.3.2).
    const fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Flow, true) => "__Host-hookwright_flow",
            (Self::Flow, false) => "hookwright_flow",
            (Self::Session, true) => "__Host-hookwright_session",
            (Self::Session, false) => "hookwright_session",
            (Self::Device, true) => "__Host-hookwright_browser",
            (Self::Device, false) => "hookwright_browser",
            (Self::IdxDevice, true) => "__Host-DT",
            (Self::IdxDevice, false) => "DT",
        }
    }
}

/// The browser behind a request.
pub(crate) struct Browser {
    pub(crate) flow: Option<SecretString>,
    pub(crate) session: Option<SecretString>,
    pub(crate) device: Option<SecretString>,
    /// The secret that the browser has over IDX.
    pub(crate) idx_device: Option<SecretString>,
    /// Whether a page of ours sent it, as the browser says.
    pub(crate) is_same_origin: bool,
    /// The origin that it names, for the log.
    pub(super) origin: Option<String>,
    https: bool,
}

impl FromRequestParts<App> for Browser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let public_url = &app.settings().public_url;
        let https = public_url.starts_with("https://");
        let cookie = |cookie: Cookie| cookie_value(&parts.headers, cookie.name(https));
        Ok(Self {
            flow: cookie(Cookie::Flow),
            session: cookie(Cookie::Session),
            device: cookie(Cookie::Device),
            idx_device: cookie(Cookie::IdxDevice),
            is_same_origin: is_same_origin(&parts.headers, public_url),
            origin: parts.headers.get(ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned),
            https,
        })
    }
}

impl Browser {
    /// The header that makes the browser keep a secret.
    pub(crate) fn set(&self, cookie: Cookie, value: &SecretString, lifetime: Duration) -> HeaderValue {
        let (name, seconds) = (cookie.name(self.https), lifetime.as_secs());
        // Browsers send a cookie with the calls of a page of another site only if it says so, and is encrypted; `Partitioned` (CHIPS)
        // where they would block it otherwise.
        let terms = match (cookie, self.https) {
            (Cookie::IdxDevice, true) => "SameSite=None; Secure; Partitioned",
            (_, true) => "SameSite=Lax; Secure",
            (_, false) => "SameSite=Lax",
        };
        let text = format!("{name}={}; Path=/; Max-Age={seconds}; HttpOnly; {terms}", value.expose_secret());
        // Our secrets are letters, digits, '-' and '_'.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }

    /// The header that makes the browser forget.
    pub(crate) fn clear(&self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, &SecretString::from(String::new()), Duration::ZERO)
    }
}

/// The value of the only cookie with this name, if it could be one of ours. Two are one too many: another page of the same
/// domain may have set one of them.
fn cookie_value(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    let value = values.next()?;
    let plausible = !value.is_empty()
        && value.len() <= MAX_VALUE_BYTES
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (plausible && values.next().is_none()).then(|| SecretString::from(value.to_owned()))
}

/// Every browser of today says where a form came from: `Sec-Fetch-Site` (Fetch Metadata) or, older ones, `Origin`.
fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    text(ORIGIN.as_str()).is_some_and(|origin| origin_of(public_url).is_some_and(|own| own == origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_one_plausible_cookie_counts() {
        let value = |text: &'static str| {
            cookie_value(&headers(&[("cookie", text)]), "a").map(|value| value.expose_secret().to_owned())
        };
        assert_eq!(value("b=1; a=x-_9"), Some("x-_9".to_owned()));
        for bad in ["a=", "a=1; a=2", "ab=1", "a=<b>", "A=1"] {
            assert_eq!(value(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_form_from_elsewhere_is_told_by_its_headers() {
        let same = |pairs: &[(&'static str, &'static str)]| is_same_origin(&headers(pairs), "https://org.example/base");
        assert!(same(&[("sec-fetch-site", "same-origin")]));
        assert!(same(&[("origin", "https://org.example")]));
        for bad in [
            &[][..],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://org.example")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://org.example.evil.example")],
            &[("origin", "http://org.example")],
            &[("origin", "null")],
        ] {
            assert!(!same(bad), "{bad:?}");
        }
    }
}
