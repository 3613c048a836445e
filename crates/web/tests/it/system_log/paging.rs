//! Pages and their links, while the log stands still and while it grows.

use std::collections::HashSet;
use std::time::Duration;

use hookwright_testkit::{Client, Org};

use super::{LOGS, each, events, link, logs};
use crate::fixtures::{HOOKS, created, hook};

/// Registers hooks, one a second of the org's time.
async fn hooks_a_second_apart(org: &Org, names: &[&str]) {
    for name in names {
        created(org, &hook(name)).await;
        org.clock.advance(Duration::from_secs(1));
    }
}

/// Follows `next` from the first page to the last and gives the names of the hooks on each.
async fn pages(client: &Client, first: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(here) = path {
        let answer = client.get(&here).await;
        let found = events(&answer);
        pages.push(each(&found, "/target/0/displayName").into_iter().map(str::to_owned).collect());
        path = link(client, &answer, "next");
        assert!(pages.len() < 20, "the pages do not end");
    }
    pages
}

#[tokio::test]
async fn a_bounded_request_ends_and_is_in_order_both_ways() {
    let org = Org::start().await;
    hooks_a_second_apart(&org, &["a", "b", "c", "d", "e"]).await;
    // The first hook is registered at 22:13:20; `until` itself is left out.
    let window = [("since", "2023-11-14T22:13:21.000Z"), ("until", "2023-11-14T22:13:24Z"), ("limit", "2")];
    assert_eq!(pages(&org.client, &logs(&window)).await, [vec!["b", "c"], vec!["d"]]);
    let descending = [window.as_slice(), &[("sortOrder", "DESCENDING")]].concat();
    assert_eq!(pages(&org.client, &logs(&descending)).await, [vec!["d", "c"], vec!["b"]]);
    // An exact fit has no empty page behind it.
    let exact = [window[0], window[1], ("limit", "3")];
    assert_eq!(pages(&org.client, &logs(&exact)).await, [["b", "c", "d"]]);
    // Without `until`, the newest first, up to now.
    let newest = [("sortOrder", "DESCENDING"), ("limit", "3"), ("filter", r#"eventType sw "inline_hook""#)];
    assert_eq!(pages(&org.client, &logs(&newest)).await, [vec!["e", "d", "c"], vec!["b", "a"]]);
}

#[tokio::test]
async fn what_happens_between_two_pages_of_a_bounded_request_changes_nothing() {
    let org = Org::start().await;
    hooks_a_second_apart(&org, &["a", "b", "c"]).await;
    let first = org.client.get(&logs(&[("sortOrder", "DESCENDING"), ("limit", "2")])).await;
    assert_eq!(each(&events(&first), "/target/0/displayName"), ["c", "b"]);
    created(&org, &hook("later")).await;
    let next = link(&org.client, &first, "next").expect("there is more");
    assert_eq!(each(&events(&org.client.get(&next).await), "/target/0/displayName")[0], "a");
}

#[tokio::test]
async fn polling_gives_each_event_once_while_new_ones_arrive() {
    let org = Org::start().await;
    let client = org.client.clone();
    let writing = tokio::spawn(async move {
        for number in 0..40 {
            let answer = client.post(HOOKS, &hook(&format!("Hook {number}"))).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    });
    let filter = r#"eventType eq "inline_hook.created""#;
    let mut path = logs(&[("filter", filter), ("limit", "3")]);
    let (mut names, mut uuids, mut writing) = (Vec::new(), HashSet::new(), Some(writing));
    loop {
        let answer = org.client.get(&path).await;
        let found = events(&answer);
        assert!(found.len() <= 3);
        names.extend(each(&found, "/target/0/displayName").into_iter().map(str::to_owned));
        uuids.extend(each(&found, "/uuid").into_iter().map(str::to_owned));
        path = link(&org.client, &answer, "next").expect("a polling request always has a next page");
        if found.is_empty() {
            // Whatever is read before the writer has ended may be empty; after that, one empty page is the end.
            let Some(writing) = writing.take_if(|writing| writing.is_finished()) else {
                if writing.is_none() { break } else { continue }
            };
            writing.await.expect("all hooks are registered");
        }
    }
    let expected: Vec<String> = (0..40).map(|number| format!("Hook {number}")).collect();
    assert_eq!(names, expected);
    assert_eq!(uuids.len(), 40);
}

#[tokio::test]
async fn an_empty_poll_is_a_place_to_go_on_from() {
    let org = Org::start().await;
    let since = "2023-11-14T22:13:20.001Z";
    let first = org.client.get(&logs(&[("since", since)])).await;
    assert!(events(&first).is_empty());
    let next = link(&org.client, &first, "next").expect("a polling request always has a next page");
    org.clock.advance(Duration::from_secs(1));
    created(&org, &hook("New")).await;
    let second = org.client.get(&next).await;
    assert_eq!(each(&events(&second), "/target/0/displayName"), ["New"]);
    let next = link(&org.client, &second, "next").expect("a polling request always has a next page");
    assert!(events(&org.client.get(&next).await).is_empty());
}

#[tokio::test]
async fn links_are_absolute_and_keep_the_question() {
    let org = Org::start().await;
    hooks_a_second_apart(&org, &["a", "b"]).await;
    let question = r"filter=eventType+sw+%22inline%22&limit=1&since=2023-11-14&q=hook&unknown=%C3%A9";
    // Whatever host the client names, links lead to the public URL.
    let request = org.client.request(http::Method::GET, &format!("{LOGS}?{question}"));
    let answer = request.header("x-forwarded-host", "evil.example").send().await;
    assert_eq!(answer.headers.get_all("link").iter().count(), 2);
    let this = link(&org.client, &answer, "self").expect("there is always a link to this page");
    assert_eq!(this, format!("{LOGS}?{question}"));
    let next = link(&org.client, &answer, "next").expect("there is always a link to the next page");
    let (kept, after) = next.split_once("&after=").expect("the cursor is added");
    assert_eq!(kept, format!("{LOGS}?filter=eventType+sw+%22inline%22&limit=1&q=hook&unknown=%C3%A9"));
    assert!(after.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "{after}");
    let second = org.client.get(&next).await;
    assert_eq!(each(&events(&second), "/target/0/displayName"), ["b"]);
    // The cursor is replaced, not piled up.
    let third = link(&org.client, &second, "next").expect("there is always a link to the next page");
    assert_eq!(third.matches("after=").count(), 1);
    let bare = org.client.get(LOGS).await;
    assert_eq!(link(&org.client, &bare, "self").as_deref(), Some(LOGS));
}

#[tokio::test]
async fn a_limit_of_zero_gives_no_events() {
    let org = Org::start().await;
    hooks_a_second_apart(&org, &["a"]).await;
    let polling = org.client.get(&logs(&[("limit", "0")])).await;
    assert!(events(&polling).is_empty());
    assert!(link(&org.client, &polling, "next").is_some());
    let bounded = org.client.get(&logs(&[("limit", "0"), ("sortOrder", "DESCENDING")])).await;
    assert!(events(&bounded).is_empty());
    assert!(link(&org.client, &bounded, "next").is_none());
}
