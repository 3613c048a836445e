//! Sealing secrets at rest: AES-256-GCM under a random nonce (NIST SP 800-38D), bound to the place where the value stands.
//!
//! A key of the keyring also proves the journal, by a key for HMAC that is derived from it (HKDF, RFC 5869).
//!
//! A sealed value is one byte of format, eight of key id, twelve of nonce, the ciphertext and sixteen of tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const KEY_ID_LEN: usize = 8;
pub(crate) type KeyIdBytes = [u8; KEY_ID_LEN];
/// Format and key id: what tells by which key a value is sealed.
pub(crate) const PREFIX_LEN: usize = 1 + KEY_ID_LEN;
const HEADER_LEN: usize = PREFIX_LEN + NONCE_LEN;
pub(crate) const KEY_LEN: usize = 32;

/// Where a sealed value stands. Part of what is authenticated, so that a value can't be moved to another row or column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'a str,
    pub(crate) row: &'a str,
    pub(crate) column: &'a str,
}

impl Place<'_> {
    /// Each part with its length in front, so that no two places have the same bytes.
    fn associated_data(self, header: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(64);
        for part in [header, self.table.as_bytes(), self.row.as_bytes(), self.column.as_bytes()] {
            data.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// The public name of a key, derived from the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId([u8; KEY_ID_LEN]);

impl KeyId {
    /// A name, if that is one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("it is sealed with key {0}, which is not in the keyring")]
    UnknownKey(KeyId),
    #[error("it was changed or moved since it was sealed")]
    Broken,
    #[error("it has a form that this release does not know")]
    UnknownFormat,
    #[error("the cipher failed")]
    Cipher,
}

/// Why a row with a sealed value can't be read.
pub(crate) enum RowError {
    /// The value can't be opened; another keyring might.
    Sealed(SealError),
    /// Something else can't be read.
    Damaged(String),
}

impl From<SealError> for RowError {
    fn from(error: SealError) -> Self {
        Self::Sealed(error)
    }
}

/// One key.
pub(crate) struct SealingKey {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY_LEN]>,
    cipher: RandomizedNonceKey,
    prover: hmac::Key,
}

impl SealingKey {
    pub(crate) fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Result<Self, SealError> {
        let mut named = Zeroizing::new(b"hookwright sealing key".to_vec());
        named.extend_from_slice(bytes.as_slice());
        let mut id = [0; KEY_ID_LEN];
        for (target, source) in id.iter_mut().zip(digest(&SHA256, &named).as_ref()) {
            *target = *source;
        }
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| SealError::Cipher)?;
        let prover = hkdf::Salt::new(hkdf::HKDF_SHA256, b"hookwright")
            .extract(bytes.as_slice())
            .expand(&[b"journal chain"], hmac::HMAC_SHA256)
            .map(hmac::Key::from)
            .map_err(|_| SealError::Cipher)?;
        Ok(Self { id: KeyId(id), bytes, cipher, prover })
    }

    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    /// The public name as bytes.
    pub(crate) const fn id_bytes(&self) -> &KeyIdBytes {
        &self.id.0
    }

    /// The HMAC-SHA256 of these parts, one behind the other, by the key that proves the journal.
    pub(crate) fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.prover);
        parts.iter().for_each(|part| context.update(part));
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.bytes
    }

    /// The first bytes of all that this key seals.
    pub(crate) fn prefix(&self) -> [u8; PREFIX_LEN] {
        let mut prefix = [FORMAT; PREFIX_LEN];
        for (target, source) in prefix.iter_mut().skip(1).zip(self.id.0) {
            *target = source;
        }
        prefix
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let prefix = self.prefix();
        let mut sealed = Zeroizing::new(secret.to_vec());
        let associated = Aad::from(place.associated_data(&prefix));
        let nonce = self.cipher.seal_in_place_append_tag(associated, &mut *sealed).map_err(|_| SealError::Cipher)?;
        let mut value = Vec::with_capacity(HEADER_LEN + sealed.len());
        value.extend_from_slice(&prefix);
        value.extend_from_slice(nonce.as_ref());
        value.extend_from_slice(&sealed);
        Ok(value)
    }

    fn open(&self, place: Place<'_>, nonce: Nonce, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let associated = Aad::from(place.associated_data(&self.prefix()));
        let length = self.cipher.open_in_place(nonce, associated, &mut buffer).map_err(|_| SealError::Broken)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// Opens a value with the key that it names.
pub(crate) fn open<'k>(
    mut keys: impl Iterator<Item = &'k SealingKey>,
    place: Place<'_>,
    value: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (header, sealed) = value.split_at_checked(HEADER_LEN).ok_or(SealError::UnknownFormat)?;
    let (prefix, nonce) = header.split_at_checked(PREFIX_LEN).ok_or(SealError::UnknownFormat)?;
    let (format, id) = prefix.split_first().ok_or(SealError::UnknownFormat)?;
    if *format != FORMAT {
        return Err(SealError::UnknownFormat);
    }
    let id = KeyId(id.try_into().map_err(|_| SealError::UnknownFormat)?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::UnknownFormat)?;
    let key = keys.find(|key| key.id == id).ok_or(SealError::UnknownKey(id))?;
    key.open(place, nonce, sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { table: "inline_hooks", row: "cal1", column: "sealed_secret" };

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(Zeroizing::new([byte; KEY_LEN])).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_where_it_was_sealed() {
        for secret in [&b""[..], b"s", b"a longer secret with \xff bytes"] {
            let sealed = key(1).seal(PLACE, secret).unwrap();
            assert_eq!(open([key(2), key(1)].iter(), PLACE, &sealed).unwrap().as_slice(), secret);
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        assert_ne!(key(1).seal(PLACE, b"secret").unwrap(), key(1).seal(PLACE, b"secret").unwrap());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sealed = key(1).seal(PLACE, b"secret").unwrap();
        for position in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[position] ^= 1 << bit;
                assert!(open([key(1)].iter(), PLACE, &changed).is_err(), "byte {position}, bit {bit}");
            }
        }
        for length in 0..sealed.len() {
            assert!(open([key(1)].iter(), PLACE, &sealed[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_value_moved_to_another_place_is_refused() {
        let sealed = key(1).seal(PLACE, b"secret").unwrap();
        for place in [
            Place { table: "inline_hook", ..PLACE },
            Place { row: "cal2", ..PLACE },
            Place { column: "secret", ..PLACE },
            Place { table: "inline_hookscal1", row: "", ..PLACE },
        ] {
            assert_eq!(open([key(1)].iter(), place, &sealed), Err(SealError::Broken));
        }
    }

    #[test]
    fn a_value_of_a_key_we_lack_names_that_key() {
        let sealed = key(1).seal(PLACE, b"secret").unwrap();
        assert_eq!(open([key(2)].iter(), PLACE, &sealed), Err(SealError::UnknownKey(key(1).id())));
    }
}
