//! The authorization server's rules (OAuth 2.0, RFC 6749; PKCE, RFC 7636; OpenID Connect Core): what a client may ask for,
//! what it is given, and how it is refused. No cryptography and no storage here.

mod claims;
mod grant;
mod parameters;
mod request;
mod scope;

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

pub use claims::{Issue, access_token_claims, id_token_claims, userinfo_claims};
pub use grant::{Grant, RefreshJudgement, RefreshToken, judge_refresh};
pub use parameters::Parameters;
pub use request::{
    AuthorizeRefusal, AuthorizeRequest, Prompt, Purpose, ResponseTarget, is_code_verifier, read_authorize,
    read_interact,
};
pub use scope::Scopes;

/// How long an access token and an ID token are good for (Okta's default).
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A refresh token dies after this long without a use (Okta's default).
pub const REFRESH_IDLE_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What was granted ends after this long in any case, however often it is refreshed.
pub const GRANT_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a refresh token that was used can be used again, by a client that lost the answer (Okta's default).
const REFRESH_GRACE: Duration = Duration::from_secs(30);

/// How long a key that signs no more is published: longer than any token that it signed lives.
pub const RETIRED_KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What access tokens of the default authorization server are for, as Okta sets it up.
pub const DEFAULT_AUDIENCE: &str = "api://default";

/// A refusal as OAuth shapes it. The text is ours and never holds what the client sent.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// One of the codes of RFC 6749 and OpenID Connect Core.
    pub code: &'static str,
    /// A sentence for the developer of the client.
    pub description: String,
}

impl OAuthError {
    /// The code of a client that did not prove who it is.
    pub const INVALID_CLIENT: &'static str = "invalid_client";

    /// A refusal.
    #[must_use]
    pub fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// A parameter is missing, malformed, or given twice.
    #[must_use]
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// Nobody of this name, or without the proof that the client has to give.
    #[must_use]
    pub fn invalid_client() -> Self {
        Self::new(Self::INVALID_CLIENT, "The client is unknown, or did not prove who it is.")
    }

    /// The code or refresh token is unknown, used, too old, or somebody else's. One text for all of it.
    #[must_use]
    pub fn invalid_grant() -> Self {
        Self::new("invalid_grant", "The code or token is invalid or expired, or belongs to another client.")
    }

    /// The body as RFC 6749 section 5.2 has it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"error": self.code, "error_description": self.description})
    }
}

impl fmt::Debug for OAuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.description)
    }
}
