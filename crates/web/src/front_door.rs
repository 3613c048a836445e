//! Where every request enters and every answer leaves: request id, deadline on surprises, headers, errors, log, metrics.
//!
//! A plain function around the router and not a stack of layers: it is read top to bottom, and costs one allocation.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{Method, Request, Response, StatusCode, Version};
use axum::response::IntoResponse;
use futures::FutureExt;
use hookwright_app::App;
use hookwright_model::id;
use tokio::time::Instant;
use tower::ServiceExt;
use tracing::Instrument;

use crate::context::{Arrival, Finished, ForPeople, RequestContext};
use crate::cors::Cors;
use crate::error::ApiError;
use crate::{api, bare_refusal, cors, headers, signin};

/// What the engine of any org calls itself, whatever its release.
const ENGINES: &[u8] = b"Hookwright/";

/// Answers one request, whatever happens.
pub(crate) async fn answer(
    app: &App,
    router: &Router,
    mut request: Request<Body>,
    arrival: Arrival,
) -> Result<Response<Body>, Infallible> {
    let began = Instant::now();
    let arrival = arrival.behind_proxies(request.headers(), &app.settings().trusted_proxies);
    let context = RequestContext::new(id::mint_request_id(app.entropy()), arrival);
    // For debugging only: a span costs as much as reading the request. The events below name the request themselves.
    let span = tracing::debug_span!("request", request_id = context.request_id());
    let method = known_method(request.method());
    let route = api::route_label(request.uri().path());
    request.extensions_mut().insert(context.clone());
    let unwelcome = unwelcome(&request);

    let cors = cors::judge(app, request.method(), request.uri().path(), request.headers()).await;
    let routed = AssertUnwindSafe(router.clone().oneshot(request)).catch_unwind().instrument(span.clone());
    let mut response = match (unwelcome, cors.as_ref().and_then(Cors::preflight)) {
        (Some(refusal), _) => refusal.into_response(),
        (None, Some(preflight)) => preflight,
        (None, None) => match routed.await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => ApiError::internal("the handler panicked").into_response(),
        },
    };
    let _guard = span.enter();
    shape(&mut response, &context);
    headers::finish(response.headers_mut(), &context, app.settings().public_url.starts_with("https://"));
    if let Some(cors) = cors {
        cors.mark(response.headers_mut());
    }
    let (status, elapsed) = (response.status().as_u16(), began.elapsed());
    app.metrics().observe_request(route, method, status, elapsed);
    tracing::debug!(
        route,
        method,
        status,
        elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    Ok(response)
}

/// Why a request is refused whatever it asks for.
fn unwelcome(request: &Request<Body>) -> Option<ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let valid = match (hosts.next(), hosts.next()) {
        (None, None) => request.version() < Version::HTTP_11,
        (Some(host), None) => host.as_bytes().iter().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b'\\' | b'"' | b'<' | b'>' | b',')
        }),
        (_, Some(_)) => false,
    };
    if !valid {
        return Some(ApiError::wrong_host());
    }
    // A hook that leads back here, past the check of the engine by way of some proxy, would call itself without end. The
    // authorization server calls no hook where an engine asks it for a token.
    let is_own = request.headers().get(USER_AGENT).is_some_and(|name| name.as_bytes().starts_with(ENGINES));
    let loops = is_own && request.method() == Method::POST && !request.uri().path().starts_with("/oauth2/");
    loops.then(ApiError::sent_by_a_hook)
}

/// The whole answer to what is no request, by the status that the HTTP library has for it.
pub(crate) fn refusal_without_request(app: &App, status: StatusCode, arrival: Arrival) -> Vec<u8> {
    let context = RequestContext::new(id::mint_request_id(app.entropy()), arrival);
    let mut response = Response::new(Body::empty());
    let refusal = ApiError::unreadable(status);
    let body = refusal.body(&context.error_id());
    *response.status_mut() = status;
    response.extensions_mut().insert(refusal);
    shape(&mut response, &context);
    headers::finish(response.headers_mut(), &context, app.settings().public_url.starts_with("https://"));
    app.metrics().observe_request("unreadable", "other", status.as_u16(), Duration::ZERO);
    bare_refusal::written(status, response.headers(), body.as_bytes())
}

/// Gives a refusal its body, and an answer of the framework's own the shape of a refusal.
fn shape(response: &mut Response<Body>, context: &RequestContext) {
    if response.extensions().get::<Finished>().is_some() {
        return;
    }
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        // Our own handlers refuse with an `ApiError` only; whatever else comes was the framework's.
        None if response.status().is_client_error() || response.status().is_server_error() => {
            ApiError::for_status(response.status())
        }
        None => return,
    };
    let (request_id, error_id) = (context.request_id(), context.error_id());
    match &error.internal {
        Some(detail) if error.status == StatusCode::INTERNAL_SERVER_ERROR => {
            tracing::error!(request_id, error_id, code = error.code, detail, "failed");
        }
        Some(detail) => tracing::warn!(request_id, error_id, code = error.code, detail, "failed"),
        None => {
            tracing::info!(request_id, error_id, code = error.code, status = error.status.as_u16(), causes = ?error.causes, "refused")
        }
    }
    *response.status_mut() = error.status;
    let (name, value) = headers::json();
    response.headers_mut().insert(name, value);
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if response.extensions_mut().remove::<ForPeople>().is_some() {
        signin::refusal::show(response, &error, &error_id);
        return;
    }
    *response.body_mut() = Body::from(error.body(&error_id));
}

/// Methods come from clients; only these get a label of their own.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::get;
    use hookwright_testkit::Org;
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;

    /// Asks a router that has gone wrong; the status, the refusal, and what the answer says beside it.
    async fn ask(path: &str) -> (u16, Value, String) {
        let org = Org::start().await;
        let router = Router::new()
            .route("/panic", get(async || -> () { panic!("of secret matters") }))
            .route("/text", get(async || (StatusCode::UNPROCESSABLE_ENTITY, "Failed to deserialize the secret")))
            .route("/bare", get(async || StatusCode::BAD_GATEWAY))
            .route("/missing", get(async |_: RequestContext| StatusCode::NOT_FOUND));
        let arrival = Arrival { peer: None, claimed: None, body_patience: Duration::from_secs(1) };
        let request = Request::get(path).header("host", "org").body(Body::empty()).unwrap();
        let response = answer(&org.app, &router, request, arrival).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(
            parts.headers.get("content-type").map(|value| value.as_bytes()),
            Some(b"application/json".as_slice())
        );
        assert!(
            parts.headers.contains_key("x-okta-request-id") && parts.headers.contains_key("x-content-type-options")
        );
        (parts.status.as_u16(), serde_json::from_slice(&body).unwrap(), String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_panic_is_one_refusal_that_tells_nothing() {
        let (status, refusal, text) = ask("/panic").await;
        assert_eq!((status, &refusal["errorCode"]), (500, &Value::from("E0000009")));
        assert_eq!(refusal["errorCauses"], Value::Array(Vec::new()));
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn what_the_framework_says_of_itself_never_gets_out() {
        for (path, expected, code) in
            [("/text", 422, "E0000003"), ("/bare", 500, "E0000009"), ("/missing", 404, "E0000008")]
        {
            let (status, refusal, text) = ask(path).await;
            assert_eq!((status, &refusal["errorCode"]), (expected, &Value::from(code)), "{path}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
