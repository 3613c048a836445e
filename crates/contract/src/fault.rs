//! What is wrong with an answer: where, what was expected, what was found, what was probably meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Malformed;

/// Why an answer does not keep the contract. The text of each ([`Reason::as_str`]) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The body is not JSON, or JSON that does not have one meaning.
    MalformedJson,
    /// The body is larger than [`MAX_REPLY_BYTES`](crate::MAX_REPLY_BYTES).
    ResponseTooLarge,
    /// The status is none that this hook type takes for success.
    UnexpectedStatus,
    /// The body is JSON, but no object.
    NotAnObject,
    /// The body is an object with members, none of which is one of an answer.
    NoKnownMember,
    /// `commands` is no array.
    CommandsNotArray,
    /// There are more than [`MAX_COMMANDS`](crate::MAX_COMMANDS) commands.
    TooManyCommands,
    /// The hook type has no such command.
    UnknownCommand,
    /// The hook type has the command, but not as an answer to this request.
    CommandNotAllowedForRequest,
    /// The operand is not built as the command needs it.
    BadValueShape,
    /// The operand is built right, but a value in it is outside its range.
    BadValue,
    /// The user schema has no such attribute.
    UnknownAttribute,
    /// No command may set this attribute.
    ForbiddenAttribute,
    /// Not an operation that this command has.
    BadPatchOp,
    /// The path is no JSON Pointer, leads where a hook may not write, or to nothing.
    BadPatchPath,
    /// The claim belongs to the system.
    ReservedClaim,
    /// The command needs another one beside it.
    MissingCompanionCommand,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 17] = [
        Self::MalformedJson,
        Self::ResponseTooLarge,
        Self::UnexpectedStatus,
        Self::NotAnObject,
        Self::NoKnownMember,
        Self::CommandsNotArray,
        Self::TooManyCommands,
        Self::UnknownCommand,
        Self::CommandNotAllowedForRequest,
        Self::BadValueShape,
        Self::BadValue,
        Self::UnknownAttribute,
        Self::ForbiddenAttribute,
        Self::BadPatchOp,
        Self::BadPatchPath,
        Self::ReservedClaim,
        Self::MissingCompanionCommand,
    ];

    /// The reason as records and API answers show it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "MALFORMED_JSON",
            Self::ResponseTooLarge => "RESPONSE_TOO_LARGE",
            Self::UnexpectedStatus => "UNEXPECTED_STATUS",
            Self::NotAnObject => "NOT_AN_OBJECT",
            Self::NoKnownMember => "NO_KNOWN_MEMBER",
            Self::CommandsNotArray => "COMMANDS_NOT_ARRAY",
            Self::TooManyCommands => "TOO_MANY_COMMANDS",
            Self::UnknownCommand => "UNKNOWN_COMMAND",
            Self::CommandNotAllowedForRequest => "COMMAND_NOT_ALLOWED_FOR_REQUEST",
            Self::BadValueShape => "BAD_VALUE_SHAPE",
            Self::BadValue => "BAD_VALUE",
            Self::UnknownAttribute => "UNKNOWN_ATTRIBUTE",
            Self::ForbiddenAttribute => "FORBIDDEN_ATTRIBUTE",
            Self::BadPatchOp => "BAD_PATCH_OP",
            Self::BadPatchPath => "BAD_PATCH_PATH",
            Self::ReservedClaim => "RESERVED_CLAIM",
            Self::MissingCompanionCommand => "MISSING_COMPANION_COMMAND",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text is not the name of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reason for refusing an answer")]
pub struct UnknownReason;

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(UnknownReason)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One fault of an answer: the first that was met. `Display` is one readable sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The rule that is broken.
    pub reason: Reason,
    /// JSON Pointer into the answer; `""` is the answer as a whole.
    pub pointer: String,
    /// What the contract wants there, to be read behind "expected".
    pub expected: String,
    /// What is there instead, at most 100 characters, control characters taken out. Never a value that may be
    /// secret: such a one is described by its type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<String>,
    /// The valid command, member, value or attribute that comes nearest to what was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nearest: Option<String>,
    /// For text that is not JSON: the line of the fault, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// For text that is not JSON: the column of the fault, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

impl Fault {
    /// A fault at a place in the answer.
    pub(crate) fn new(reason: Reason, pointer: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            reason,
            pointer: pointer.into(),
            expected: expected.into(),
            found: None,
            nearest: None,
            line: None,
            column: None,
        }
    }

    /// The same fault, its pointer continued from `parent`.
    pub(crate) fn below(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }

    /// Adds what was found, already fit to be shown.
    pub(crate) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Adds what was probably meant.
    pub(crate) fn nearest(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }
}

/// `one of "a", "b"`, or just `"a"`.
pub(crate) fn one_of(texts: impl IntoIterator<Item = &'static str>) -> String {
    let quoted: Vec<String> = texts.into_iter().map(|text| format!("\"{text}\"")).collect();
    match quoted.as_slice() {
        [] => "no command, since the request carries no token for one".to_owned(),
        [only] => only.clone(),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self {
            line: u32::try_from(malformed.line).ok(),
            column: u32::try_from(malformed.column).ok(),
            ..Self::new(Reason::MalformedJson, "", "valid JSON").found(malformed.reason.to_string())
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column), Some(found)) = (self.line, self.column, &self.found) {
            return write!(formatter, "the answer is not {}: line {line}, column {column}: {found}", self.expected);
        }
        let place = if self.pointer.is_empty() { "the answer" } else { &self.pointer };
        write!(formatter, "{place}: expected {}", self.expected)?;
        if let Some(found) = &self.found {
            write!(formatter, ", found {found}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(formatter, "; did you mean \"{nearest}\"?")?;
        }
        Ok(())
    }
}
