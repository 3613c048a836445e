//! Recovery on the hosted pages: who forgot a password sets another one, and nobody learns who exists.

use std::time::Duration;

use hookwright_model::user::UserStatus;
use hookwright_testkit::postgres::PostgresServer;
use hookwright_testkit::{Org, OrgOptions};
use serde_json::json;

use super::browser::Browser;
use super::org::{FlowOrg, PASSWORD};

pub(crate) const LOGIN: &str = "rosario@okta.com";
pub(crate) const FRESH: &str = "Another-horse-8";

/// The code of the newest mail.
pub(crate) async fn mailed_code(org: &Org) -> String {
    let mails = org.app.mails().await.expect("mails");
    let body = &mails.first().expect("a mail").body;
    let is_code = |word: &&str| word.len() == 8 && word.chars().all(|letter| letter.is_ascii_digit());
    body.split_whitespace().find(is_code).expect("a code").to_owned()
}

async fn mails(org: &FlowOrg) -> usize {
    org.org.app.mails().await.expect("mails").len()
}

/// A browser that asked for a code in this name.
async fn asking(org: &FlowOrg, name: &str) -> Browser {
    let mut browser = Browser::of(&org.org);
    browser.open("/signin").await;
    browser.send("/signin/forgot", &[]).await;
    browser.send("/signin/recover", &[("identifier", name)]).await;
    browser
}

/// A code that is not the one of the newest mail.
async fn wrong(org: &FlowOrg) -> String {
    let code = mailed_code(&org.org).await;
    code.chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect()
}

