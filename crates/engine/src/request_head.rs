//! What the heads of all requests have: those to hooks, and those for tokens.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use url::Url;

/// The request target in origin form: path and query. The WHATWG parser leaves characters in them (such as `|`) that the `http` crate takes too; should it ever
/// refuse one, the request goes to `/`, which no service mistakes for its hook endpoint.
pub(crate) fn target(url: &Url) -> Uri {
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    target.parse::<PathAndQuery>().map_or_else(|_| Uri::from_static("/"), Uri::from)
}

/// The fields that each request has. We read JSON, and only as it is: no coding that a body could hide its size in.
pub(crate) fn fields(url: &Url, user_agent: &HeaderValue, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(&authority(url)) {
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, user_agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// Host and port as they stand in the Host field: no port where it is the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
