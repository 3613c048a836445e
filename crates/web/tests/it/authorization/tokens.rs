//! Tokens in use: userinfo, introspection, revocation, keys and their rotation.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{BASE, LOGIN, Party, verify};
use crate::execute::ALLOW;
use crate::flows::idx::Idx;
use crate::flows::org::{PASSWORD, policy_id};

#[tokio::test]
async fn userinfo_answers_a_living_access_token_only() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    let answer = party.userinfo(&tokens).await;
    let claims = answer.json();
    assert_eq!((&claims["preferred_username"], &claims["email"]), (&LOGIN.into(), &LOGIN.into()));
    let text = tokens["access_token"].as_str().unwrap();
    let (input, signature) = text.rsplit_once('.').unwrap();
    let payload = input.split('.').nth(1).unwrap();
    for bad in [
        "",
        "x",
        "a.b.c",
        tokens["id_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
        &format!("{input}."),
        &format!("{input}.{}", signature.chars().rev().collect::<String>()),
        // {"alg":"none"}
        &format!("eyJhbGciOiJub25lIn0.{payload}."),
    ] {
        let answer = party.userinfo(&json!({"access_token": bad})).await;
        assert_eq!(answer.status, 401, "{bad}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{bad}");
    }
    let bare = party.org().stranger().get(&format!("{BASE}/userinfo")).await;
    assert_eq!((bare.status.as_u16(), bare.header("www-authenticate")), (401, "Bearer"));
    party.org().clock.advance(Duration::from_secs(3_600));
    assert_eq!(party.userinfo(&tokens).await.status, 401);
}

#[tokio::test]
async fn introspection_tells_a_client_of_its_own_living_tokens() {
    let party = Party::confidential().await;
    let tokens = party.tokens().await;
    let ask = async |token: &Value| party.post("introspect", &[("token", token.as_str().unwrap())]).await.json();
    let access = ask(&tokens["access_token"]).await;
    assert_eq!((&access["active"], &access["username"]), (&json!(true), &LOGIN.into()));
    assert_eq!(access["scope"], "openid profile email offline_access");
    assert_eq!(ask(&tokens["refresh_token"]).await["active"], true);
    assert_eq!(ask(&tokens["id_token"]).await["active"], true);
    assert_eq!(ask(&"nonsense".into()).await, json!({"active": false}));
    assert_eq!(party.post("revoke", &[("token", tokens["access_token"].as_str().unwrap())]).await.status, 200);
    assert_eq!(ask(&tokens["access_token"]).await, json!({"active": false}));
    assert_eq!(ask(&tokens["refresh_token"]).await, json!({"active": false}));
    assert_eq!(party.flow.count("app.oauth2.as.token.revoke").await, 1);
}

