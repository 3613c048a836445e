//! The endpoints, one file a resource, and how a request is unpacked for them.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod executions;
pub(crate) mod inline_hooks;
pub(crate) mod logs;
pub(crate) mod path;
pub(crate) mod query;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::headers;

/// Finished JSON as an answer.
pub(crate) fn json(body: Bytes) -> Response {
    ([headers::json()], body).into_response()
}

/// The metrics label of a path; from a closed list, so that no client can grow the metrics.
pub(crate) fn route_label(path: &str) -> &'static str {
    if let Some(rest) = path.strip_prefix("/api/v1/inlineHook") {
        return match rest.trim_start_matches('s') {
            "" | "/" => "/api/v1/inlineHooks",
            rest if rest.ends_with("/execute") => "/api/v1/inlineHooks/{id}/execute",
            rest if rest.contains("/lifecycle/") => "/api/v1/inlineHooks/{id}/lifecycle",
            _ => "/api/v1/inlineHooks/{id}",
        };
    }
    match path {
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        "/metrics" => "/metrics",
        "/api/v1/logs" => "/api/v1/logs",
        _ if path.starts_with("/hookwright/v1/executions") => "/hookwright/v1/executions",
        _ => "other",
    }
}
