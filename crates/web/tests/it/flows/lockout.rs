//! LOCKED_OUT: who brings it about, who sees it, who lifts it, and whom it never keeps out.

use std::time::Duration;

use hookwright_model::user::UserStatus;
use hookwright_testkit::OrgOptions;
use serde_json::{Value, json};

use super::browser::Browser;
use super::idx::Idx;
use super::org::{FlowOrg, PASSWORD};

const LOGIN: &str = "rosario@okta.com";
const WRONG: &str = "wrong-password";
const FRESH: &str = "Another-horse-8";

/// An org behind a proxy of its own, so that a test may come from anywhere.
async fn org() -> FlowOrg {
    let mut options = OrgOptions::default();
    options.settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let org = FlowOrg::with_options(options, |_| {}).await;
    org.user(LOGIN).await;
    org
}

/// A try from an address, with an unknown device.
async fn try_from(org: &FlowOrg, address: &str, password: &str) -> Idx {
    let mut idx = org.idx().await.at_address(address);
    idx.sign_in(LOGIN, password).await;
    idx
}

async fn user(org: &FlowOrg) -> Value {
    org.org.client.get(&format!("/api/v1/users/{LOGIN}")).await.json()
}

async fn step(org: &FlowOrg, step: &str) -> hookwright_testkit::Answer {
    org.org.client.post(&format!("/api/v1/users/{LOGIN}/lifecycle/{step}"), &json!({})).await
}

/// A hundred wrong passwords from five sites, each from another network.
async fn attack(org: &FlowOrg) {
    for number in 0..100 {
        let address = format!("2001:db8:{:x}:{number:x}::1", number / 20);
        assert_eq!(try_from(org, &address, WRONG).await.status, 401);
    }
}

#[tokio::test]
async fn one_site_cannot_lock_an_account_however_long_it_tries() {
    let org = org().await;
    let mut tried = 0;
    for hour in 0..30_u32 {
        for number in 0..5 {
            let before = org.count("user.session.start").await;
            try_from(&org, &format!("203.0.113.{number}"), WRONG).await;
            tried += org.count("user.session.start").await - before;
        }
        assert_eq!(user(&org).await["status"], "ACTIVE", "hour {hour}");
        org.org.clock.advance(Duration::from_secs(60 * 60));
    }
    assert!(tried <= 20 * 2 + 30, "{tried} tries");
    assert_eq!(org.count("user.account.lock").await, 0);
    try_from(&org, "203.0.113.9", WRONG).await;
    assert_eq!(try_from(&org, "203.0.113.10", PASSWORD).await.status, 401, "the site waits");
    assert_eq!(try_from(&org, "198.51.100.1", PASSWORD).await.status, 200, "nobody elsewhere does");
    // An administrator lets in also those who try from the same site.
    assert_eq!(step(&org, "unlock").await.status, 200);
    assert_eq!(try_from(&org, "203.0.113.10", PASSWORD).await.status, 200);
    assert_eq!(org.count("user.account.unlock").await, 1);
}

#[tokio::test]
async fn who_is_not_locked_out_cannot_be_unlocked() {
    let org = org().await;
    let refused = step(&org, "unlock").await;
    assert_eq!(refused.refusal(), (403, "E0000032".to_owned()));
    assert_eq!(refused.json()["errorSummary"], "Unlock is not allowed for this user.");
    assert_eq!(refused.json()["errorCauses"][0]["errorSummary"], "The user is not locked out.");
}

#[tokio::test]
async fn after_any_number_of_failures_the_owner_gets_in_and_an_administrator_lets_in() {
    let org = org().await;
    // The owner's own browser, and the owner's own device over IDX.
    let mut own = Browser::of(&org.org);
    own.sign_in(LOGIN, PASSWORD).await;
    let device = try_from(&org, "198.51.100.1", PASSWORD).await.cookie.expect("a device cookie");
    assert!(device.starts_with("DT=") && device.contains("; HttpOnly"), "{device}");
    org.org.clock.advance(Duration::from_secs(5));
    attack(&org).await;

    let shown = user(&org).await;
    assert_eq!((&shown["status"], &shown["statusChanged"]), (&json!("LOCKED_OUT"), &json!("2023-11-14T22:13:25.000Z")));
    assert!(shown["_links"]["unlock"]["href"].as_str().expect("a link").ends_with("/lifecycle/unlock"));
    let events = org.events().await;
    let locks: Vec<_> = events.iter().filter(|event| event["eventType"] == "user.account.lock").collect();
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0]["displayMessage"], "Max sign in attempts exceeded");
    assert_eq!(locks[0]["outcome"], json!({"result": "FAILURE", "reason": "LOCKED_OUT"}));
    assert_eq!(locks[0]["target"][0]["alternateId"], LOGIN);

    // Strangers learn nothing of it: the right password, a wrong one, and a name that nobody has.
    let mut nobody = org.idx().await.at_address("192.0.2.1");
    nobody.sign_in("nobody@okta.com", WRONG).await;
    for password in [PASSWORD, WRONG] {
        let locked = try_from(&org, "192.0.2.1", password).await;
        assert_eq!((locked.status, locked.banners()), (nobody.status, nobody.banners()));
    }

    // The owner stays signed in, and signs in again at once.
    own.open("/app/UserHome").await;
    assert_eq!(own.path, "/app/UserHome");
    own.forget_session();
    own.sign_in(LOGIN, PASSWORD).await;
    assert!(own.page.contains("Rosario Jones"), "{}", own.page);
    let mut idx = org.idx().await.at_address("192.0.2.2").with_cookie(&device);
    idx.sign_in(LOGIN, PASSWORD).await;
    assert!(!idx.code().is_empty() && idx.cookie.is_none(), "it is known, and needs no other secret");
    assert_eq!(user(&org).await["status"], "LOCKED_OUT", "for everybody else");

    assert_eq!(step(&org, "unlock").await.status, 200);
    assert_eq!(user(&org).await["status"], "ACTIVE");
    assert_eq!(org.count("user.account.unlock").await, 1);
    assert_eq!(try_from(&org, "192.0.2.1", PASSWORD).await.status, 200);
    assert_eq!(step(&org, "unlock").await.refusal(), (403, "E0000032".to_owned()));
}

