//! The address of an external service: read once, judged early, called as read.

use std::fmt;

use url::{Host, Url};

use crate::address::AddressPolicy;

/// The longest URI that Okta stores, in characters.
pub(crate) const MAX_URI_CHARACTERS: usize = 1024;

/// The URI of an external service, or of the token endpoint in front of it.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUri {
    shown: Box<str>,
    url: Url,
}

impl HookUri {
    /// Reads a URI with the WHATWG parser and judges what can be judged without a network: its form, its scheme, and its
    /// host where that is a literal address. Names are judged again, at each connection, by the engine.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str, policy: &AddressPolicy) -> Result<Self, String> {
        check_length(text)?;
        let url = Self::read(text)?;
        policy.judge_url(&url)?;
        let uri = Self::from_parts(text, url);
        // What is stored is the canonical form, in which a letter may take nine characters.
        check_length(&uri.shown)?;
        Ok(uri)
    }

    /// Reads a URI that was judged when it was stored, however long it is; the engine judges it again before it connects.
    ///
    /// # Errors
    /// A sentence that says why it can't be read.
    pub fn parse_stored(text: &str) -> Result<Self, String> {
        let url = Self::read(text)?;
        Ok(Self::from_parts(text, url))
    }

    fn read(text: &str) -> Result<Url, String> {
        if text.is_empty() {
            return Err("The field cannot be left blank".to_owned());
        }
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
            return Err("The URI must not contain white space, control characters or backslashes".to_owned());
        }
        // The parser takes `https:host` and `https:///host` for `https://host`; nobody means that, so it is refused here.
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
            return Err("The URI must begin with https://".to_owned());
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err("The URI must name a host".to_owned());
        }
        if authority.contains('@') {
            return Err("The URI must not contain a user name or password".to_owned());
        }
        if text.contains('#') {
            return Err("The URI must not contain a fragment".to_owned());
        }
        let url = Url::parse(text).map_err(|error| format!("The URI is not valid: {error}"))?;
        match url.host() {
            Some(Host::Domain(name)) => check_name(name)?,
            Some(_) => {}
            None => return Err("The URI must name a host".to_owned()),
        }
        if url.port() == Some(0) {
            return Err("The URI must not use port 0".to_owned());
        }
        Ok(url)
    }

    /// Shows the canonical form, except that a bare origin stays as it was sent, without the added slash: clients that
    /// compare what they sent with what they read would see a change otherwise.
    fn from_parts(text: &str, url: Url) -> Self {
        let canonical = url.as_str();
        let shown = if canonical.strip_suffix('/') == Some(text) { text } else { canonical };
        Self { shown: shown.into(), url }
    }

    /// The URI as the API shows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The URI as it is called.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether both lead to the same scheme, host and port; a kept secret may only travel to the place it was given for.
    #[must_use]
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.url.scheme() == other.url.scheme()
            && self.url.host_str() == other.url.host_str()
            && self.url.port_or_known_default() == other.url.port_or_known_default()
    }
}

fn check_length(text: &str) -> Result<(), String> {
    if text.chars().count() > MAX_URI_CHARACTERS {
        return Err(format!("The URI must be at most {MAX_URI_CHARACTERS} characters long"));
    }
    Ok(())
}

/// What DNS asks of a name (RFC 1035 section 2.3.4), which the URL parser does not check.
fn check_name(name: &str) -> Result<(), String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err("The URI must name a valid host".to_owned());
    }
    Ok(())
}

impl fmt::Debug for HookUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Display for HookUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}
