//! Apps with a server of their own forward their visitors: a client that proved itself speaks for them, and nobody else does.

use http::Method;
use serde_json::Value;

use super::client::{BASE, CALLBACK, LOGIN, Party, app, basic, form, oauth_refused};
use crate::flows::idx::Idx;
use crate::flows::org::{FlowOrg, PASSWORD};
use hookwright_testkit::{Answer, OrgOptions};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const DEVICE: &str = "0b5cbe2c-6b6e-4ad5-8a8a-3d1f6f0f6f57";
const WRONG: &str = "wrong-password";

async fn limited() -> FlowOrg {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    FlowOrg::with_options(options, |_| {}).await
}

async fn confidential() -> Party {
    Party::with(limited().await, &app("Web", "web", "client_secret_basic")).await
}

/// `interact` with these headers; with the client's secret, or without it.
async fn interact(party: &Party, secret: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let mut pairs = vec![
        ("scope", "openid"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    let mut request = party.org().stranger().request(Method::POST, &format!("{BASE}/interact"));
    match secret {
        Some(secret) => request = request.header("authorization", &basic(&party.id, secret)),
        None => pairs.push(("client_id", &party.id)),
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.header("content-type", "application/x-www-form-urlencoded").body(form(&pairs)).send().await
}

async fn visit(party: &Party, secret: Option<&str>, headers: &[(&str, &str)]) -> Idx {
    let answer = interact(party, secret, headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Idx::introspect(party.org(), answer.json()["interaction_handle"].as_str().expect("a handle")).await
}

/// The addresses of all events about sign-ins, in their order.
async fn addresses(party: &Party) -> Vec<Value> {
    let events = party.flow.events().await.into_iter();
    let starts = events.filter(|event| event["eventType"] == "user.session.start");
    starts.map(|event| event["client"]["ipAddress"].clone()).collect()
}

#[tokio::test]
async fn one_visitor_of_an_app_that_proved_itself_stops_no_other() {
    let party = confidential().await;
    let secret = party.secret.as_deref();
    for _ in 0..10 {
        let mut guesser = visit(&party, secret, &[("x-forwarded-for", "203.0.113.7")]).await;
        guesser.sign_in("nobody@okta.com", WRONG).await;
        assert_eq!(guesser.status, 401);
    }
    let mut guesser = visit(&party, secret, &[("x-forwarded-for", "203.0.113.7")]).await;
    guesser.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(guesser.status, 429, "the visitor who guesses is stopped");
    let mut other = visit(&party, secret, &[("x-forwarded-for", "198.51.100.1")]).await;
    other.sign_in(LOGIN, PASSWORD).await;
    assert!(!other.code().is_empty());
    assert_eq!(addresses(&party).await.last(), Some(&"198.51.100.1".into()));
}

#[tokio::test]
async fn the_device_of_a_visitor_is_known_again_by_the_app_that_named_it() {
    let party = confidential().await;
    let secret = party.secret.as_deref();
    let own = [("x-forwarded-for", "198.51.100.1"), ("x-device-token", DEVICE)];
    visit(&party, secret, &own).await.sign_in(LOGIN, PASSWORD).await;
    for number in 0..100 {
        let address = format!("2001:db8:{:x}:{number:x}::1", number / 20);
        visit(&party, secret, &[("x-forwarded-for", &address)]).await.sign_in(LOGIN, WRONG).await;
    }
    assert_eq!(party.flow.stored(LOGIN).await.expect("the user").status.as_str(), "LOCKED_OUT");
    let mut owner = visit(&party, secret, &own).await;
    owner.sign_in(LOGIN, PASSWORD).await;
    assert!(!owner.code().is_empty());
    // Neither without the secret, nor under another name.
    for (secret, device) in [(None, DEVICE), (secret, "0b5cbe2c-6b6e-4ad5-8a8a-000000000000"), (secret, "short")] {
        let mut stranger = visit(&party, secret, &[("x-forwarded-for", "192.0.2.1"), ("x-device-token", device)]).await;
        stranger.sign_in(LOGIN, PASSWORD).await;
        assert_eq!(stranger.status, 401, "{device}");
    }
}

#[tokio::test]
async fn what_a_client_forwards_that_did_not_prove_itself_counts_for_nothing() {
    let public = Party::with(limited().await, &app("Single page", "browser", "none")).await;
    let web = confidential().await;
    for party in [&public, &web] {
        for number in 0..10 {
            let address = format!("203.0.113.{number}");
            let mut idx = visit(party, None, &[("x-forwarded-for", &address)]).await;
            idx.sign_in(LOGIN, WRONG).await;
        }
        let mut idx = visit(party, None, &[("x-forwarded-for", "198.51.100.1")]).await;
        idx.sign_in("nobody@okta.com", WRONG).await;
        assert_eq!(idx.status, 429, "all of them came from one address");
        assert!(addresses(party).await.iter().all(|address| address == "127.0.0.1"));
    }
}

#[tokio::test]
async fn a_client_with_a_secret_may_leave_it_out_at_interact_and_must_not_get_it_wrong() {
    let party = confidential().await;
    assert_eq!(interact(&party, None, &[]).await.status, 200);
    assert_eq!(interact(&party, party.secret.as_deref(), &[]).await.status, 200);
    oauth_refused(&interact(&party, Some("wrong"), &[]).await, 401, "invalid_client");
    // One that has none may send what it likes; Java's SDK sends the word null.
    let public = Party::with(FlowOrg::start().await, &app("Single page", "browser", "none")).await;
    assert_eq!(public.interact(&[("client_secret", "null")]).await.status, 200);
    // At the token endpoint the secret is asked for.
    let answer = interact(&party, None, &[]).await;
    let mut idx = Idx::introspect(party.org(), answer.json()["interaction_handle"].as_str().expect("a handle")).await;
    idx.sign_in(LOGIN, PASSWORD).await;
    let code = idx.code().to_owned();
    let bare = Party { secret: None, flow: party.flow, id: party.id };
    oauth_refused(&bare.exchange(&code).await, 401, "invalid_client");
}
