//! An event as a chunk holds it: what it is made of, as MessagePack. The JSON that clients are shown is four times as long,
//! and most of it says the same of every event; it is made when somebody asks.

use std::borrow::Cow;

use hookwright_model::Timestamp;
use hookwright_model::execution::{Actor, Origin};
use hookwright_model::system_log::{LogEvent, Outcome, Severity, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StoreError;

/// All but when it was published, which stands in front of every item of a chunk.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredEvent<'e> {
    uuid: Cow<'e, str>,
    event_type: Cow<'e, str>,
    severity: Severity,
    display_message: Cow<'e, str>,
    actor: Cow<'e, Actor>,
    origin: Cow<'e, Origin>,
    outcome: Cow<'e, Outcome>,
    targets: Cow<'e, [Target]>,
    debug_data: Cow<'e, Map<String, Value>>,
}

/// Appends an event.
pub(super) fn write(event: &LogEvent, body: &mut Vec<u8>) -> Result<(), rmp_serde::encode::Error> {
    let stored = StoredEvent {
        uuid: Cow::Borrowed(&event.uuid),
        event_type: Cow::Borrowed(&event.event_type),
        severity: event.severity,
        display_message: Cow::Borrowed(&event.display_message),
        actor: Cow::Borrowed(&event.actor),
        origin: Cow::Borrowed(&event.origin),
        outcome: Cow::Borrowed(&event.outcome),
        targets: Cow::Borrowed(&event.targets),
        debug_data: Cow::Borrowed(&event.debug_data),
    };
    rmp_serde::encode::write_named(body, &stored)
}

/// Reads an event that was [written](write).
pub(super) fn read(content: &[u8], published: Timestamp) -> Result<LogEvent, StoreError> {
    let stored: StoredEvent<'static> = rmp_serde::from_slice(content)
        .map_err(|error| StoreError::Unreadable(format!("an event of the journal: {error}")))?;
    Ok(LogEvent {
        uuid: stored.uuid.into_owned(),
        published,
        event_type: stored.event_type,
        severity: stored.severity,
        display_message: stored.display_message,
        actor: stored.actor.into_owned(),
        origin: stored.origin.into_owned(),
        outcome: stored.outcome.into_owned(),
        targets: stored.targets.into_owned(),
        debug_data: stored.debug_data.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use hookwright_model::trace_parent::TraceParent;
    use serde_json::json;

    use super::*;

    fn event() -> LogEvent {
        LogEvent {
            uuid: "4a3f".to_owned(),
            published: Timestamp::from_millis(1_700_000_000_001),
            event_type: "inline_hook.updated".into(),
            severity: Severity::Warn,
            display_message: "Update inline hook \u{1f980}".into(),
            actor: Actor {
                id: "00T1".to_owned(),
                kind: "PublicClientApp".to_owned(),
                display_name: "ci".to_owned(),
                alternate_id: "00T1".to_owned(),
            },
            origin: Origin {
                request_id: "req1".to_owned(),
                api_token_id: None,
                ip_address: Some(Ipv6Addr::LOCALHOST.into()),
                user_agent: Some("curl/8".to_owned()),
                trace_parent: TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            },
            outcome: Outcome { result: "DENY".into(), reason: Some(String::new()) },
            targets: vec![Target {
                id: "cal1".to_owned(),
                kind: "InlineHook".into(),
                display_name: "Hook".to_owned(),
                alternate_id: Some("other".to_owned()),
            }],
            debug_data: Map::from_iter([("changed".to_owned(), json!(["uri", 1, null]))]),
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let nothing = LogEvent { origin: Origin::default(), targets: Vec::new(), debug_data: Map::new(), ..event() };
        assert!(event().origin.trace_parent.is_some());
        for event in [event(), nothing] {
            let mut body = Vec::new();
            write(&event, &mut body).unwrap();
            assert_eq!(read(&body, event.published).unwrap(), event);
            for end in 0..body.len() {
                assert!(matches!(read(&body[..end], event.published), Err(StoreError::Unreadable(_))), "{end}");
            }
        }
    }
}
