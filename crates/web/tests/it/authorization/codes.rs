//! Codes: bound to their client, redirect URI and verifier, good for a minute, good once.

use std::time::Duration;

use super::client::{CALLBACK, LOGIN, Party, app, left_half, oauth_refused};
use crate::flows::org::FlowOrg;

#[tokio::test]
async fn an_interaction_code_buys_tokens_that_a_client_can_verify() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(3_600)));
    assert_eq!(tokens["scope"], "openid profile email offline_access");
    let discovery = party.org().stranger().get("/oauth2/default/.well-known/openid-configuration").await.json();
    let user = party.flow.stored(LOGIN).await.unwrap();
    let id = party.verified(&tokens["id_token"]).await;
    assert_eq!((&id["iss"], id["aud"].as_str()), (&discovery["issuer"], Some(party.id.as_str())));
    assert_eq!((id["sub"].as_str(), &id["nonce"]), (Some(user.id.as_str()), &"the nonce".into()));
    assert_eq!((&id["preferred_username"], &id["email"]), (&LOGIN.into(), &LOGIN.into()));
    let access_text = tokens["access_token"].as_str().unwrap();
    assert_eq!(id["at_hash"], left_half(access_text));
    let now = party.org().app.now().as_millis() / 1_000;
    assert_eq!((id["iat"].as_i64(), id["exp"].as_i64()), (Some(now), Some(now + 3_600)));
    let access = party.verified(&tokens["access_token"]).await;
    assert_eq!((&access["sub"], &access["cid"]), (&LOGIN.into(), &party.id.as_str().into()));
    assert_eq!(access["scp"], serde_json::json!(["openid", "profile", "email", "offline_access"]));
    assert_eq!(party.flow.count("app.oauth2.as.token.grant.access_token").await, 1);
}

#[tokio::test]
async fn a_code_that_comes_again_is_refused_and_ends_what_it_bought() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    let tokens = party.exchange(&code).await.json();
    assert_eq!(party.userinfo(&tokens).await.status, 200);
    party.org().clock.advance(Duration::from_secs(11));
    oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(party.userinfo(&tokens).await.status, 401);
    oauth_refused(&party.refresh(&tokens["refresh_token"]).await, 400, "invalid_grant");
    assert_eq!(party.flow.count("app.oauth2.as.token.detect_reuse").await, 1);
    oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(party.flow.count("app.oauth2.as.token.detect_reuse").await, 1);
}

#[tokio::test]
async fn of_many_who_bring_a_code_at_once_at_most_one_gets_tokens() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    let answers = futures::future::join_all((0..8).map(|_| party.exchange(&code))).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.json()["error"] == "invalid_grant"));
    // Those who came too late leave the winner what it has.
    let tokens = winners[0].json();
    assert_eq!(party.userinfo(&tokens).await.status, 200);
    assert_eq!(party.refresh(&tokens["refresh_token"]).await.status, 200);
    assert_eq!(party.flow.count("app.oauth2.as.token.detect_reuse").await, 0);
}

#[tokio::test]
async fn a_retry_within_seconds_gets_nothing_and_ends_nothing() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    let tokens = party.exchange(&code).await.json();
    for _ in 0..2 {
        party.org().clock.advance(Duration::from_secs(5));
        oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
        assert_eq!(party.userinfo(&tokens).await.status, 200);
    }
    party.org().clock.advance(Duration::from_secs(1));
    oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(party.userinfo(&tokens).await.status, 401, "after ten seconds it is nobody's retry");
}

#[tokio::test]
async fn a_used_code_without_its_verifier_or_client_ends_what_it_bought_at_once() {
    let party = Party::public().await;
    let answer = party.org().client.post("/api/v1/apps", &app("Other", "browser", "none")).await.json();
    let other = answer["credentials"]["oauthClient"]["client_id"].as_str().unwrap();
    for changes in [[("code_verifier", "a".repeat(43))], [("client_id", other.to_owned())]] {
        let code = party.interaction_code().await;
        let tokens = party.exchange(&code).await.json();
        let changes = changes.each_ref().map(|(name, value)| (*name, value.as_str()));
        oauth_refused(&party.exchange_with(&code, &changes).await, 400, "invalid_grant");
        assert_eq!(party.userinfo(&tokens).await.status, 401, "{changes:?}");
    }
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    party.org().clock.advance(Duration::from_secs(60));
    oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_bound_to_its_verifier_its_redirect_uri_and_its_kind() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    let other = "a".repeat(43);
    for changes in [
        &[("code_verifier", other.as_str())][..],
        &[("code_verifier", "short")],
        &[("code_verifier", "")],
        &[("redirect_uri", "https://evil.example/cb")],
        &[("grant_type", "authorization_code"), ("code", code.as_str())],
    ] {
        oauth_refused(&party.exchange_with(&code, changes).await, 400, "invalid_grant");
    }
    // What was tried wrongly is still there for its owner.
    assert_eq!(party.exchange(&code).await.status, 200);
}

