//! Every refusal as Okta shapes it: `errorCode`, `errorSummary`, `errorLink`, `errorId`, `errorCauses`.
//!
//! Codes and summaries are those of Okta's public error catalogue; clients branch on the code only.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hookwright_app::{Error, HookFailure};
use hookwright_model::execution::Verdict;
use hookwright_model::system_log::FilterRefusal;
use serde_json::json;

/// A refusal on its way out. The front door gives it its `errorId` and its body.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) summary: String,
    pub(crate) causes: Vec<String>,
    /// Seconds after which it is worth trying again.
    pub(crate) retry_after: Option<u64>,
    /// For the log only.
    pub(crate) internal: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, summary: impl Into<String>) -> Self {
        Self { status, code, summary: summary.into(), causes: Vec::new(), retry_after: None, internal: None }
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    fn bad_query(code: &'static str, summary: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, summary)
    }

    /// The path names nothing that we have.
    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "E0000008", "The requested path was not found")
    }

    /// The path exists, but not for this method.
    pub(crate) fn wrong_method() -> Self {
        let summary = "The endpoint does not support the provided HTTP method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "E0000022", summary)
    }

    /// `Content-Type` or `Accept` is something that we don't speak.
    pub(crate) fn wrong_media_type(cause: &str) -> Self {
        let summary = "Bad request.  Accept and/or Content-Type headers likely do not match supported values.";
        Self::new(StatusCode::BAD_REQUEST, "E0000021", summary).because(cause)
    }

    /// The body is not the JSON that was asked for.
    pub(crate) fn malformed(cause: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "E0000003", "The request body was not well-formed.").because(cause)
    }

    /// Not exactly one `Host`, or one that is no host (RFC 9112 section 3.2).
    pub(crate) fn wrong_host() -> Self {
        Self::malformed("The request must have exactly one Host header field, with a host in it")
    }

    /// What came is no request, or has too large a head.
    pub(crate) fn unreadable(status: StatusCode) -> Self {
        let cause = match status {
            StatusCode::URI_TOO_LONG => "The request target is too long",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                "The request has more than 100 header fields, or more than 64 KiB of them"
            }
            _ => "The request is not valid HTTP/1.1",
        };
        Self { status, ..Self::malformed(cause) }
    }

    /// An inline hook called what calls inline hooks.
    pub(crate) fn sent_by_a_hook() -> Self {
        let cause =
            "User-Agent: An inline hook can't be sent to an org of Hookwright: it would call itself without end";
        Self::new(StatusCode::BAD_REQUEST, "E0000001", "Api validation failed: User-Agent").because(cause)
    }

    /// The body is larger than the limit.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        let cause = format!("The request body is larger than {limit} bytes");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::malformed(cause) }
    }

    /// The body did not arrive in time.
    pub(crate) fn body_too_slow() -> Self {
        Self { status: StatusCode::REQUEST_TIMEOUT, ..Self::malformed("The request body did not arrive in time") }
    }

    /// Too many calls in this minute.
    pub(crate) fn too_many_requests() -> Self {
        let summary = "API call exceeded rate limit due to too many requests.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "E0000047", summary)
    }

    /// Nothing keeps the user out that could be lifted.
    fn not_locked_out() -> Self {
        let summary = "Unlock is not allowed for this user.";
        Self::new(StatusCode::FORBIDDEN, "E0000032", summary).because("The user is not locked out.")
    }

    /// The user is active already.
    fn already_active() -> Self {
        let summary = "Activation failed because the user is already active";
        Self::new(StatusCode::FORBIDDEN, "E0000016", summary)
    }

    /// Something that should not happen.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "E0000009", "Internal Server Error");
        Self { internal: Some(detail.into()), ..error }
    }

    /// What stands in for a plain answer of the framework, by its status.
    pub(crate) fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::unknown_path(),
            StatusCode::METHOD_NOT_ALLOWED => Self::wrong_method(),
            status if status.is_client_error() => Self { status, ..Self::malformed("The request was not understood") },
            _ => Self::internal(format!("an answer of status {status} without a body of ours")),
        }
    }

    /// The body as Okta shapes it.
    pub(crate) fn body(&self, error_id: &str) -> String {
        let causes: Vec<_> = self.causes.iter().map(|cause| json!({"errorSummary": cause})).collect();
        json!({
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorLink": self.code,
            "errorId": error_id,
            "errorCauses": causes,
        })
        .to_string()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { object, violations } => {
                let summary = format!("Api validation failed: {object}");
                let refusal = Self::new(StatusCode::BAD_REQUEST, "E0000001", summary);
                Self { causes: violations.iter().map(ToString::to_string).collect(), ..refusal }
            }
            Error::InvalidQuery(violations) => {
                let named: Vec<String> = violations
                    .iter()
                    .map(|violation| format!("'{}': {}", violation.field, violation.message))
                    .collect();
                let refusal = Self::bad_query("E0000001", format!("Api validation failed: {}", named.join(" ")));
                Self { causes: violations.iter().map(ToString::to_string).collect(), ..refusal }
            }
            Error::InvalidLogFilter(refusal) => match refusal {
                FilterRefusal::Combination { .. } => Self::bad_query("E0000031", refusal.to_string()),
                FilterRefusal::Syntax { .. } | FilterRefusal::UnknownField(_) => {
                    Self::bad_query("E0000053", refusal.to_string())
                }
            },
            Error::InvalidSearch(cause) => Self::bad_query("E0000031", "Invalid search criteria.").because(cause),
            Error::WrongUserStatus => {
                let summary = "This operation is not allowed in the user's current status.";
                Self::new(StatusCode::FORBIDDEN, "E0000038", summary)
            }
            Error::NotLockedOut => Self::not_locked_out(),
            Error::AlreadyActive => Self::already_active(),
            Error::WrongPassword => Self::new(StatusCode::FORBIDDEN, "E0000014", "Update of credentials failed")
                .because("oldPassword: Old Password is not correct"),
            Error::ActiveApplication => Self::new(StatusCode::FORBIDDEN, "E0000056", "Delete application forbidden.")
                .because("The application must be deactivated before it is deleted."),
            Error::SinceTooOld => {
                let summary = "Invalid parameter: The since parameter is over 180 days prior to the current day.";
                Self::bad_query("E0000053", summary)
            }
            Error::QueryTooSlow => {
                let summary = "The request took too long to complete. Ask for less at once, or try again later.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "E0000009", summary)
            }
            Error::Malformed(cause) => Self::malformed(cause),
            Error::NoCredentials => Self::new(StatusCode::UNAUTHORIZED, "E0000004", "Authentication failed"),
            Error::BadToken => Self::new(StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided"),
            Error::Forbidden(lacking) => {
                let summary = "You do not have permission to perform the requested action";
                Self::new(StatusCode::FORBIDDEN, "E0000006", summary).because(lacking.to_string())
            }
            Error::RoleAssigned => {
                let summary = "The role specified is already assigned to the user.";
                Self::new(StatusCode::CONFLICT, "E0000090", summary)
            }
            Error::NotFound { id, class } => {
                let summary = format!("Not found: Resource not found: {id} ({class})");
                Self::new(StatusCode::NOT_FOUND, "E0000007", summary)
            }
            Error::WrongState(cause) => {
                let summary = "The entity is not in the expected state for the requested transition.";
                Self::new(StatusCode::FORBIDDEN, "E0000107", summary).because(cause)
            }
            Error::BadCursor => {
                Self::new(StatusCode::BAD_REQUEST, "E0000029", "Invalid paging request.").because("Invalid cursor.")
            }
            Error::HookFailed(failure) => hook_failed(&failure),
            Error::TooBusy { retry_after } => {
                Self { retry_after: Some(retry_after.as_secs().max(1)), ..Self::too_many_requests() }
            }
            Error::Unavailable(detail) => {
                let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "E0000010", "Service is in read only mode");
                Self { internal: Some(detail), ..refusal }
            }
            Error::LacksKey(_) => {
                let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "E0000010", "Service is in read only mode");
                refusal.because(
                    "This node lacks a key that stored secrets are sealed with. Another node can answer, and so can this one \
                     once it is given the key.",
                )
            }
            Error::Internal(detail) => Self::internal(detail),
        }
    }
}

/// `execute` answers 400 whatever went wrong with the hook; the code tells a timeout and a missing access token from the rest.
fn hook_failed(failure: &HookFailure) -> ApiError {
    let (code, summary) = match failure.verdict {
        Verdict::TimedOut => ("E0000137", "Okta did not receive a response from an inline hook."),
        // The reason is the catalogue's sentence, with what the authorization server said.
        Verdict::TokenRefused => ("E0000208", failure.reason.as_str()),
        _ => ("E0000134", "Okta could not communicate correctly with an inline hook."),
    };
    let first = format!(
        "Inline hook {}, {}, {} attempt(s): {}",
        failure.hook_id,
        failure.verdict.as_str(),
        failure.attempts.len(),
        failure.reason
    );
    let mut error = ApiError::new(StatusCode::BAD_REQUEST, code, summary).because(first);
    error.causes.extend(failure.attempts.iter().map(ToString::to_string));
    error.because(format!("Execution {}", failure.execution_id))
}
