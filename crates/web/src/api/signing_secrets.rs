//! `/hookwright/v1/inlineHooks/{id}/signingSecrets`: what the calls of a hook are signed with. Ours, not Okta's.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use hookwright_app::App;
use hookwright_model::id::{InlineHookId, InlineHookKind, SigningSecretId};

use super::auth::Authenticated;
use super::body::JsonObject;
use super::path::{PathId, PathTexts};
use super::{Result, shown};

type HookId = PathId<InlineHookKind>;

/// `POST /hookwright/v1/inlineHooks/{id}/signingSecrets`: the one answer that shows the value.
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(hook_id): HookId,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_signing_secret(&caller, &hook_id, &body).await?))
}

/// `GET /hookwright/v1/inlineHooks/{id}/signingSecrets`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, PathId(hook_id): HookId) -> Result {
    Ok(shown(&app.signing_secrets(&hook_id).await?))
}

/// `DELETE /hookwright/v1/inlineHooks/{id}/signingSecrets/{secret}`
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(hook, secret): PathTexts,
) -> Result {
    let (hook_id, id) = (InlineHookId::from_text(hook), SigningSecretId::from_text(secret));
    app.delete_signing_secret(&caller, &hook_id, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
