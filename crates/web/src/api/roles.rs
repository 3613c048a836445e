//! `/api/v1/users/{id}/roles`: the administrator roles of a user, as Okta's Role Assignments API has them.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::App;
use hookwright_model::id::AdminRoleId;

use super::auth::Authenticated;
use super::body::JsonObject;
use super::listing::listed;
use super::path::{PathText, PathTexts};
use super::query::Query;
use super::users::whom;
use super::{Result, shown};

/// `GET /api/v1/users/{id or login}/roles`
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.roles(whom(&caller, &user)).await?;
    listed(&app, &uri, &query, listing)
}

/// `POST /api/v1/users/{id or login}/roles`. Nobody is told by mail, so that `disableNotifications` changes nothing.
pub(crate) async fn grant(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    JsonObject(body): JsonObject,
) -> Result {
    let role = app.grant_role(&caller, whom(&caller, &user), &body).await?;
    Ok((StatusCode::CREATED, shown(&role)).into_response())
}

/// `GET /api/v1/users/{id or login}/roles/{roleId}`
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(user, role): PathTexts,
) -> Result {
    Ok(shown(&app.role(whom(&caller, &user), &AdminRoleId::from_text(role)).await?))
}

/// `DELETE /api/v1/users/{id or login}/roles/{roleId}`
pub(crate) async fn revoke(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(user, role): PathTexts,
) -> Result {
    app.revoke_role(&caller, whom(&caller, &user), &AdminRoleId::from_text(role)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
