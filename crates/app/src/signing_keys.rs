//! The keys of the authorization server: made when they are first needed, rotated, kept sealed by the store.
//!
//! One key signs and the next one is published already, so that a client that knows the keys before a rotation knows the one
//! that signs after it.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use hookwright_model::Timestamp;
use hookwright_model::id::mint_event_id;
use hookwright_model::oauth::RETIRED_KEY_LIFETIME;
use hookwright_model::signing_key::{SigningKey, SigningKeyStatus};
use hookwright_model::system_log::Target;
use hookwright_store::{Change, CommitError, Conflict, OAuthChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cache::Aging;
use crate::events;
use crate::{App, Caller, Error};

/// The keys as they are used.
pub(crate) struct KeySet {
    kid: String,
    pair: KeyPair,
    pub(crate) known: Vec<SigningKey>,
}

/// The one entry of [`KeyCache`].
const ONLY: &str = "";

/// As old as a second at most, see `cache`.
pub(crate) type KeyCache = Aging<Box<str>, KeySet>;

impl KeySet {
    /// Signs with RS256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|error| Error::Internal(format!("a token can't be signed: {error}")))?;
        Ok(signature)
    }

    /// The name of the key that signs.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }
}

impl App {
    /// The public keys as clients fetch them: a JWK Set (RFC 7517 section 5).
    ///
    /// # Errors
    /// The store's.
    pub async fn json_web_key_set(&self) -> Result<Value, Error> {
        let (keys, now) = (self.signing_keys().await?, self.now());
        let published = keys.known.iter().filter(|key| key.is_published_at(now));
        Ok(json!({"keys": published.map(SigningKey::to_jwk).collect::<Vec<_>>()}))
    }

    /// The keys as the management API lists them.
    ///
    /// # Errors
    /// The store's.
    pub async fn authorization_server_keys(&self) -> Result<Value, Error> {
        let (keys, now) = (self.signing_keys().await?, self.now());
        let published = keys.known.iter().filter(|key| key.is_published_at(now));
        let base = &self.settings().public_url;
        Ok(Value::Array(published.map(|key| key.to_json(base)).collect()))
    }

