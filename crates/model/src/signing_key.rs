//! The keys that the authorization server signs its tokens with, and how one takes over from another.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::Timestamp;
use crate::names::names;

names! {
    /// Where a key stands.
    SigningKeyStatus {
        /// It signs.
        Active = "ACTIVE",
        /// It signs next; published before, so that clients know it by then.
        Next = "NEXT",
        /// It signs no more; published as long as what it signed is good.
        Expired = "EXPIRED",
    }
}

/// An RSA key pair of 2048 bits for RS256 (RFC 7518 section 3.3).
#[derive(Clone)]
pub struct SigningKey {
    /// The key's name in the header of a token, opaque.
    pub kid: String,
    /// Where it stands.
    pub status: SigningKeyStatus,
    /// The private key: PKCS #8 in base64.
    pub private: SecretString,
    /// The public modulus, base64url.
    pub modulus: String,
    /// The public exponent, base64url.
    pub exponent: String,
    /// When it was made.
    pub created: Timestamp,
    /// When an expired key is published no more.
    pub expires: Option<Timestamp>,
}

impl SigningKey {
    /// Whether clients are to know it.
    #[must_use]
    pub fn is_published_at(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// The public half as a JWK (RFC 7517).
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        json!({"kty": "RSA", "alg": "RS256", "kid": self.kid, "use": "sig", "e": self.exponent, "n": self.modulus})
    }

    /// The key as the management API shows it, without its private half. `base` is the public URL of the org without a slash
    /// at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/authorizationServers/default/credentials/keys/{}", self.kid);
        let mut shown = self.to_jwk();
        if let Some(members) = shown.as_object_mut() {
            members.insert("status".to_owned(), json!(self.status.as_str()));
            members.insert("_links".to_owned(), json!({"self": {"href": own, "hints": {"allow": ["GET"]}}}));
        }
        shown
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("kid", &self.kid).field("status", &self.status).finish()
    }
}
