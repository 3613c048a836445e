//! The issuer's keys: kept for ten minutes, asked for anew where a token names one that is not known, and used for a day where
//! the issuer can't be reached.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{KeySource, TokenError};

/// How long the keys are believed.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long they are used where the issuer can't be reached.
const USABLE: Duration = Duration::from_secs(24 * 60 * 60);
/// How far apart two requests for the keys are, whoever sends tokens with whichever keys.
const INTERVAL: Duration = Duration::from_secs(30);
/// How long one may take. The caller waits for 3 seconds in all.
const FETCH_TIME: Duration = Duration::from_secs(2);
/// More keys than this are not kept.
const MAX_KEYS: usize = 100;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// One public key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    id: Option<String>,
    numbers: Numbers,
}

#[derive(Debug, PartialEq, Eq)]
enum Numbers {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
}

impl Key {
    /// Whether this key signed the message. RSA keys of under 2,048 bits sign nothing.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.numbers {
            Numbers::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Numbers::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }

    const fn algorithm(&self) -> Algorithm {
        match self.numbers {
            Numbers::Rsa { .. } => Algorithm::Rs256,
            Numbers::P256(_) => Algorithm::Es256,
        }
    }

    /// Reads a JWK; `None` for keys of other kinds and purposes.
    fn read(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let numbers = match text("kty")? {
            "RSA" => Numbers::Rsa { modulus: number("n")?, exponent: number("e")? },
            "EC" if text("crv")? == "P-256" => {
                let (x, y) = (number("x")?, number("y")?);
                let point = [&[4][..], &x, &y].concat();
                Numbers::P256(if x.len() == 32 && y.len() == 32 { point } else { return None })
            }
            _ => return None,
        };
        let key = Self { id: text("kid").map(str::to_owned), numbers };
        let fits = text("use").is_none_or(|purpose| purpose == "sig")
            // Okta's own hook keys say only "RSA" there.
            && text("alg").is_none_or(|name| name == key.algorithm().name() || name == "RSA");
        fits.then_some(key)
    }
}

/// Reads a JWK set; keys that are of no use here are left out.
fn read_set(bytes: &[u8]) -> Result<Vec<Arc<Key>>, String> {
    let set: Value = serde_json::from_slice(bytes).map_err(|_| "it is no JSON".to_owned())?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it is no JWK set")?;
    Ok(keys.iter().take(MAX_KEYS).filter_map(Key::read).map(Arc::new).collect())
}

/// The keys as they were when they were asked for.
struct Known {
    keys: Vec<Arc<Key>>,
    since: Instant,
}

impl Known {
    /// The key of this id; without one, the only key that there is for the algorithm.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm() == algorithm);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).cloned(),
            None => match (fitting.next(), fitting.next()) {
                (Some(key), None) => Some(Arc::clone(key)),
                _ => None,
            },
        }
    }
}

/// The issuer's keys.
pub(super) struct KeySet {
    source: Box<dyn KeySource>,
    known: RwLock<Option<Arc<Known>>>,
    /// When they were last asked for; held while they are.
    asked: Mutex<Option<Instant>>,
}

impl KeySet {
    pub(super) fn new(source: Box<dyn KeySource>) -> Self {
        Self { source, known: RwLock::default(), asked: Mutex::default() }
    }

    /// The key that a token is to be verified with.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Arc<Key>, TokenError> {
        let known = self.known();
        let found = known.as_ref().and_then(|known| known.find(id, algorithm));
        match (found, known.map(|known| known.since.elapsed())) {
            (Some(key), Some(age)) if age < FRESH => return Ok(key),
            // One of those who find them old asks anew; the others need not wait for it.
            (Some(key), Some(age)) if age < USABLE => {
                if let Ok(asked) = self.asked.try_lock() {
                    self.ask(asked).await;
                    return Ok(self.known().and_then(|known| known.find(id, algorithm)).unwrap_or(key));
                }
                return Ok(key);
            }
            _ => self.ask(self.asked.lock().await).await,
        }
        match self.known().filter(|known| known.since.elapsed() < USABLE) {
            Some(known) => known.find(id, algorithm).ok_or(TokenError::UnknownKey),
            None => Err(TokenError::NoKeys),
        }
    }

    /// Asks for the keys, unless somebody did so just now.
    async fn ask(&self, mut asked: tokio::sync::MutexGuard<'_, Option<Instant>>) {
        if asked.is_some_and(|asked| asked.elapsed() < INTERVAL) {
            return;
        }
        let now = Instant::now();
        *asked = Some(now);
        let fetched = match timeout(FETCH_TIME, self.source.fetch()).await {
            Ok(fetched) => fetched.and_then(|bytes| read_set(&bytes)),
            Err(_) => Err("it did not come in time".to_owned()),
        };
        match fetched {
            Ok(keys) => {
                let known = Arc::new(Known { keys, since: now });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            }
            Err(error) => tracing::warn!(%error, "the JWK set of the authorization server could not be had"),
        }
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_other_kinds_and_purposes_are_left_out() {
        let number = URL_SAFE_NO_PAD.encode([7; 32]);
        let set = json!({"keys": [
            {"kty": "RSA", "kid": "1", "n": number, "e": "AQAB"},
            {"kty": "RSA", "kid": "2", "n": number, "e": "AQAB", "use": "sig", "alg": "RS256"},
            {"kty": "RSA", "kid": "3", "n": number, "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "kid": "4", "n": number, "e": "AQAB", "alg": "PS256"},
            {"kty": "EC", "kid": "5", "crv": "P-256", "x": number, "y": number},
            {"kty": "EC", "kid": "6", "crv": "P-384", "x": number, "y": number},
            {"kty": "EC", "kid": "7", "crv": "P-256", "x": number, "y": "AA"},
            {"kty": "oct", "kid": "8", "k": number}, {"kid": "9"}, 7, null,
        ]});
        let keys = read_set(set.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = keys.iter().filter_map(|key| key.id.as_deref()).collect();
        assert_eq!(ids, ["1", "2", "5"]);
        let known = Known { keys, since: Instant::now() };
        assert!(known.find(Some("5"), Algorithm::Es256).is_some() && known.find(Some("5"), Algorithm::Rs256).is_none());
        assert!(known.find(None, Algorithm::Es256).is_some() && known.find(None, Algorithm::Rs256).is_none());
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(read_set(bad.as_bytes()).is_err());
        }
    }
}
