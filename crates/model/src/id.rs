//! Ids as Okta prints them: a three-letter kind, then seventeen letters and digits.
//!
//! Ids that a client sends are never parsed into parts: any text is looked up as it is, and most texts are not found.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Entropy, Timestamp};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What an [`Id`] names.
pub trait Kind: 'static {
    /// The three letters that an id of this kind starts with.
    const PREFIX: &'static str;
    /// The class that a 404 names, as in `Not found: Resource not found: cal1 (InlineHook)`.
    const CLASS: &'static str;
}

/// An id of one kind, so that a policy's id can't be passed where a hook's is meant.
pub struct Id<K> {
    text: Box<str>,
    kind: PhantomData<fn() -> K>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $alias:ident, $prefix:literal, $class:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Kind for $name {
            const PREFIX: &'static str = $prefix;
            const CLASS: &'static str = $class;
        }
        #[doc = concat!("The id of ", stringify!($name), ", `", $prefix, "…`.")]
        pub type $alias = Id<$name>;
    )*};
}

kinds! {
    /// An inline hook.
    InlineHookKind, InlineHookId, "cal", "InlineHook";
    /// An API token.
    ApiTokenKind, ApiTokenId, "00T", "Token";
    /// A role that a user has.
    AdminRoleKind, AdminRoleId, "ra1", "Role";
    /// One call of a hook, with all its attempts.
    ExecutionKind, ExecutionId, "exe", "Execution";
    /// A user.
    UserKind, UserId, "00u", "User";
    /// A group of users.
    GroupKind, GroupId, "00g", "UserGroup";
    /// A user profile policy.
    PolicyKind, PolicyId, "rst", "Policy";
    /// The one rule of a user profile policy.
    PolicyRuleKind, PolicyRuleId, "rul", "PolicyRule";
    /// What a registration hook's request names as its `source`: one for each policy.
    RegistrationSourceKind, RegistrationSourceId, "reg", "RegistrationPolicy";
    /// An app.
    AppKind, AppId, "0oa", "AppInstance";
    /// A key pair that signs for hooks.
    HookKeyKind, HookKeyId, "HKY", "HookKey";
    /// What the calls of a hook are signed with.
    SigningSecretKind, SigningSecretId, "sgs", "SigningSecret";
    /// An origin whose pages may call the org.
    TrustedOriginKind, TrustedOriginId, "tos", "TrustedOrigin";
}

impl<K: Kind> Id<K> {
    /// A fresh id.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        let random = u128::from_be_bytes(entropy.bytes());
        Self::from_number(random)
    }

    /// A fresh id whose first nine characters sort by time: a record can be found by its id alone, and what is made one after
    /// the other stands side by side in an index.
    ///
    /// 53 bits of milliseconds are followed by eight random characters (47 bits).
    #[must_use]
    pub fn mint_at(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let millis = u128::try_from(now.as_millis()).unwrap_or(0);
        let random = u128::from(u64::from_be_bytes(entropy.bytes())) % RANDOM_SPAN;
        Self::from_number(millis * RANDOM_SPAN + random)
    }

    fn from_number(mut number: u128) -> Self {
        let mut tail = [b'0'; 17];
        for slot in tail.iter_mut().rev() {
            let digit = usize::try_from(number % 62).unwrap_or(0);
            *slot = ALPHABET.get(digit).copied().unwrap_or(b'0');
            number /= 62;
        }
        let mut text = String::with_capacity(20);
        text.push_str(K::PREFIX);
        text.extend(tail.iter().map(|&byte| char::from(byte)));
        Self { text: text.into(), kind: PhantomData }
    }
}

/// 62 to the power of 8: how many values the random tail of [`Id::mint_at`] has.
const RANDOM_SPAN: u128 = 218_340_105_584_896;

/// The longest text that is looked up as an id.
const MAX_PLAUSIBLE_BYTES: usize = 64;

impl<K> Id<K> {
    /// Takes text as an id, whatever it is: it is looked up, never trusted.
    #[must_use]
    pub fn from_text(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The id as it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this could be an id at all. What could not is never there, so the database need not be asked, which may not
    /// even hold such text (PostgreSQL refuses U+0000).
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        (1..=MAX_PLAUSIBLE_BYTES).contains(&self.text.len())
            && self.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    /// When an id made by [`Id::mint_at`] was made; `None` for any other text.
    #[must_use]
    pub fn minted_at(&self) -> Option<Timestamp> {
        i64::try_from(self.number()? / RANDOM_SPAN).ok().map(Timestamp::from_millis)
    }

    /// The number that the seventeen characters behind the kind stand for, below 2^102; `None` for any other text.
    #[must_use]
    pub fn number(&self) -> Option<u128> {
        let tail = self.text.get(3..)?;
        if tail.len() != 17 {
            return None;
        }
        let mut number: u128 = 0;
        for byte in tail.bytes() {
            let digit = ALPHABET.binary_search(&byte).ok()?;
            number = number * 62 + u128::try_from(digit).ok()?;
        }
        Some(number)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl<K> std::borrow::Borrow<str> for Id<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_text(String::deserialize(deserializer)?))
    }
}

