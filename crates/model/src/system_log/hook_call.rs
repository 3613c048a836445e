//! The events of a hook's call, derived from its record: they are never stored themselves.
//!
//! A failed call makes `inline_hook.executed`: no answer came, or one with another status than 2xx. An answer that was
//! looked at makes `inline_hook.response.processed`, whatever came of it; the service's `debugContext` travels with it.

use hookwright_contract::{DEFAULT_ERROR_SUMMARY, json};
use serde_json::{Map, Value};

use super::{LogEvent, MAX_REASON_CHARACTERS, Outcome, Severity, Target, shortened};
use crate::execution::{Attempt, Execution, ExecutionSummary, Trigger, Verdict};
use crate::id::{ExecutionId, uuid_of};

/// A call failed: no answer, or one with another status than 2xx.
pub const INLINE_HOOK_EXECUTED: &str = "inline_hook.executed";

/// An answer was processed, for good or for bad.
pub const INLINE_HOOK_RESPONSE_PROCESSED: &str = "inline_hook.response.processed";

/// The longest `debugContext` and other text of a service that an event carries, in characters.
const MAX_TEXT_CHARACTERS: usize = 8_192;

/// Which event; its number is part of the event's UUID, so it must never change.
#[derive(Clone, Copy)]
enum Step {
    Executed = 0,
    ResponseProcessed = 1,
}

/// The events that a call made, in their order; the same execution always makes the same events.
///
/// Successful calls make one only if `log_successful_calls` says so.
#[must_use]
pub fn events_of_call(execution: &Execution, log_successful_calls: bool) -> Vec<LogEvent> {
    let summary = &execution.summary;
    let last = summary.attempts.last();
    let answered = last.and_then(|attempt| attempt.status).is_some_and(|status| (200..300).contains(&status));
    let (step, failure) = match summary.verdict {
        Verdict::Answered if !log_successful_calls => return Vec::new(),
        Verdict::Answered => (Step::ResponseProcessed, None),
        Verdict::ErrorReturned => (Step::ResponseProcessed, Some(returned_error(last))),
        Verdict::InvalidAnswer | Verdict::AnswerTooLarge if answered => {
            (Step::ResponseProcessed, Some(recorded_failure(summary)))
        }
        Verdict::InvalidAnswer
        | Verdict::AnswerTooLarge
        | Verdict::WrongStatus
        | Verdict::TimedOut
        | Verdict::Unreachable
        | Verdict::AddressRefused
        | Verdict::AtCapacity
        | Verdict::TokenRefused
        | Verdict::RateLimited
        | Verdict::CircuitOpen => (Step::Executed, Some(recorded_failure(summary))),
    };
    vec![event(execution, step, failure)]
}

fn event(execution: &Execution, step: Step, failure: Option<String>) -> LogEvent {
    let summary = &execution.summary;
    let (event_type, display_message) = match step {
        Step::Executed => (INLINE_HOOK_EXECUTED, "Execute inline hook"),
        Step::ResponseProcessed => (INLINE_HOOK_RESPONSE_PROCESSED, "Process inline hook response"),
    };
    LogEvent {
        uuid: uuid_of((number(&execution.id) << 20) | step as u128),
        published: summary.ended(),
        event_type: event_type.into(),
        severity: if failure.is_some() { Severity::Warn } else { Severity::Info },
        display_message: display_message.into(),
        actor: summary.actor.clone(),
        origin: summary.origin.clone(),
        outcome: Outcome {
            result: if failure.is_some() { "FAILURE" } else { "SUCCESS" }.into(),
            reason: failure.as_deref().map(|reason| shortened(reason, MAX_REASON_CHARACTERS)),
        },
        targets: vec![Target {
            id: summary.hook_id.to_string(),
            kind: "InlineHook".into(),
            display_name: summary.hook_name.clone(),
            alternate_id: None,
        }],
        debug_data: debug_data(execution, failure),
    }
}

