//! `/api/v1/groups`: the Groups API.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::{App, GroupQuery};
use hookwright_model::id::{GroupId, GroupKind};

use super::auth::Authenticated;
use super::body::JsonObject;
use super::listing::{listed, page_query};
use super::path::{PathId, PathTexts};
use super::query::Query;
use super::{Result, shown};

/// `POST /api/v1/groups`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_group(&caller, &body).await?))
}

/// `GET /api/v1/groups?q=&filter=&search=&after=&limit=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let asked = GroupQuery {
        q: query.owned("q"),
        filter: query.owned("filter"),
        search: query.owned("search"),
        page: page_query(&query),
    };
    let listing = app.groups(&asked).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/groups/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): PathId<GroupKind>) -> Result {
    Ok(shown(&app.group(&id).await?))
}

/// `PUT /api/v1/groups/{id}`
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<GroupKind>,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.replace_group(&caller, &id, &body).await?))
}

/// `DELETE /api/v1/groups/{id}`
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<GroupKind>,
) -> Result {
    app.delete_group(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/groups/{id}/users?after=&limit=`
pub(crate) async fn members(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): PathId<GroupKind>,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.group_members(&id, &page_query(&query)).await?;
    listed(&app, &uri, &query, listing)
}

/// `PUT /api/v1/groups/{id}/users/{user}`
pub(crate) async fn add_member(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(group, user): PathTexts,
) -> Result {
    app.add_group_member(&caller, &GroupId::from_text(group), &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/groups/{id}/users/{user}`
pub(crate) async fn remove_member(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(group, user): PathTexts,
) -> Result {
    app.remove_group_member(&caller, &GroupId::from_text(group), &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
