//! `/api/v1/inlineHooks`: the Inline Hooks Management API.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HeaderName;
use axum::response::IntoResponse;
use bytes::Bytes;
use hookwright_app::App;
use hookwright_model::id::InlineHookKind;
use hookwright_model::lifecycle::LifecycleStatus;

use super::auth::Authenticated;
use super::body::{JsonBytes, JsonObject, borrowed_object};
use super::path::PathId;
use super::query::Query;
use super::{Result, json};
use crate::headers;

/// Where the record of a call is to be found.
const EXECUTION_ID: HeaderName = HeaderName::from_static("x-hookwright-execution-id");

type HookId = PathId<InlineHookKind>;

/// `POST /api/v1/inlineHooks`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonBytes(body): JsonBytes,
) -> Result {
    Ok(json(app.create_inline_hook(&caller, &borrowed_object(&body)?).await?))
}

/// `GET /api/v1/inlineHooks?type=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, query: Query) -> Result {
    Ok(json(app.inline_hooks(query.get("type")).await?))
}

/// `GET /api/v1/inlineHooks/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): HookId) -> Result {
    Ok(json(app.inline_hook(&id).await?))
}

/// `PUT /api/v1/inlineHooks/{id}`
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
    JsonBytes(body): JsonBytes,
) -> Result {
    Ok(json(app.replace_inline_hook(&caller, &id, &borrowed_object(&body)?).await?))
}

/// `POST /api/v1/inlineHooks/{id}`
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
    JsonBytes(body): JsonBytes,
) -> Result {
    Ok(json(app.update_inline_hook(&caller, &id, &borrowed_object(&body)?).await?))
}

/// `DELETE /api/v1/inlineHooks/{id}`
pub(crate) async fn delete(State(app): State<App>, Authenticated(caller): Authenticated, PathId(id): HookId) -> Result {
    app.delete_inline_hook(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/inlineHooks/{id}/lifecycle/activate`
pub(crate) async fn activate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
) -> Result {
    Ok(json(app.set_inline_hook_status(&caller, &id, LifecycleStatus::Active).await?))
}

/// `POST /api/v1/inlineHooks/{id}/lifecycle/deactivate`
pub(crate) async fn deactivate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
) -> Result {
    Ok(json(app.set_inline_hook_status(&caller, &id, LifecycleStatus::Inactive).await?))
}

/// `POST /api/v1/inlineHooks/{id}/execute`: the service's answer, byte for byte; `{}` where it answered 204.
pub(crate) async fn execute(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
    JsonBytes(body): JsonBytes,
) -> Result {
    let answer = app.execute_inline_hook(&caller, &id, body).await?;
    let body = if answer.body.is_empty() { Bytes::from_static(b"{}") } else { answer.body };
    let execution_id = (EXECUTION_ID, answer.execution_id.to_string());
    Ok(([headers::json()], [execution_id], body).into_response())
}

/// `GET /hookwright/v1/inlineHooks/{id}/settings`
pub(crate) async fn settings(State(app): State<App>, _: Authenticated, PathId(id): HookId) -> Result {
    Ok(json(app.hook_settings(&id).await?))
}

/// `PUT /hookwright/v1/inlineHooks/{id}/settings`
pub(crate) async fn replace_settings(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(json(app.replace_hook_settings(&caller, &id, &body).await?))
}

/// `DELETE /hookwright/v1/inlineHooks/{id}/settings`: everything as Okta has it.
pub(crate) async fn reset_settings(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): HookId,
) -> Result {
    app.reset_hook_settings(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
