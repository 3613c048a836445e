//! `/api/v1/logs`: the System Log.

use axum::extract::State;
use axum::http::header::LINK;
use axum::response::Response;
use bytes::Bytes;
use hookwright_app::{App, LogPage, LogQuery};

use super::auth::Authenticated;
use super::query::Query;
use crate::error::ApiError;

/// `GET /api/v1/logs?since=&until=&after=&filter=&q=&limit=&sortOrder=`
///
/// `Link` always has `rel="self"`; `rel="next"` unless a bounded request has come to its end.
pub(crate) async fn list(State(app): State<App>, _: Authenticated, query: Query) -> Result<Response, ApiError> {
    let asked = LogQuery {
        since: query.owned("since"),
        until: query.owned("until"),
        filter: query.owned("filter"),
        q: query.owned("q"),
        limit: query.owned("limit"),
        sort_order: query.owned("sortOrder"),
        after: query.owned("after"),
    };
    let page = app.system_log(&asked).await?;
    let mut response = super::json(body(&page));
    let base = &app.settings().public_url;
    let mut links = vec![link(base, query.iter(), "self")];
    if let Some(next) = &page.next {
        // The cursor knows the page's `since`; the two may not stand side by side.
        let kept = query.iter().filter(|(name, _)| !matches!(*name, "after" | "since"));
        links.push(link(base, kept.chain([("after", next.as_str())]), "next"));
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
    format!("<{base}/api/v1/logs{mark}{query}>; rel=\"{relation}\"")
}

/// The events as they were written, in one array.
fn body(page: &LogPage) -> Bytes {
    let length: usize = page.events.iter().map(|event| event.get().len() + 1).sum();
    let mut body = String::with_capacity(length + 2);
    body.push('[');
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(event.get());
    }
    body.push(']');
    Bytes::from(body)
}
