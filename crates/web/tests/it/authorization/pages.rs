//! `authorize` and `logout`: a browser is sent by a client, signs in on the hosted page, and is sent back.

use std::time::Duration;

use super::client::{CALLBACK, LOGIN, Party, VERIFIER, app, oauth_refused};
use crate::flows::browser::Browser;
use crate::flows::org::{FlowOrg, PASSWORD};

/// Signs in on the hosted page that the client's request leads to; the URL that leads back.
async fn signed_in(party: &Party, browser: &mut Browser) -> String {
    browser.open(&party.authorize_path(&[])).await;
    assert!(browser.page.contains("Single page") || browser.page.contains("Web"), "{}", browser.page);
    browser.send("/signin/identify", &[("identifier", LOGIN), ("passcode", PASSWORD)]).await;
    let start = browser.page.split(r#"content="0;url="#).nth(1).expect("a way back");
    start.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&")
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn location(party: &Party, browser: &mut Browser, changes: &[(&str, &str)]) -> (u16, String) {
    let path = party.authorize_path(changes);
    let answer = browser.request(http::Method::GET, &path, &[], None).await;
    (answer.status.as_u16(), answer.header("location").to_owned())
}

#[tokio::test]
async fn a_browser_signs_in_on_the_page_and_its_client_gets_tokens() {
    let party = Party::public().await;
    let mut browser = Browser::of(party.org());
    let back = signed_in(&party, &mut browser).await;
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state"));
    let code = parameter(&back, "code").expect("a code");
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let without_uri: Vec<_> = pairs.iter().copied().filter(|(name, _)| *name != "redirect_uri").collect();
    oauth_refused(&party.post("token", &without_uri).await, 400, "invalid_grant");
    let answer = party.post("token", &pairs).await;
    let tokens = answer.json();
    assert_eq!(party.verified(&tokens["id_token"]).await["nonce"], "the nonce", "{}", answer.text());
    assert!(tokens.get("refresh_token").is_none());
    // Whoever comes back to the page does not send the same code again.
    browser.open("/signin").await;
    assert!(!browser.page.contains(&code), "{}", browser.page);
    assert_eq!(party.userinfo(&tokens).await.status, 200);
}

#[tokio::test]
async fn somebody_who_is_signed_in_is_sent_straight_back() {
    let party = Party::public().await;
    let mut browser = Browser::of(party.org());
    let (status, nobody) = location(&party, &mut browser, &[("prompt", "none")]).await;
    assert_eq!((status, parameter(&nobody, "error").as_deref()), (302, Some("login_required")));
    signed_in(&party, &mut browser).await;
    for prompt in ["", "none", "consent"] {
        let (status, back) = location(&party, &mut browser, &[("prompt", prompt)]).await;
        assert!(status == 302 && back.starts_with(CALLBACK) && parameter(&back, "code").is_some(), "{prompt}: {back}");
    }
    let (_, fragment) = location(&party, &mut browser, &[("response_mode", "fragment")]).await;
    assert!(fragment.starts_with(&format!("{CALLBACK}#code=")), "{fragment}");
    assert_eq!(location(&party, &mut browser, &[("prompt", "login")]).await.1, "/signin");
    party.org().clock.advance(Duration::from_secs(100));
    assert_eq!(location(&party, &mut browser, &[("max_age", "99")]).await.1, "/signin");
    assert!(location(&party, &mut browser, &[("max_age", "101")]).await.1.starts_with(CALLBACK));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let party = Party::public().await;
    let mut browser = Browser::of(party.org());
    for changes in [
        &[("redirect_uri", "https://evil.example/cb")][..],
        &[("redirect_uri", "")],
        &[("client_id", "0oanobody")],
        &[("client_id", "")],
    ] {
        let answer = browser.request(http::Method::GET, &party.authorize_path(changes), &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{changes:?}");
        assert!(answer.header("content-type").starts_with("text/html"));
        assert!(!answer.text().contains("evil.example"));
    }
    let (status, back) = location(&party, &mut browser, &[("scope", "everything")]).await;
    assert_eq!((status, parameter(&back, "error").as_deref()), (302, Some("invalid_scope")));
    assert_eq!(parameter(&back, "state").as_deref(), Some("the state"));
}

#[tokio::test]
async fn a_client_signs_out_whom_its_id_token_names() {
    let party = Party::public().await;
    let mut browser = Browser::of(party.org());
    signed_in(&party, &mut browser).await;
    let tokens = party.tokens().await;
    let logout = |hint: &str, uri: &str| {
        let pairs = [("id_token_hint", hint), ("post_logout_redirect_uri", uri), ("state", "s")];
        format!("/oauth2/default/v1/logout?{}", super::client::form(&pairs))
    };
    let hint = tokens["id_token"].as_str().unwrap();
    for path in [
        logout(hint, "https://evil.example/"),
        logout("nonsense", "https://app.example/bye"),
        logout(tokens["access_token"].as_str().unwrap(), "https://app.example/bye"),
        logout("", "https://app.example/bye"),
    ] {
        let answer = browser.request(http::Method::GET, &path, &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{path}");
    }
    assert_eq!(browser.open("/app/UserHome").await.path, "/app/UserHome");
    let answer = browser.request(http::Method::GET, &logout(hint, "https://app.example/bye"), &[], None).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "https://app.example/bye?state=s"));
    assert_eq!(browser.open("/app/UserHome").await.path, "/signin");
}

#[tokio::test]
async fn a_way_back_with_letters_of_any_kind_is_one_for_browsers() {
    let mut one = app("Single page", "browser", "none");
    one["settings"]["oauthClient"]["post_logout_redirect_uris"] = serde_json::json!(["https://app.example/adiós"]);
    let party = Party::with(FlowOrg::start().await, &one).await;
    let tokens = party.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    for (state, expected) in
        [("", "https://app.example/adi%C3%B3s"), ("é", "https://app.example/adi%C3%B3s?state=%C3%A9")]
    {
        let pairs =
            [("id_token_hint", hint), ("post_logout_redirect_uri", "https://app.example/adiós"), ("state", state)];
        let path = format!("/oauth2/default/v1/logout?{}", super::client::form(&pairs));
        let answer = Browser::of(party.org()).request(http::Method::GET, &path, &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, expected));
    }
}
