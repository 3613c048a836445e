//! A page of a list as an answer: an array, and where to go on in `Link` headers.

use axum::http::Uri;
use axum::http::header::LINK;
use axum::response::Response;
use bytes::Bytes;
use hookwright_app::{App, Listing, PageQuery};
use serde_json::Value;

use super::query::Query;
use crate::error::ApiError;

/// Which page a query asks for.
pub(crate) fn page_query(query: &Query) -> PageQuery {
    PageQuery { after: query.owned("after"), limit: query.owned("limit") }
}

/// The page with its links: `rel="self"` always, `rel="next"` if there is more.
pub(crate) fn listed(app: &App, uri: &Uri, query: &Query, listing: Listing) -> Result<Response, ApiError> {
    let mut response = super::json(Bytes::from(Value::Array(listing.items).to_string()));
    let base = format!("{}{}", app.settings().public_url, uri.path());
    let mut links = vec![link(&base, query.iter(), "self")];
    if let Some(next) = &listing.next {
        let kept = query.iter().filter(|(name, _)| *name != "after");
        links.push(link(&base, kept.chain([("after", next.as_str())]), "next"));
    }
    for link in links {
        let value = link.parse().map_err(|_| ApiError::internal("a link that is no header"))?;
        response.headers_mut().append(LINK, value);
    }
    Ok(response)
}

fn link<'a>(base: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>, relation: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("<{base}{mark}{query}>; rel=\"{relation}\"")
}
