//! `/api/v1/api-tokens`: the API Tokens API. Tokens are made at the command line, never here.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::App;
use hookwright_model::id::{ApiTokenId, ApiTokenKind};

use super::auth::Authenticated;
use super::listing::listed;
use super::path::PathId;
use super::query::Query;
use super::{Result, shown};

/// `GET /api/v1/api-tokens`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let listing = app.api_tokens().await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/api-tokens/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): PathId<ApiTokenKind>) -> Result {
    Ok(shown(&app.api_token(&id).await?))
}

/// `DELETE /api/v1/api-tokens/{id}`
pub(crate) async fn revoke(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<ApiTokenKind>,
) -> Result {
    app.revoke_api_token(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/api-tokens/current`: the token that the call itself was made with.
pub(crate) async fn revoke_current(State(app): State<App>, Authenticated(caller): Authenticated) -> Result {
    let id = ApiTokenId::from_text(caller.token_id());
    app.revoke_api_token(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
