//! From the `Authorization` header to a [`Caller`], counted against the rate limits.

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hookwright_app::{App, Caller, Error, RateClass};

use super::body::check_accept;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::rights::{self, Right};

/// Somebody with a valid API token and calls left in this minute.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequestParts<App> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let context = RequestContext::from_request_parts(parts, app).await?;
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        let authorization = match (values.next(), values.next()) {
            (None, _) => None,
            // Two credentials are one too many: which of them counts would be a guess.
            (Some(_), Some(_)) => Some(""),
            (Some(value), None) => Some(value.to_str().unwrap_or_default()),
        };
        let class = class_of(parts.uri.path());
        let right = right_of(parts)?;
        match app.authenticate(authorization, context.origin(&parts.headers)).await {
            Ok(caller) => {
                context.count(app, caller.token_id(), class)?;
                if let Right::Scope(need) = right {
                    caller.require(need)?;
                }
                check_accept(&parts.headers)?;
                Ok(Self(caller))
            }
            // Whoever has no valid token is counted by address, so that guessing has a limit too.
            Err(refused @ (Error::NoCredentials | Error::BadToken)) => {
                context.count_visit(app, class)?;
                Err(refused.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What the table of rights says of a request. A route that it says nothing of, or that it calls public, has no callers.
fn right_of(parts: &Parts) -> Result<Right, ApiError> {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match rights::of(path, &parts.method) {
        Some(right @ (Right::Token | Right::Scope(_))) => Ok(right),
        Some(Right::Public) | None => {
            Err(ApiError::internal(format!("{} {path} has no right to ask for", parts.method)))
        }
    }
}

/// Anybody, counted by address: for what is public and asks the database.
pub(crate) struct Counted;

impl FromRequestParts<App> for Counted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let context = RequestContext::from_request_parts(parts, app).await?;
        context.count_visit(app, class_of(parts.uri.path()))?;
        check_accept(&parts.headers)?;
        Ok(Self)
    }
}

fn class_of(path: &str) -> RateClass {
    if path.starts_with("/api/v1/inlineHook") {
        RateClass::InlineHooks
    } else if path == "/api/v1/logs" {
        RateClass::Logs
    } else {
        RateClass::Other
    }
}
