//! The hosted pages: what a person does and reads, and what a forged form can't do.

use std::time::Duration;

use hookwright_testkit::{OrgOptions, Reply};
use http::Method;
use serde_json::json;

use super::browser::Browser;
use super::org::{APP, FlowOrg, PASSWORD, asking};
use crate::execute::ALLOW;

const LOGIN: &str = "rosario@okta.com";

const FORM: [(&str, &str); 3] =
    [("userProfile.email", LOGIN), ("userProfile.firstName", "Rosario"), ("userProfile.lastName", "Jones")];

async fn at_sign_up(org: &FlowOrg) -> Browser {
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    browser.send("/signin/sign-up", &[]).await;
    assert!(browser.page.contains("<h1 id=\"title\">Sign up</h1>"), "{}", browser.page);
    browser
}

#[tokio::test]
async fn a_person_signs_up_sees_the_profile_signs_out_and_in() {
    let org = FlowOrg::with(|rule| rule.email_verification = true).await;
    org.answers(&[ALLOW]);
    let mut browser = at_sign_up(&org).await;
    browser.send("/signin/register", &FORM).await;
    browser.send("/signin/set-password", &[("passcode", PASSWORD)]).await;
    assert!(browser.page.contains("r•••@okta.com"), "{}", browser.page);
    let outbox = Browser::of(&org.org).open("/hookwright/outbox").await.page.clone();
    let code = outbox.split_whitespace().find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit()));
    browser.send("/signin/verify", &[("passcode", code.expect("a code"))]).await;
    assert_eq!((browser.path.as_str(), browser.status), ("/app/UserHome", 200));
    assert!(browser.page.contains("Rosario Jones") && browser.page.contains(LOGIN), "{}", browser.page);
    browser.send("/app/sign-out", &[]).await;
    assert!(browser.page.contains("<h1 id=\"title\">Sign in</h1>"));
    browser.open("/app/UserHome").await;
    assert_eq!(browser.path, "/signin");
    browser.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(browser.path, "/app/UserHome");
    assert_eq!(org.count("user.session.end").await, 1);
}

#[tokio::test]
async fn a_refusal_keeps_what_was_typed_and_names_its_field() {
    let org = FlowOrg::start().await;
    org.answers(&[r#"{"error":{"errorCauses":[{"errorSummary":"Only <b>okta.com</b> & co.","location":"data.userProfile.email"}]}}"#]);
    let mut browser = at_sign_up(&org).await;
    let typed = [
        ("userProfile.email", "x@example.com"),
        ("userProfile.firstName", "\"><script>alert(1)</script>"),
        ("userProfile.lastName", "שלום 🦀"),
    ];
    browser.send("/signin/register", &typed).await;
    assert_eq!(browser.status, 400);
    let page = &browser.page;
    assert!(page.contains("Only &#60;b&#62;okta.com&#60;/b&#62; &#38; co."), "{page}");
    assert!(
        !page.contains("<script") && page.contains("value=\"x@example.com\"") && page.contains("שלום 🦀"),
        "{page}"
    );
    assert!(page.contains("aria-invalid=\"true\"") && page.contains("role=\"alert\"") && page.contains("autofocus"));
    // Loaded anew it says the same.
    browser.open("/signin").await;
    assert!(browser.page.contains("okta.com&#60;/b&#62;") && browser.status == 200);
}

#[tokio::test]
async fn a_double_click_makes_one_user_and_shows_the_next_page_twice() {
    let org = FlowOrg::start().await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(100))]);
    let browser = at_sign_up(&org).await;
    let body = browser.filled(&FORM);
    let (mut first, mut second) = (browser.clone(), browser.clone());
    tokio::join!(first.post("/signin/register", body.clone()), second.post("/signin/register", body.clone()));
    for click in [&first, &second] {
        assert!(click.page.contains("Set up your password"), "{}", click.page);
    }
    // Also where the browser had the first answer already, and where it never got it.
    for mut late in [first.clone(), browser.clone()] {
        late.post("/signin/register", body.clone()).await;
        assert!(late.page.contains("Set up your password"), "{}", late.page);
    }
    second.send("/signin/set-password", &[("passcode", PASSWORD)]).await;
    assert_eq!((org.asked().len(), org.count("user.lifecycle.create").await), (1, 1));
}

#[tokio::test]
async fn an_existing_user_completes_the_profile_on_the_page() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
    org.user(LOGIN).await;
    org.answers(&["{}"]);
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    assert!(browser.page.contains("Complete your profile") && browser.page.contains("The employeeNumber"));
    browser.send("/signin/profile", &[("userProfile.employeeNumber", "1234")]).await;
    assert!(browser.page.contains("1234") && browser.path == "/app/UserHome", "{}", browser.page);
}

