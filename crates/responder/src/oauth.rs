//! Access tokens: for services that an authorization server stands in front of, as hooks of type `OAUTH` call them.
//!
//! A token is a JWT (RFC 9068) that the authorization server signed with RS256 or ES256. Issuer, audience, signature and time
//! are checked, the scope if you ask for one. [`AccessTokens`] is also a tower layer; the token's [`Claims`] are then among the
//! request's extensions.
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use hookwright_responder::AccessTokens;
//! # fn main() -> Result<(), hookwright_responder::BadKeyUrl> {
//! let issuer = "https://example.okta.com/oauth2/default";
//! let tokens = AccessTokens::fetching(issuer, "api://hooks", &format!("{issuer}/v1/keys"))?.scope("hook:call");
//! let app: Router = Router::new().route("/hook", post(|| async { "{}" })).layer(tokens);
//! # Ok(())
//! # }
//! ```

mod fetch;
mod jwt;
mod key_set;
mod layer;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

pub use fetch::BadKeyUrl;
use key_set::KeySet;
pub use layer::Authorized;
pub(crate) use layer::refusal;

/// What a caller must show: a token of this issuer, for this audience.
#[derive(Clone)]
pub struct AccessTokens(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    issuer: String,
    audience: String,
    scope: Option<String>,
    keys: Arc<KeySet>,
}

/// Gives out the authorization server's keys: a JWK set (RFC 7517 section 5), as it stands now.
pub trait KeySource: Send + Sync + 'static {
    /// Asked once, then every ten minutes, and where a token names a key that is not known, but not more often than each
    /// half a minute.
    ///
    /// # Errors
    /// Why there is none, for the log.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send + '_>>;
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub Map<String, Value>);

impl Claims {
    /// Whom the token was issued to, or for.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.get("sub").and_then(Value::as_str)
    }

    /// Whether it has this scope: Okta's `scp` is an array, RFC 9068's `scope` a text.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let listed = self.0.get("scp").and_then(Value::as_array);
        let spelt = self.0.get("scope").and_then(Value::as_str);
        listed.is_some_and(|scopes| scopes.iter().any(|one| one == scope))
            || spelt.is_some_and(|scopes| scopes.split(' ').any(|one| one == scope))
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// There is no token, or more than one.
    #[error("An access token is required.")]
    Missing,
    /// It is no JWT that is signed with RS256 or ES256.
    #[error("The access token can't be read.")]
    Malformed,
    /// The issuer has no such key.
    #[error("The access token is signed with an unknown key.")]
    UnknownKey,
    /// The signature is not the issuer's.
    #[error("The access token's signature is wrong.")]
    WrongSignature,
    /// It has ended, or not begun.
    #[error("The access token has expired, or is not valid yet.")]
    WrongTime,
    /// Another issuer's.
    #[error("The access token is another issuer's.")]
    WrongIssuer,
    /// For somebody else.
    #[error("The access token is for another audience.")]
    WrongAudience,
    /// It lacks the scope.
    #[error("The access token lacks the scope.")]
    WrongScope,
    /// The issuer's keys can't be had now.
    #[error("The keys that access tokens are verified with are not available.")]
    NoKeys,
}

impl TokenError {
    /// The status to answer with, and the challenge that goes with it (RFC 6750 section 3).
    pub(crate) const fn answer(self) -> (StatusCode, Option<&'static str>) {
        match self {
            Self::Missing => (StatusCode::UNAUTHORIZED, Some("Bearer")),
            Self::WrongScope => (StatusCode::FORBIDDEN, Some(r#"Bearer error="insufficient_scope""#)),
            Self::NoKeys => (StatusCode::SERVICE_UNAVAILABLE, None),
            _ => (StatusCode::UNAUTHORIZED, Some(r#"Bearer error="invalid_token""#)),
        }
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { issuer, audience, scope, .. } = &*self.0;
        formatter
            .debug_struct("AccessTokens")
            .field("issuer", issuer)
            .field("audience", audience)
            .field("scope", scope)
            .finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Tokens of this issuer for this audience, verified with the keys at this URL (`jwks_uri`).
    ///
    /// # Errors
    /// The URL is not `https`, nor `http` to this machine.
    pub fn fetching(issuer: &str, audience: &str, jwks_url: &str) -> Result<Self, BadKeyUrl> {
        Ok(Self::with_source(issuer, audience, fetch::KeyUrl::parse(jwks_url)?))
    }

    /// As [`Self::fetching`], with the keys from elsewhere.
    #[must_use]
    pub fn with_source(issuer: &str, audience: &str, source: impl KeySource) -> Self {
        Self(Arc::new(Inner {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            scope: None,
            keys: Arc::new(KeySet::new(Box::new(source))),
        }))
    }

    /// Asks for a scope, too.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        Self(Arc::new(Inner { scope: Some(scope.to_owned()), ..(*self.0).clone() }))
    }

    /// Verifies the token of a request.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub async fn verify(&self, headers: &HeaderMap, now: SystemTime) -> Result<Claims, TokenError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(TokenError::Missing) };
        let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ').ok_or(TokenError::Missing)?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(TokenError::Missing);
        }
        let token = jwt::Token::read(token.trim()).ok_or(TokenError::Malformed)?;
        let key = self.0.keys.find(token.key_id(), token.algorithm).await?;
        if !key.verifies(token.signed, &token.signature) {
            return Err(TokenError::WrongSignature);
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let claims = token.claims().ok_or(TokenError::Malformed)?;
        self.check(claims, now)
    }

    fn check(&self, claims: Map<String, Value>, now: f64) -> Result<Claims, TokenError> {
        let Inner { issuer, audience, scope, .. } = &*self.0;
        if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
            return Err(TokenError::WrongIssuer);
        }
        let is_ours = match claims.get("aud") {
            Some(Value::String(text)) => text == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience.as_str()),
            _ => false,
        };
        if !is_ours {
            return Err(TokenError::WrongAudience);
        }
        if !jwt::is_valid_at(&claims, now) {
            return Err(TokenError::WrongTime);
        }
        let claims = Claims(claims);
        if scope.as_ref().is_some_and(|scope| !claims.has_scope(scope)) {
            return Err(TokenError::WrongScope);
        }
        Ok(claims)
    }
}
