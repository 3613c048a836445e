//! The endpoints, one file a resource, and how a request is unpacked for them.

pub(crate) mod api_tokens;
pub(crate) mod apps;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod executions;
pub(crate) mod groups;
pub(crate) mod hook_keys;
pub(crate) mod inline_hooks;
pub(crate) mod listing;
pub(crate) mod logs;
pub(crate) mod path;
pub(crate) mod policies;
pub(crate) mod query;
pub(crate) mod roles;
pub(crate) mod signing_secrets;
pub(crate) mod trusted_origins;
pub(crate) mod users;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use crate::error::ApiError;
use crate::headers;

/// What an endpoint comes to.
pub(crate) type Result<T = Response> = std::result::Result<T, ApiError>;

/// Finished JSON as an answer.
pub(crate) fn json(body: Bytes) -> Response {
    ([headers::json()], body).into_response()
}

/// An object as an answer.
pub(crate) fn shown(object: &Value) -> Response {
    json(Bytes::from(object.to_string()))
}

/// The answer of what has nothing to say.
pub(crate) fn done() -> Response {
    json(Bytes::from_static(b"{}"))
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
        "/app/UserHome" => "/app/UserHome",
        _ if path.starts_with("/idp/idx/") => "/idp/idx",
        _ if path.starts_with("/oauth2/default/") => "/oauth2/default",
        _ if path.starts_with("/signin") => "/signin",
        _ if path.starts_with("/hookwright/v1/executions") => "/hookwright/v1/executions",
        _ if path.starts_with("/hookwright/v1/inlineHooks/") => "/hookwright/v1/inlineHooks/{id}",
        _ if path.starts_with("/api/v1/users") => "/api/v1/users",
        _ if path.starts_with("/api/v1/groups") => "/api/v1/groups",
        _ if path.starts_with("/api/v1/policies") => "/api/v1/policies",
        _ if path.starts_with("/api/v1/apps") => "/api/v1/apps",
        _ if path.starts_with("/api/v1/meta/") => "/api/v1/meta",
        _ if path.starts_with("/api/v1/trustedOrigins") => "/api/v1/trustedOrigins",
        _ if path.starts_with("/api/v1/hook-keys") => "/api/v1/hook-keys",
        "/hookwright/v1/hook-keys/jwks" => "/hookwright/v1/hook-keys/jwks",
        _ if path.starts_with("/api/v1/authorizationServers") => "/api/v1/authorizationServers",
        _ if path.starts_with("/api/v1/api-tokens") => "/api/v1/api-tokens",
        _ => "other",
    }
}