#[tokio::test]
async fn a_forged_form_does_nothing() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    let fields = [("identifier", LOGIN), ("passcode", PASSWORD)];
    let body = browser.filled(&fields);
    let own = org.org.app.settings().public_url.clone();
    let forged = body.replace(&browser.hidden("token"), &"x".repeat(43));
    for (headers, body) in [
        (vec![("origin", "https://evil.example")], body.clone()),
        (vec![("origin", "null")], body.clone()),
        (vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())], body.clone()),
        (vec![("sec-fetch-site", "same-site")], body.clone()),
        (vec![], body.clone()),
        (vec![("origin", own.as_str())], forged.clone()),
        (vec![("origin", own.as_str())], "identifier=rosario%40okta.com&passcode=x".to_owned()),
    ] {
        for action in [
            "identify",
            "sign-up",
            "register",
            "profile",
            "set-password",
            "verify",
            "resend",
            "forgot",
            "recover",
            "unlock",
            "back",
            "cancel",
        ] {
            let mut copy = browser.clone();
            let answer = copy.request(Method::POST, &format!("/signin/{action}"), &headers, Some(body.clone())).await;
            assert_eq!(answer.status, 403, "{action} {headers:?}");
            assert!(
                !answer.headers.get_all("set-cookie").iter().any(|set| set.to_str().expect("text").contains("session"))
            );
        }
    }
    // Without the cookie the token is worth nothing.
    let mut stranger = Browser::of(&org.org);
    let answer = stranger.request(Method::POST, "/signin/identify", &[("origin", &own)], Some(body.clone())).await;
    assert_eq!(answer.status, 403);
    // The same form from our own page works, and a forged sign-out does not.
    browser.post("/signin/identify", body).await;
    assert_eq!(browser.path, "/app/UserHome");
    browser
        .request(
            Method::POST,
            "/app/sign-out",
            &[("origin", "https://evil.example")],
            Some(browser.clone().filled(&[])),
        )
        .await;
    browser.open("/app/UserHome").await;
    assert!(browser.page.contains("Rosario Jones"));
}