#[tokio::test]
async fn a_code_is_bound_to_its_client() {
    let party = Party::public().await;
    let answer = party.org().client.post("/api/v1/apps", &app("Other", "browser", "none")).await.json();
    let other = answer["credentials"]["oauthClient"]["client_id"].as_str().unwrap();
    let code = party.interaction_code().await;
    oauth_refused(&party.exchange_with(&code, &[("client_id", other)]).await, 400, "invalid_grant");
    assert_eq!(party.exchange(&code).await.status, 200);
}

#[tokio::test]
async fn a_code_of_somebody_who_was_switched_off_buys_nothing() {
    let party = Party::public().await;
    let code = party.interaction_code().await;
    party.flow.set_status(LOGIN, hookwright_model::user::UserStatus::Suspended).await;
    oauth_refused(&party.exchange(&code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn what_a_client_may_not_ask_is_refused_as_oauth_does() {
    let party = Party::public().await;
    for (changes, code) in [
        (&[("redirect_uri", "https://evil.example/cb")][..], "invalid_request"),
        (&[("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "everything")], "invalid_scope"),
    ] {
        oauth_refused(&party.interact(changes).await, 400, code);
    }
    oauth_refused(&party.interact(&[("client_id", "0oanobody")]).await, 401, "invalid_client");
    oauth_refused(&party.exchange_with("x", &[("grant_type", "password")]).await, 400, "unsupported_grant_type");
    oauth_refused(&party.exchange_with("x", &[("grant_type", "")]).await, 400, "invalid_request");
    oauth_refused(&party.exchange_with("", &[]).await, 400, "invalid_request");
    let text = party.org().stranger().request(http::Method::POST, "/oauth2/default/v1/token").json(&"{}".into()).send();
    oauth_refused(&text.await, 400, "invalid_request");
}

#[tokio::test]
async fn a_client_that_is_switched_off_or_not_allowed_gets_nothing() {
    let mut one = app("Machine", "web", "none");
    one["settings"]["oauthClient"]["grant_types"] = serde_json::json!(["authorization_code"]);
    let party = Party::with(FlowOrg::start().await, &one).await;
    oauth_refused(&party.interact(&[]).await, 400, "unauthorized_client");
    oauth_refused(&party.exchange("x").await, 400, "unauthorized_client");
    party.org().client.post_empty(&format!("/api/v1/apps/{}/lifecycle/deactivate", party.id)).await;
    oauth_refused(&party.interact(&[]).await, 401, "invalid_client");
}

#[tokio::test]
async fn a_client_with_a_secret_has_to_show_it() {
    let mut party = Party::confidential().await;
    let code = party.interaction_code().await;
    let secret = party.secret.take().expect("a secret");
    for given in ["", "wrong"] {
        oauth_refused(&party.exchange_with(&code, &[("client_secret", given)]).await, 401, "invalid_client");
    }
    let answer = party.exchange_with(&code, &[("client_secret", &secret)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    party.secret = Some("wrong".to_owned());
    let answer = party.interact(&[]).await;
    oauth_refused(&answer, 401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic"));
    party.secret = Some(secret);
    assert_eq!(party.interact(&[]).await.status, 200);
    let both = party.exchange_with("x", &[("client_secret", "x")]).await;
    oauth_refused(&both, 401, "invalid_client");
}

#[tokio::test]
async fn a_sign_up_form_that_is_asked_for_again_says_nothing_of_the_last_try() {
    let party = Party::public().await;
    let mut idx = party.flow.idx().await;
    idx.sign_up(serde_json::json!({"email": "no address", "firstName": "R", "lastName": "J"})).await;
    assert_eq!(idx.status, 400);
    // As auth-js does before each further try.
    idx.post("/idp/idx/enroll", serde_json::json!({})).await;
    assert_eq!((idx.status, idx.banners().len(), idx.said_at("email").len()), (200, 0, 0));
}
