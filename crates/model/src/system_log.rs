//! The System Log: what happened, to whom, by whom, and how it is asked for.
//!
//! Members and their values are those of Okta's System Log API (`LogEvent`); clients check them strictly.

mod attributes;
mod hook_call;
mod keywords;
mod representation;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::execution::{Actor, Origin};

pub use attributes::{FilterRefusal, read_filter};
pub use hook_call::{INLINE_HOOK_EXECUTED, INLINE_HOOK_RESPONSE_PROCESSED, events_of_call};
pub use keywords::{Keywords, MAX_KEYWORD_CHARACTERS, MAX_KEYWORDS};

/// The longest `outcome.reason`, in characters.
pub const MAX_REASON_CHARACTERS: usize = 255;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Seldom of interest.
    Debug,
    /// Business as usual.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl Severity {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// How the action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// `SUCCESS`, `FAILURE`, `SKIPPED`, `ALLOW`, `DENY`, … as the System Log names results.
    pub result: Cow<'static, str>,
    /// Why; shown up to [`MAX_REASON_CHARACTERS`].
    pub reason: Option<String>,
}

/// What the action was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The target's id.
    pub id: String,
    /// Its kind, such as `InlineHook`.
    pub kind: Cow<'static, str>,
    /// Its name.
    pub display_name: String,
    /// Another stable name, such as a login.
    pub alternate_id: Option<String>,
}

/// One event of the System Log; serializes as `GET /api/v1/logs` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent {
    /// Unique key, a UUID.
    pub uuid: String,
    /// When it happened.
    pub published: Timestamp,
    /// Such as `inline_hook.created`.
    pub event_type: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence for people.
    pub display_message: Cow<'static, str>,
    /// Who did it.
    pub actor: Actor,
    /// The request that did it; without a request id it was no request but work of the org's own.
    pub origin: Origin,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was done to.
    pub targets: Vec<Target>,
    /// Details without a promised form; strings only, never a secret.
    pub debug_data: Map<String, Value>,
}

/// The text, cut so that it has at most so many characters.
fn shortened(text: &str, characters: usize) -> String {
    if text.char_indices().nth(characters).is_none() {
        return text.to_owned();
    }
    text.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> LogEvent {
        LogEvent {
            uuid: "u".to_owned(),
            published: Timestamp::from_millis(0),
            event_type: "inline_hook.created".into(),
            severity: Severity::Info,
            display_message: "Create inline hook".into(),
            actor: Actor {
                id: "00T1".to_owned(),
                kind: "PublicClientApp".to_owned(),
                display_name: "ci".to_owned(),
                alternate_id: "00T1".to_owned(),
            },
            origin: Origin {
                request_id: "req1".to_owned(),
                api_token_id: None,
                ip_address: Some(std::net::Ipv6Addr::LOCALHOST.into()),
                user_agent: Some("curl/8".to_owned()),
                trace_parent: None,
            },
            outcome: Outcome { result: "SUCCESS".into(), reason: None },
            targets: Vec::new(),
            debug_data: Map::new(),
        }
    }

    #[test]
    fn a_reason_has_one_to_255_characters_or_is_null() {
        let reason = |reason: Option<String>| {
            let event = LogEvent { outcome: Outcome { result: "FAILURE".into(), reason }, ..event() };
            json!(event)["outcome"]["reason"].as_str().map(|text| text.chars().count())
        };
        assert_eq!(reason(None), None);
        assert_eq!(reason(Some(String::new())), None);
        assert_eq!(reason(Some("é".repeat(255))), Some(255));
        assert_eq!(reason(Some("é".repeat(256))), Some(255));
    }

    #[test]
    fn an_event_tells_its_token_its_request_and_its_address() {
        let json = json!(event());
        assert_eq!(json["transaction"], json!({"type": "WEB", "id": "req1", "detail": {"requestApiTokenId": "00T1"}}));
        assert_eq!(json["request"]["ipChain"][0]["version"], "V6");
        assert_eq!(json["client"]["userAgent"]["rawUserAgent"], "curl/8");
        let own = json!(LogEvent { origin: Origin::default(), ..event() });
        assert_eq!(own["transaction"], json!({"type": "JOB", "id": null, "detail": {}}));
        assert_eq!(own["request"]["ipChain"], json!([]));
        assert_eq!(own["client"]["userAgent"], Value::Null);
    }

    #[test]
    fn whatever_an_event_shows_can_be_filtered_but_its_date() {
        fn names(value: &Value, path: &str, found: &mut Vec<String>) {
            match value {
                Value::Object(members) if !members.is_empty() => {
                    let dot = if path.is_empty() { "" } else { "." };
                    members.iter().for_each(|(name, member)| names(member, &format!("{path}{dot}{name}"), found));
                }
                Value::Array(elements) => elements.iter().for_each(|element| names(element, path, found)),
                _ => found.push(path.to_owned()),
            }
        }
        let target = Target {
            id: "cal1".to_owned(),
            kind: "InlineHook".into(),
            display_name: "Hook".to_owned(),
            alternate_id: None,
        };
        let mut found = Vec::new();
        names(&json!(LogEvent { targets: vec![target], ..event() }), "", &mut found);
        assert!(found.len() > 40, "{found:?}");
        let refused: Vec<String> =
            found.into_iter().filter(|name| read_filter(&format!("{name} pr")).is_err()).collect();
        assert_eq!(refused, ["published"]);
    }
}
