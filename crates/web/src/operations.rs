//! Alive, ready, metrics: for those who run the org.

use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hookwright_app::{App, Error};

use crate::api::auth::Authenticated;
use crate::error::ApiError;

/// `GET /healthz`: the process answers.
pub(crate) async fn health() -> Response {
    ([crate::headers::json()], r#"{"status":"alive"}"#).into_response()
}

/// `GET /readyz`: the database reads and writes, and no key of it is lacking. Which one is, and what is open to hooks, is told to
/// those with a token only: a proxy on this very machine hands on the requests of strangers, whatever it writes into them.
pub(crate) async fn ready(State(app): State<App>, shows_token: ShowsToken) -> Result<Response, ApiError> {
    readiness(&app, shows_token.0).await
}

/// `GET /readyz` on the operators' own address.
pub(crate) async fn ready_for_operators(State(app): State<App>) -> Result<Response, ApiError> {
    readiness(&app, true).await
}

/// `GET /metrics`: the OpenMetrics text format, for those with a token.
pub(crate) async fn metrics(State(app): State<App>, _: Authenticated) -> Response {
    metrics_text(&app)
}

/// `GET /metrics` on the operators' own address.
pub(crate) async fn metrics_for_operators(State(app): State<App>) -> Response {
    metrics_text(&app)
}

async fn readiness(app: &App, is_for_operators: bool) -> Result<Response, ApiError> {
    match app.check_ready().await {
        Ok(()) => {}
        Err(error @ Error::LacksKey(_)) if is_for_operators => {
            let which = format!("{error}. Put the keyring of the other nodes into this one's file.");
            return Err(ApiError::from(error).because(which));
        }
        Err(error) => return Err(error.into()),
    }
    let policy = &app.settings().address_policy;
    let body = match is_for_operators {
        true => serde_json::json!({
            "status": "ready", "development": policy.development, "openings": policy.openings(),
        }),
        false => serde_json::json!({"status": "ready"}),
    };
    Ok(([crate::headers::json()], body.to_string()).into_response())
}

fn metrics_text(app: &App) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], app.metrics_text()).into_response()
}

/// Whether a request comes with a valid token. One that is not good is no reason to tell less than to those who have none.
pub(crate) struct ShowsToken(bool);

impl FromRequestParts<App> for ShowsToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let shows = parts.headers.contains_key(header::AUTHORIZATION);
        Ok(Self(shows && Authenticated::from_request_parts(parts, app).await.is_ok()))
    }
}

/// `GET /hookwright/v1/openapi.json`: what this server speaks.
pub(crate) async fn openapi() -> Response {
    ([crate::headers::json()], include_str!("../static/openapi.json")).into_response()
}
