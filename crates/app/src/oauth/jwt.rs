//! JSON Web Tokens: signed with the org's key, and read again only if the org signed them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use hookwright_model::Timestamp;
use serde_json::{Map, Value, json};

use crate::signing_keys::KeySet;
use crate::{App, Error};

/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 8_192;

/// A signed token (RFC 7515 section 3.1, RS256).
pub(super) fn signed(keys: &KeySet, claims: &Value) -> Result<String, Error> {
    let header = json!({"kid": keys.kid(), "alg": "RS256"});
    let encode = |part: &Value| URL_SAFE.encode(part.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let signature = keys.sign(input.as_bytes())?;
    Ok(format!("{input}.{}", URL_SAFE.encode(signature)))
}

/// What ties an ID token to the access token beside it (OpenID Connect Core section 3.1.3.6).
pub(super) fn at_hash(access_token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access_token.as_bytes());
    URL_SAFE.encode(digest.as_ref().get(..16).unwrap_or_default())
}

/// The PKCE challenge of a verifier (RFC 7636 section 4.2).
pub(super) fn challenge_of(verifier: &str) -> String {
    URL_SAFE.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()))
}

impl App {
    /// The claims of a token of ours; `None` for anything that no published key of ours signed. Whether the token is still
    /// good is for the caller to say.
    pub(super) async fn own_claims(&self, token: &str) -> Result<Option<Map<String, Value>>, Error> {
        if token.len() > MAX_BYTES {
            return Ok(None);
        }
        let keys = self.signing_keys().await?;
        Ok(read(&keys, token, &self.issuer(), self.now()))
    }
}

fn read(keys: &KeySet, token: &str, issuer: &str, now: Timestamp) -> Option<Map<String, Value>> {
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&URL_SAFE.decode(part).ok()?).ok();
    let header = object(header)?;
    if header.get("alg")?.as_str()? != "RS256" {
        return None;
    }
    let kid = header.get("kid")?.as_str()?;
    let key = keys.known.iter().find(|key| key.kid == kid && key.is_published_at(now))?;
    let (n, e) = (URL_SAFE.decode(&key.modulus).ok()?, URL_SAFE.decode(&key.exponent).ok()?);
    let public = RsaPublicKeyComponents { n: &n, e: &e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &URL_SAFE.decode(signature).ok()?).ok()?;
    let claims = object(payload)?;
    (claims.get("iss")?.as_str()? == issuer).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_and_the_hash_are_those_of_the_standards() {
        // RFC 7636 appendix B.
        assert_eq!(
            challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        // OpenID Connect Core appendix A.3.
        assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnvTYZw4iD_Hw7U0cGEmk").len(), 22);
    }
}
