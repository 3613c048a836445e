//! A password that is set anew, and an account that is switched off, end whatever rested on what was proved before.

use std::time::Duration;

use hookwright_model::user::UserStatus;
use serde_json::json;

use super::browser::Browser;
use super::org::{FlowOrg, PASSWORD, asking};

const LOGIN: &str = "rosario@okta.com";
const FRESH: &str = "Another-horse-8";

/// An administrator sets the password.
async fn set_password(org: &FlowOrg, password: &str) {
    let body = json!({"credentials": {"password": {"value": password}}});
    let answer = org.org.client.post(&format!("/api/v1/users/{LOGIN}"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_flow_that_rests_on_the_old_password_begins_again() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
    org.user(LOGIN).await;
    org.answers(&["{}"]);
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    assert!(browser.page.contains(r#"action="/signin/profile""#), "{}", browser.page);
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(idx.remediations(), ["enroll-profile"]);
    org.org.clock.advance(Duration::from_millis(100));
    set_password(&org, FRESH).await;
    org.org.clock.advance(Duration::from_secs(5));

    browser.send("/signin/profile", &[("userProfile.employeeNumber", "1234")]).await;
    assert!(!browser.cookies.contains_key("hookwright_session"));
    assert!(browser.page.contains(r#"action="/signin/identify""#), "{}", browser.page);
    idx.register(json!({"employeeNumber": "1234"})).await;
    assert!(idx.remediations().contains(&"identify"), "{:#}", idx.body);
    assert!(!org.stored(LOGIN).await.expect("the user").profile.contains_key("employeeNumber"));
    assert!(org.asked().is_empty());

    // With the new one the same flow comes to its end.
    idx.sign_in(LOGIN, FRESH).await;
    idx.register(json!({"employeeNumber": "1234"})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn whoever_knew_an_expired_password_cannot_replace_the_temporary_one() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.set_status(LOGIN, UserStatus::PasswordExpired).await;
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(idx.remediations(), ["enroll-authenticator"], "{:#}", idx.body);
    org.org.clock.advance(Duration::from_millis(10));
    let path = format!("/api/v1/users/{LOGIN}/lifecycle/expire_password?tempPassword=true");
    let answer = org.org.client.post(&path, &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let temporary = answer.json()["tempPassword"].as_str().expect("a password").to_owned();

    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": FRESH}})).await;
    assert!(idx.remediations().contains(&"identify"), "{:#}", idx.body);
    let mut owner = org.idx().await;
    owner.sign_in(LOGIN, &temporary).await;
    owner.proceed("enroll-authenticator", json!({"credentials": {"passcode": FRESH}})).await;
    assert!(!owner.code().is_empty());
}

#[tokio::test]
async fn a_session_of_the_same_second_ends_with_its_password() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.org.clock.advance(Duration::from_millis(100));
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/app/UserHome");
    org.org.clock.advance(Duration::from_millis(100));
    set_password(&org, FRESH).await;
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/signin");
    // A second later the owner signs in with the new one, and stays so.
    browser.sign_in(LOGIN, FRESH).await;
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/app/UserHome");
    let shown = org.org.client.get(&format!("/api/v1/users/{LOGIN}")).await.json();
    assert_eq!(shown["passwordChanged"], "2023-11-14T22:13:20.000Z", "dates of objects are in whole seconds");
}

#[tokio::test]
async fn who_was_switched_off_and_on_again_has_to_sign_in_anew() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    for step in ["deactivate", "activate"] {
        let answer = org.org.client.post(&format!("/api/v1/users/{LOGIN}/lifecycle/{step}"), &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser.open("/app/UserHome").await;
        assert_eq!(browser.path, "/signin", "after {step}");
    }
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
}
