//! `/api/v1/logs`: the System Log.

use axum::extract::State;
use axum::http::Uri;
use bytes::Bytes;
use hookwright_app::{App, LogPage, LogQuery};

use super::Result;
use super::auth::Authenticated;
use super::listing::Links;
use super::query::Query;

/// `GET /api/v1/logs?since=&until=&after=&filter=&q=&limit=&sortOrder=`
///
/// `Link` always has `rel="self"`; `rel="next"` unless a bounded request has come to its end.
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
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
    // The cursor knows the page's `since`; the two may not stand side by side.
    let links = Links { app: &app, uri: &uri, query: &query, replaced: &["after", "since"] };
    links.on(super::json(body(&page)), page.next.as_deref())
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
