//! A page of a list as an answer: an array, and where to go on in `Link` headers.

use axum::http::Uri;
use axum::http::header::LINK;
use axum::response::Response;
use bytes::Bytes;
use hookwright_app::{App, Listing, PageQuery};
use serde_json::Value;

use super::Result;
use super::query::Query;
use crate::error::ApiError;

/// Which page a query asks for.
pub(crate) fn page_query(query: &Query) -> PageQuery {
    PageQuery { after: query.owned("after"), limit: query.owned("limit") }
}

/// The page with its links.
pub(crate) fn listed(app: &App, uri: &Uri, query: &Query, listing: Listing) -> Result {
    let page = super::json(Bytes::from(Value::Array(listing.items).to_string()));
    let links = Links { app, uri, query, replaced: &["after"] };
    links.on(page, listing.next.as_deref())
}

/// The links of a page: `rel="self"` always, `rel="next"` if there is more.
pub(crate) struct Links<'a> {
    pub(crate) app: &'a App,
    pub(crate) uri: &'a Uri,
    pub(crate) query: &'a Query,
    /// The parameters that the next page's `after` stands for.
    pub(crate) replaced: &'a [&'a str],
}

impl Links<'_> {
    /// The page with its links, the cursor of the next page given.
    pub(crate) fn on(&self, mut page: Response, next: Option<&str>) -> Result {
        let mut links = vec![self.link(self.query.iter(), "self")];
        if let Some(next) = next {
            let kept = self.query.iter().filter(|(name, _)| !self.replaced.contains(name));
            links.push(self.link(kept.chain([("after", next)]), "next"));
        }
        for link in links {
            let value = link.parse().map_err(|_| ApiError::internal("a link that is no header"))?;
            page.headers_mut().append(LINK, value);
        }
        Ok(page)
    }

    fn link<'q>(&self, parameters: impl Iterator<Item = (&'q str, &'q str)>, relation: &str) -> String {
        let (base, path) = (&self.app.settings().public_url, self.uri.path());
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("<{base}{path}{mark}{query}>; rel=\"{relation}\"")
    }
}
