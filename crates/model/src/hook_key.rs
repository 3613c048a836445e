//! Key pairs with which hooks prove themselves to authorization servers (`private_key_jwt`), as far as they may be seen.
//!
//! The private half is no part of this: it goes from the generator into the store, sealed, and from there to the signer.

use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::id::HookKeyId;
use crate::{Timestamp, Violations};

/// The most hook keys of an org (Okta: 50).
pub const MAX_HOOK_KEYS: u64 = 50;

/// The most characters of a key's name.
const MAX_NAME_CHARACTERS: usize = 255;

/// A key pair without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookKey {
    /// Unique key, `HKY…`; what a hook's `hookKeyId` names.
    pub id: HookKeyId,
    /// A UUID: the `kid` of what the key signs.
    pub key_id: String,
    /// Display name, unique in the org.
    pub name: String,
    /// The public half.
    pub public_key: PublicKey,
    /// When it was made.
    pub created: Timestamp,
    /// When its name last changed; never before `created`.
    pub last_updated: Timestamp,
    /// Whether a hook uses it; what the store finds, never written.
    pub is_used: bool,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

/// An RSA public key as a JWK spells it (RFC 7518 section 6.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `n`: the modulus in base64url.
    pub modulus: String,
    /// `e`: the exponent in base64url.
    pub exponent: String,
}

impl HookKey {
    /// Reads the name of a new key, or the new name of a key, from the body of a call.
    ///
    /// # Errors
    /// It is missing, too long, or no text.
    pub fn read_name(body: &Map<String, Value>) -> Result<String, Violations> {
        let mut violations = Violations::new();
        let name = Fields::new(body).text("name", 1..=MAX_NAME_CHARACTERS, &mut violations);
        violations.into_result()?;
        Ok(name.unwrap_or_default())
    }

    /// A new key.
    #[must_use]
    pub fn new(id: HookKeyId, key_id: String, name: String, public_key: PublicKey, now: Timestamp) -> Self {
        let now = now.whole_seconds();
        Self { id, key_id, name, public_key, created: now, last_updated: now, is_used: false, revision: 1 }
    }

    /// The key under another name.
    #[must_use]
    pub fn renamed(&self, name: String, now: Timestamp) -> Self {
        Self { name, last_updated: now.whole_seconds().max(self.created), ..self.clone() }
    }

    /// The key as the API shows it; `_embedded` holds the public half where that is asked for.
    #[must_use]
    pub fn to_json(&self, with_public_key: bool) -> Value {
        let mut json = json!({
            "id": self.id,
            "keyId": self.key_id,
            "name": self.name,
            "created": self.created,
            "lastUpdated": self.last_updated,
            "isUsed": self.is_used,
        });
        if let Some(members) = json.as_object_mut().filter(|_| with_public_key) {
            members.insert("_embedded".to_owned(), self.embedded());
        }
        json
    }

    /// The public half as `/api/v1/hook-keys/public/{keyId}` shows it: a bare JWK, and once more under `_embedded`, since
    /// Okta's pages tell of both.
    #[must_use]
    pub fn public_json(&self) -> Value {
        let mut json = self.embedded();
        if let Some(members) = json.as_object_mut() {
            members.insert("_embedded".to_owned(), self.embedded());
        }
        json
    }

    /// The public half as a JWK that verifiers take (RFC 7517): with the algorithm that signs and the use that it is for.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let PublicKey { modulus, exponent } = &self.public_key;
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id, "e": exponent, "n": modulus})
    }

    /// The public half with the members that Okta shows, `use` without a value among them.
    fn embedded(&self) -> Value {
        let PublicKey { modulus, exponent } = &self.public_key;
        json!({"kty": "RSA", "alg": "RSA", "kid": self.key_id, "use": null, "e": exponent, "n": modulus})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> HookKey {
        let public_key = PublicKey { modulus: "n".to_owned(), exponent: "AQAB".to_owned() };
        let now = Timestamp::from_millis(1_700_000_000_123);
        HookKey::new(HookKeyId::from_text("HKY1"), "a-uuid".to_owned(), "One".to_owned(), public_key, now)
    }

    #[test]
    fn a_key_shows_its_public_half_only_where_that_is_asked_for() {
        let key = key();
        assert_eq!(
            key.to_json(false),
            json!({
                "id": "HKY1", "keyId": "a-uuid", "name": "One", "created": "2023-11-14T22:13:20.000Z",
                "lastUpdated": "2023-11-14T22:13:20.000Z", "isUsed": false,
            })
        );
        let public = json!({"kty": "RSA", "alg": "RSA", "kid": "a-uuid", "use": null, "e": "AQAB", "n": "n"});
        assert_eq!(key.to_json(true)["_embedded"], public);
        assert_eq!(key.public_json()["_embedded"], public);
        assert_eq!((&key.public_json()["n"], &key.to_jwk()["alg"]), (&json!("n"), &json!("RS256")));
    }

    #[test]
    fn a_name_has_1_to_255_characters() {
        let name = |value: Value| HookKey::read_name(json!({"name": value}).as_object().unwrap());
        assert_eq!(name(json!("Key 1")).unwrap(), "Key 1");
        assert!(name(json!("ä".repeat(255))).is_ok());
        for bad in [json!("ä".repeat(256)), json!(""), json!("  "), json!(null), json!(7), json!("a\u{0}")] {
            assert!(name(bad).is_err());
        }
    }

    #[test]
    fn a_new_name_moves_the_date_but_never_before_the_first() {
        let renamed = key().renamed("Two".to_owned(), Timestamp::from_millis(0));
        assert_eq!((renamed.name.as_str(), renamed.last_updated), ("Two", renamed.created));
    }
}
