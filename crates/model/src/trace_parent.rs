//! Which trace a request belongs to: the `traceparent` field of W3C Trace Context.
//!
//! Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Entropy, hex};

/// How many characters the field has in version 00.
const LENGTH: usize = 55;

/// A position in a trace. Prints as the field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceParent {
    /// The first position of a trace of its own. It counts as sampled: every call of a hook is recorded.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        let trace_id = u128::from_be_bytes(entropy.bytes()).max(1);
        Self { trace_id, parent_id: 1, flags: 1 }.child(entropy)
    }

    /// The next position in the same trace.
    #[must_use]
    pub fn child(self, entropy: &dyn Entropy) -> Self {
        Self { parent_id: u64::from_be_bytes(entropy.bytes()).max(1), ..self }
    }

    /// Reads the field's value. Whoever sends something else is treated as if there were no field, as the recommendation says;
    /// versions to come are read as far as they are like this one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let trace_id = hex(parts.next()?, 32)?;
        let parent_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let fits = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let whole = parts.next().is_none() && trace_id != 0 && parent_id != 0;
        // Of the flags, only the sampled one has a meaning that may be passed on.
        (fits && whole).then_some(Self { trace_id, parent_id, flags: flags & 1 })
    }

    /// The field's value. Every call of a hook writes it twice; `format!` takes ten times as long.
    #[must_use]
    pub fn text(self) -> String {
        let mut text = Vec::with_capacity(LENGTH);
        text.extend_from_slice(b"00");
        for part in [self.trace_id.to_be_bytes().as_slice(), &self.parent_id.to_be_bytes(), &[self.flags]] {
            text.push(b'-');
            hex::append(part, &mut text);
        }
        // Digits and dashes are ASCII.
        String::from_utf8(text).unwrap_or_default()
    }

    /// The trace's id, 32 digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

/// A number of exactly this many lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() == digits && plain { u128::from_str_radix(text, 16).ok() } else { None }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for TraceParent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no traceparent"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the recommendation.
    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let parent = TraceParent::parse(EXAMPLE).unwrap();
        assert_eq!(parent.to_string(), EXAMPLE);
        assert_eq!(parent.child(&Fixed(0x11)).to_string(), "00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01");
        assert_eq!(parent.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        for byte in [0, 7, 255] {
            let first = TraceParent::new(&Fixed(byte));
            assert_eq!(TraceParent::parse(&first.to_string()), Some(first));
        }
    }

    #[test]
    fn later_versions_are_read_as_far_as_they_are_known_and_bad_values_not_at_all() {
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more";
        assert_eq!(TraceParent::parse(later), TraceParent::parse(EXAMPLE));
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_well_formed(text in "\\PC{0,60}|[0-9a-f-]{50,60}") {
            if let Some(parsed) = TraceParent::parse(&text) {
                prop_assert_eq!(TraceParent::parse(&parsed.to_string()), Some(parsed));
            }
        }
    }
}
