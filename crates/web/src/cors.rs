//! Who may call from a browser's page of another origin (Fetch, "CORS protocol"): pages of clients, and of origins that an
//! administrator trusts. Nobody else, and only what clients call from pages.

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use hookwright_app::App;

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("accept, authorization, content-type, x-device-fingerprint, x-okta-user-agent-extended");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "retry-after, www-authenticate, x-okta-request-id, x-rate-limit-limit, x-rate-limit-remaining, x-rate-limit-reset",
);
const TRUE: HeaderValue = HeaderValue::from_static("true");
/// How long a browser remembers what it may send, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What is to be said about the origin of a request.
pub(crate) struct Cors {
    allowed: Option<HeaderValue>,
    is_preflight: bool,
}

/// Whether pages of other origins call this path at all. `authorize` and `logout` are gone to, not called.
fn is_called_by_pages(path: &str) -> bool {
    match path.strip_prefix("/oauth2/default/") {
        Some(rest) => !matches!(rest, "v1/authorize" | "v1/logout"),
        None => path.starts_with("/idp/idx/"),
    }
}

/// Looks at a request; `None` where pages of other origins have no business.
pub(crate) async fn judge(app: &App, method: &Method, path: &str, headers: &HeaderMap) -> Option<Cors> {
    if !is_called_by_pages(path) {
        return None;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let allowed = match (origins.next(), origins.next()) {
        (Some(origin), None) => {
            let text = origin.to_str().unwrap_or_default();
            match app.may_read_answers(text).await {
                Ok(allowed) => allowed.then(|| origin.clone()),
                Err(error) => {
                    tracing::warn!(%error, "an origin could not be looked up");
                    None
                }
            }
        }
        _ => None,
    };
    let is_preflight = *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(Cors { allowed, is_preflight })
}

impl Cors {
    /// The answer to a browser that asks first. Without the leave of an origin it is one that browsers take for a no.
    pub(crate) fn preflight(&self) -> Option<Response<Body>> {
        if !self.is_preflight {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allowed.is_some() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some(response)
    }

    /// Says on an answer, refusals too, who may read it.
    pub(crate) fn mark(self, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_name(const { HeaderName::from_static("origin") }));
        if let Some(origin) = self.allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
}
