//! Scopes: which of them there are, and what a client is granted of those that it asked for.

use super::OAuthError;

/// What the default authorization server knows (OpenID Connect Core sections 5.4 and 11).
const KNOWN: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// The longest list of scopes that is read, in bytes.
const MAX_BYTES: usize = 1_024;

/// Scopes that were granted, each once, in the order they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<&'static str>);

impl Scopes {
    /// The names of all scopes.
    pub const ALL: &'static [&'static str] = &KNOWN;

    /// Reads a list separated by blanks. `refreshable` says whether the client may have refresh tokens; where it may not,
    /// `offline_access` is left out.
    ///
    /// # Errors
    /// `invalid_scope` if one is unknown or none is left.
    pub fn read(text: &str, refreshable: bool) -> Result<Self, OAuthError> {
        let unknown =
            || OAuthError::new("invalid_scope", "One or more scopes are not configured for the authorization server.");
        if text.len() > MAX_BYTES {
            return Err(unknown());
        }
        let mut scopes = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            let known = KNOWN.into_iter().find(|known| *known == name).ok_or_else(unknown)?;
            if !scopes.contains(&known) && (refreshable || known != "offline_access") {
                scopes.push(known);
            }
        }
        if scopes.is_empty() {
            return Err(OAuthError::new("invalid_scope", "At least one scope is needed, such as openid."));
        }
        Ok(Self(scopes))
    }

    /// Reads what was granted before; what this release no longer knows is left out.
    #[must_use]
    pub fn granted(text: &str) -> Self {
        let known = |name: &str| KNOWN.into_iter().find(|known| *known == name);
        Self(text.split(' ').filter_map(known).collect())
    }

    /// Those of these that a refresh asks for; all of them if it asks for none (RFC 6749 section 6).
    ///
    /// # Errors
    /// `invalid_scope` if it asks for more than was granted.
    pub fn narrowed(&self, wanted: Option<&str>) -> Result<Self, OAuthError> {
        let Some(wanted) = wanted else { return Ok(self.clone()) };
        let wanted = Self::read(wanted, true)?;
        if wanted.0.iter().all(|scope| self.contains(scope)) {
            return Ok(wanted);
        }
        Err(OAuthError::new("invalid_scope", "A refresh can't ask for more than was granted."))
    }

    /// Whether it is among them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(&scope)
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// The list separated by blanks.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_once_each_and_unknown_ones_are_refused() {
        let read = |text: &str| Scopes::read(text, true).map(|scopes| scopes.to_text());
        assert_eq!(read("openid  email openid"), Ok("openid email".to_owned()));
        for bad in ["", " ", "openid okta.users.manage", "OPENID", "openid\temail", &"openid ".repeat(200)] {
            assert_eq!(read(bad).unwrap_err().code, "invalid_scope", "{bad:?}");
        }
    }

    #[test]
    fn a_client_without_refresh_tokens_is_not_granted_offline_access() {
        assert_eq!(Scopes::read("openid offline_access", false).unwrap().to_text(), "openid");
        assert!(Scopes::read("offline_access", false).is_err());
    }

    #[test]
    fn a_refresh_narrows_and_never_widens() {
        let granted = Scopes::granted("openid email forgotten");
        assert_eq!(granted.narrowed(None).unwrap().to_text(), "openid email");
        assert_eq!(granted.narrowed(Some("openid")).unwrap().to_text(), "openid");
        assert!(granted.narrowed(Some("openid profile")).is_err());
    }
}