    /// Lets the next key sign from now on, and makes another one that is next.
    ///
    /// # Errors
    /// The store's.
    pub async fn rotate_signing_keys(&self, caller: &Caller) -> Result<Value, Error> {
        let fresh = make_key(mint_event_id(self.entropy()), SigningKeyStatus::Next, self.now()).await?;
        let mut tries = self.tries("signing keys").await?;
        loop {
            tries.begin().await?;
            self.signing_keys().await?;
            let stored = self.inner.store.signing_keys().await?;
            let kid_of = |status| stored.iter().find(|key| key.status == status).map(|key| key.kid.clone());
            let (Some(active), Some(next)) = (kid_of(SigningKeyStatus::Active), kid_of(SigningKeyStatus::Next)) else {
                return Err(Error::Internal("a signing key is missing".to_owned()));
            };
            let now = self.now();
            let target = Target {
                id: next.clone(),
                kind: "SigningKey".into(),
                alternate_id: None,
                display_name: "default".to_owned(),
            };
            let event = self.event(events::KEYS_ROTATED, caller, target, now);
            let rotation = OAuthChange::RotateSigningKeys {
                active,
                expires: now.plus(RETIRED_KEY_LIFETIME),
                next,
                fresh: Box::new(fresh.clone()),
            };
            let changes = vec![Change::OAuth(rotation), Change::AppendEvents(vec![event])];
            match self.commit(changes, |app| app.inner.keys.forget(ONLY)).await {
                Ok(()) => return self.authorization_server_keys().await,
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The keys, made if there are none yet.
    pub(crate) async fn signing_keys(&self) -> Result<Arc<KeySet>, Error> {
        let read = async |_| {
            let mut known = self.inner.store.signing_keys().await?;
            if !known.iter().any(|key| key.status == SigningKeyStatus::Active) {
                self.make_signing_keys().await?;
                known = self.inner.store.signing_keys().await?;
            }
            let active = known.iter().find(|key| key.status == SigningKeyStatus::Active);
            let active = active.ok_or_else(no_key)?;
            Ok(Some(Arc::new(KeySet { kid: active.kid.clone(), pair: read_pair(active)?, known })))
        };
        self.inner.keys.get_or_read(ONLY, |only| only.into(), read).await?.ok_or_else(no_key)
    }

    /// Two keys for an org that has none. Of several nodes that make them at once, one wins.
    async fn make_signing_keys(&self) -> Result<(), Error> {
        let now = self.now();
        let mut changes = Vec::new();
        for status in [SigningKeyStatus::Active, SigningKeyStatus::Next] {
            let key = make_key(mint_event_id(self.entropy()), status, now).await?;
            changes.push(Change::OAuth(OAuthChange::InsertSigningKey(Box::new(key))));
        }
        match self.inner.store.commit(changes).await {
            Ok(()) | Err(CommitError::Conflict(Conflict::AlreadyThere)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn no_key() -> Error {
    Error::Internal("there is no signing key".to_owned())
}

/// A fresh key. Its randomness is the cipher library's own: a seeded source would make private keys that can be guessed.
async fn make_key(kid: String, status: SigningKeyStatus, now: Timestamp) -> Result<SigningKey, Error> {
    // Some tenths of a second of one core.
    let made = tokio::task::spawn_blocking(move || {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|error| failed(&error))?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|error| failed(&error))?;
        let (modulus, exponent) = public_numbers(pair.public_key().as_ref())
            .ok_or_else(|| Error::Internal("a public key has an unknown form".to_owned()))?;
        Ok(SigningKey {
            kid,
            status,
            private: SecretString::from(STANDARD.encode(der.as_ref())),
            modulus: URL_SAFE.encode(modulus),
            exponent: URL_SAFE.encode(exponent),
            created: now,
            expires: None,
        })
    });
    made.await.map_err(|error| failed(&error))?
}

fn read_pair(key: &SigningKey) -> Result<KeyPair, Error> {
    let der = Zeroizing::new(STANDARD.decode(key.private.expose_secret()).map_err(|error| failed(&error))?);
    KeyPair::from_pkcs8(&der).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("a signing key can't be made or read: {error}"))
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1): a sequence of two positive integers.
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, rest) = element(0x30, der)?;
    let (modulus, after) = element(0x02, sequence)?;
    let (exponent, end) = element(0x02, after)?;
    let positive = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    let bare = (modulus.get(positive(modulus)..)?, exponent.get(positive(exponent)..)?);
    (rest.is_empty() && end.is_empty()).then_some(bare)
}

/// The content of a DER element with this tag, and what stands behind it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    (found == tag).then_some((content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_comes_back_from_what_is_stored_and_verifies_what_it_signed() {
        let key = make_key("k".to_owned(), SigningKeyStatus::Active, Timestamp::from_millis(0)).await.unwrap();
        let keys = KeySet { kid: key.kid.clone(), pair: read_pair(&key).unwrap(), known: vec![key.clone()] };
        let signature = keys.sign(b"message").unwrap();
        let (n, e) = (URL_SAFE.decode(&key.modulus).unwrap(), URL_SAFE.decode(&key.exponent).unwrap());
        assert_eq!((n.len(), e.as_slice()), (256, &[1, 0, 1][..]));
        let public = aws_lc_rs::signature::RsaPublicKeyComponents { n: &n, e: &e };
        let sha256 = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
        assert!(public.verify(sha256, b"message", &signature).is_ok());
        assert!(public.verify(sha256, b"massage", &signature).is_err());
        assert!(!format!("{key:?}").contains(key.private.expose_secret()));
    }

    #[test]
    fn only_a_sequence_of_two_integers_is_a_public_key() {
        assert_eq!(public_numbers(&[0x30, 7, 2, 2, 0, 0x81, 2, 1, 3]), Some((&[0x81][..], &[3][..])));
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x84, 0, 0, 0, 1, 0],
            &[0x30, 6, 2, 1, 5, 2, 1, 3, 0],
            &[0x30, 6, 2, 1, 5, 4, 1, 3],
            &[0x31, 6, 2, 1, 5, 2, 1, 3],
        ] {
            assert_eq!(public_numbers(bad), None, "{bad:?}");
        }
    }
}
