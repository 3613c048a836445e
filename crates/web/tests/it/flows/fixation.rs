//! Who noted or planted a state handle before somebody proved who they are has nothing of it afterwards.

use hookwright_app::{FlowStart, RequestOrigin};
use hookwright_testkit::Reply;
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::browser::Browser;
use super::org::{APP, FlowOrg, PASSWORD, asking};
use crate::execute::ALLOW;

const LOGIN: &str = "rosario@okta.com";
const FLOW: &str = "hookwright_flow";
const SESSION: &str = "hookwright_session";
const FIELDS: [(&str, &str); 2] = [("identifier", LOGIN), ("passcode", PASSWORD)];

/// Everything that somebody with the cookie of before may try: the forms of each step, over the pages and over IDX. Whatever
/// comes back, no session is among it, no code, and no other state handle.
async fn gains_nothing(org: &FlowOrg, noted: &Browser) {
    let own = org.org.app.settings().public_url.clone();
    let handle = noted.cookies[FLOW].clone();
    let forms = ["identify", "sign-up", "register", "set-password", "password", "profile", "verify", "resend", "skip"];
    for action in forms.into_iter().chain(["back", "cancel"]) {
        for with_attempt in [true, false] {
            let mut attacker = noted.clone();
            let fields = [("identifier", "x@y.example"), ("passcode", "Attackers-horse-9")];
            // What a page shows follows from the cookie, but for what is each page's own.
            let token = org.org.app.mint_form_token(&handle);
            let mut body = attacker.filled(&fields).replace(&attacker.hidden("token"), &token);
            if !with_attempt {
                body = body.replace(&format!("attempt={}", attacker.hidden("attempt")), "attempt=");
            }
            let path = format!("/signin/{action}");
            let answer = attacker.request(Method::POST, &path, &[("origin", &own)], Some(body)).await;
            assert!(!attacker.cookies.contains_key(SESSION), "{path}: {}", answer.text());
            attacker.open("/signin").await;
            assert!(!attacker.page.contains(LOGIN) && !attacker.page.contains("code="), "{path}: {}", attacker.page);
            attacker.open("/app/UserHome").await;
            assert_eq!(attacker.path, "/signin", "{action}");
        }
    }
    for path in ["introspect", "identify", "enroll", "enroll/new", "challenge/answer", "skip", "cancel"] {
        let body = json!({"stateHandle": handle, "credentials": {"passcode": "Attackers-horse-9"}}).to_string();
        let request = noted.clone().idx(&format!("/idp/idx/{path}"), body).await;
        assert_eq!(request.status, 401, "{path}: {}", request.text());
        assert!(request.json().get("stateHandle").is_none(), "{}", request.text());
    }
}

#[tokio::test]
async fn a_cookie_that_was_noted_before_sign_in_opens_nothing_after_it() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut victim = Browser::of(&org.org);
    victim.open(&format!("/signin?app={APP}")).await;
    // A first form that is refused makes the flow; its cookie is the one that the attacker notes.
    victim.send("/signin/identify", &[("identifier", LOGIN), ("passcode", "wrong-password")]).await;
    let noted = victim.clone();
    org.org.clock.advance(std::time::Duration::from_secs(2));
    victim.send("/signin/identify", &FIELDS).await;
    assert_eq!(victim.path, "/app/UserHome");
    gains_nothing(&org, &noted).await;
    assert_ne!(victim.cookies[FLOW], noted.cookies[FLOW]);
    victim.open("/app/UserHome").await;
    assert!(victim.page.contains("Rosario Jones"), "the victim stays signed in");
    assert_eq!(org.count("user.session.start").await, 2, "one failure, one session");
}

#[tokio::test]
async fn a_planted_cookie_opens_nothing_after_its_victim_signed_in() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut attacker = Browser::of(&org.org);
    attacker.open(&format!("/signin?app={APP}")).await;
    let mut victim = Browser::of(&org.org);
    victim.cookies.insert(FLOW.to_owned(), attacker.cookies[FLOW].clone());
    victim.open("/signin").await;
    assert_ne!(victim.cookies[FLOW], attacker.cookies[FLOW], "without a flow behind it, it is not even used");
    attacker.send("/signin/sign-up", &[]).await;
    victim.cookies.insert(FLOW.to_owned(), attacker.cookies[FLOW].clone());
    victim.open("/signin").await;
    victim.send("/signin/back", &[]).await;
    victim.send("/signin/identify", &FIELDS).await;
    assert_eq!(victim.path, "/app/UserHome", "{}", victim.page);
    gains_nothing(&org, &attacker).await;
}

