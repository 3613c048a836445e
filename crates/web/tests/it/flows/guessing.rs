//! Guessing passwords: slower and slower, and never a lock for the owner's own browser.

use std::time::Duration;

use hookwright_testkit::OrgOptions;

use super::browser::Browser;
use super::org::{FlowOrg, PASSWORD};

const LOGIN: &str = "rosario@okta.com";

async fn status(org: &FlowOrg, password: &str) -> u16 {
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, password).await;
    idx.status
}

#[tokio::test]
async fn after_a_failure_even_the_right_password_must_wait() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    for wait in [1, 3, 5, 10, 10] {
        assert_eq!(status(&org, "wrong-password").await, 401);
        assert_eq!(status(&org, PASSWORD).await, 401, "too early");
        org.org.clock.advance(Duration::from_secs(wait) - Duration::from_millis(1));
        assert_eq!(status(&org, PASSWORD).await, 401, "a moment too early");
        org.org.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(status(&org, PASSWORD).await, 200);
    assert_eq!(status(&org, "wrong-password").await, 401);
    org.org.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&org, PASSWORD).await, 200, "the count began anew");
    let events = org.events().await;
    let failed: Vec<_> = events.iter().filter(|event| event["outcome"]["reason"] == "INVALID_CREDENTIALS").collect();
    assert_eq!(failed.len(), 6, "tries that came too early are not failures");
    assert_eq!(
        (&failed[0]["eventType"], &failed[0]["actor"]["alternateId"]),
        (&"user.session.start".into(), &LOGIN.into())
    );
}

#[tokio::test]
async fn a_browser_that_signed_in_before_is_not_locked_out_by_others() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut own = Browser::of(&org.org);
    own.sign_in(LOGIN, PASSWORD).await;
    own.forget_session();
    for _ in 0..3 {
        assert_eq!(status(&org, "wrong-password").await, 401);
    }
    assert_eq!(status(&org, PASSWORD).await, 401, "others must wait");
    own.sign_in(LOGIN, PASSWORD).await;
    assert!(own.page.contains("Rosario Jones"), "{}", own.page);
}

#[tokio::test]
async fn many_guesses_at_once_are_one_after_the_other() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut flows = Vec::new();
    for _ in 0..12 {
        flows.push(org.idx().await);
    }
    let guesses = flows.iter_mut().enumerate().map(|(number, idx)| async move {
        // The right password is the last one; only the first guess counts before the wait.
        let password = if number == 11 { PASSWORD.to_owned() } else { format!("wrong-password-{number}") };
        idx.sign_in(LOGIN, &password).await;
        idx.status
    });
    let statuses = futures::future::join_all(guesses).await;
    assert!(statuses.iter().filter(|status| **status == 200).count() <= 1);
    // On a busy machine some wait longer than they may for their turn.
    assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 429)), "{statuses:?}");
}

#[tokio::test]
async fn an_address_has_ten_failures_a_minute_where_limits_are_on() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    let org = FlowOrg::with_options(options, |_| {}).await;
    for number in 0..10 {
        let mut idx = org.idx().await;
        idx.sign_in(&format!("nobody{number}@okta.com"), "wrong-password").await;
        assert_eq!(idx.status, 401);
    }
    let mut idx = org.idx().await;
    idx.sign_in("nobody@okta.com", "wrong-password").await;
    assert_eq!((idx.status, idx.body["errorCode"].as_str()), (429, Some("E0000047")));
    // An address that the client made up changes nothing.
    let mut browser = Browser::of(&org.org);
    browser.open("/signin").await;
    let body = browser.filled(&[("identifier", "nobody@okta.com"), ("passcode", "wrong-password")]);
    let own = org.org.app.settings().public_url.clone();
    let headers = [("origin", own.as_str()), ("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.8")];
    let answer = browser.request(http::Method::POST, "/signin/identify", &headers, Some(body)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after").is_empty()), (429, false));
    org.org.clock.advance(Duration::from_secs(61));
    let mut idx = org.idx().await;
    idx.sign_in("nobody@okta.com", "wrong-password").await;
    assert_eq!(idx.status, 401);
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one_address() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    options.settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let org = FlowOrg::with_options(options, |_| {}).await;
    let own = org.org.app.settings().public_url.clone();
    let mut browser = Browser::of(&org.org);
    let mut status = async |number: u32, address: String| {
        browser.cookies.clear();
        browser.open("/signin").await;
        let name = format!("nobody{number}@okta.com");
        let body = browser.filled(&[("identifier", &name), ("passcode", "wrong-password")]);
        let headers = [("origin", own.as_str()), ("x-forwarded-for", &address)];
        let answer = browser.request(http::Method::POST, "/signin/identify", &headers, Some(body)).await;
        answer.status.as_u16()
    };
    for number in 0..10 {
        assert_eq!(status(number, format!("2001:db8:1:2::{number:x}")).await, 401);
    }
    assert_eq!(status(10, "2001:db8:1:2:ffff::1".to_owned()).await, 429);
    assert_eq!(status(10, "2001:db8:1:3::1".to_owned()).await, 401);
}
