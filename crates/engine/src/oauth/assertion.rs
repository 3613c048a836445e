//! `private_key_jwt`: a client that proves itself with a signed assertion (RFC 7523 section 2.2).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookwright_model::{Clock, Entropy};
use serde_json::json;

/// How long an assertion is good for.
const LIFETIME: Duration = Duration::from_secs(300);

/// One of the org's key pairs for signing assertions (RSA, 2048 bit).
pub struct HookKey {
    key_id: String,
    pair: KeyPair,
}

/// Why a hook key can't be used; the text tells no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookKeyError {
    /// There is no key of this id.
    #[error("there is no hook key {0}")]
    Unknown(String),
    /// There is one, but it can't be read now.
    #[error("the hook key cannot be read: {0}")]
    Unavailable(String),
}

/// Gives out hook keys by their id, `HKY…`.
pub trait HookKeys: Send + Sync + 'static {
    /// The key of an id. Asked for each assertion, so that a deleted key signs nothing more.
    fn hook_key<'a>(
        &'a self,
        id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<HookKey>, HookKeyError>> + Send + 'a>>;
}

/// What assertions are made of besides the hook's own configuration.
#[derive(Clone)]
pub struct Assertions {
    /// The org's keys.
    pub keys: Arc<dyn HookKeys>,
    /// When an assertion was issued.
    pub clock: Arc<dyn Clock>,
    /// What makes each assertion unique.
    pub entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Assertions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Assertions").finish_non_exhaustive()
    }
}

impl HookKey {
    /// Reads a private RSA key in PKCS #8. `key_id` is what the assertion's `kid` says: the key's `keyId`.
    ///
    /// # Errors
    /// It is no RSA key, or one that is too short.
    pub fn from_pkcs8(key_id: impl Into<String>, der: &[u8]) -> Result<Self, HookKeyError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|error| HookKeyError::Unavailable(error.to_string()))?;
        Ok(Self { key_id: key_id.into(), pair })
    }

    /// The public key as DER (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// It can't be encoded.
    pub fn public_der(&self) -> Result<Vec<u8>, HookKeyError> {
        let der = self.pair.public_key().as_der();
        der.map(|der| der.as_ref().to_vec()).map_err(|error| HookKeyError::Unavailable(error.to_string()))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, HookKeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|error| HookKeyError::Unavailable(error.to_string()))?;
        Ok(signature)
    }
}

impl fmt::Debug for HookKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HookKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Assertions {
    /// A signed assertion that `client_id` is asking `audience`.
    pub(super) async fn sign(
        &self,
        hook_key_id: &str,
        client_id: &str,
        audience: &str,
    ) -> Result<String, HookKeyError> {
        let key = self.keys.hook_key(hook_key_id).await?;
        let issued = self.clock.now();
        let jti = URL_SAFE_NO_PAD.encode(self.entropy.bytes::<16>());
        let header = json!({"alg": "RS256", "kid": key.key_id, "typ": "JWT"});
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience, "jti": jti,
            "iat": issued.as_millis().div_euclid(1000), "exp": issued.plus(LIFETIME).as_millis().div_euclid(1000),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