#[tokio::test]
async fn each_proof_on_the_way_brings_another_state_handle() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
    org.user(LOGIN).await;
    org.answers(&["{}"]);
    let mut victim = Browser::of(&org.org);
    victim.open(&format!("/signin?app={APP}")).await;
    let before = victim.clone();
    victim.send("/signin/identify", &FIELDS).await;
    assert!(victim.page.contains("Complete your profile"), "{}", victim.page);
    gains_nothing(&org, &before).await;
    let at_profile = victim.clone();
    victim.send("/signin/profile", &[("userProfile.employeeNumber", "1234")]).await;
    assert_eq!(victim.path, "/app/UserHome");
    let handles = [&before, &at_profile, &victim].map(|browser| browser.cookies[FLOW].clone());
    assert!(handles[0] != handles[1] && handles[1] != handles[2] && handles[0] != handles[2]);
    gains_nothing(&org, &at_profile).await;
}

#[tokio::test]
async fn who_noted_the_cookie_of_a_sign_up_can_not_choose_its_password() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut victim = Browser::of(&org.org);
    victim.open(&format!("/signin?app={APP}")).await;
    victim.send("/signin/sign-up", &[]).await;
    let noted = victim.clone();
    let form = [("userProfile.email", LOGIN), ("userProfile.firstName", "Rosario"), ("userProfile.lastName", "Jones")];
    victim.send("/signin/register", &form).await;
    assert!(victim.page.contains("Set up your password"), "{}", victim.page);
    gains_nothing(&org, &noted).await;
    victim.send("/signin/set-password", &[("passcode", PASSWORD)]).await;
    assert_eq!(victim.path, "/app/UserHome");
}

#[tokio::test]
async fn the_last_form_sent_twice_gives_one_session_and_takes_none_away() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    let body = browser.filled(&FIELDS);
    let own = org.org.app.settings().public_url.clone();
    let mut clicks: Vec<Browser> = (0..6).map(|_| browser.clone()).collect();
    let answers = clicks.iter_mut().map(|click| {
        let (own, body) = (own.clone(), body.clone());
        async move { click.request(Method::POST, "/signin/identify", &[("origin", &own)], Some(body)).await }
    });
    let answers = futures::future::join_all(answers).await;
    assert!(answers.iter().all(|answer| answer.status == 303), "each leads to the next page");
    assert_eq!(clicks.iter().filter(|click| click.cookies.contains_key(SESSION)).count(), 1);
    assert_eq!(org.count("user.session.start").await, 1);
    // One browser takes all of these answers, in any order: it has the session and stays signed in.
    for winner_first in [true, false] {
        let mut jar = browser.cookies.clone();
        let mut order: Vec<&Browser> = clicks.iter().collect();
        order.sort_by_key(|click| click.cookies.contains_key(SESSION) != winner_first);
        order.iter().for_each(|click| {
            jar.extend(
                click.cookies.clone().into_iter().filter(|(name, value)| browser.cookies.get(name) != Some(value)),
            )
        });
        let mut one = browser.clone();
        one.cookies = jar;
        // The very click after it, from the page of before.
        one.post("/signin/identify", body.clone()).await;
        assert_eq!(one.path, "/app/UserHome");
        assert!(one.page.contains("Rosario Jones"));
    }
}