async fn a_forgotten_password_is_replaced(org: FlowOrg) {
    org.user(LOGIN).await;
    let mut elsewhere = Browser::of(&org.org);
    elsewhere.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(elsewhere.open("/app/UserHome").await.path, "/app/UserHome");
    org.org.clock.advance(Duration::from_secs(5));

    let mut browser = asking(&org, LOGIN).await;
    assert!(browser.page.contains("If there is an account named rosario@okta.com"), "{}", browser.page);
    assert_eq!(elsewhere.open("/app/UserHome").await.path, "/app/UserHome", "asking ends nothing");
    let before = browser.cookies["hookwright_flow"].clone();
    browser.send("/signin/verify", &[("passcode", &mailed_code(&org.org).await)]).await;
    assert_ne!(browser.cookies["hookwright_flow"], before, "the proof is a rise in rights");
    assert!(browser.page.contains("Set a new password"), "{}", browser.page);
    browser.send("/signin/set-password", &[("passcode", "short")]).await;
    assert_eq!(browser.status, 400);
    browser.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(browser.path, "/app/UserHome", "{}", browser.page);

    assert_eq!(elsewhere.open("/app/UserHome").await.path, "/signin", "sessions of before have ended");
    for event in
        ["user.account.reset_password", "user.account.update_password", "system.email.password_reset.sent_message"]
    {
        assert_eq!(org.count(event).await, 1, "{event}");
    }
    let mut again = Browser::of(&org.org);
    again.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(again.status, 401);
    org.org.clock.advance(Duration::from_secs(5));
    again.sign_in(LOGIN, FRESH).await;
    assert_eq!(again.status, 200, "{}", again.page);
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_what_rested_on_it_ends() {
    a_forgotten_password_is_replaced(FlowOrg::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_replaced_on_postgresql_too() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let options = OrgOptions { database_url: Some(server.url("postgres")), ..OrgOptions::default() };
    a_forgotten_password_is_replaced(FlowOrg::with_options(options, |_| {}).await).await;
}

/// Everything that somebody sees who asks for a code in this name and guesses at it six times.
async fn seen(org: &FlowOrg, name: &str) -> Vec<(u16, String, String)> {
    let mut seen = Vec::new();
    let mut browser = asking(org, name).await;
    for round in 0..8 {
        let mut page = browser.page.replace(name, "NAME");
        for secret in [browser.hidden("token"), browser.hidden("attempt")] {
            page = page.replace(&secret, "SECRET");
        }
        seen.push((browser.status, browser.path.clone(), page));
        if round == 6 {
            org.org.clock.advance(Duration::from_secs(20));
            browser.send("/signin/resend", &[]).await;
        } else {
            browser.send("/signin/verify", &[("passcode", "00000000")]).await;
        }
    }
    seen
}

#[tokio::test]
async fn whoever_asks_for_a_code_learns_nothing_about_who_exists() {
    let org = FlowOrg::start().await;
    let nobody = seen(&org, "nobody@okta.com").await;
    assert_eq!(mails(&org).await, 0);
    assert_eq!(nobody[1].0, 401);
    let mut expected_mails = 0;
    for status in UserStatus::ALL {
        let name = format!("{}@okta.com", status.as_str().to_lowercase().replace('_', "-"));
        org.user(&name).await;
        org.set_status(&name, status).await;
        assert_eq!(seen(&org, &name).await, nobody, "{}", status.as_str());
        let may = matches!(status, UserStatus::Active | UserStatus::PasswordExpired | UserStatus::LockedOut);
        expected_mails += if may { 2 } else { 0 };
        assert_eq!(mails(&org).await, expected_mails, "{}", status.as_str());
        assert_eq!(org.stored(&name).await.expect("the user").status, status);
    }
}

#[tokio::test]
async fn a_recovery_that_a_stranger_begins_leaves_the_owner_alone() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut owner = Browser::of(&org.org);
    owner.sign_in(LOGIN, PASSWORD).await;
    let mut stranger = asking(&org, LOGIN).await;
    for _ in 0..8 {
        stranger.send("/signin/verify", &[("passcode", &wrong(&org).await)]).await;
    }
    for _ in 0..8 {
        asking(&org, LOGIN).await;
    }
    assert_eq!(owner.open("/app/UserHome").await.path, "/app/UserHome");
    assert_eq!(Browser::of(&org.org).sign_in(LOGIN, PASSWORD).await.status, 200);
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
    assert_eq!(org.count("user.account.reset_password").await, 0);
}

#[tokio::test]
async fn a_code_is_good_for_five_tries_ten_minutes_one_use_and_its_own_flow() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut tried = asking(&org, LOGIN).await;
    let code = mailed_code(&org.org).await;
    for _ in 0..5 {
        tried.send("/signin/verify", &[("passcode", &wrong(&org).await)]).await;
        assert_eq!(tried.status, 401);
    }
    tried.send("/signin/verify", &[("passcode", &code)]).await;
    assert!(tried.status == 401 && tried.page.contains("no longer valid"), "{}", tried.page);

    org.org.clock.advance(Duration::from_secs(1));
    let mut late = asking(&org, LOGIN).await;
    let code = mailed_code(&org.org).await;
    let mut other = asking(&org, "nobody@okta.com").await;
    other.send("/signin/verify", &[("passcode", &code)]).await;
    assert_eq!(other.status, 401, "a code of another flow");
    org.org.clock.advance(Duration::from_secs(601));
    late.send("/signin/verify", &[("passcode", &code)]).await;
    assert!(late.status == 401 && late.page.contains("no longer valid"), "{}", late.page);

    let mut used = asking(&org, LOGIN).await;
    let code = mailed_code(&org.org).await;
    let mut attacker = used.clone();
    used.send("/signin/verify", &[("passcode", &code)]).await;
    assert!(used.page.contains(r#"action="/signin/set-password""#));
    attacker.page = used.page.clone();
    attacker.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_ne!(attacker.status, 200, "whoever knew the handle of before has nothing of the proof");
    attacker.open("/signin").await;
    assert!(!attacker.page.contains(r#"action="/signin/set-password""#), "{}", attacker.page);
    used.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(used.path, "/app/UserHome");
}

#[tokio::test]
async fn codes_are_mailed_five_times_an_hour_for_a_name_whoever_has_it() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    for name in [LOGIN, "nobody@okta.com"] {
        for _ in 0..5 {
            assert_eq!(asking(&org, name).await.status, 200, "{name}");
        }
        let refused = asking(&org, name).await;
        assert!(refused.status == 429 && refused.page.contains("try again in an hour"), "{name} {}", refused.page);
    }
    assert_eq!(mails(&org).await, 5);
    org.org.clock.advance(Duration::from_secs(3_601));
    assert_eq!(asking(&org, LOGIN).await.status, 200);
    assert_eq!(mails(&org).await, 6);
}

#[tokio::test]
async fn one_network_begins_ten_recoveries_a_minute() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    let org = FlowOrg::with_options(options, |_| {}).await;
    for number in 0..10 {
        assert_eq!(asking(&org, &format!("n{number}@okta.com")).await.status, 200);
    }
    assert_eq!(asking(&org, "n11@okta.com").await.status, 429);
    org.org.clock.advance(Duration::from_secs(61));
    assert_eq!(asking(&org, "n11@okta.com").await.status, 200);
}

#[tokio::test]
async fn a_password_that_is_set_meanwhile_ends_the_recovery() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut before_code = asking(&org, LOGIN).await;
    let code = mailed_code(&org.org).await;
    org.org.clock.advance(Duration::from_secs(1));
    let mut proven = asking(&org, LOGIN).await;
    proven.send("/signin/verify", &[("passcode", &mailed_code(&org.org).await)]).await;
    org.org.clock.advance(Duration::from_millis(10));
    let body = json!({"credentials": {"password": {"value": "Third-horse-9"}}});
    assert_eq!(org.org.client.post(&format!("/api/v1/users/{LOGIN}"), &body).await.status, 200);
    before_code.send("/signin/verify", &[("passcode", &code)]).await;
    proven.send("/signin/set-password", &[("passcode", FRESH)]).await;
    for browser in [&before_code, &proven] {
        assert!(browser.page.contains(r#"action="/signin/identify""#), "{}", browser.page);
    }
    assert_eq!(Browser::of(&org.org).sign_in(LOGIN, "Third-horse-9").await.status, 200);
}

#[tokio::test]
async fn whoever_is_locked_out_gets_in_by_a_new_password_or_unlocks_the_account() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.set_status(LOGIN, UserStatus::LockedOut).await;
    let mut browser = Browser::of(&org.org);
    browser.open("/signin").await;
    browser.send("/signin/unlock", &[]).await;
    browser.send("/signin/recover", &[("identifier", LOGIN)]).await;
    browser.send("/signin/verify", &[("passcode", &mailed_code(&org.org).await)]).await;
    assert!(browser.page.contains("Account unlocked"), "{}", browser.page);
    assert!(!browser.cookies.contains_key("hookwright_session"), "a code alone signs nobody in");
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
    assert_eq!(org.count("user.account.unlock").await, 1);
    browser.send("/signin/cancel", &[]).await;
    browser.send("/signin/identify", &[("identifier", LOGIN), ("passcode", PASSWORD)]).await;
    assert_eq!(browser.path, "/app/UserHome");

    org.set_status(LOGIN, UserStatus::LockedOut).await;
    org.org.clock.advance(Duration::from_secs(5));
    let mut browser = asking(&org, LOGIN).await;
    browser.send("/signin/verify", &[("passcode", &mailed_code(&org.org).await)]).await;
    browser.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(browser.path, "/app/UserHome", "{}", browser.page);
    assert_eq!(org.count("user.account.unlock").await, 2);
}

#[tokio::test]
async fn where_no_mail_can_be_sent_no_recovery_is_offered() {
    let mut options = OrgOptions::default();
    options.settings.address_policy.development = false;
    let org = Org::start_with(options).await;
    let mut browser = Browser::of(&org);
    browser.open("/signin").await;
    assert!(!browser.page.contains("/signin/forgot") && !browser.page.contains("/signin/unlock"), "{}", browser.page);
    let body = browser.filled(&[]);
    browser.post("/signin/forgot", body).await;
    assert!(browser.status == 400 && browser.page.contains("contact your administrator"), "{}", browser.page);
}

#[tokio::test]
async fn a_mailed_code_is_not_in_the_database_in_the_clear() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = asking(&org, LOGIN).await;
    let code = mailed_code(&org.org).await;
    let bytes = org.org.database_bytes();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(&code) && holds(LOGIN), "{code}");
    browser.send("/signin/verify", &[("passcode", &code)]).await;
    assert!(browser.page.contains(r#"action="/signin/set-password""#), "it is the right code: {}", browser.page);
}
