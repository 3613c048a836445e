//! What the calls of a hook are signed with, as far as it may be seen (Standard Webhooks).
//!
//! A hook without signing secrets sends unsigned calls, as Okta does. With several, each signs: that is how one is replaced
//! without a gap.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::id::{InlineHookId, SigningSecretId};
use crate::names::names;
use crate::{Timestamp, Violations};

/// The most signing secrets of a hook.
pub const MAX_SIGNING_SECRETS: usize = 5;

/// The longest that secrets may overlap, in seconds: 30 days.
const MAX_OVERLAP_SECONDS: i64 = 30 * 24 * 60 * 60;

names! {
    /// How a message is signed.
    SignatureAlgorithm {
        /// `v1`: HMAC with SHA-256; both sides have the secret.
        HmacSha256 = "hmac-sha256",
        /// `v1a`: Ed25519; the service has the public half only.
        Ed25519 = "ed25519",
    }
}

/// A signing secret without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningSecret {
    /// Unique key, `sgs…`.
    pub id: SigningSecretId,
    /// The hook whose calls it signs.
    pub hook_id: InlineHookId,
    /// How it signs.
    pub algorithm: SignatureAlgorithm,
    /// What the service verifies with, `whpk_…`; Ed25519 only.
    pub public_key: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it signs no longer, if that is settled.
    pub expires: Option<Timestamp>,
}

/// What a request for a new secret says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSigningSecret {
    /// How it is to sign.
    pub algorithm: SignatureAlgorithm,
    /// How much longer the hook's other secrets sign; `None` leaves them as they are.
    pub overlap: Option<Duration>,
}

impl NewSigningSecret {
    /// Reads the body of a create call.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn read(body: &Map<String, Value>) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let fields = Fields::new(body);
        let algorithm =
            fields.choice("algorithm", &SignatureAlgorithm::ALL, SignatureAlgorithm::as_str, &mut violations);
        let overlap = fields.integer("overlapSeconds", 0..=MAX_OVERLAP_SECONDS, &mut violations);
        violations.into_result()?;
        Ok(Self {
            algorithm: algorithm.unwrap_or(SignatureAlgorithm::HmacSha256),
            overlap: overlap.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
        })
    }
}

impl SigningSecret {
    /// Whether it still signs.
    #[must_use]
    pub fn signs_at(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// The secret as the API shows it, without its value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "id": self.id,
            "algorithm": self.algorithm.as_str(),
            "created": self.created,
            "expiresAt": self.expires,
        });
        if let (Some(members), Some(public_key)) = (json.as_object_mut(), &self.public_key) {
            members.insert("publicKey".to_owned(), public_key.as_str().into());
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_algorithm_and_overlap_or_neither() {
        let read = |body: Value| NewSigningSecret::read(body.as_object().unwrap());
        let plain = NewSigningSecret { algorithm: SignatureAlgorithm::HmacSha256, overlap: None };
        assert_eq!(read(json!({})).unwrap(), plain);
        let both = NewSigningSecret { algorithm: SignatureAlgorithm::Ed25519, overlap: Some(Duration::from_secs(60)) };
        assert_eq!(read(json!({"algorithm": "ed25519", "overlapSeconds": 60})).unwrap(), both);
        for bad in [
            json!({"algorithm": "md5"}),
            json!({"overlapSeconds": -1}),
            json!({"overlapSeconds": 1.5}),
            json!({"overlapSeconds": MAX_OVERLAP_SECONDS + 1}),
        ] {
            assert!(read(bad).is_err());
        }
    }

    #[test]
    fn a_secret_signs_until_it_expires() {
        let at = Timestamp::from_millis;
        let secret = SigningSecret {
            id: SigningSecretId::from_text("sgs1"),
            hook_id: InlineHookId::from_text("cal1"),
            algorithm: SignatureAlgorithm::HmacSha256,
            public_key: None,
            created: at(0),
            expires: Some(at(1000)),
        };
        assert!(secret.signs_at(at(999)) && !secret.signs_at(at(1000)));
        assert!(SigningSecret { expires: None, ..secret.clone() }.signs_at(at(i64::MAX)));
        assert_eq!(
            secret.to_json(),
            json!({
                "id": "sgs1", "algorithm": "hmac-sha256", "created": "1970-01-01T00:00:00.000Z",
                "expiresAt": "1970-01-01T00:00:01.000Z",
            })
        );
    }
}
