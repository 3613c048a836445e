//! Each step that takes ACTIVE away ends what rested on the account, and the way back brings none of it to life.

use std::time::Duration;

use hookwright_model::user::{LifecycleStep, UserStatus};
use serde_json::{Value, json};

use super::client::{CALLBACK, LOGIN, Party, VERIFIER, oauth_refused};
use crate::flows::browser::Browser;
use crate::flows::idx::Idx;
use crate::flows::org::{PASSWORD, asking};

/// Everything that may rest on a sign-in.
struct Resting {
    party: Party,
    browser: Browser,
    tokens: Value,
    code: String,
    half_way: Idx,
}

impl Resting {
    async fn begin() -> Self {
        let party = Party::confidential().await;
        party.org().clock.advance(Duration::from_secs(60));
        let tokens = party.tokens().await;
        let code = party.interaction_code().await;
        let mut browser = Browser::of(party.org());
        browser.sign_in(LOGIN, PASSWORD).await;
        party.flow.change_rule(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
        let mut half_way = party.flow.idx().await;
        half_way.sign_in(LOGIN, PASSWORD).await;
        assert_eq!(half_way.remediations(), ["enroll-profile"], "{:#}", half_way.body);
        Self { party, browser, tokens, code, half_way }
    }

    async fn step(&self, step: &str) {
        let path = format!("/api/v1/users/{LOGIN}/lifecycle/{step}");
        let answer = self.party.org().client.post(&path, &json!({})).await;
        assert_eq!(answer.status, 200, "{step}: {}", answer.text());
    }

    async fn is_active(&self, token: &str) -> bool {
        let text = self.tokens[token].as_str().expect("a token");
        self.party.post("introspect", &[("token", text)]).await.json()["active"] == true
    }

    async fn assert_all_alive(&mut self, when: &str) {
        for token in ["access_token", "refresh_token", "id_token"] {
            assert!(self.is_active(token).await, "{token} {when}");
        }
        assert_eq!(self.party.userinfo(&self.tokens).await.status, 200, "{when}");
        self.browser.open("/app/UserHome").await;
        assert_eq!(self.browser.path, "/app/UserHome", "{when}");
    }

    async fn assert_all_ended(&mut self, when: &str) {
        for token in ["access_token", "refresh_token", "id_token"] {
            assert!(!self.is_active(token).await, "{token} {when}");
        }
        assert_eq!(self.party.userinfo(&self.tokens).await.status, 401, "{when}");
        oauth_refused(&self.party.refresh(&self.tokens["refresh_token"]).await, 400, "invalid_grant");
        let exchange = [("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        oauth_refused(&self.party.exchange_with(&self.code, &exchange).await, 400, "invalid_grant");
        self.browser.open("/app/UserHome").await;
        assert_eq!(self.browser.path, "/signin", "{when}");
        let mut half_way = self.half_way.clone();
        half_way.proceed("enroll-profile", json!({"userProfile": {"employeeNumber": "1234"}})).await;
        assert!(!half_way.remediations().contains(&"enroll-profile"), "{when}: {:#}", half_way.body);
        assert!(half_way.body["successWithInteractionCode"].is_null(), "{when}: {:#}", half_way.body);
        let stored = self.party.flow.stored(LOGIN).await.expect("the user");
        assert!(!stored.profile.contains_key("employeeNumber"), "{when}");
    }
}

#[tokio::test]
async fn a_step_that_takes_active_away_ends_all_and_the_way_back_revives_nothing() {
    for (step, back) in [
        ("suspend", Some("unsuspend")),
        ("deactivate", Some("activate")),
        ("expire_password", None),
        ("expire_password?tempPassword=true", None),
        ("reset_password", None),
    ] {
        let name = step.split('?').next().expect("a step");
        assert!(LifecycleStep::parse(name).expect("a step").ends_access(), "{step}");
        let mut resting = Resting::begin().await;
        resting.assert_all_alive("before").await;
        // The clock stands still: what counts is the order, not the instant.
        resting.step(step).await;
        match back {
            Some(back) => resting.step(back).await,
            None => resting.party.flow.set_status(LOGIN, UserStatus::Active).await,
        }
        assert_eq!(resting.party.flow.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
        resting.assert_all_ended(&format!("after {step}")).await;
    }
}

#[tokio::test]
async fn a_new_password_ends_all_and_a_lock_ends_nothing() {
    let mut resting = Resting::begin().await;
    resting.party.flow.set_status(LOGIN, UserStatus::LockedOut).await;
    resting.assert_all_alive("while LOCKED_OUT").await;
    resting.step("unlock").await;
    resting.assert_all_alive("after unlock").await;
    let body = json!({"credentials": {"password": {"value": "Another-horse-8"}}});
    let answer = resting.party.org().client.post(&format!("/api/v1/users/{LOGIN}"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    resting.assert_all_ended("after a new password").await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_before_the_suspension_saves_nobody() {
    let mut resting = Resting::begin().await;
    resting.party.org().clock.set_back(Duration::from_secs(30));
    resting.step("suspend").await;
    resting.step("unsuspend").await;
    resting.assert_all_ended("with the clock set back").await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_revives_nothing_that_was_seen_over() {
    let mut resting = Resting::begin().await;
    let clock = resting.party.org().clock.clone();
    let (later, token) = (Duration::from_secs(100 * 24 * 60 * 60), resting.tokens["refresh_token"].clone());
    clock.advance(later);
    oauth_refused(&resting.party.refresh(&token).await, 400, "invalid_grant");
    clock.set_back(later);
    // What is over in one kind was over in all of them.
    resting.assert_all_ended("with the clock set back").await;
}

#[tokio::test]
async fn a_session_that_was_idle_too_long_stays_over() {
    let mut resting = Resting::begin().await;
    let clock = resting.party.org().clock.clone();
    let later = Duration::from_secs(2 * 60 * 60);
    clock.advance(later);
    resting.browser.open("/app/UserHome").await;
    assert_eq!(resting.browser.path, "/signin");
    clock.set_back(later);
    resting.browser.open("/app/UserHome").await;
    assert_eq!(resting.browser.path, "/signin");
}
