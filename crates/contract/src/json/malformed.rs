//! Why a text is not (strict) JSON, and where.

use std::fmt;

/// A text that [`parse`](super::parse) refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Malformed {
    /// Line of the first bad character, from 1.
    pub line: usize,
    /// Column of the first bad character, from 1, counted in Unicode characters.
    pub column: usize,
    /// What is wrong there.
    pub reason: MalformedReason,
}

/// What is wrong with a text that should be JSON. Its `Display` is the rest of a sentence, without secrets: at most
/// a member name is quoted, shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedReason {
    /// Nothing but white space.
    Empty,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text begins with U+FEFF (RFC 8259 section 8.1 forbids to send it).
    ByteOrderMark,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// Something else was due here.
    Expected(&'static str),
    /// A comma with nothing behind it.
    TrailingComma,
    /// Characters behind the value.
    TrailingCharacters,
    /// A control character that a string must escape.
    ControlCharacter,
    /// A backslash escape that JSON does not have.
    BadEscape,
    /// Half of a UTF-16 surrogate pair, which is no character.
    LoneSurrogate,
    /// U+0000, which text columns of databases cannot hold.
    NullCharacter,
    /// Not the grammar of a number.
    BadNumber,
    /// A number that neither 64 bit integers nor an IEEE 754 double keep.
    NumberNotExact,
    /// Arrays and objects nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// More values than [`MAX_VALUES`](super::MAX_VALUES).
    TooManyValues,
    /// An object has two members of this name.
    DuplicateMember(String),
}

impl fmt::Display for MalformedReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the body is empty"),
            Self::NotUtf8 => formatter.write_str("the text is not UTF-8"),
            Self::ByteOrderMark => formatter.write_str("the text begins with a byte order mark"),
            Self::UnexpectedEnd => formatter.write_str("the text ends inside a value"),
            Self::Expected(what) => write!(formatter, "expected {what}"),
            Self::TrailingComma => formatter.write_str("nothing follows this comma; remove it"),
            Self::TrailingCharacters => formatter.write_str("there is more text behind the value"),
            Self::ControlCharacter => formatter.write_str("a control character in a string must be escaped"),
            Self::BadEscape => formatter.write_str("JSON has no such escape"),
            Self::LoneSurrogate => formatter.write_str("half of a surrogate pair is no character"),
            Self::NullCharacter => formatter.write_str("the character U+0000 is not accepted"),
            Self::BadNumber => formatter.write_str("this is not how JSON writes a number"),
            Self::NumberNotExact => formatter.write_str("this number cannot be kept exactly; send it as a string"),
            Self::TooDeep => write!(formatter, "values are nested deeper than {}", super::MAX_DEPTH),
            Self::TooManyValues => write!(formatter, "there are more than {} values", super::MAX_VALUES),
            Self::DuplicateMember(name) => {
                write!(formatter, "the object already has a member \"{name}\"")
            }
        }
    }
}
