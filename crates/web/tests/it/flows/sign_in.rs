//! Signing in: who may, who may not, and that nobody is told why not.

use hookwright_model::user::{PasswordHash, User, UserStatus};
use hookwright_store::Change;
use hookwright_testkit::Client;
use http::Method;
use serde_json::json;

use super::org::{FlowOrg, PASSWORD};

const LOGIN: &str = "rosario@okta.com";

#[tokio::test]
async fn the_password_may_come_with_the_name_or_after_it() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert!(!idx.code().is_empty());
    assert_eq!(idx.body["user"]["value"]["identifier"], LOGIN);
    let mut idx = org.idx().await;
    idx.proceed("identify", json!({"identifier": LOGIN})).await;
    assert_eq!(idx.remediations(), ["challenge-authenticator", "select-enroll-profile"]);
    assert_eq!(idx.remediation("challenge-authenticator")["relatesTo"], json!(["$.currentAuthenticatorEnrollment"]));
    assert_eq!(idx.body["currentAuthenticatorEnrollment"]["value"]["key"], "okta_password");
    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn whoever_may_not_sign_in_is_told_the_same() {
    let org = FlowOrg::start().await;
    let mut answers = Vec::new();
    for (number, status) in [
        Some(UserStatus::Active),
        Some(UserStatus::Suspended),
        Some(UserStatus::LockedOut),
        Some(UserStatus::Staged),
        Some(UserStatus::Deprovisioned),
        None,
    ]
    .into_iter()
    .enumerate()
    {
        let login = format!("user{number}@okta.com");
        let mut password = PASSWORD;
        if let Some(status) = status {
            org.user(&login).await;
            org.set_status(&login, status).await;
            if status == UserStatus::Active {
                password = "wrong-password";
            }
        }
        let mut idx = org.idx().await;
        idx.sign_in(&login, password).await;
        assert_eq!(
            (idx.status, idx.remediations()),
            (401, vec!["identify", "select-enroll-profile", "unlock-account"])
        );
        answers.push(idx.body["messages"].to_string());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(answers[0].contains("errors.E0000004"));
}

#[tokio::test]
async fn an_expired_password_must_be_changed_first() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.set_status(LOGIN, UserStatus::PasswordExpired).await;
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(idx.remediations(), ["enroll-authenticator"]);
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": "Another-horse-8"}})).await;
    assert!(!idx.code().is_empty());
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, "Another-horse-8").await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn a_cheap_hash_is_made_anew_at_sign_in() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.idx().await.sign_in(LOGIN, PASSWORD).await;
    let user = org.stored(LOGIN).await.expect("the user");
    assert!(user.password.expect("a hash").expose_phc().contains("m=19456,t=2,p=1"));
}

#[tokio::test]
async fn an_answer_is_json_for_whatever_is_sent() {
    let org = FlowOrg::start().await;
    let client = Client::new(org.org.client.address());
    for path in
        ["introspect", "identify", "enroll", "enroll/new", "enroll/update", "challenge/answer", "skip", "cancel"]
    {
        for (body, content_type) in [
            ("", "text/plain"),
            ("{", "application/json"),
            ("[]", "application/ion+json"),
            (r#"{"stateHandle":5}"#, "application/json"),
            (r#"{"stateHandle":"unknown"}"#, "application/json"),
            (r#"{"stateHandle":"a","stateHandle":"b"}"#, "application/json"),
        ] {
            let request = client.request(Method::POST, &format!("/idp/idx/{path}"));
            let answer = request.header("content-type", content_type).body(body).send().await;
            assert!(matches!(answer.status.as_u16(), 400 | 401), "{path} {body}: {}", answer.status);
            assert!(answer.json().is_object(), "{path} {body}: {}", answer.text());
        }
    }
    let big = format!(r#"{{"stateHandle":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(client.request(Method::POST, "/idp/idx/identify").body(big).send().await.status, 413);
}

#[tokio::test]
async fn cancel_and_the_way_back_lead_to_the_beginning() {
    let org = FlowOrg::start().await;
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    idx.proceed("select-identify", json!({})).await;
    assert_eq!(idx.remediations(), ["identify", "select-enroll-profile", "unlock-account"]);
    idx.proceed("identify", json!({"identifier": LOGIN})).await;
    idx.post("/idp/idx/cancel", json!({})).await;
    assert_eq!((idx.status, idx.remediations()), (200, vec!["identify", "select-enroll-profile", "unlock-account"]));
}

#[tokio::test]
async fn a_password_whose_hash_is_too_cheap_is_hashed_again_at_sign_in() {
    // Of 64 KiB and one pass, as an earlier setting may have made it.
    const CHEAP: &str =
        "$argon2id$v=19$m=64,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$2l1q0dr3EEZBhw4TNgKKAevxkz9nvmvvQLxQtanndS8";
    let org = FlowOrg::start().await;
    let user = User { password: Some(PasswordHash::from_phc(CHEAP)), ..org.user(LOGIN).await };
    org.org.store.commit(vec![Change::UpdateUser(Box::new(user))]).await.expect("the user changes");
    for _ in 0..2 {
        let mut idx = org.idx().await;
        idx.sign_in(LOGIN, PASSWORD).await;
        assert!(!idx.code().is_empty());
        let hash = org.stored(LOGIN).await.expect("the user").password.expect("a hash");
        assert!(hash.expose_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose_phc());
    }
}
