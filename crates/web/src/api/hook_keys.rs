//! `/api/v1/hook-keys`: the Hook Keys API; and the public halves as a JWK set, which is ours.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::App;
use hookwright_model::id::HookKeyKind;

use super::auth::{Authenticated, Counted};
use super::body::JsonObject;
use super::listing::listed;
use super::path::PathId;
use super::query::Query;
use super::{Result, shown};

type KeyId = PathId<HookKeyKind>;

/// `POST /api/v1/hook-keys`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_hook_key(&caller, &body).await?))
}

/// `GET /api/v1/hook-keys?expand=publickey`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let listing = app.hook_keys(wants_public_key(&query)).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/hook-keys/{id}?expand=publickey`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): KeyId, query: Query) -> Result {
    Ok(shown(&app.hook_key(&id, wants_public_key(&query)).await?))
}

/// `GET /api/v1/hook-keys/public/{keyId}`
pub(crate) async fn public(State(app): State<App>, _: Authenticated, PathId(key_id): KeyId) -> Result {
    Ok(shown(&app.hook_public_key(&key_id).await?))
}

/// `GET /hookwright/v1/hook-keys/jwks`, which asks for no token: authorization servers fetch it.
pub(crate) async fn key_set(State(app): State<App>, _: Counted) -> Result {
    Ok(shown(&app.hook_key_set().await?))
}

/// `PUT /api/v1/hook-keys/{id}`
pub(crate) async fn rename(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): KeyId,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.rename_hook_key(&caller, &id, &body).await?))
}

/// `DELETE /api/v1/hook-keys/{id}`
pub(crate) async fn delete(State(app): State<App>, Authenticated(caller): Authenticated, PathId(id): KeyId) -> Result {
    app.delete_hook_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn wants_public_key(query: &Query) -> bool {
    query.get("expand").is_some_and(|expand| expand.eq_ignore_ascii_case("publickey"))
}
