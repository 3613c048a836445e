//! The strict reader.
//!
//! serde_json would silently round numbers that need more than a double, and a visitor on top of it cannot see their
//! digits; hence a reader of our own, which a property test holds against serde_json.

use std::borrow::Cow;
use std::collections::HashSet;

use super::malformed::{Malformed, MalformedReason};
use super::{Members, Value, number};
use crate::shown::excerpt;

/// Arrays and objects may be nested this deep.
pub const MAX_DEPTH: usize = 64;

/// A text may hold this many values, elements and members counted: bounds the memory of one text to about 2 MiB.
pub const MAX_VALUES: usize = 32_768;

/// Objects up to this size are searched for a repeated name member by member, larger ones by hash.
const SMALL_OBJECT: usize = 16;

/// Reads one JSON text.
///
/// Refused beyond RFC 8259: text that is not UTF-8, a byte order mark, a member name twice in one object, more than
/// [`MAX_DEPTH`] levels or [`MAX_VALUES`] values, U+0000, half surrogate pairs, and numbers that would lose digits.
///
/// # Errors
/// [`Malformed`] with the place of the first fault.
pub fn parse(text: &[u8]) -> Result<Value<'_>, Malformed> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            return Err(locate(text, Fault { at: error.valid_up_to(), reason: MalformedReason::NotUtf8 }));
        }
    };
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, depth: 0, values: 0 };
    reader.document().map_err(|fault| locate(text.as_bytes(), fault))
}

/// How many bytes a string can go on for as they are: up to a quote, a backslash or a control character.
fn plain_length(rest: &[u8]) -> usize {
    // Eight bytes at a time. A byte is less than `n` where subtracting `n` borrows although its own highest bit is not set; a
    // borrow from a byte below can only mark one above the first that is really meant.
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let less = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGH;
    let mut length: usize = 0;
    let (words, tail) = rest.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let ends = less(word, 0x20) | less(quote, 1) | less(backslash, 1);
        if ends != 0 {
            return length.saturating_add(usize::try_from(ends.trailing_zeros() / 8).unwrap_or(0));
        }
        length = length.saturating_add(8);
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    length.saturating_add(tail.iter().position(ends).unwrap_or(tail.len()))
}

/// A reason and the byte offset it was found at.
struct Fault {
    at: usize,
    reason: MalformedReason,
}

