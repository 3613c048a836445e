//! The headers of every answer, as Okta's live orgs send them.

use std::sync::LazyLock;

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};

use crate::context::RequestContext;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Headers that stand on every answer; a handler's own value for one of them stays.
const FIXED: [(HeaderName, HeaderValue); 8] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (header::EXPIRES, HeaderValue::from_static("0")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
];

/// Them, with room for the others: to copy a map is cheaper than to fill one.
static TEMPLATE: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut template = HeaderMap::with_capacity(16);
    template.extend(FIXED);
    template
});

/// Puts the headers on an answer.
pub(crate) fn finish(headers: &mut HeaderMap, context: &RequestContext, https: bool) {
    let own = std::mem::replace(headers, TEMPLATE.clone());
    headers.extend(own);
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(id) = HeaderValue::from_str(context.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(rate) = context.rate() {
        headers.insert(RATE_LIMIT, rate.limit.into());
        headers.insert(RATE_REMAINING, rate.remaining.into());
        headers.insert(RATE_RESET, rate.reset.into());
    }
}

/// The content type of our answers.
pub(crate) fn json() -> (HeaderName, HeaderValue) {
    (header::CONTENT_TYPE, JSON)
}
