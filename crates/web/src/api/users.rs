//! `/api/v1/users`: the Users API, as far as clients of this org need it.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::{App, Caller, LifecycleAnswer, NewUserOptions, ProfileChange, UserListQuery};
use hookwright_model::user::LifecycleStep;
use serde_json::{Value, json};

use super::auth::Authenticated;
use super::body::{JsonObject, OptionalObject};
use super::listing::{listed, page_query};
use super::path::{PathText, PathTexts};
use super::query::Query;
use super::{Result, done, shown};
use crate::error::ApiError;

/// Whom a path means: `me` is the owner of the token.
pub(crate) fn whom<'p>(caller: &'p Caller, user: &'p str) -> &'p str {
    if user == "me" { caller.user_id() } else { user }
}

/// `POST /api/v1/users?activate=&provider=&nextLogin=`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: Query,
    JsonObject(body): JsonObject,
) -> Result {
    let options = NewUserOptions {
        activate: query.is_on("activate", true),
        change_password: query.get("nextLogin") == Some("changePassword"),
    };
    Ok(shown(&app.create_user(&caller, &body, options).await?))
}

/// `GET /api/v1/users?q=&filter=&search=&after=&limit=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let asked = UserListQuery {
        q: query.owned("q"),
        filter: query.owned("filter"),
        search: query.owned("search"),
        page: page_query(&query),
    };
    let listing = app.users(&asked).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/users/{id or login}`
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
) -> Result {
    Ok(shown(&app.user(whom(&caller, &user)).await?))
}

/// `GET /api/v1/users/me`: the owner of the token, the first request of every Terraform run.
pub(crate) async fn get_own(State(app): State<App>, Authenticated(caller): Authenticated) -> Result {
    Ok(shown(&app.user(caller.user_id()).await?))
}

/// `POST /api/v1/users/me`
pub(crate) async fn update_own(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.update_user(&caller, caller.user_id(), &body, ProfileChange::Merge).await?))
}

/// `PUT /api/v1/users/me`
pub(crate) async fn replace_own(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.update_user(&caller, caller.user_id(), &body, ProfileChange::Replace).await?))
}

/// `POST /api/v1/users/{id or login}`: what is given goes over what is there.
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.update_user(&caller, &user, &body, ProfileChange::Merge).await?))
}

/// `PUT /api/v1/users/{id or login}`: what is given is all there is.
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.update_user(&caller, &user, &body, ProfileChange::Replace).await?))
}

/// `DELETE /api/v1/users/{id or login}`: deactivates first, deletes then.
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
) -> Result {
    app.delete_user(&caller, &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/users/{id or login}/groups`
pub(crate) async fn groups(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.groups_of_user(whom(&caller, &user)).await?;
    listed(&app, &uri, &query, listing)
}

/// `POST /api/v1/users/{id or login}/lifecycle/{step}`
pub(crate) async fn lifecycle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathTexts(user, step): PathTexts,
    query: Query,
) -> Result {
    if step == "expire_password_with_temp_password" {
        return Ok(shown(&app.expire_with_temporary_password(&caller, &user).await?));
    }
    let step = LifecycleStep::parse(&step).ok_or_else(ApiError::unknown_path)?;
    // Okta's defaults: reactivating mails nothing unless it is asked to.
    let mails_unless_told = match step {
        LifecycleStep::Activate | LifecycleStep::ResetPassword => Some(true),
        LifecycleStep::Reactivate => Some(false),
        _ => None,
    };
    if let Some(default) = mails_unless_told {
        let send_email = query.is_on("sendEmail", default);
        return Ok(shown(&app.step_user_with_link(&caller, &user, step, send_email).await?));
    }
    if step == LifecycleStep::ExpirePassword && query.is_on("tempPassword", false) {
        return Ok(shown(&app.expire_with_temporary_password(&caller, whom(&caller, &user)).await?));
    }
    Ok(match app.step_user(&caller, whom(&caller, &user), step).await? {
        LifecycleAnswer::Done => done(),
        LifecycleAnswer::User(user) => shown(&user),
    })
}

/// `POST /api/v1/users/{id or login}/credentials/change_password`
pub(crate) async fn change_password(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.change_password(&caller, whom(&caller, &user), &body).await?))
}

/// `POST /api/v1/users/{id or login}/credentials/forgot_password?sendEmail=`
pub(crate) async fn forgot_password(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(user): PathText,
    query: Query,
    OptionalObject(body): OptionalObject,
) -> Result {
    if body.contains_key("recovery_question") || body.contains_key("password") {
        let text = "Recovery questions are not supported: recovery goes by mail";
        return Err(hookwright_app::Error::invalid("user", "recovery_question", text).into());
    }
    Ok(shown(&app.forgot_password(&caller, &user, query.is_on("sendEmail", true)).await?))
}

/// `GET /api/v1/meta/types/user`: the one type of users.
pub(crate) async fn types(State(app): State<App>, _: Authenticated) -> Result {
    let only: Value = json!([app.user_type("default").await?]);
    Ok(shown(&only))
}

/// `GET /api/v1/meta/types/user/{id}`
pub(crate) async fn get_type(State(app): State<App>, _: Authenticated, PathText(id): PathText) -> Result {
    Ok(shown(&app.user_type(&id).await?))
}

/// `GET /api/v1/meta/schemas/user/{id}`
pub(crate) async fn get_schema(State(app): State<App>, _: Authenticated, PathText(id): PathText) -> Result {
    Ok(shown(&app.user_schema(&id).await?))
}

/// `POST /api/v1/meta/schemas/user/{id}`: what is given goes over what is there.
pub(crate) async fn update_schema(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(id): PathText,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.update_user_schema(&caller, &id, &body).await?))
}
