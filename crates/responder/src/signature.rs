//! Signed calls: the message is whole, young, and from whoever has the secret.
//!
//! Source: [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). In
//! Hookwright, `POST /hookwright/v1/inlineHooks/{id}/signingSecrets` turns signing on for a hook.
//!
//! [`Signatures`] is also a tower layer, so it protects any axum router:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use hookwright_responder::Signatures;
//! # fn main() -> Result<(), hookwright_responder::BadSecret> {
//! let signatures = Signatures::new().secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let app: Router = Router::new().route("/hook", post(|| async { "{}" })).layer(signatures);
//! # Ok(())
//! # }
//! ```

mod layer;
mod seen;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

pub use layer::Signed;
use seen::Seen;

/// How far a message's time may be from ours, as the specification advises.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// More signatures than this are not looked at: each costs time.
const MAX_SIGNATURES: usize = 16;

/// The longest id that is taken.
const MAX_ID: usize = 256;

/// Secrets and public keys of which one must have signed a call. Several of them let a secret be changed without a gap.
/// Without any, no call is accepted.
#[derive(Clone)]
pub struct Signatures {
    keys: Arc<Vec<Key>>,
    tolerance: Duration,
    seen: Option<Arc<Mutex<Seen>>>,
}

#[derive(Clone)]
enum Key {
    Secret(Box<hmac::Key>),
    Public(Vec<u8>),
}

/// Why a call is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// One of the three fields is missing, there more than once, or unreadable.
    #[error("The call is not signed.")]
    Unsigned,
    /// Its time is too far from ours.
    #[error("The signature is too old, or of a time to come.")]
    WrongTime,
    /// None of its signatures is one of ours.
    #[error("The signature is wrong.")]
    WrongSignature,
    /// A call of this id was accepted before.
    #[error("The call was made before.")]
    Replayed,
}

/// The text is no secret or public key of Standard Webhooks; it is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0} and a key in base64 behind it")]
pub struct BadSecret(&'static str);

impl fmt::Debug for Signatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signatures").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Default for Signatures {
    fn default() -> Self {
        Self { keys: Arc::default(), tolerance: TOLERANCE, seen: None }
    }
}

impl Signatures {
    /// Accepts nothing until a secret or a public key is added.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts what is signed with this secret, `whsec_…` (`v1`, HMAC with SHA-256).
    ///
    /// # Errors
    /// [`BadSecret`] if it is none.
    pub fn secret(self, secret: &str) -> Result<Self, BadSecret> {
        let bad = BadSecret("whsec_");
        let bytes = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok()).ok_or(bad)?;
        if bytes.len() < 16 {
            return Err(bad);
        }
        Ok(self.accept(Key::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))))
    }

    /// Accepts what the owner of this public key signed, `whpk_…` (`v1a`, Ed25519).
    ///
    /// # Errors
    /// [`BadSecret`] if it is none.
    pub fn public_key(self, key: &str) -> Result<Self, BadSecret> {
        let bytes = key.strip_prefix("whpk_").and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.filter(|bytes| bytes.len() == 32).ok_or(BadSecret("whpk_"))?;
        Ok(self.accept(Key::Public(bytes)))
    }

    /// How far a message's time may be from ours; 5 minutes unless something else is said.
    #[must_use]
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Accepts each id once only while it is young. An org calls a second time under the same id where the first call did
    /// not reach it, so this also turns its second attempts away: it is for services that must not act twice.
    #[must_use]
    pub fn once_only(self) -> Self {
        Self { seen: Some(Arc::default()), ..self }
    }

    /// Verifies a call. The time taken does not tell how much of a signature was right.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Result<(), SignatureError> {
        let id = only(headers, "webhook-id").filter(|id| !id.is_empty() && id.len() <= MAX_ID);
        let (id, time) = id.zip(only(headers, "webhook-timestamp")).ok_or(SignatureError::Unsigned)?;
        let signatures = only(headers, "webhook-signature").ok_or(SignatureError::Unsigned)?;
        let plain = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        let sent: u64 = time.parse().ok().filter(|_| plain).ok_or(SignatureError::Unsigned)?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now.abs_diff(sent) > self.tolerance.as_secs() {
            return Err(SignatureError::WrongTime);
        }
        let prefix = format!("{id}.{time}.");
        let right = signatures.split(' ').take(MAX_SIGNATURES).any(|signature| self.is_right(signature, &prefix, body));
        if !right {
            return Err(SignatureError::WrongSignature);
        }
        let Some(seen) = &self.seen else { return Ok(()) };
        let until = sent.saturating_add(self.tolerance.as_secs());
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_new(id, until, now) { Ok(()) } else { Err(SignatureError::Replayed) }
    }

    fn is_right(&self, signature: &str, prefix: &str, body: &[u8]) -> bool {
        let Some((version, signature)) = signature.split_once(',') else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let message = || [prefix.as_bytes(), body].concat();
        self.keys.iter().any(|key| match (key, version) {
            (Key::Secret(key), "v1") => hmac::verify(key, &message(), &signature).is_ok(),
            (Key::Public(key), "v1a") => UnparsedPublicKey::new(&ED25519, key).verify(&message(), &signature).is_ok(),
            _ => false,
        })
    }

    fn accept(mut self, key: Key) -> Self {
        Arc::make_mut(&mut self.keys).push(key);
        self
    }
}

/// The value of a field that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "this crate is used alone: its time comes from the system")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