#[tokio::test]
async fn a_new_or_temporary_password_lifts_the_lock_and_so_does_time() {
    let org = org().await;
    attack(&org).await;
    let body = json!({"credentials": {"password": {"value": FRESH}}});
    let answer = org.org.client.post(&format!("/api/v1/users/{LOGIN}"), &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &json!("ACTIVE")));
    assert_eq!(try_from(&org, "2001:db8:1:1::1", FRESH).await.status, 200);
    assert_eq!(org.count("user.account.unlock").await, 1);

    attack(&org).await;
    let answer = step(&org, "expire_password?tempPassword=true").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(user(&org).await["status"], "PASSWORD_EXPIRED");
    let temporary = answer.json()["tempPassword"].as_str().expect("a password").to_owned();
    let mut idx = try_from(&org, "2001:db8:1:1::1", &temporary).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert!(!idx.code().is_empty());

    attack(&org).await;
    let clean = async || org.org.app.drop_expired(Duration::ZERO).await.expect("the housekeeping");
    org.org.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    clean().await;
    assert_eq!(user(&org).await["status"], "LOCKED_OUT");
    org.org.clock.advance(Duration::from_secs(1));
    clean().await;
    assert_eq!(user(&org).await["status"], "ACTIVE");
    assert_eq!(try_from(&org, "2001:db8:1:1::1", PASSWORD).await.status, 200);

    // Who comes before the housekeeping does is let in as well.
    attack(&org).await;
    org.org.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(try_from(&org, "2001:db8:1:1::1", PASSWORD).await.status, 200);
    assert_eq!(user(&org).await["status"], "ACTIVE");
    assert_eq!(org.count("user.account.lock").await, 4);
}

#[tokio::test]
async fn a_device_that_a_client_made_up_is_not_known() {
    let org = org().await;
    let made_up = "DT=0123456789012345678901234567890123456789012";
    let mut own = org.idx().await.with_cookie(made_up);
    own.sign_in(LOGIN, PASSWORD).await;
    let given = own.cookie.clone().expect("another secret");
    assert!(!given.starts_with(made_up), "{given}");
    attack(&org).await;
    let mut stranger = org.idx().await.with_cookie(made_up);
    stranger.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(stranger.status, 401);
    // What anybody can compute of a browser makes no device known.
    let mut fingerprint = org.idx().await;
    fingerprint.headers.push(("x-device-fingerprint", "f".repeat(43)));
    fingerprint.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(fingerprint.status, 401);
    let mut owner = org.idx().await.with_cookie(&given);
    owner.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(owner.status, 200);
}

#[tokio::test]
async fn a_known_device_of_one_user_is_unknown_for_another() {
    let org = org().await;
    org.user("second@okta.com").await;
    let device = try_from(&org, "198.51.100.1", PASSWORD).await.cookie.expect("a device cookie");
    let mut second = org.idx().await.with_cookie(&device);
    second.sign_in("second@okta.com", WRONG).await;
    second.sign_in("second@okta.com", PASSWORD).await;
    assert_eq!(second.status, 401, "too early");
    org.org.clock.advance(Duration::from_secs(1));
    second.sign_in("second@okta.com", PASSWORD).await;
    assert!(second.cookie.is_none() && second.status == 200, "a browser that two people share keeps its secret");
}

#[tokio::test]
async fn over_tls_pages_of_other_sites_bring_the_device_cookie_along() {
    let mut options = OrgOptions::default();
    options.settings.public_url = "https://org.example".to_owned();
    let org = FlowOrg::with_options(options, |_| {}).await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    let cookie = idx.cookie.expect("a device cookie");
    assert!(cookie.starts_with("__Host-DT="), "{cookie}");
    for part in ["; Path=/;", "; HttpOnly;", "; SameSite=None;", "; Secure;", "; Partitioned"] {
        assert!(cookie.contains(part), "{cookie} lacks {part}");
    }
}

#[tokio::test]
async fn a_failure_with_the_clock_ahead_locks_nobody_for_a_year() {
    let org = org().await;
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    org.org.clock.advance(year);
    assert_eq!(try_from(&org, "192.0.2.1", WRONG).await.status, 401);
    attack(&org).await;
    let status = async || org.stored(LOGIN).await.expect("the user").status;
    assert_eq!(status().await, UserStatus::LockedOut);
    org.org.clock.set_back(year);
    assert_eq!(try_from(&org, "192.0.2.1", PASSWORD).await.status, 200);
    assert_eq!(status().await, UserStatus::Active);
}
