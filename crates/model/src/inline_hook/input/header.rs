//! The headers that an administrator may configure.

use hookwright_contract::json::Value;

use super::{MISSING, read_text};
use crate::Violations;
use crate::channel::Header;

/// The most headers of one hook.
const MAX_HEADERS: usize = 50;
const MAX_KEY_CHARACTERS: usize = 128;
const MAX_VALUE_CHARACTERS: usize = 4096;

/// Headers that belong to HTTP itself or to us (RFC 9110, RFC 9112), in lower case.
const RESERVED: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "cookie",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "traceparent",
    "tracestate",
];

/// Reads `channel.config.headers`; absent means none.
pub(super) fn read_list(value: Option<&Value<'_>>, auth_key: Option<&str>, violations: &mut Violations) -> Vec<Header> {
    let field = "channel.config.headers";
    let items = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            violations.add(field, "The field must be an array of objects with key and value");
            return Vec::new();
        }
    };
    if items.len() > MAX_HEADERS {
        violations.add(field, format!("There must be at most {MAX_HEADERS} headers"));
        return Vec::new();
    }
    let mut headers: Vec<Header> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if item.as_object().is_none() {
            violations.add(field, "The header must be an object with key and value");
            continue;
        }
        let key = read_key(item.get("key"), &format!("{field}.key"), auth_key, violations);
        let value = read_value(item.get("value"), &format!("{field}.value"), violations);
        let (Some(key), Some(value)) = (key, value) else { continue };
        if headers.iter().any(|header| header.key.eq_ignore_ascii_case(&key)) {
            violations.add(format!("{field}.key"), "The header is listed twice");
            continue;
        }
        headers.push(Header { key, value });
    }
    headers
}

fn read_key(
    value: Option<&Value<'_>>,
    field: &str,
    auth_key: Option<&str>,
    violations: &mut Violations,
) -> Option<String> {
    let key = read_text(value, field, violations)?;
    if let Err(message) = check_key(&key) {
        violations.add(field, message);
        return None;
    }
    if auth_key.is_some_and(|auth_key| auth_key.eq_ignore_ascii_case(&key)) {
        violations.add(field, "The header is the one of authScheme");
        return None;
    }
    Some(key)
}

/// What holds for every configured header name, the one of `authScheme` too. Names that HTTP forbids but live orgs accept
/// (such as one with a blank) pass; the engine never sends them.
pub(super) fn check_key(key: &str) -> Result<(), String> {
    if key.trim().is_empty() {
        Err(MISSING.to_owned())
    } else if key.chars().count() > MAX_KEY_CHARACTERS {
        Err(format!("The field must be at most {MAX_KEY_CHARACTERS} characters long"))
    } else if !key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        Err("The field must consist of visible ASCII characters".to_owned())
    } else if is_reserved(key) {
        Err(format!("The header {key} is reserved"))
    } else {
        Ok(())
    }
}

/// The name of the `authScheme` header is one that HTTP can carry (RFC 9110 section 5.1): a name that is kept but never sent
/// would leave the service without its credentials.
pub(super) fn check_auth_key(key: &str) -> Result<(), String> {
    check_key(key)?;
    if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        Ok(())
    } else {
        Err("The field must be a header name of HTTP".to_owned())
    }
}

/// Whether a header belongs to HTTP itself or to us, so that no configured one of this name is stored or sent.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    RESERVED.contains(&lower.as_str())
        || lower.starts_with("content-")
        || lower.starts_with("proxy-")
        || lower.starts_with("sec-")
}

fn read_value(value: Option<&Value<'_>>, field: &str, violations: &mut Violations) -> Option<String> {
    let text = match value {
        Some(Value::String(text)) => text.to_string(),
        // Python's SDK strips empty strings from what it sends.
        None | Some(Value::Null) => String::new(),
        Some(_) => {
            violations.add(field, "The field must be a string");
            return None;
        }
    };
    match check_value(&text) {
        Ok(()) => Some(text),
        Err(message) => {
            violations.add(field, message);
            None
        }
    }
}

/// What holds for every header value, secrets too (RFC 9110 section 5.5, without obs-text).
pub(super) fn check_value(value: &str) -> Result<(), String> {
    if value.len() > MAX_VALUE_CHARACTERS {
        Err(format!("The field must be at most {MAX_VALUE_CHARACTERS} characters long"))
    } else if value.bytes().all(|byte| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("The field must consist of visible ASCII characters".to_owned())
    }
}
