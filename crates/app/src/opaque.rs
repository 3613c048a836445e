//! Secrets that clients carry: random when they are made, known here by their SHA-256 afterwards.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use hookwright_model::Entropy;
use secrecy::SecretString;

/// 256 random bits as 43 letters.
pub(crate) fn mint(entropy: &dyn Entropy) -> SecretString {
    SecretString::from(URL_SAFE.encode(entropy.bytes::<32>()))
}

/// The SHA-256 of several parts; a part can't be mistaken for the end of the one before it.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}

/// A secret that follows from another one, for a named purpose: who has the one has the other, and nobody else.
pub(crate) fn derived(purpose: &str, parts: &[&str]) -> SecretString {
    let mut all = vec![purpose.as_bytes()];
    all.extend(parts.iter().map(|part| part.as_bytes()));
    SecretString::from(URL_SAFE.encode(sha256(&all)))
}

/// A hash as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(sha256(&[b"ab", b"c"]), sha256(&[b"a", b"bc"]));
        assert_ne!(derived("a", &["b"]).expose_secret(), derived("b", &["a"]).expose_secret());
        assert_eq!(derived("a", &["b"]).expose_secret().len(), 43);
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