/// Turns a byte offset into line and column. Only run for texts that are refused.
fn locate(text: &[u8], fault: Fault) -> Malformed {
    let before = text.get(..fault.at).unwrap_or(text);
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline.saturating_add(1));
    let line = before.iter().filter(|&&byte| byte == b'\n').count().saturating_add(1);
    let in_line = before.get(line_start..).unwrap_or_default();
    // Continuation bytes of UTF-8 belong to the character before.
    let column = in_line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count().saturating_add(1);
    Malformed { line, column, reason: fault.reason }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value<'a>, Fault> {
        if self.text.starts_with('\u{FEFF}') {
            return Err(self.fault(MalformedReason::ByteOrderMark));
        }
        if self.next().is_none() {
            return Err(self.fault(MalformedReason::Empty));
        }
        let value = self.value()?;
        match self.next() {
            None => Ok(value),
            Some(_) => Err(self.fault(MalformedReason::TrailingCharacters)),
        }
    }

    fn value(&mut self) -> Result<Value<'a>, Fault> {
        self.values = self.values.saturating_add(1);
        if self.values > MAX_VALUES {
            return Err(self.fault(MalformedReason::TooManyValues));
        }
        match self.next() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.fault(MalformedReason::Expected("a value"))),
            None => Err(self.fault(MalformedReason::UnexpectedEnd)),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value<'a>, Fault>) -> Result<Value<'a>, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(MalformedReason::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        self.advance(1);
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn array(&mut self) -> Result<Value<'a>, Fault> {
        let mut elements = Vec::new();
        if self.next() == Some(b']') {
            self.advance(1);
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.ends(b']', "a comma or the end of the array")? {
                return Ok(Value::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Value<'a>, Fault> {
        let mut members: Members<'a> = Vec::new();
        let mut names: HashSet<Cow<'a, str>> = HashSet::new();
        if self.next() == Some(b'}') {
            self.advance(1);
            return Ok(Value::Object(members));
        }
        loop {
            match self.next() {
                Some(b'"') => {}
                Some(_) => {
                    return Err(self.fault(MalformedReason::Expected("a member name in double quotes")));
                }
                None => return Err(self.fault(MalformedReason::UnexpectedEnd)),
            }
            let at = self.at;
            let name = self.string()?;
            if members.len() == SMALL_OBJECT {
                names = members.iter().map(|(name, _)| name.clone()).collect();
            }
            let repeated = if members.len() < SMALL_OBJECT {
                members.iter().any(|(earlier, _)| *earlier == name)
            } else {
                !names.insert(name.clone())
            };
            if repeated {
                return Err(Fault { at, reason: MalformedReason::DuplicateMember(excerpt(&name)) });
            }
            self.expect(b':', "a colon")?;
            let value = self.value()?;
            members.push((name, value));
            if self.ends(b'}', "a comma or the end of the object")? {
                return Ok(Value::Object(members));
            }
        }
    }

    /// Reads what follows an element: `true` for the closing bracket, `false` for a comma with something behind it.
    fn ends(&mut self, close: u8, due: &'static str) -> Result<bool, Fault> {
        match self.next() {
            Some(b',') => {
                let comma = self.at;
                self.advance(1);
                if self.next() == Some(close) {
                    return Err(Fault { at: comma, reason: MalformedReason::TrailingComma });
                }
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.advance(1);
                Ok(true)
            }
            Some(_) => Err(self.fault(MalformedReason::Expected(due))),
            None => Err(self.fault(MalformedReason::UnexpectedEnd)),
        }
    }

    fn word(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.advance(word.len());
            return Ok(value);
        }
        let cut_short = word.as_bytes().starts_with(rest);
        Err(self.fault(if cut_short { MalformedReason::UnexpectedEnd } else { MalformedReason::Expected("a value") }))
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.advance(1);
        }
        match self.peek() {
            Some(b'0') => self.advance(1),
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.advance(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.advance(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.advance(1);
            }
            self.digits()?;
        }
        if let Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z') = self.peek() {
            return Err(self.fault(MalformedReason::BadNumber));
        }
        match number::exact(self.text.get(start..self.at).unwrap_or_default()) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(Fault { at: start, reason: MalformedReason::NumberNotExact }),
        }
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.advance(count);
        match (count, self.peek()) {
            (0, None) => Err(self.fault(MalformedReason::UnexpectedEnd)),
            (0, Some(_)) => Err(self.fault(MalformedReason::BadNumber)),
            _ => Ok(()),
        }
    }

    /// A string, from its opening quote on. Borrowed unless an escape has to be undone.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.advance(1);
        let plain = self.plain_run();
        if self.peek() == Some(b'"') {
            self.advance(1);
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.fault(MalformedReason::ControlCharacter)),
                None => return Err(self.fault(MalformedReason::UnexpectedEnd)),
            }
            text.push_str(self.plain_run());
        }
    }

    /// Characters up to the next quote, backslash or control character.
    fn plain_run(&mut self) -> &'a str {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.advance(plain_length(rest));
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.advance(1);
        let Some(letter) = self.peek() else {
            return Err(self.fault(MalformedReason::UnexpectedEnd));
        };
        self.advance(1);
        let character = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(start),
            _ => {
                return Err(Fault { at: start, reason: MalformedReason::BadEscape });
            }
        };
        Ok(character)
    }

    /// The four digits behind `\u`, and the second half if they are the first of a surrogate pair.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Fault> {
        let lone = || Fault { at: start, reason: MalformedReason::LoneSurrogate };
        let first = self.four_hex_digits()?;
        let second = if (0xD800..0xDC00).contains(&first) {
            if !self.bytes.get(self.at..).unwrap_or_default().starts_with(b"\\u") {
                return Err(lone());
            }
            self.advance(2);
            Some(self.four_hex_digits()?)
        } else {
            None
        };
        let units = [first, second.unwrap_or(0)];
        let units = if second.is_some() { units.as_slice() } else { units.get(..1).unwrap_or_default() };
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok('\0')) => Err(Fault { at: start, reason: MalformedReason::NullCharacter }),
            Some(Ok(character)) => Ok(character),
            _ => Err(lone()),
        }
    }

    fn four_hex_digits(&mut self) -> Result<u16, Fault> {
        let mut unit: u16 = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else {
                return Err(self.fault(MalformedReason::UnexpectedEnd));
            };
            let digit = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
            let Some(digit) = digit else {
                return Err(self.fault(MalformedReason::BadEscape));
            };
            unit = (unit << 4) | digit;
            self.advance(1);
        }
        Ok(unit)
    }

    fn expect(&mut self, byte: u8, due: &'static str) -> Result<(), Fault> {
        match self.next() {
            Some(found) if found == byte => {
                self.advance(1);
                Ok(())
            }
            Some(_) => Err(self.fault(MalformedReason::Expected(due))),
            None => Err(self.fault(MalformedReason::UnexpectedEnd)),
        }
    }

    /// The next byte that is not white space; it is not consumed.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance(1);
        }
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn fault(&self, reason: MalformedReason) -> Fault {
        Fault { at: self.at, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn a_run_ends_at_the_first_byte_that_may_not_stand_in_it() {
        for (at, byte) in (0..20).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
            for neighbour in [b'a', b'"', 0x20, 0x7f, 0x80, 0xff] {
                let mut text = [b'!'; 20];
                text[at] = byte;
                if let Some(next) = text.get_mut(at + 1) {
                    *next = neighbour;
                }
                let quote = if neighbour == b'"' && at < 19 { at + 1 } else { 20 };
                assert_eq!(plain_length(&text), if ends { at } else { quote }, "{byte} at {at} before {neighbour}");
            }
        }
    }
}
