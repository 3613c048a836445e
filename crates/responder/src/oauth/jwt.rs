//! Reading a JWT: three parts in base64url, the algorithms that are taken, the times that it says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::key_set::Algorithm;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// How much the clocks of two machines may differ, in seconds.
const LEEWAY: f64 = 30.0;

/// A token whose signature is not verified yet.
pub(super) struct Token<'t> {
    pub(super) algorithm: Algorithm,
    /// What is signed: header and claims as they came.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
    header: Map<String, Value>,
    claims: &'t str,
}

impl<'t> Token<'t> {
    /// Reads a token; `None` for everything that is none, or wants what we don't do.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        if text.len() > MAX_TOKEN {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = object(header)?;
        // What must be understood and is not, must be refused (RFC 7515 section 4.1.11).
        if claims.contains('.') || header.contains_key("crit") || !is_access_token(header.get("typ")) {
            return None;
        }
        let algorithm = Algorithm::named(header.get("alg")?.as_str()?)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { algorithm, signed: signed.as_bytes(), signature, header, claims })
    }

    /// The key that it names.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// What it says; to be believed only once the signature is verified.
    pub(super) fn claims(&self) -> Option<Map<String, Value>> {
        object(self.claims)
    }
}

/// Okta's access tokens have no type; those of RFC 9068 say `at+jwt`.
fn is_access_token(kind: Option<&Value>) -> bool {
    match kind {
        None => true,
        Some(Value::String(kind)) => {
            ["jwt", "at+jwt", "application/at+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))
        }
        Some(_) => false,
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Whether a token has begun and has not ended; one that doesn't say when it ends is not taken.
pub(super) fn is_valid_at(claims: &Map<String, Value>, now: f64) -> bool {
    let seconds = |name: &str| claims.get(name).map(Value::as_f64);
    let has_begun = match seconds("nbf") {
        None => true,
        Some(begins) => begins.is_some_and(|begins| begins <= now + LEEWAY),
    };
    has_begun && seconds("exp").flatten().is_some_and(|ends| now - LEEWAY < ends)
}
