//! Alive, ready, metrics: for those who run the org.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hookwright_app::App;

use crate::error::ApiError;

/// `GET /healthz`: the process answers.
pub(crate) async fn health() -> Response {
    ([crate::headers::json()], r#"{"status":"alive"}"#).into_response()
}

/// `GET /readyz`: the database reads and writes.
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    app.check_ready().await?;
    let policy = &app.settings().address_policy;
    let body = serde_json::json!({
        "status": "ready", "development": policy.development, "openings": policy.openings(),
    })
    .to_string();
    Ok(([crate::headers::json()], body).into_response())
}

/// `GET /metrics`: the OpenMetrics text format.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], app.metrics_text()).into_response()
}

/// `GET /hookwright/v1/openapi.json`: what this server speaks.
pub(crate) async fn openapi() -> Response {
    ([crate::headers::json()], include_str!("../static/openapi.json")).into_response()
}