#[tokio::test]
async fn a_client_can_neither_see_nor_end_the_tokens_of_another() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    let body = super::client::app("Other", "browser", "none");
    let other = party.org().client.post("/api/v1/apps", &body).await.json();
    let other = other["credentials"]["oauthClient"]["client_id"].as_str().unwrap();
    for name in ["access_token", "refresh_token", "id_token"] {
        let pairs = [("token", tokens[name].as_str().unwrap()), ("client_id", other)];
        assert_eq!(party.post("introspect", &pairs).await.json(), json!({"active": false}), "{name}");
        assert_eq!(party.post("revoke", &pairs).await.status, 200);
    }
    assert_eq!(party.userinfo(&tokens).await.status, 200);
    assert_eq!(party.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn a_rotated_key_signs_no_more_and_what_it_signed_can_be_verified() {
    let party = Party::public().await;
    let before = party.tokens().await;
    let keys = "/api/v1/authorizationServers/default/credentials/keys";
    let rotate = "/api/v1/authorizationServers/default/credentials/lifecycle/keyRotate";
    let listed = |keys: &Value, status: &str| -> Vec<String> {
        let keys = keys.as_array().unwrap().iter().filter(|key| key["status"] == status);
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let old = party.org().client.get(keys).await.json();
    assert_eq!((listed(&old, "ACTIVE").len(), listed(&old, "NEXT").len()), (1, 1));
    let published = party.org().stranger().get(&format!("{BASE}/keys")).await.json();
    let answer = party.org().client.post(rotate, &json!({"use": "sig"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let new = answer.json();
    assert_eq!((listed(&new, "ACTIVE"), listed(&new, "EXPIRED")), (listed(&old, "NEXT"), listed(&old, "ACTIVE")));
    let after = party.tokens().await;
    // A client that fetched the keys before the rotation verifies what is signed after it.
    assert!(verify(after["id_token"].as_str().unwrap(), &published).is_some());
    party.verified(&before["id_token"]).await;
    assert_eq!(party.userinfo(&before).await.status, 200);
    assert_eq!(party.flow.count("app.oauth2.as.key.rollover").await, 1);
    party.org().clock.advance(Duration::from_secs(25 * 3_600));
    assert!(listed(&party.org().client.get(keys).await.json(), "EXPIRED").is_empty());
    assert_eq!(party.org().stranger().get(keys).await.refusal().0, 401);
    assert_eq!(party.org().stranger().post_empty(rotate).await.refusal().0, 401);
    let other = keys.replace("default", "aus1");
    assert_eq!(party.org().client.get(&other).await.refusal(), (404, "E0000008".to_owned()));
}

#[tokio::test]
async fn no_code_token_or_private_key_is_kept_in_the_clear() {
    let party = Party::confidential().await;
    let code = party.interaction_code().await;
    let tokens = party.exchange(&code).await.json();
    let bytes = party.org().database_bytes();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let keys = party.org().store.signing_keys().await.unwrap();
    let private = secrecy::ExposeSecret::expose_secret(&keys[0].private);
    for secret in [
        code.as_str(),
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
        party.secret.as_deref().unwrap(),
        &private[..64],
    ] {
        assert!(!holds(secret));
    }
    assert!(holds(&keys[0].kid), "what is not secret is found so");
}

#[tokio::test]
async fn a_public_client_may_name_itself_by_basic_authentication_without_a_secret() {
    let party = Party::public().await;
    let tokens = party.tokens().await;
    // As auth-js does when it revokes: the bare id, without a colon.
    let basic = format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &party.id));
    let request = party.org().stranger().request(http::Method::POST, &format!("{BASE}/revoke"));
    let request = request.header("authorization", &basic).header("content-type", "application/x-www-form-urlencoded");
    let body = super::client::form(&[("token", tokens["access_token"].as_str().unwrap())]);
    assert_eq!(request.body(body).send().await.status, 200);
    assert_eq!(party.userinfo(&tokens).await.status, 401);
}

#[tokio::test]
async fn an_address_that_nobody_proved_is_not_called_verified() {
    let party = Party::public().await;
    let app = party.org().client.get("/api/v1/apps").await.json();
    let app = app.as_array().unwrap().iter().find(|app| app["label"] == "Single page").unwrap()["id"].clone();
    let app = app.as_str().unwrap();
    let answer = party.org().client.put(&format!("/api/v1/apps/{app}/policies/{}", policy_id()), &json!({})).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let interact = async || {
        let handle = party.interact(&[]).await.json()["interaction_handle"].as_str().unwrap().to_owned();
        Idx::introspect(party.org(), &handle).await
    };
    let verified = async |idx: &Idx| {
        let tokens = party.exchange(idx.code()).await.json();
        party.userinfo(&tokens).await.json()["email_verified"].clone()
    };
    party.flow.answers(&[ALLOW]);
    let mut idx = interact().await;
    idx.sign_up(json!({"email": "somebody@else.example", "firstName": "A", "lastName": "B"})).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert_eq!(verified(&idx).await, json!(false));

    party.flow.change_rule(|rule| rule.email_verification = true).await;
    let mut idx = interact().await;
    idx.sign_up(json!({"email": "own@app.example", "firstName": "A", "lastName": "B"})).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    let mail = party.org().app.mails().await.unwrap()[0].body.clone();
    let code = mail.split_whitespace().find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit()));
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code.unwrap()}})).await;
    assert_eq!(verified(&idx).await, json!(true));

    // An administrator vouches for whom they make, and for an address that they change.
    let tokens = party.tokens().await;
    assert_eq!(party.userinfo(&tokens).await.json()["email_verified"], true);
    let body = json!({"profile": {"email": "other@else.example"}});
    let answer = party.org().client.post("/api/v1/users/somebody@else.example", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(party.org().store.user_by_login("somebody@else.example").await.unwrap().unwrap().email_verified);
}

#[tokio::test]
async fn tokens_count_no_longer_where_their_user_or_their_app_is_switched_off() {
    let party = Party::confidential().await;
    let tokens = party.tokens().await;
    let ask = async |name: &str| party.post("introspect", &[("token", tokens[name].as_str().unwrap())]).await.json();
    let step = async |path: &str| assert_eq!(party.org().client.post(path, &json!({})).await.status, 200, "{path}");
    assert_eq!(ask("id_token").await["active"], true);
    step(&format!("/api/v1/users/{LOGIN}/lifecycle/suspend")).await;
    for name in ["access_token", "refresh_token", "id_token"] {
        assert_eq!(ask(name).await, json!({"active": false}), "{name}");
    }
    step(&format!("/api/v1/users/{LOGIN}/lifecycle/unsuspend")).await;
    assert_eq!(party.userinfo(&tokens).await.status, 401, "nothing comes back to life");
    let tokens = party.tokens().await;
    assert_eq!(party.userinfo(&tokens).await.status, 200);
    step(&format!("/api/v1/apps/{}/lifecycle/deactivate", party.id)).await;
    assert_eq!(party.userinfo(&tokens).await.status, 401);
}
