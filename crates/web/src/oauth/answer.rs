//! Refusals as OAuth shapes them: `error` and `error_description` (RFC 6749 section 5.2, RFC 6750 section 3).

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use hookwright_app::{Error, OAuthFailure};
use hookwright_model::oauth::OAuthError;

use crate::api::shown;
use crate::context::Finished;
use crate::error::ApiError;
use crate::signin::page::html;

/// A refusal on its way out.
pub(crate) enum OAuthRefusal {
    /// Told as OAuth does.
    OAuth(OAuthError),
    /// Something that is no matter of OAuth, told as the rest of the org does.
    Api(ApiError),
}

#[derive(Template)]
#[template(path = "signin/refused.html")]
struct RefusedPage<'a> {
    description: &'a str,
}

/// A page for the person: their browser was sent here with a request that can't be answered to the client.
pub(super) fn refusal_page(error: &OAuthError) -> Response {
    html(StatusCode::BAD_REQUEST, &RefusedPage { description: &error.description })
}

/// Why an access token does not help.
pub(super) fn bearer_refusal(failure: Option<OAuthFailure>) -> Response {
    let (status, challenge, mut response) = match failure {
        // Without any token nothing is said about it (RFC 6750 section 3.1).
        None => (StatusCode::UNAUTHORIZED, "Bearer".to_owned(), StatusCode::UNAUTHORIZED.into_response()),
        Some(OAuthFailure::Refused(error)) => {
            let is_scope = error.code == "insufficient_scope";
            let status = if is_scope { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
            let challenge = format!(r#"Bearer error="{}", error_description="{}""#, error.code, error.description);
            (status, challenge, shown(&error.to_json()))
        }
        Some(OAuthFailure::Failed(error)) => return ApiError::from(error).into_response(),
    };
    *response.status_mut() = status;
    if let Ok(challenge) = challenge.parse() {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert(Finished);
    response
}

impl IntoResponse for OAuthRefusal {
    fn into_response(self) -> Response {
        let error = match self {
            Self::OAuth(error) => error,
            Self::Api(error) => return error.into_response(),
        };
        let mut response = shown(&error.to_json());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        if error.code == OAuthError::INVALID_CLIENT {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, axum::http::HeaderValue::from_static(r#"Basic realm="oauth2""#));
        }
        response.extensions_mut().insert(Finished);
        response
    }
}

impl From<OAuthError> for OAuthRefusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<ApiError> for OAuthRefusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Error> for OAuthRefusal {
    fn from(error: Error) -> Self {
        Self::Api(error.into())
    }
}

impl From<OAuthFailure> for OAuthRefusal {
    fn from(failure: OAuthFailure) -> Self {
        match failure {
            OAuthFailure::Refused(error) => Self::OAuth(error),
            OAuthFailure::Failed(error) => Self::Api(error.into()),
        }
    }
}
