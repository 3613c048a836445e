//! API tokens, sent as `Authorization: SSWS {token}`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::id::ApiTokenId;
use crate::{Entropy, Timestamp};

/// An unused token dies after this long; each use renews it (Okta: 30 days).
pub const TOKEN_WINDOW: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What every token of ours starts with, so that scanners recognise one that leaked.
const TOKEN_PREFIX: &str = "hwt_";

/// What is kept of a token: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Unique key, `00T…`.
    pub id: ApiTokenId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// When it was last renewed; uses within a minute of that are not written.
    pub last_used: Timestamp,
    /// When it dies if it is not used again.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

impl ApiToken {
    /// Whether the token opens the door at this time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }

    /// What is shown of a token: never the token, nor anything made of it. `base` is the public URL of the org without a
    /// slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "userId": null,
            "clientName": "Okta API",
            "tokenWindow": "P30D",
            "network": {"connection": "ANYWHERE"},
            "expiresAt": self.expires.whole_seconds(),
            "created": self.created.whole_seconds(),
            "lastUpdated": self.last_used.whole_seconds(),
            "_links": {"self": {
                "href": format!("{base}/api/v1/api-tokens/{}", self.id),
                "hints": {"allow": ["GET", "DELETE"]},
            }},
        })
    }
}

/// A fresh token: the prefix and 256 random bits in hexadecimal digits.
#[must_use]
pub fn mint_secret(entropy: &dyn Entropy) -> String {
    let mut secret = String::from(TOKEN_PREFIX);
    for byte in entropy.bytes::<32>() {
        secret.push_str(&format!("{byte:02x}"));
    }
    secret
}
