//! `/hookwright/v1/executions`: every hook call as one record.

use axum::extract::State;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hookwright_app::{App, ExecutionFilter};
use hookwright_model::execution::Execution;
use hookwright_model::id::ExecutionKind;
use serde_json::{Map, Value, json};

use super::auth::Authenticated;
use super::path::PathId;
use super::query::Query;
use crate::error::ApiError;
use crate::headers;

/// `GET /hookwright/v1/executions?hookId=&verdict=&since=&until=&after=&limit=`, newest first.
pub(crate) async fn list(State(app): State<App>, _: Authenticated, query: Query) -> Result<Response, ApiError> {
    let filter = ExecutionFilter {
        hook_id: query.owned("hookId"),
        verdict: query.owned("verdict"),
        since: query.owned("since"),
        until: query.owned("until"),
        after: query.owned("after"),
        limit: query.owned("limit"),
    };
    let page = app.executions(&filter).await?;
    let items: Vec<Value> = page.items.iter().map(to_json).collect();
    let mut response = super::json(Bytes::from(Value::Array(items).to_string()));
    if let Some(next) = &page.next {
        let link = next_link(&app.settings().public_url, &query, &next.to_string());
        if let Ok(value) = link.parse() {
            response.headers_mut().insert(LINK, value);
        }
    }
    Ok(response)
}

/// `GET /hookwright/v1/executions/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): PathId<ExecutionKind>,
) -> Result<Response, ApiError> {
    let execution = app.execution(&id).await?;
    Ok(([headers::json()], to_json(&execution).to_string()).into_response())
}

fn next_link(base: &str, query: &Query, after: &str) -> String {
    let kept = query.iter().filter(|(name, _)| *name != "after");
    let encoded =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("after", after).finish();
    format!("<{base}/hookwright/v1/executions?{encoded}>; rel=\"next\"")
}

/// An execution as the API shows it: bodies as JSON where they are JSON, as text otherwise.
fn to_json(execution: &Execution) -> Value {
    let summary = &execution.summary;
    let attempts: Vec<Value> = summary
        .attempts
        .iter()
        .map(|attempt| {
            let mut members = match serde_json::to_value(attempt) {
                Ok(Value::Object(members)) => members,
                _ => Map::new(),
            };
            members.insert("body".into(), body(&attempt.body));
            Value::Object(members)
        })
        .collect();
    json!({
        "id": execution.id,
        "inlineHook": {"id": summary.hook_id, "name": summary.hook_name, "type": summary.hook_type.as_str()},
        "url": summary.url,
        "trigger": summary.trigger,
        "actor": summary.actor,
        "request": {
            "id": summary.origin.request_id,
            "ipAddress": summary.origin.ip_address,
            "userAgent": summary.origin.user_agent,
        },
        "eventId": summary.event_id,
        "requestType": summary.request_type,
        "started": summary.started(),
        "durationUs": summary.duration_us,
        "verdict": summary.verdict,
        "failure": summary.failure,
        "effect": summary.effect,
        "payload": body(&execution.request),
        "attempts": attempts,
    })
}

fn body(bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
