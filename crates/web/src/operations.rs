//! Alive, ready, metrics: for those who run the org.

use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hookwright_app::{App, Error};

use crate::api::auth::Authenticated;
use crate::context::RequestContext;
use crate::error::ApiError;

/// `GET /healthz`: the process answers.
pub(crate) async fn health() -> Response {
    ([crate::headers::json()], r#"{"status":"alive"}"#).into_response()
}

/// `GET /readyz`: the database reads and writes, and no key of it is lacking. Which one is, and what is open to hooks, is told to
/// operators only.
pub(crate) async fn ready(State(app): State<App>, operator: Result<Operator, ApiError>) -> Result<Response, ApiError> {
    match app.check_ready().await {
        Ok(()) => {}
        Err(error @ Error::LacksKey(_)) if operator.is_ok() => {
            let which = format!("{error}. Put the keyring of the other nodes into this one's file.");
            return Err(ApiError::from(error).because(which));
        }
        Err(error) => return Err(error.into()),
    }
    let policy = &app.settings().address_policy;
    let body = match operator {
        Ok(Operator) => serde_json::json!({
            "status": "ready", "development": policy.development, "openings": policy.openings(),
        }),
        Err(_) => serde_json::json!({"status": "ready"}),
    };
    Ok(([crate::headers::json()], body.to_string()).into_response())
}

/// `GET /metrics`: the OpenMetrics text format, for operators.
pub(crate) async fn metrics(State(app): State<App>, _: Operator) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], app.metrics_text()).into_response()
}

/// Somebody who runs the org: on this very machine, or with a token.
pub(crate) struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let context = RequestContext::from_request_parts(parts, app).await?;
        if !context.is_from_here(&parts.headers) {
            Authenticated::from_request_parts(parts, app).await?;
        }
        Ok(Self)
    }
}

/// `GET /hookwright/v1/openapi.json`: what this server speaks.
pub(crate) async fn openapi() -> Response {
    ([crate::headers::json()], include_str!("../static/openapi.json")).into_response()
}