#[tokio::test]
async fn what_is_old_unknown_or_no_form_is_told_kindly() {
    let org = FlowOrg::start().await;
    let mut browser = at_sign_up(&org).await;
    org.org.clock.advance(Duration::from_secs(3_601));
    browser.send("/signin/register", &FORM).await;
    assert_eq!(browser.status, 400);
    assert!(browser.page.contains("Your session has expired.") && browser.page.contains(">Sign in</h1>"));
    assert!(org.stored(LOGIN).await.is_none());
    let own = org.org.app.settings().public_url.clone();
    let body = browser.filled(&[]);
    let answer = browser.request(Method::POST, "/signin/nonsense", &[("origin", &own)], Some(body)).await;
    assert_eq!(answer.refusal(), (404, "E0000008".to_owned()));
    let answer = org.org.client.post("/signin/identify", &json!({})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(org.org.client.get("/signin?app=0oaunknown").await.refusal(), (404, "E0000007".to_owned()));
}

#[tokio::test]
async fn whoever_opens_the_org_or_a_refused_form_again_finds_the_page() {
    let org = FlowOrg::start().await;
    let mut browser = Browser::of(&org.org);
    browser.open("/").await;
    assert_eq!((browser.path.as_str(), browser.status), ("/signin", 200));
    let mut browser = at_sign_up(&org).await;
    browser.send("/signin/register", &[]).await;
    assert_eq!(browser.status, 400);
    browser.open("/signin/register").await;
    assert_eq!((browser.path.as_str(), browser.status), ("/signin", 200));
    assert!(browser.page.contains("<h1 id=\"title\">Sign up</h1>"), "{}", browser.page);
}

#[tokio::test]
async fn a_refusal_is_a_page_for_people_and_json_for_clients() {
    let org = FlowOrg::start().await;
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let mut visitor = Browser::of(&org.org);
    let page = visitor.request(Method::GET, "/signin?app=0oaunknown", &browser, None).await;
    let text = page.text();
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html") && text.contains("There is no such page"), "{text}");
    let id = page.header("x-okta-request-id").replacen("req", "oae", 1);
    assert!(text.contains(&id) && !text.contains("<script"), "{text}");
    let answer = visitor.request(Method::GET, "/signin?app=0oaunknown", &[], None).await;
    assert_eq!(answer.refusal(), (404, "E0000007".to_owned()));
    let answer = visitor.request(Method::GET, "/api/v1/nothing", &browser, None).await;
    assert_eq!(answer.refusal(), (404, "E0000008".to_owned()));
}

#[tokio::test]
async fn a_form_without_its_cookie_begins_again_at_its_app() {
    let org = FlowOrg::start().await;
    let mut browser = at_sign_up(&org).await;
    let app = browser.hidden("app");
    assert_eq!(app, APP);
    browser.cookies.clear();
    browser.send("/signin/register", &FORM).await;
    assert_eq!(browser.status, 403);
    assert!(browser.page.contains("open for too long, or cookies are blocked"), "{}", browser.page);
    assert_eq!(browser.hidden("app"), APP);
    // An app that is not there is no reason to show nothing.
    browser.cookies.clear();
    let body = browser.filled(&FORM).replace(APP, "0oaunknown");
    browser.post("/signin/register", body).await;
    assert_eq!(browser.status, 403);
    assert!(browser.page.contains("<h1 id=\"title\">Sign in</h1>"), "{}", browser.page);
}

#[tokio::test]
async fn password_managers_are_told_whose_password_it_is() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut browser = at_sign_up(&org).await;
    browser.send("/signin/register", &FORM).await;
    let field =
        format!(r#"<input type="text" name="username" value="{LOGIN}" autocomplete="username" readonly hidden>"#);
    assert!(browser.page.contains(&field), "{}", browser.page);
}

#[tokio::test]
async fn every_page_has_its_headers_and_no_script() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    let (new, refused) = (format!("/signin?app={APP}"), "/oauth2/default/v1/authorize?client_id=x");
    for path in [new.as_str(), refused, "/app/UserHome", "/hookwright/outbox", "/signin/assets/style.css"] {
        let answer = browser.request(Method::GET, path, &[], None).await;
        assert!(!answer.text().is_empty(), "{path}: {}", answer.status);
        let is_page = answer.header("content-type").starts_with("text/html");
        for (name, part) in [
            ("content-security-policy", "default-src 'none'"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", if is_page { "no-store" } else { "" }),
            // Forms come with `Origin: null` from pages that say `no-referrer`, and would be taken for forged ones.
            ("referrer-policy", if is_page { "same-origin" } else { "no-referrer" }),
        ] {
            assert!(answer.header(name).contains(part), "{path} {name}: {}", answer.header(name));
        }
        let text = answer.text();
        assert!(!text.contains("<script") && !text.contains("style=") && !text.contains(" on"), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_outbox_is_there_in_development_only() {
    let mut options = OrgOptions::default();
    options.settings.address_policy.development = false;
    let org = hookwright_testkit::Org::start_with(options).await;
    assert_eq!(org.client.get("/hookwright/outbox").await.refusal(), (404, "E0000008".to_owned()));
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_when_the_password_changes() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let signed_in = async |browser: &mut Browser| {
        browser.open("/app/UserHome").await;
        browser.path == "/app/UserHome"
    };
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    org.org.clock.advance(Duration::from_secs(2 * 3600 + 1));
    assert!(!signed_in(&mut browser).await, "idle");

    browser.forget_session();
    browser.sign_in(LOGIN, PASSWORD).await;
    for _ in 0..8 {
        assert!(signed_in(&mut browser).await);
        touched(&org, &browser).await;
        org.org.clock.advance(Duration::from_secs(90 * 60));
    }
    assert!(!signed_in(&mut browser).await, "twelve hours are over");

    browser.forget_session();
    browser.sign_in(LOGIN, PASSWORD).await;
    org.org.clock.advance(Duration::from_secs(5));
    let user = org.stored(LOGIN).await.expect("the user");
    let hash = user.password.clone().expect("a hash");
    let changed = user.with_password(hash, org.org.app.now());
    org.org.store.commit(vec![hookwright_store::Change::UpdateUser(Box::new(changed))]).await.expect("a change");
    assert!(!signed_in(&mut browser).await, "another password");
}

/// Waits until the use of the session is noted, which happens beside the answer.
async fn touched(org: &FlowOrg, browser: &Browser) {
    let token = browser.cookies.get("hookwright_session").expect("a session");
    let now = org.org.app.now();
    for _ in 0..200 {
        let signed_in = org.org.app.signed_in(token).await.expect("a look-up").expect("somebody");
        if now.since(signed_in.session.last_used) < Duration::from_secs(60) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the use of the session was not noted");
}
