//! Refresh tokens: a new one each time where the client has no secret, and an end to all of them when one comes twice.

use std::time::Duration;

use serde_json::json;

use super::client::{LOGIN, Party, app, oauth_refused};
use crate::flows::org::FlowOrg;

#[tokio::test]
async fn a_public_client_gets_a_new_refresh_token_each_time() {
    let party = Party::public().await;
    let first = party.tokens().await;
    let second = party.refresh(&first["refresh_token"]).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let id = party.verified(&second["id_token"]).await;
    assert!(id.get("nonce").is_none());
    assert_eq!(party.userinfo(&second).await.status, 200);
    // An answer may get lost: the old one is good for half a minute more.
    party.org().clock.advance(Duration::from_secs(30));
    let third = party.refresh(&first["refresh_token"]).await;
    assert_eq!(third.status, 200, "{}", third.text());
    // Later, two have it: nobody keeps anything.
    party.org().clock.advance(Duration::from_secs(1));
    oauth_refused(&party.refresh(&first["refresh_token"]).await, 400, "invalid_grant");
    oauth_refused(&party.refresh(&second["refresh_token"]).await, 400, "invalid_grant");
    assert_eq!(party.userinfo(&second).await.status, 401);
    assert_eq!(party.flow.count("app.oauth2.as.token.detect_reuse").await, 1);
}

#[tokio::test]
async fn a_client_with_a_secret_keeps_its_refresh_token() {
    let party = Party::confidential().await;
    let tokens = party.tokens().await;
    for _ in 0..3 {
        party.org().clock.advance(Duration::from_secs(6 * 24 * 3_600));
        let answer = party.refresh(&tokens["refresh_token"]).await;
        assert_eq!(answer.json()["refresh_token"], tokens["refresh_token"], "{}", answer.text());
    }
    party.org().clock.advance(Duration::from_secs(7 * 24 * 3_600));
    oauth_refused(&party.refresh(&tokens["refresh_token"]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_asks_for_less_and_never_for_more() {
    let party = Party::confidential().await;
    let tokens = party.tokens().await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let ask = async |scope: &str| {
        party.post("token", &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]).await
    };
    let less = ask("openid").await.json();
    assert_eq!(less["scope"], "openid");
    assert_eq!(party.userinfo(&less).await.json().as_object().unwrap().len(), 1);
    oauth_refused(&ask("openid phone").await, 400, "invalid_scope");
}

#[tokio::test]
async fn without_leave_or_without_asking_there_is_no_refresh_token() {
    let mut one = app("No refresh", "browser", "none");
    one["settings"]["oauthClient"]["grant_types"] = json!(["interaction_code"]);
    let party = Party::with(FlowOrg::start().await, &one).await;
    let tokens = party.tokens().await;
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    assert_eq!(tokens["scope"], "openid profile email");
    oauth_refused(&party.refresh(&"x".into()).await, 400, "unauthorized_client");
}

#[tokio::test]
async fn a_password_that_was_set_anew_ends_what_was_granted_before() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    party.org().clock.advance(Duration::from_secs(5));
    let body = json!({"credentials": {"password": {"value": "Another-horse-8"}}});
    let answer = party.org().client.post(&format!("/api/v1/users/{LOGIN}"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(party.userinfo(&tokens).await.status, 401);
    oauth_refused(&party.refresh(&tokens["refresh_token"]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn tokens_of_who_was_switched_off_stay_dead_when_the_account_is_on_again() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    for step in ["deactivate", "activate"] {
        let answer = party.org().client.post(&format!("/api/v1/users/{LOGIN}/lifecycle/{step}"), &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(party.userinfo(&tokens).await.status, 401, "after {step}");
        oauth_refused(&party.refresh(&tokens["refresh_token"]).await, 400, "invalid_grant");
    }
    assert_eq!(party.userinfo(&party.tokens().await).await.status, 200);
}
