//! Baseline servers in plain axum, as one would write them in an afternoon.
//!
//! One process is both the external service that hooks are sent to and the yardstick of `hookwright responder` and of
//! the reads of the management API. It does what the guide's sample does, parses and checks, and nothing else: no
//! log, no limits, no record.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

/// The guide's `admin:supersecret`.
const BASIC_AUTH: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";

/// Longest delay that the slow endpoint grants.
const LONGEST_DELAY_MS: u64 = 60_000;

/// Bytes that the fixed routes answer with.
#[derive(Debug, Clone, Default)]
pub struct Fixed {
    /// The representation of one inline hook.
    pub one: Bytes,
    /// A list of them.
    pub list: Bytes,
}

/// The routes: the sample endpoint, a slow one, one hook and a list of hooks as fixed bytes, readiness.
pub fn router(fixed: Fixed) -> Router {
    Router::new()
        .route("/registrationHookSSR", post(registration))
        .route("/slow", post(slow))
        .route("/one", get(async |State(fixed): State<Fixed>| json(fixed.one)))
        .route("/list", get(async |State(fixed): State<Fixed>| json(fixed.list)))
        .route("/readyz", get(async || "ready"))
        .with_state(fixed)
}

fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationRequest {
    request_type: String,
    data: RegistrationData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationData {
    user_profile: UserProfile,
}

#[derive(Deserialize)]
struct UserProfile {
    login: String,
}

#[derive(Serialize)]
struct RegistrationAnswer {
    commands: Vec<Command>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<HookError>,
}

#[derive(Serialize)]
struct Command {
    r#type: &'static str,
    value: CommandValue,
}

#[derive(Serialize)]
struct CommandValue {
    registration: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HookError {
    error_summary: &'static str,
    error_causes: Vec<ErrorCause>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorCause {
    error_summary: &'static str,
    reason: &'static str,
    location_type: &'static str,
    location: &'static str,
    domain: &'static str,
}

async fn registration(headers: HeaderMap, Json(request): Json<RegistrationRequest>) -> Response {
    if !is_authorized(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if request.request_type != "self.service.registration" {
        return Json(RegistrationAnswer { commands: Vec::new(), error: None }).into_response();
    }
    let allowed = request.data.user_profile.login.ends_with("@okta.com");
    Json(answer(allowed)).into_response()
}

fn is_authorized(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value == BASIC_AUTH)
}

/// The guide's answers for an allowed and for any other domain.
fn answer(allowed: bool) -> RegistrationAnswer {
    let registration = if allowed { "ALLOW" } else { "DENY" };
    let command = Command { r#type: "com.okta.action.update", value: CommandValue { registration } };
    let error = HookError {
        error_summary: "Incorrect email address. Please contact your admin.",
        error_causes: vec![ErrorCause {
            error_summary: "Only okta.com emails can register.",
            reason: "INVALID_EMAIL_DOMAIN",
            location_type: "body",
            location: "data.userProfile.email",
            domain: "end-user",
        }],
    };
    RegistrationAnswer { commands: vec![command], error: (!allowed).then_some(error) }
}

#[derive(Deserialize)]
struct Delay {
    #[serde(default)]
    delay_ms: u64,
}

async fn slow(Query(delay): Query<Delay>, _body: Bytes) -> Json<RegistrationAnswer> {
    tokio::time::sleep(Duration::from_millis(delay.delay_ms.min(LONGEST_DELAY_MS))).await;
    Json(answer(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_the_guides() {
        assert_eq!(
            serde_json::to_string(&answer(true)).unwrap(),
            r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#
        );
        let denied = serde_json::to_value(answer(false)).unwrap();
        assert_eq!(denied["commands"][0]["value"]["registration"], "DENY");
        assert_eq!(denied["error"]["errorCauses"][0]["location"], "data.userProfile.email");
    }
}
