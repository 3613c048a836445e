//! Signing calls as Standard Webhooks says, and the fields that go with one call.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>. What is signed is
//! `{id}.{timestamp}.{body}`; several signatures of one message stand side by side, a blank between them.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwright_model::signing_secret::SignatureAlgorithm;
use hookwright_model::trace_parent::TraceParent;
use hookwright_model::{Entropy, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretSlice};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// What one signing secret signs with.
pub struct MessageKey {
    key: Key,
    expires: Option<Timestamp>,
}

enum Key {
    Hmac(Box<hmac::Key>),
    Ed25519(Ed25519KeyPair),
}

/// The bytes are none of a key for this algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no signing key")]
pub struct BadMessageKey;

impl fmt::Debug for MessageKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MessageKey").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl MessageKey {
    /// Fresh bytes to sign with: 32 of them, for HMAC the secret itself, for Ed25519 the seed.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> SecretSlice<u8> {
        SecretSlice::from(entropy.bytes::<32>().to_vec())
    }

    /// A key from its bytes, which signs until it expires.
    ///
    /// # Errors
    /// [`BadMessageKey`] if Ed25519 is not given 32 bytes.
    pub fn new(
        algorithm: SignatureAlgorithm,
        bytes: &SecretSlice<u8>,
        expires: Option<Timestamp>,
    ) -> Result<Self, BadMessageKey> {
        let key = match algorithm {
            SignatureAlgorithm::HmacSha256 => {
                Key::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes.expose_secret())))
            }
            SignatureAlgorithm::Ed25519 => {
                Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(bytes.expose_secret()).map_err(|_| BadMessageKey)?)
            }
        };
        Ok(Self { key, expires })
    }

    /// What the service verifies with, `whpk_…`; `None` for HMAC.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        match &self.key {
            Key::Hmac(_) => None,
            Key::Ed25519(pair) => Some(format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref()))),
        }
    }

    fn sign(&self, prefix: &str, body: &[u8]) -> String {
        match &self.key {
            Key::Hmac(key) => {
                let mut context = hmac::Context::with_key(key);
                context.update(prefix.as_bytes());
                context.update(body);
                format!("v1,{}", STANDARD.encode(context.sign()))
            }
            Key::Ed25519(pair) => {
                let message = [prefix.as_bytes(), body].concat();
                format!("v1a,{}", STANDARD.encode(pair.sign(&message)))
            }
        }
    }
}

/// The fields of one call, besides those that all calls of its hook have.
#[derive(Debug, Clone, Default)]
pub struct CallHeaders(HeaderMap);

impl CallHeaders {
    /// Those of a call at this position of a trace.
    #[must_use]
    pub fn traced(trace: TraceParent) -> Self {
        let mut headers = Self::default();
        headers.insert(TRACE_PARENT, &trace.text());
        headers
    }

    /// Those of a signed message. Keys that have expired sign nothing; without any, the message goes unsigned.
    #[must_use]
    pub fn signed(mut self, keys: &[MessageKey], id: &str, now: Timestamp, body: &[u8]) -> Self {
        let seconds = now.since(Timestamp::from_millis(0)).as_secs();
        let prefix = format!("{id}.{seconds}.");
        let valid = keys.iter().filter(|key| key.expires.is_none_or(|expires| now < expires));
        let signatures: Vec<String> = valid.map(|key| key.sign(&prefix, body)).collect();
        if !signatures.is_empty() {
            self.insert(ID, id);
            self.insert(TIMESTAMP, &seconds.to_string());
            self.insert(SIGNATURE, &signatures.join(" "));
        }
        self
    }

    /// The fields.
    pub(crate) fn map(&self) -> &HeaderMap {
        &self.0
    }

    fn insert(&mut self, name: HeaderName, text: &str) {
        // Ids, numbers, base64: none of them could break a field.
        if let Ok(value) = HeaderValue::from_str(text) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn key(algorithm: SignatureAlgorithm, bytes: &[u8], expires: Option<i64>) -> MessageKey {
        MessageKey::new(algorithm, &SecretSlice::from(bytes.to_vec()), expires.map(Timestamp::from_millis)).unwrap()
    }

    fn value<'a>(headers: &'a CallHeaders, name: &str) -> Option<&'a str> {
        headers.0.get(name).and_then(|value| value.to_str().ok())
    }

    /// The vector that the specification's libraries are tested with.
    #[test]
    fn the_public_test_vector_passes() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let keys = [key(SignatureAlgorithm::HmacSha256, &secret, None)];
        let (id, now) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp::from_millis(1_614_265_330_999));
        let headers = CallHeaders::default().signed(&keys, id, now, br#"{"test": 2432232314}"#);
        assert_eq!(value(&headers, "webhook-signature"), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(value(&headers, "webhook-timestamp"), Some("1614265330"));
        assert_eq!(value(&headers, "webhook-id"), Some(id));
    }

    #[test]
    fn an_asymmetric_signature_is_verified_with_the_public_half() {
        let key = key(SignatureAlgorithm::Ed25519, MessageKey::mint(&Fixed(7)).expose_secret(), None);
        let public = key.public_key().unwrap();
        let public = STANDARD.decode(public.strip_prefix("whpk_").unwrap()).unwrap();
        let headers = CallHeaders::default().signed(&[key], "exe1", Timestamp::from_millis(5_000), b"{}");
        let signature = value(&headers, "webhook-signature").unwrap().strip_prefix("v1a,").unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, &public).verify(b"exe1.5.{}", &signature).unwrap();
        assert!(UnparsedPublicKey::new(&ED25519, &public).verify(b"exe1.6.{}", &signature).is_err());
        let short = SecretSlice::from(vec![1; 31]);
        assert_eq!(MessageKey::new(SignatureAlgorithm::Ed25519, &short, None).err(), Some(BadMessageKey));
    }

    #[test]
    fn each_valid_key_signs_and_expired_ones_do_not() {
        let keys = [
            key(SignatureAlgorithm::HmacSha256, &[1; 32], Some(1_000)),
            key(SignatureAlgorithm::HmacSha256, &[2; 32], None),
            key(SignatureAlgorithm::Ed25519, &[3; 32], Some(3_000)),
        ];
        let count = |now: i64| {
            let headers = CallHeaders::default().signed(&keys, "exe1", Timestamp::from_millis(now), b"");
            value(&headers, "webhook-signature").map(|text| text.split(' ').count())
        };
        assert_eq!((count(999), count(1_000), count(3_000)), (Some(3), Some(2), Some(1)));
        let expired = CallHeaders::default().signed(&keys[..1], "exe1", Timestamp::from_millis(5_000), b"");
        assert!(expired.0.is_empty());
        assert!(!format!("{keys:?}").contains("[1, 1"), "keys are not printed");
    }
}