/// A request id: `req` and 22 characters.
#[must_use]
pub fn mint_request_id(entropy: &dyn Entropy) -> String {
    opaque("req", entropy)
}

/// A hook's `eventId`: 22 characters.
#[must_use]
pub fn mint_event_id(entropy: &dyn Entropy) -> String {
    opaque("", entropy)
}

/// A prefix and 22 characters of base64url without padding over 16 random bytes; the last holds two bits only.
fn opaque(prefix: &str, entropy: &dyn Entropy) -> String {
    const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let number = u128::from_be_bytes(entropy.bytes());
    let mut text = String::with_capacity(prefix.len() + 22);
    text.push_str(prefix);
    for position in 1..=22 {
        let shift = 128_i32 - 6 * position;
        let bits = if shift >= 0 { number >> shift } else { number << -shift };
        let digit = usize::try_from(bits & 63).unwrap_or(0);
        text.push(char::from(URL_SAFE.get(digit).copied().unwrap_or(b'A')));
    }
    text
}

/// A version 4 UUID (RFC 9562 section 5.4), as the System Log names its events.
#[must_use]
pub fn mint_uuid(entropy: &dyn Entropy) -> String {
    let mut number = u128::from_be_bytes(entropy.bytes());
    number = (number & !(0xf << 76)) | (0x4 << 76);
    print_uuid((number & !(0x3 << 62)) | (0x2 << 62))
}

/// A version 8 UUID (RFC 9562 section 5.8) over the low 122 bits of `number`: different numbers, different UUIDs.
#[must_use]
pub(crate) fn uuid_of(number: u128) -> String {
    let (high, middle, low) = ((number >> 74) & 0xffff_ffff_ffff, (number >> 62) & 0xfff, number & (u128::MAX >> 66));
    print_uuid((high << 80) | (0x8 << 76) | (middle << 64) | (0x2 << 62) | low)
}

fn print_uuid(number: u128) -> String {
    let hex = crate::hex::lower_case(&number.to_be_bytes());
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn an_id_has_its_prefix_and_twenty_characters() {
        for byte in [0, 1, 127, 255] {
            let id = InlineHookId::mint(&Fixed(byte));
            assert!(id.as_str().starts_with("cal"), "{id}");
            assert_eq!(id.as_str().len(), 20);
            assert!(id.as_str().bytes().all(|letter| letter.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn a_timed_id_sorts_by_time_and_tells_it() {
        let early = ExecutionId::mint_at(Timestamp::from_millis(1_700_000_000_000), &Fixed(255));
        let late = ExecutionId::mint_at(Timestamp::from_millis(1_700_000_000_001), &Fixed(0));
        assert!(early < late);
        assert_eq!(early.minted_at(), Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(ExecutionId::from_text("exe../../etc").minted_at(), None);
        assert_eq!(ExecutionId::from_text("").minted_at(), None);
        assert_eq!(ExecutionId::from_text("exezzzzzzzzzzzzzzzzz").minted_at().map(|_| ()), Some(()));
    }

    #[test]
    fn only_short_plain_text_could_be_an_id() {
        assert!(InlineHookId::mint(&Fixed(3)).is_plausible());
        for text in ["", "cal\0", "../cal", "cal 1", "cälx", &"c".repeat(65)] {
            assert!(!InlineHookId::from_text(text).is_plausible(), "{text:?}");
        }
    }

    #[test]
    fn opaque_ids_have_their_recorded_lengths() {
        assert_eq!(mint_request_id(&Fixed(9)).len(), 25);
        assert_eq!(mint_event_id(&Fixed(255)).len(), 22);
    }

    #[test]
    fn a_uuid_carries_version_and_variant() {
        assert_eq!(mint_uuid(&Fixed(255)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(mint_uuid(&Fixed(0)), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid_of(0), "00000000-0000-8000-8000-000000000000");
        assert_eq!(uuid_of(u128::MAX), "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(uuid_of((1 << 74) | (1 << 62) | 1), "00000000-0001-8001-8000-000000000001");
    }
}