fn debug_data(execution: &Execution, failure: Option<String>) -> Map<String, Value> {
    let summary = &execution.summary;
    let last = summary.attempts.last();
    let trigger = match summary.trigger {
        Trigger::Execute => "EXECUTE",
        Trigger::Preview => "PREVIEW",
        Trigger::Replay => "REPLAY",
        Trigger::Flow => "FLOW",
    };
    let members = [
        ("inlineHookId", Some(summary.hook_id.to_string())),
        ("inlineHookType", Some(summary.hook_type.as_str().to_owned())),
        ("eventId", summary.event_id.clone().map(String::from)),
        ("requestType", summary.request_type.clone().map(String::from)),
        ("url", Some(summary.url.to_string())),
        ("trigger", Some(trigger.to_owned())),
        ("attempts", Some(summary.attempts.len().to_string())),
        ("httpStatus", last.and_then(|attempt| attempt.status).map(|status| status.to_string())),
        ("durationMs", Some((summary.duration_us / 1000).to_string())),
        ("failureReason", failure),
        ("effect", summary.effect.clone().map(String::from)),
        ("executionId", Some(execution.id.to_string())),
        ("debugContext", last.and_then(debug_context)),
    ];
    let text = |text: String| Value::String(shortened(&text, MAX_TEXT_CHARACTERS));
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?)))).collect()
}

/// The answer's `debugContext` as JSON text.
fn debug_context(attempt: &Attempt) -> Option<String> {
    let answer = json::parse(&attempt.body).ok()?;
    let context = answer.get("debugContext").filter(|context| !context.is_null())?;
    serde_json::to_string(context).ok()
}

/// What the service said of its own error. Telephony services may send several errors in an array.
fn returned_error(attempt: Option<&Attempt>) -> String {
    let answer = attempt.and_then(|attempt| json::parse(&attempt.body).ok());
    let summary = answer.as_ref().and_then(|answer| {
        let first = || answer.pointer("/error/0/errorSummary");
        answer.pointer("/error/errorSummary").or_else(first)?.as_str().filter(|text| !text.trim().is_empty())
    });
    match summary {
        Some(summary) => format!("The external service returned an error: {summary}"),
        None => DEFAULT_ERROR_SUMMARY.to_owned(),
    }
}

fn recorded_failure(summary: &ExecutionSummary) -> String {
    summary.failure.as_ref().map_or_else(|| summary.verdict.as_str(), |failure| failure.as_str()).to_owned()
}

