//! Reading an inline hook from a request: every fault is named by its field, all of them at once.

mod channel;
mod header;

use hookwright_contract::HookType;
use hookwright_contract::json::Value;
use serde_json::Map;

use super::InlineHook;
use crate::address::AddressPolicy;
use crate::hook_settings::HookSettings;
use crate::id::InlineHookId;
use crate::lifecycle::LifecycleStatus;
use crate::profile::MISSING;
use crate::{Timestamp, Violations};

pub use header::is_reserved;

/// The longest name, in characters.
const MAX_NAME_CHARACTERS: usize = 255;

/// The most that `metadata` may hold, names and values together: it is read and shown with every hook.
const MAX_METADATA_BYTES: usize = 16 * 1024;

impl InlineHook {
    /// Reads the body of a create call. The hook starts ACTIVE, whatever the body says of its status.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn create(
        id: InlineHookId,
        body: &Value<'_>,
        policy: &AddressPolicy,
        now: Timestamp,
    ) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let name = read_name(body, &mut violations);
        let hook_type = read_type(body, &mut violations);
        let version = read_version(body, &mut violations);
        let channel = channel::read(body.get("channel"), None, policy, &mut violations);
        let metadata = read_metadata(body, &mut violations);
        let (Some(name), Some(hook_type), Some(version), Some(channel), true) =
            (name, hook_type, version, channel, violations.is_empty())
        else {
            return Err(violations);
        };
        Ok(Self {
            id,
            name,
            hook_type,
            version,
            status: LifecycleStatus::Active,
            channel,
            settings: HookSettings::default(),
            metadata,
            created: now,
            last_updated: now,
            revision: 1,
        })
    }

    /// Reads the body of a PUT: the whole hook but its type, status and dates. A missing or masked secret keeps the stored
    /// one as long as the hook stays at the same scheme, host and port.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn replaced(&self, body: &Value<'_>, policy: &AddressPolicy, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let name = read_name(body, &mut violations);
        self.check_same_type(body, &mut violations);
        let version = read_version(body, &mut violations);
        let channel = channel::read(body.get("channel"), Some(&self.channel), policy, &mut violations);
        let metadata = read_metadata(body, &mut violations);
        let (Some(name), Some(version), Some(channel), true) = (name, version, channel, violations.is_empty()) else {
            return Err(violations);
        };
        Ok(Self { name, version, channel, metadata, last_updated: now.max(self.created), ..self.clone() })
    }

    /// Reads the body of a POST to an existing hook: the members `name`, `version`, `channel` and `metadata` that are present
    /// replace the stored ones, each as a whole.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn updated(&self, body: &Value<'_>, policy: &AddressPolicy, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let mut hook = self.clone();
        let present = |member: &str| body.get(member).is_some_and(|value| !value.is_null());
        if present("name") {
            hook.name = read_name(body, &mut violations).unwrap_or_default();
        }
        self.check_same_type(body, &mut violations);
        if present("version") {
            hook.version = read_version(body, &mut violations).unwrap_or_default();
        }
        if present("channel")
            && let Some(channel) = channel::read(body.get("channel"), Some(&self.channel), policy, &mut violations)
        {
            hook.channel = channel;
        }
        if present("metadata") {
            hook.metadata = read_metadata(body, &mut violations);
        }
        violations.into_result()?;
        hook.last_updated = now.max(self.created);
        Ok(hook)
    }

    fn check_same_type(&self, body: &Value<'_>, violations: &mut Violations) {
        match body.get("type") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text == self.hook_type.as_str() => {}
            Some(_) => violations.add("type", "The type of an inline hook cannot be changed"),
        }
    }
}

fn read_name(body: &Value<'_>, violations: &mut Violations) -> Option<String> {
    let name = read_text(body.get("name"), "name", violations)?;
    let characters = name.chars().count();
    if name.trim().is_empty() {
        violations.add("name", MISSING);
    } else if characters > MAX_NAME_CHARACTERS {
        violations.add("name", format!("The field must be 1 to {MAX_NAME_CHARACTERS} characters long"));
    } else if name.chars().any(char::is_control) {
        violations.add("name", "The field must not contain control characters");
    } else {
        return Some(name);
    }
    None
}

fn read_type(body: &Value<'_>, violations: &mut Violations) -> Option<HookType> {
    let text = read_text(body.get("type"), "type", violations)?;
    if let Ok(hook_type) = text.parse() {
        return Some(hook_type);
    }
    let known: Vec<&str> = HookType::ALL.iter().filter(|kind| !kind.is_legacy()).map(|kind| kind.as_str()).collect();
    violations.add("type", format!("The field must be one of {}", known.join(", ")));
    None
}

/// Three numbers with dots. Absent means `1.0.0`; live orgs store and return other numbers as they were sent.
fn read_version(body: &Value<'_>, violations: &mut Violations) -> Option<String> {
    let text = match body.get("version") {
        None | Some(Value::Null) => return Some("1.0.0".to_owned()),
        value => read_text(value, "version", violations)?,
    };
    let mut parts = 0;
    let well_formed = text.split('.').all(|part| {
        parts += 1;
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    });
    if well_formed && parts == 3 {
        return Some(text);
    }
    violations.add("version", "The field must be a version number such as 1.0.0");
    None
}

fn read_metadata(body: &Value<'_>, violations: &mut Violations) -> Option<Map<String, serde_json::Value>> {
    match body.get("metadata") {
        None | Some(Value::Null) => None,
        Some(Value::Object(members)) if members.is_empty() => None,
        Some(Value::Object(members)) => {
            let of_strings = members.iter().all(|(_, value)| value.as_str().is_some());
            let characters: usize = members.iter().map(|(name, value)| name.len() + text_length(value)).sum();
            if !of_strings {
                violations.add("metadata", "The field must be an object whose values are strings");
            } else if characters > MAX_METADATA_BYTES {
                violations.add("metadata", format!("The field must be at most {MAX_METADATA_BYTES} bytes long"));
            } else {
                return Some(members.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect());
            }
            None
        }
        Some(_) => {
            violations.add("metadata", "The field must be an object whose values are strings");
            None
        }
    }
}

fn text_length(value: &Value<'_>) -> usize {
    value.as_str().map_or(0, str::len)
}

/// A required string; says so if it is missing or of another type.
fn read_text(value: Option<&Value<'_>>, field: &str, violations: &mut Violations) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text.to_string()),
        None | Some(Value::Null) => {
            violations.add(field, MISSING);
            None
        }
        Some(_) => {
            violations.add(field, "The field must be a string");
            None
        }
    }
}

#[cfg(test)]
mod tests;
