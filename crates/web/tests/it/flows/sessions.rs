//! What a browser carries, and what it opens: cookies, sessions, form tokens, addresses.

use std::time::Duration;

use hookwright_testkit::OrgOptions;
use http::Method;

use super::browser::Browser;
use super::org::{APP, FlowOrg, PASSWORD};

const LOGIN: &str = "rosario@okta.com";

async fn https_org() -> FlowOrg {
    let mut options = OrgOptions::default();
    options.settings.public_url = "https://org.example".to_owned();
    FlowOrg::with_options(options, |_| {}).await
}

#[tokio::test]
async fn cookies_belong_to_this_host_and_to_tls_alone() {
    let org = https_org().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    let body = browser.filled(&[("identifier", LOGIN), ("passcode", PASSWORD)]);
    let headers = [("origin", "https://org.example")];
    let answer = browser.request(Method::POST, "/signin/identify", &headers, Some(body)).await;
    let set: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text")).collect();
    assert_eq!(set.len(), 3, "{set:?}");
    for cookie in set {
        assert!(cookie.starts_with("__Host-hookwright_"), "{cookie}");
        for part in ["; Path=/;", "; HttpOnly;", "; SameSite=Lax;", "; Secure"] {
            assert!(cookie.contains(part), "{cookie} lacks {part}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert!(answer.header("strict-transport-security").contains("max-age=31536000"));
}

#[tokio::test]
async fn signing_in_gives_a_session_that_nobody_could_have_planted() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.cookies.insert("hookwright_session".to_owned(), "x".repeat(43));
    browser.sign_in(LOGIN, PASSWORD).await;
    let first = browser.cookies.get("hookwright_session").expect("a session").clone();
    assert_ne!(first, "x".repeat(43));
    assert_eq!(first.len(), 43, "256 bits");
    browser.send("/app/sign-out", &[]).await;
    // What was signed out of stays closed, also for whoever kept the cookie.
    browser.cookies.insert("hookwright_session".to_owned(), first.clone());
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/signin");
    browser.sign_in(LOGIN, PASSWORD).await;
    assert_ne!(browser.cookies.get("hookwright_session").expect("a session"), &first);
    assert!(!contains(&org.org.database_bytes(), first.as_bytes()), "only its SHA-256 is kept");
}

#[tokio::test]
async fn whoever_signs_in_ends_the_session_that_the_browser_had() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.user("second@okta.com").await;
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    let mut thief = browser.clone();
    browser.sign_in("second@okta.com", PASSWORD).await;
    assert_eq!(org.count("user.session.end").await, 1);
    thief.open("/app/UserHome").await;
    assert_eq!(thief.path, "/signin", "who kept the cookie of before has nothing");
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/app/UserHome");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_token_of_another_browser_or_another_flow_opens_nothing() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let (mut own, mut other) = (Browser::of(&org.org), Browser::of(&org.org));
    own.open(&format!("/signin?app={APP}")).await;
    other.open(&format!("/signin?app={APP}")).await;
    let fields = [("identifier", LOGIN), ("passcode", PASSWORD)];
    let foreign = own.filled(&fields).replace(&own.hidden("token"), &other.hidden("token"));
    own.clone().post("/signin/identify", foreign).await;
    let old = own.filled(&fields);
    // The same browser begins again: the page that it left open belongs to a flow that is gone.
    own.open(&format!("/signin?app={APP}")).await;
    own.post("/signin/identify", old).await;
    assert_eq!(own.status, 403);
    assert!(!own.cookies.contains_key("hookwright_session"));
    assert_eq!(org.count("user.session.start").await, 0);
}

#[tokio::test]
async fn the_api_looks_at_no_cookie() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    for path in ["/api/v1/users", "/api/v1/inlineHooks", "/api/v1/logs", "/hookwright/v1/executions"] {
        let answer = browser.request(Method::GET, path, &[], None).await;
        assert_eq!(answer.refusal(), (401, "E0000004".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn no_parameter_leads_away_from_the_org() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    for name in ["fromURI", "redirect_uri", "returnTo", "next", "RelayState"] {
        browser.cookies.clear();
        browser.open(&format!("/signin?app={APP}&{name}=https%3A%2F%2Fevil.example%2F")).await;
        assert!(!browser.page.contains("evil.example"), "{}", browser.page);
        let body = browser.filled(&[("identifier", LOGIN), ("passcode", PASSWORD), (name, "https://evil.example/")]);
        let own = org.org.app.settings().public_url.clone();
        let answer = browser.request(Method::POST, "/signin/identify", &[("origin", &own)], Some(body)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/app/UserHome"), "{name}");
    }
}

#[tokio::test]
async fn a_flow_and_a_session_outlive_a_restart() {
    let mut org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    idx.proceed("identify", serde_json::json!({"identifier": LOGIN})).await;
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    let cookies = browser.cookies.clone();
    // A failure is remembered too.
    org.user("other@okta.com").await;
    let mut wrong = org.idx().await;
    wrong.sign_in("other@okta.com", "wrong-password").await;
    org.org = org.org.restart().await;

    let mut resumed = idx.moved_to(&org.org);
    resumed.post("/idp/idx/challenge/answer", serde_json::json!({"credentials": {"passcode": PASSWORD}})).await;
    assert!(!resumed.code().is_empty());
    let mut browser = Browser::of(&org.org);
    browser.cookies = cookies;
    browser.open("/app/UserHome").await;
    assert!(browser.page.contains("Rosario Jones"));
    let mut early = org.idx().await;
    early.sign_in("other@okta.com", PASSWORD).await;
    assert_eq!(early.status, 401, "a second must pass first");
    org.org.clock.advance(Duration::from_secs(1));
    let mut late = org.idx().await;
    late.sign_in("other@okta.com", PASSWORD).await;
    assert_eq!(late.status, 200);
}