/// The execution's number, below 2^102. Ids are minted from such numbers; any other text is hashed (FNV-1a), so that its
/// events keep their UUIDs too.
fn number(id: &ExecutionId) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    id.number().unwrap_or_else(|| {
        let hash = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        id.as_str().bytes().fold(OFFSET_BASIS, hash) >> 26
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bytes::Bytes;
    use hookwright_contract::HookType;

    use super::*;
    use crate::execution::{Actor, Origin};
    use crate::shown::{Shown, ShownBody};
    use crate::{Entropy, Timestamp};

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn attempt(status: Option<u16>, body: &'static str) -> Attempt {
        Attempt {
            started_after_us: 0,
            duration_us: 12_000,
            status,
            content_type: None,
            reused_connection: false,
            peer: None,
            failure: None,
            body: ShownBody::stored(Bytes::from_static(body.as_bytes())),
        }
    }

    fn execution(verdict: Verdict, attempts: Vec<Attempt>) -> Execution {
        let started = Timestamp::from_millis(1_700_000_000_000);
        let summary = ExecutionSummary {
            hook_id: "cal1".into(),
            hook_name: "Registration".to_owned(),
            hook_type: HookType::Registration,
            url: "https://hooks.example.com/r".into(),
            trigger: Trigger::Execute,
            actor: Actor {
                id: "00T1".to_owned(),
                kind: "PublicClientApp".to_owned(),
                display_name: "ci".to_owned(),
                alternate_id: "00T1".to_owned(),
            },
            origin: Origin {
                request_id: "req1".to_owned(),
                api_token_id: None,
                ip_address: None,
                user_agent: None,
                trace_parent: None,
            },
            event_id: Some("evt1".into()),
            request_type: None,
            started_ms: started.as_millis(),
            duration_us: 12_999,
            verdict,
            failure: (!verdict.is_success()).then(|| Shown::own(format!("It failed, {}", "x".repeat(300)))),
            effect: None,
            attempts,
        };
        Execution { id: ExecutionId::mint_at(started, &Fixed(9)), summary, request: ShownBody::default() }
    }

    #[test]
    fn a_call_without_a_usable_answer_makes_an_executed_event() {
        for (verdict, status) in [
            (Verdict::WrongStatus, Some(500)),
            (Verdict::TimedOut, None),
            (Verdict::Unreachable, None),
            (Verdict::InvalidAnswer, None),
            (Verdict::AnswerTooLarge, Some(404)),
            (Verdict::AddressRefused, None),
        ] {
            let events = events_of_call(&execution(verdict, vec![attempt(status, "")]), false);
            assert_eq!(events.len(), 1, "{verdict:?}");
            assert_eq!(events[0].event_type, INLINE_HOOK_EXECUTED, "{verdict:?}");
            assert_eq!(events[0].outcome.result, "FAILURE");
            assert_eq!(events[0].outcome.reason.as_ref().unwrap().chars().count(), 255);
        }
        let events = events_of_call(&execution(Verdict::AtCapacity, Vec::new()), false);
        assert_eq!(events[0].event_type, INLINE_HOOK_EXECUTED);
        assert_eq!(events[0].debug_data["attempts"], "0");
        assert!(!events[0].debug_data.contains_key("httpStatus"));
    }

    #[test]
    fn an_answer_that_broke_the_contract_was_processed_and_failed() {
        let answer = attempt(Some(200), r#"{"commands":5,"debugContext":{"rule":"b","a":[1]}}"#);
        let event = events_of_call(&execution(Verdict::InvalidAnswer, vec![answer]), false).remove(0);
        assert_eq!((&*event.event_type, &*event.outcome.result), (INLINE_HOOK_RESPONSE_PROCESSED, "FAILURE"));
        assert_eq!(event.debug_data["debugContext"], r#"{"rule":"b","a":[1]}"#);
        assert_eq!(event.debug_data["httpStatus"], "200");
    }

    #[test]
    fn an_error_of_the_service_is_logged_in_its_words() {
        for (body, reason) in [
            (r#"{"error":{"errorSummary":"No."}}"#, "The external service returned an error: No."),
            (r#"{"error":[{"errorSummary":"No."}]}"#, "The external service returned an error: No."),
            (r#"{"error":{}}"#, "The callback service returned an error"),
        ] {
            let event = events_of_call(&execution(Verdict::ErrorReturned, vec![attempt(Some(200), body)]), false);
            assert_eq!(event[0].event_type, INLINE_HOOK_RESPONSE_PROCESSED);
            assert_eq!(event[0].outcome, Outcome { result: "FAILURE".into(), reason: Some(reason.to_owned()) });
        }
    }

    #[test]
    fn a_success_is_logged_only_if_the_setting_says_so() {
        let execution = execution(Verdict::Answered, vec![attempt(Some(204), "")]);
        assert_eq!(events_of_call(&execution, false), []);
        let event = events_of_call(&execution, true).remove(0);
        assert_eq!(event.outcome, Outcome { result: "SUCCESS".into(), reason: None });
        assert_eq!(event.published, Timestamp::from_millis(1_700_000_000_012));
        let json = serde_json::json!(event);
        assert_eq!(json["target"][0]["id"], "cal1");
        assert_eq!(json["target"][0]["type"], "InlineHook");
        assert_eq!(json["target"][0]["displayName"], "Registration");
        assert_eq!(
            Value::Object(event.debug_data),
            serde_json::json!({
                "inlineHookId": "cal1", "inlineHookType": "com.okta.user.pre-registration", "eventId": "evt1",
                "url": "https://hooks.example.com/r", "trigger": "EXECUTE", "attempts": "1", "httpStatus": "204",
                "durationMs": "12", "executionId": execution.id.as_str(),
            })
        );
    }

    #[test]
    fn the_uuid_of_an_event_follows_from_its_execution_alone() {
        let mut uuids = HashSet::new();
        for (millis, random) in [(1, 0), (1, 1), (2, 0), (1_700_000_000_000, 255)] {
            let id = ExecutionId::mint_at(Timestamp::from_millis(millis), &Fixed(random));
            for verdict in [Verdict::Answered, Verdict::TimedOut] {
                let execution = Execution { id: id.clone(), ..execution(verdict, Vec::new()) };
                let uuid = events_of_call(&execution, true).remove(0).uuid;
                assert_eq!(uuid, events_of_call(&execution, true).remove(0).uuid);
                assert!(uuids.insert(uuid.clone()), "{uuid}");
                assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"), "{uuid}");
            }
        }
        let odd = |id: &str| {
            let execution = Execution { id: ExecutionId::from_text(id), ..execution(Verdict::TimedOut, Vec::new()) };
            events_of_call(&execution, true).remove(0).uuid
        };
        assert_ne!(odd("exe-1"), odd("exe-2"));
    }
}
