//! `/api/v1/trustedOrigins`: the Trusted Origins API.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::App;
use hookwright_model::id::TrustedOriginKind;
use hookwright_model::lifecycle::LifecycleStatus;

use super::auth::Authenticated;
use super::body::JsonObject;
use super::listing::{listed, page_query};
use super::path::PathId;
use super::query::Query;
use super::{Result, shown};

type Origin = PathId<TrustedOriginKind>;

/// `POST /api/v1/trustedOrigins`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_trusted_origin(&caller, &body).await?))
}

/// `GET /api/v1/trustedOrigins?after=&limit=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let listing = app.trusted_origins(&page_query(&query)).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/trustedOrigins/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): Origin) -> Result {
    Ok(shown(&app.trusted_origin(&id).await?))
}

/// `PUT /api/v1/trustedOrigins/{id}`
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Origin,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.replace_trusted_origin(&caller, &id, &body).await?))
}

/// `DELETE /api/v1/trustedOrigins/{id}`
pub(crate) async fn delete(State(app): State<App>, Authenticated(caller): Authenticated, PathId(id): Origin) -> Result {
    app.delete_trusted_origin(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/trustedOrigins/{id}/lifecycle/activate`
pub(crate) async fn activate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Origin,
) -> Result {
    Ok(shown(&app.set_trusted_origin_status(&caller, &id, LifecycleStatus::Active).await?))
}

/// `POST /api/v1/trustedOrigins/{id}/lifecycle/deactivate`
pub(crate) async fn deactivate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Origin,
) -> Result {
    Ok(shown(&app.set_trusted_origin_status(&caller, &id, LifecycleStatus::Inactive).await?))
}
