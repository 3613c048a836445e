//! What administrators do for people without a password: links that are good once, and temporary passwords.

use std::time::Duration;

use hookwright_model::user::UserStatus;
use hookwright_testkit::OrgOptions;
use hookwright_testkit::postgres::PostgresServer;
use serde_json::{Value, json};

use super::browser::Browser;
use super::org::{FlowOrg, PASSWORD};
use super::recovery::{FRESH, LOGIN};

/// Posts nothing to a path of the user.
async fn call(org: &FlowOrg, path: &str) -> Value {
    let answer = org.org.client.post_empty(&format!("/api/v1/users/{LOGIN}/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// The path of a link.
fn path_of(org: &FlowOrg, url: &Value) -> String {
    let url = url.as_str().expect("a URL");
    url.strip_prefix(org.org.app.settings().public_url.as_str()).expect("a URL of ours").to_owned()
}

async fn opened(org: &FlowOrg, path: &str) -> Browser {
    let mut browser = Browser::of(&org.org);
    browser.open(path).await;
    browser
}

fn is_dead(browser: &Browser) -> bool {
    browser.status == 400 && browser.page.contains("be used any longer")
}

async fn one_of_two_uses_a_link(org: FlowOrg) {
    org.user(LOGIN).await;
    let answer = call(&org, "lifecycle/reset_password?sendEmail=false").await;
    let path = path_of(&org, &answer["resetPasswordUrl"]);
    assert!(path.starts_with("/signin/reset-password/") && path.len() > 60, "{path}");
    assert_eq!(answer.as_object().expect("an object").len(), 1);
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Recovery);
    assert!(org.org.app.mails().await.expect("mails").is_empty());
    let (mut first, mut second) = (opened(&org, &path).await, opened(&org, &path).await);
    assert_eq!(first.path, "/signin", "the token stands in no address bar");
    assert!(first.page.contains("Set a new password"), "{}", first.page);
    tokio::join!(
        first.send("/signin/set-password", &[("passcode", FRESH)]),
        second.send("/signin/set-password", &[("passcode", "Third-horse-9")]),
    );
    let signed_in = [&first, &second].map(|browser| browser.cookies.contains_key("hookwright_session"));
    assert_ne!(signed_in[0], signed_in[1], "{} {}", first.page, second.page);
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
    assert!(is_dead(&opened(&org, &path).await), "a link is used once");
    assert_eq!(org.count("user.account.reset_password").await, 2, "the administrator's and the user's");
}

#[tokio::test]
async fn of_two_who_use_one_link_at_once_one_sets_the_password() {
    one_of_two_uses_a_link(FlowOrg::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_use_one_link_at_once_one_sets_the_password_on_postgresql_too() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let options = OrgOptions { database_url: Some(server.url("postgres")), ..OrgOptions::default() };
    one_of_two_uses_a_link(FlowOrg::with_options(options, |_| {}).await).await;
}

#[tokio::test]
async fn a_link_ends_with_its_hour_with_a_new_password_and_with_the_next_reset() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let reset = async || {
        let answer = call(&org, "lifecycle/reset_password?sendEmail=false").await;
        path_of(&org, &answer["resetPasswordUrl"])
    };
    let (first, second) = (reset().await, reset().await);
    assert!(is_dead(&opened(&org, &first).await), "the next reset ends it");
    let mut half_way = opened(&org, &second).await;
    org.org.clock.advance(Duration::from_secs(3_601));
    assert!(is_dead(&opened(&org, &second).await), "after an hour");
    half_way.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert!(half_way.page.contains(r#"action="/signin/identify""#), "half way as well: {}", half_way.page);

    let third = reset().await;
    let body = json!({"credentials": {"password": {"value": FRESH}}});
    assert_eq!(org.org.client.post(&format!("/api/v1/users/{LOGIN}"), &body).await.status, 200);
    assert!(is_dead(&opened(&org, &third).await), "a new password ends it");
    assert!(is_dead(&opened(&org, "/signin/reset-password/nonsense").await));
}

#[tokio::test]
async fn a_link_is_mailed_where_the_call_says_so_and_ten_times_an_hour() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    assert_eq!(call(&org, "lifecycle/reset_password?sendEmail=true").await, json!({}));
    let mails = org.org.app.mails().await.expect("mails");
    let body = mails.first().expect("a mail").body.clone();
    let url = body.split_whitespace().find(|word| word.starts_with("http")).expect("a link");
    let mut browser = opened(&org, &path_of(&org, &json!(url))).await;
    browser.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(browser.path, "/app/UserHome", "{}", browser.page);
    for _ in 0..9 {
        call(&org, "credentials/forgot_password").await;
    }
    let path = format!("/api/v1/users/{LOGIN}/credentials/forgot_password?sendEmail=true");
    assert_eq!(org.org.client.post_empty(&path).await.status, 429);
}

#[tokio::test]
async fn forgot_password_leaves_the_present_password_until_there_is_another() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let answer = call(&org, "credentials/forgot_password?sendEmail=false").await;
    let path = path_of(&org, &answer["resetPasswordUrl"]);
    assert_eq!(Browser::of(&org.org).sign_in(LOGIN, PASSWORD).await.status, 200);
    let mut browser = opened(&org, &path).await;
    browser.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(browser.path, "/app/UserHome");
    org.set_status(LOGIN, UserStatus::Suspended).await;
    let path = format!("/api/v1/users/{LOGIN}/credentials/forgot_password?sendEmail=false");
    let refused = org.org.client.post_empty(&path).await;
    assert_eq!((refused.status.as_u16(), refused.json()["errorCode"].clone()), (403, json!("E0000038")));
}

#[tokio::test]
async fn activate_and_reactivate_answer_a_link_that_lasts_a_week() {
    let org = FlowOrg::start().await;
    let body = json!({"profile": {"login": LOGIN, "email": LOGIN, "firstName": "R", "lastName": "J"}});
    assert_eq!(org.org.client.post("/api/v1/users?activate=false", &body).await.status, 200);
    let first = call(&org, "lifecycle/activate?sendEmail=false").await;
    let token = first["activationToken"].as_str().expect("a token");
    assert!(first["activationUrl"].as_str().expect("a URL").ends_with(&format!("/tokens/{token}/verify")));
    let second = call(&org, "lifecycle/reactivate?sendEmail=false").await;
    assert!(is_dead(&opened(&org, &path_of(&org, &first["activationUrl"])).await));
    org.org.clock.advance(Duration::from_secs(6 * 24 * 3_600));
    let mut browser = opened(&org, &path_of(&org, &second["activationUrl"])).await;
    assert!(browser.page.contains("Activate your account"), "{}", browser.page);
    browser.send("/signin/set-password", &[("passcode", FRESH)]).await;
    assert_eq!(browser.path, "/app/UserHome", "{}", browser.page);
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
    let refused = org.org.client.post_empty(&format!("/api/v1/users/{LOGIN}/lifecycle/reactivate")).await;
    assert_eq!((refused.status.as_u16(), refused.json()["errorCode"].clone()), (403, json!("E0000038")));
}

#[tokio::test]
async fn a_temporary_password_comes_by_the_path_of_the_current_sdks_too() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let answer = call(&org, "lifecycle/expire_password_with_temp_password").await;
    let temporary = answer["tempPassword"].as_str().expect("a password").to_owned();
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, &temporary).await;
    assert!(browser.page.contains("Your password has expired"), "{}", browser.page);
}

#[tokio::test]
async fn a_recovery_question_is_refused_by_its_name() {
    let org = FlowOrg::start().await;
    let body = json!({
        "profile": {"login": LOGIN, "email": LOGIN, "firstName": "R", "lastName": "J"},
        "credentials": {"recovery_question": {"question": "Who?", "answer": "Nobody"}},
    });
    let refused = org.org.client.post("/api/v1/users", &body).await;
    assert!(refused.status == 400 && refused.text().contains("credentials.recovery_question"), "{}", refused.text());
    org.user(LOGIN).await;
    let body = json!({"password": {"value": FRESH}, "recovery_question": {"answer": "Nobody"}});
    let refused = org.org.client.post(&format!("/api/v1/users/{LOGIN}/credentials/forgot_password"), &body).await;
    assert!(refused.status == 400 && refused.text().contains("recovery_question"), "{}", refused.text());
}
