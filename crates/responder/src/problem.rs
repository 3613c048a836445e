//! Requests that get no decision: an HTTP status and a JSON error in the form of Okta's error objects.

use bytes::Bytes;
use hookwright_contract::request::RequestError;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::answer::Cause;

/// Why a request got no decision. Okta counts it as a failed call; use
/// [`Answer::error`](crate::Answer::error) for refusals that people should read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    #[serde(skip)]
    status: StatusCode,
    error_summary: String,
    error_causes: Vec<Cause>,
}

impl Problem {
    /// A problem with any status. Texts go to the caller: no secrets.
    pub fn new(status: StatusCode, summary: impl Into<String>) -> Self {
        Self { status, error_summary: summary.into(), error_causes: Vec::new() }
    }

    /// 400: the request lacks a member, such as `data.userProfile.login`.
    pub fn missing(member: impl Into<String>) -> Self {
        RequestError::missing(member).into()
    }

    /// 500: the service itself failed.
    pub fn internal(summary: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, summary)
    }

    /// Adds a cause.
    #[must_use]
    pub fn cause(mut self, cause: Cause) -> Self {
        self.error_causes.push(cause);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn summary(&self) -> &str {
        &self.error_summary
    }

    pub(crate) fn body(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The problem as the answer to a request.
    pub(crate) fn response<R: From<Bytes>>(&self) -> Response<R> {
        json(self.status, self.body())
    }
}

/// An answer of JSON.
pub(crate) fn json<R: From<Bytes>>(status: StatusCode, body: Bytes) -> Response<R> {
    let mut response = Response::new(R::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let text = error.to_string();
        let (reason, location) = match error {
            RequestError::Malformed { .. } => ("MALFORMED_JSON", None),
            RequestError::WrongHookType { .. } => ("WRONG_HOOK_TYPE", Some("eventType".to_owned())),
            RequestError::Member { path, .. } => ("INVALID_MEMBER", Some(path)),
        };
        let cause = match location {
            Some(location) => Cause::at(location, &text),
            None => Cause::new(&text).location_type(crate::LocationType::Body),
        };
        Self::new(StatusCode::BAD_REQUEST, format!("The request cannot be answered: {text}."))
            .cause(cause.reason(reason))
    }
}
