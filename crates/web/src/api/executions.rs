//! `/hookwright/v1/executions`: every hook call as one record.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use bytes::Bytes;
use hookwright_app::{App, Caller, ExecutionFilter};
use hookwright_model::execution::{Execution, Verdict};
use hookwright_model::id::ExecutionKind;
use serde_json::{Map, Value, json};

use super::Result;
use super::auth::Authenticated;
use super::listing::Links;
use super::path::PathId;
use super::query::Query;
use crate::headers;

/// `GET /hookwright/v1/executions?hookId=&verdict=&since=&until=&after=&limit=`, newest first.
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    query: Query,
) -> Result {
    let filter = ExecutionFilter {
        hook_id: query.owned("hookId"),
        verdict: query.owned("verdict"),
        since: query.owned("since"),
        until: query.owned("until"),
        after: query.owned("after"),
        limit: query.owned("limit"),
    };
    let page = app.executions(&filter).await?;
    let items: Vec<Value> =
        page.items.iter().map(|execution| Value::Object(for_eyes_of(&caller, summary(execution)))).collect();
    let next = page.next.map(|next| next.to_string());
    let links = Links { app: &app, uri: &uri, query: &query, replaced: &["after"] };
    links.on(super::json(Bytes::from(Value::Array(items).to_string())), next.as_deref())
}

/// `GET /hookwright/v1/executions/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<ExecutionKind>,
) -> Result {
    let execution = app.execution(&id).await?;
    Ok(([headers::json()], Value::Object(for_eyes_of(&caller, whole(&execution))).to_string()).into_response())
}

/// An execution with its bodies: as JSON where they are JSON, as text otherwise.
fn whole(execution: &Execution) -> Map<String, Value> {
    let mut members = summary(execution);
    members.insert("payload".into(), body(&execution.request));
    if let Some(Value::Array(attempts)) = members.get_mut("attempts") {
        for (shown, attempt) in attempts.iter_mut().zip(&execution.summary.attempts) {
            if let Value::Object(shown) = shown {
                shown.insert("body".into(), body(&attempt.body));
            }
        }
    }
    members
}

/// An execution as this caller may see it: to which inner addresses names lead is for super administrators only.
fn for_eyes_of(caller: &Caller, mut execution: Map<String, Value>) -> Map<String, Value> {
    if caller.is_super_admin() {
        return execution;
    }
    // These reasons name the address.
    let names_address = matches!(
        execution.get("verdict").and_then(Value::as_str).and_then(Verdict::parse),
        Some(Verdict::AddressRefused | Verdict::Unreachable)
    );
    if names_address {
        execution.insert("failure".into(), Value::Null);
    }
    if let Some(Value::Array(attempts)) = execution.get_mut("attempts") {
        for attempt in attempts.iter_mut().filter_map(Value::as_object_mut) {
            attempt.remove("peer");
            if names_address {
                attempt.remove("failure");
            }
        }
    }
    execution
}

/// An execution as the list shows it, without the bodies.
fn summary(execution: &Execution) -> Map<String, Value> {
    let summary = &execution.summary;
    let shown = json!({
        "id": execution.id,
        "inlineHook": {"id": summary.hook_id, "name": summary.hook_name, "type": summary.hook_type.as_str()},
        "url": summary.url,
        "trigger": summary.trigger,
        "actor": summary.actor,
        "request": {
            "id": summary.origin.request_id,
            "ipAddress": summary.origin.ip_address,
            "apiTokenId": summary.origin.api_token_id,
            "userAgent": summary.origin.user_agent,
            "traceParent": summary.origin.trace_parent,
        },
        "eventId": summary.event_id,
        "requestType": summary.request_type,
        "started": summary.started(),
        "durationUs": summary.duration_us,
        "verdict": summary.verdict,
        "failure": summary.failure,
        "effect": summary.effect,
        "attempts": summary.attempts,
    });
    match shown {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn body(bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
