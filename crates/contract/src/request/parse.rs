//! Reading a request body, with errors that name the member at fault and never repeat a value, since bodies hold
//! passwords and codes.

use serde::Deserialize;
use thiserror::Error;

use super::object::Object;
use super::{HookRequest, RequestData};
use crate::HookType;

/// Why a body is not a request of the expected hook type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The body is not JSON.
    #[error("the body is not well-formed JSON: {reason} at line {line} column {column}")]
    Malformed {
        /// What the parser stumbled over.
        reason: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, in bytes.
        column: usize,
    },
    /// The body is a request of another hook type.
    #[error("eventType is not {}", expected.as_str())]
    WrongHookType {
        /// The hook type that was asked for.
        expected: HookType,
    },
    /// A member is missing or not of the right kind.
    #[error("{path} {reason}")]
    Member {
        /// Path of the member, such as `data.userProfile.login`.
        path: String,
        /// What is wrong with it, such as `is missing`.
        reason: String,
    },
}

impl RequestError {
    /// A member that should be there is not.
    pub fn missing(path: impl Into<String>) -> Self {
        Self::Member { path: path.into(), reason: "is missing".to_owned() }
    }

    /// Path of the member at fault, if one is to blame.
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::Malformed { .. } => None,
            Self::WrongHookType { .. } => Some("eventType"),
            Self::Member { path, .. } => Some(path),
        }
    }
}

impl<D: RequestData> HookRequest<D> {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`RequestError`] if the body is not JSON, belongs to another hook type, or lacks a member without which
    /// nothing can be decided.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        // Checking the whole text for UTF-8 once is quicker than checking each string in it.
        let read = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str::<Object<Self>>(text),
            Err(_) => serde_json::from_slice(body),
        };
        let Object(request) = read.map_err(|error| explain::<D>(body, &error))?;
        if request.event_type != D::HOOK_TYPE.as_str() {
            return Err(RequestError::WrongHookType { expected: D::HOOK_TYPE });
        }
        match D::missing_member(&request) {
            Some(path) => Err(RequestError::missing(path)),
            None => Ok(request),
        }
    }
}

/// Finds out what is wrong with a body that could not be read. Reads it again with path tracking, which the good
/// bodies need not pay for.
fn explain<D: RequestData>(body: &[u8], error: &serde_json::Error) -> RequestError {
    if !error.is_data() {
        return RequestError::Malformed {
            reason: without_position(&error.to_string()).to_owned(),
            line: error.line(),
            column: error.column(),
        };
    }
    if is_of_another_type(body, D::HOOK_TYPE.as_str()) {
        return RequestError::WrongHookType { expected: D::HOOK_TYPE };
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Object<HookRequest<D>>>(&mut deserializer) {
        Err(error) => {
            let path = error.path().to_string();
            member_fault(&path, without_position(&error.inner().to_string()))
        }
        Ok(_) => member_fault(".", "unusable"),
    }
}

fn is_of_another_type(body: &[u8], expected: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OnlyType {
        event_type: String,
    }
    serde_json::from_slice::<OnlyType>(body).is_ok_and(|found| found.event_type != expected)
}

/// Turns serde's words into ours. Only names and expectations are taken over, never the value that was found.
fn member_fault(path: &str, message: &str) -> RequestError {
    let parent = if path == "." { "" } else { path };
    let named = |prefix: &str| message.strip_prefix(prefix)?.strip_suffix('`').map(|name| join(parent, name));
    if let Some(path) = named("missing field `") {
        return RequestError::missing(path);
    }
    if let Some(path) = named("duplicate field `") {
        return RequestError::Member { path, reason: "appears more than once".to_owned() };
    }
    let path = if parent.is_empty() { "the body".to_owned() } else { parent.to_owned() };
    let reason = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("must be {}", plain_words(expected)),
        None => "is not usable".to_owned(),
    };
    RequestError::Member { path, reason }
}

/// serde names Rust types ("struct Session"); a hook author thinks in JSON.
fn plain_words(expected: &str) -> &str {
    if expected.starts_with("struct ") || expected == "a map" { "an object" } else { expected }
}

fn join(parent: &str, name: &str) -> String {
    // Both the path and the message name a repeated member of a struct.
    if parent.is_empty() || parent == name {
        name.to_owned()
    } else if parent.ends_with(&format!(".{name}")) {
        parent.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(words, _)| words)
}
