//! Making hook keys: RSA with 2,048 bits, as Okta makes them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookwright_model::hook_key::PublicKey;
use secrecy::SecretSlice;

use super::HookKeyError;

/// DER's tags for a list and for a number (X.690 section 8).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// A key pair that was just made.
#[derive(Debug)]
pub struct NewKeyPair {
    /// What everybody may know.
    pub public_key: PublicKey,
    /// The private half as PKCS #8, for [`super::HookKey::from_pkcs8`].
    pub private_key: SecretSlice<u8>,
}

impl NewKeyPair {
    /// Makes a key pair. Takes a core for some hundred milliseconds: never call it on a thread that serves others.
    ///
    /// # Errors
    /// [`HookKeyError::Unavailable`] if the system gives no entropy.
    pub fn generate() -> Result<Self, HookKeyError> {
        let failed = |what: &str| HookKeyError::Unavailable(what.to_owned());
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("no key could be made"))?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("the key cannot be encoded"))?;
        let private_key = SecretSlice::from(der.as_ref().to_vec());
        let numbers = public_numbers(pair.public_key().as_ref());
        let (modulus, exponent) = numbers.ok_or_else(|| failed("the public half cannot be read"))?;
        let public_key =
            PublicKey { modulus: URL_SAFE_NO_PAD.encode(modulus), exponent: URL_SAFE_NO_PAD.encode(exponent) };
        Ok(Self { public_key, private_key })
    }
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1), without leading zeros.
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (list, rest) = element(der, SEQUENCE)?;
    let (modulus, list) = element(list, INTEGER)?;
    let (exponent, list) = element(list, INTEGER)?;
    (rest.is_empty() && list.is_empty()).then_some((positive(modulus), positive(exponent)))
}

/// The content of an element with this tag, and what stands behind it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, der) = der.split_first()?;
    let (first, der) = der.split_first()?;
    let (length, der) = match *first {
        short @ 0..=0x7f => (usize::from(short), der),
        long => {
            let (octets, der) =
                der.split_at_checked(usize::from(long & 0x7f)).filter(|(octets, _)| octets.len() <= 4)?;
            (octets.iter().fold(0, |length, octet| (length << 8) | usize::from(*octet)), der)
        }
    };
    der.split_at_checked(length).filter(|_| *found == tag)
}

/// A number's octets without the zero that keeps it positive.
fn positive(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(&[0]).unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::super::HookKey;
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_new_pair_is_one_of_2048_bits_whose_halves_fit() {
        let made = NewKeyPair::generate().unwrap();
        let key = HookKey::from_pkcs8("kid", made.private_key.expose_secret()).unwrap();
        let modulus = URL_SAFE_NO_PAD.decode(&made.public_key.modulus).unwrap();
        assert_eq!((modulus.len(), made.public_key.exponent.as_str()), (256, "AQAB"));
        assert!(modulus[0] & 0x80 != 0);
        let der = key.public_der().unwrap();
        assert!(der.windows(256).any(|window| window == modulus), "the modulus of the same key");
        assert!(!format!("{made:?}").contains("304"), "the private half is not printed");
    }

    #[test]
    fn what_is_no_public_key_has_no_numbers() {
        assert_eq!(public_numbers(&[0x30, 6, 2, 1, 5, 2, 1, 3]), Some((&[5][..], &[3][..])));
        assert_eq!(public_numbers(&[0x30, 0x81, 7, 2, 2, 0, 0x85, 2, 1, 3]), Some((&[0x85][..], &[3][..])));
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x31, 6, 2, 1, 5, 2, 1, 3],
            &[0x30, 7, 2, 1, 5, 2, 1, 3],
            &[0x30, 6, 2, 1, 5, 2, 1, 3, 0],
            &[0x30, 6, 2, 1, 5, 2, 2, 3],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 5],
        ] {
            assert_eq!(public_numbers(bad), None, "{bad:?}");
        }
    }
}
