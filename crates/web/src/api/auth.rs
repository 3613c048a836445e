//! From the `Authorization` header to a [`Caller`], counted against the rate limits.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hookwright_app::{App, Caller, Error, RateClass};

use crate::context::RequestContext;
use crate::error::ApiError;

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
            (Some(_), Some(_)) => return Err(Error::BadToken.into()),
            (Some(value), None) => Some(value.to_str().map_err(|_| Error::BadToken)?),
        };
        let caller = app.authenticate(authorization, context.origin(&parts.headers)).await?;
        let rate = app.rate_limits().count(caller.token_id(), class_of(parts.uri.path()), app.now());
        context.set_rate(rate);
        if rate.exceeded {
            return Err(ApiError::too_many_requests());
        }
        Ok(Self(caller))
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
