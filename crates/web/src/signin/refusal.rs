//! A refusal for somebody who looks at it in a browser: the same status and id, in words instead of JSON.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::Next;

use crate::context::ForPeople;
use crate::error::ApiError;

#[derive(Template)]
#[template(path = "signin/refusal.html")]
struct RefusalPage<'a> {
    title: &'static str,
    lead: &'static str,
    error_id: &'a str,
}

/// Marks what a browser shows: it asks for `text/html`, which no client of the API does.
pub(crate) async fn mark(request: Request, next: Next) -> axum::response::Response {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_browser = accept.contains("text/html");
    let mut response = next.run(request).await;
    if is_browser {
        response.extensions_mut().insert(ForPeople);
    }
    response
}

/// Gives a refusal its page.
pub(crate) fn show(response: &mut Response<Body>, error: &ApiError, error_id: &str) {
    let (title, lead) = words(error.status);
    // Where the page can't be written, nothing is better than a page of half a sentence.
    let page = RefusalPage { title, lead, error_id }.render().unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    *response.body_mut() = Body::from(page);
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("There is no such page", "The address may be misspelt, or what it led to is gone."),
        StatusCode::TOO_MANY_REQUESTS => ("Too many requests", "Please wait a minute, then try again."),
        StatusCode::SERVICE_UNAVAILABLE => ("Not available right now", "Please try again in a few minutes."),
        status if status.is_client_error() => ("That did not work", "Please go back and try again."),
        _ => ("Something went wrong", "It is our fault. Please try again later."),
    }
}
