//! `/api/v1/apps`: the Applications API for OIDC apps and bookmarks.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::{App, ApplicationQuery};
use hookwright_model::id::{AppId, AppKind, PolicyId};
use hookwright_model::lifecycle::LifecycleStatus;

use super::auth::Authenticated;
use super::body::JsonObject;
use super::listing::{listed, page_query};
use super::path::{PathId, PathTexts};
use super::query::Query;
use super::{Result, done, shown};

/// `POST /api/v1/apps?activate=`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: Query,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_application(&caller, &body, query.is_on("activate", true)).await?))
}

/// `GET /api/v1/apps?q=&filter=&after=&limit=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let asked = ApplicationQuery { q: query.owned("q"), filter: query.owned("filter"), page: page_query(&query) };
    let listing = app.applications(&asked).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/apps/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): PathId<AppKind>) -> Result {
    Ok(shown(&app.application(&id).await?))
}

/// `PUT /api/v1/apps/{id}`
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<AppKind>,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.replace_application(&caller, &id, &body).await?))
}

/// `DELETE /api/v1/apps/{id}`
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<AppKind>,
) -> Result {
    app.delete_application(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/apps/{id}/lifecycle/activate`
pub(crate) async fn activate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<AppKind>,
) -> Result {
    app.set_application_status(&caller, &id, LifecycleStatus::Active).await?;
    Ok(done())
}

/// `POST /api/v1/apps/{id}/lifecycle/deactivate`
pub(crate) async fn deactivate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<AppKind>,
) -> Result {
    app.set_application_status(&caller, &id, LifecycleStatus::Inactive).await?;
    Ok(done())
}

/// `PUT /api/v1/apps/{id}/policies/{policy}`
pub(crate) async fn assign_policy(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(id, policy): PathTexts,
) -> Result {
    app.assign_policy(&caller, &AppId::from_text(id), &PolicyId::from_text(policy)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