#[tokio::test]
async fn a_double_click_while_the_hook_thinks_leads_on_twice_and_gives_one_session() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
    org.user(LOGIN).await;
    org.service.on("/hook", [Reply::json(200, "{}").after(std::time::Duration::from_millis(100))]);
    let mut browser = Browser::of(&org.org);
    browser.sign_in(LOGIN, PASSWORD).await;
    let body = browser.filled(&[("userProfile.employeeNumber", "1234")]);
    let own = org.org.app.settings().public_url.clone();
    let origin = [("origin", own.as_str())];
    // A browser gives the first answer up when the second click comes: either may be the one whose cookies arrive.
    let (mut first, mut second) = (browser.clone(), browser.clone());
    let answers = tokio::join!(
        first.request(Method::POST, "/signin/profile", &origin, Some(body.clone())),
        second.request(Method::POST, "/signin/profile", &origin, Some(body.clone())),
    );
    assert_eq!((answers.0.status.as_u16(), answers.1.status.as_u16()), (303, 303));
    let sessions = [&first, &second].map(|click| click.cookies.contains_key(SESSION));
    assert_eq!(sessions.into_iter().filter(|has| *has).count(), 1);
    assert_eq!(first.cookies[FLOW], second.cookies[FLOW], "both know where the flow went");
    assert_ne!(first.cookies[FLOW], browser.cookies[FLOW]);
    assert_eq!((org.asked().len(), org.count("user.account.update_profile").await), (1, 1));
}

#[tokio::test]
async fn over_idx_an_old_handle_is_dead_and_the_interaction_handle_shows_each_step() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await;
    org.user(LOGIN).await;
    org.answers(&["{}"]);
    let mut idx = org.idx().await;
    let mut noted = vec![idx.handle.clone()];
    idx.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(idx.remediations(), ["enroll-profile"]);
    noted.push(idx.handle.clone());
    // The handle that was answered, and the one that the interaction handle leads to, are the same.
    idx.introspect_again().await;
    assert_eq!((idx.remediations(), &idx.handle), (vec!["enroll-profile"], &noted[1]));
    dead(&org, &noted[..1]).await;
    idx.register(json!({"employeeNumber": "1234"})).await;
    let code = idx.code().to_owned();
    dead(&org, &noted).await;
    idx.introspect_again().await;
    assert_eq!(idx.code(), code, "a client that lost the last answer can ask for it");
}

/// None of these handles opens anything, also not as a browser's cookie.
async fn dead(org: &FlowOrg, handles: &[String]) {
    for handle in handles {
        let mut attacker = Browser::of(&org.org);
        for (path, member) in [("introspect", "stateToken"), ("enroll/update", "stateHandle"), ("skip", "stateHandle")]
        {
            let mut body = json!({"userProfile": {"employeeNumber": "6666"}});
            body[member] = Value::String(handle.clone());
            let answer = attacker.idx(&format!("/idp/idx/{path}"), body.to_string()).await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        }
        attacker.cookies.insert(FLOW.to_owned(), handle.clone());
        attacker.open("/signin").await;
        assert!(attacker.page.contains(r#"action="/signin/identify""#) && !attacker.page.contains(LOGIN));
    }
}

#[tokio::test]
async fn of_two_who_send_at_once_over_idx_only_one_learns_the_next_handle() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let idx = org.idx().await;
    // The attacker knows the handle and waits for the turn while the password is compared.
    let (mut victim, mut attacker) = (idx.clone(), idx.clone());
    let wait = async {
        for _ in 0..5 {
            attacker.post("/idp/idx/skip", json!({})).await;
            if attacker.status == 401 {
                return;
            }
        }
    };
    tokio::join!(victim.sign_in(LOGIN, PASSWORD), wait);
    assert!(!victim.code().is_empty());
    attacker.post("/idp/idx/skip", json!({})).await;
    assert_eq!(attacker.status, 401);
    assert!(!attacker.body.to_string().contains(victim.code()));
}

#[tokio::test]
async fn a_flow_that_a_client_leads_is_not_shown_by_the_pages() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let idx = org.idx().await;
    let mut victim = Browser::of(&org.org);
    victim.cookies.insert(FLOW.to_owned(), idx.handle.clone());
    victim.open("/signin").await;
    assert_ne!(victim.cookies[FLOW], idx.handle, "the pages begin a flow of their own");
    // A flow of the pages that was begun at the server shows the same.
    let started = org.org.app.start_flow(FlowStart::default(), &RequestOrigin::default()).await.expect("a flow");
    victim.cookies.insert(FLOW.to_owned(), started.state_handle.expose_secret().to_owned());
    victim.open("/signin").await;
    assert_eq!(victim.cookies[FLOW], started.state_handle.expose_secret());
}
