//! Sign-ups that were not finished: they hold no address, leave nothing behind, and end in the user that the hook decided on.

use std::time::Duration;

use hookwright_app::{FlowStart, RequestOrigin};
use hookwright_model::enrollment_policy::EnrollmentRule;
use hookwright_model::flow::{Flow, FlowState, Input, Stage};
use hookwright_model::id::{AppId, UserId};
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, FlowChange};
use hookwright_testkit::OrgOptions;
use serde_json::{Value, json};

use super::browser::Browser;
use super::idx::Idx;
use super::org::{APP, FlowOrg, PASSWORD, object};
use crate::execute::ALLOW;
use crate::fixtures::id_of;

const LOGIN: &str = "rosario@okta.com";
const FAILED: &str = "There was an error creating your account. Please try registering again.";
const TAKEN: &str = "A user with this Primary email already exists";

fn rosario() -> Value {
    json!({"email": LOGIN, "firstName": "Rosario", "lastName": "Jones"})
}

fn with_code(rule: &mut EnrollmentRule) {
    rule.email_verification = true;
}

/// The newest code that was mailed.
async fn code(org: &FlowOrg) -> String {
    let mails = org.org.app.mails().await.expect("mails");
    let newest = mails.iter().max_by_key(|mail| mail.created).expect("a mail");
    let mut words = newest.body.split_whitespace();
    words.find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit())).expect("a code").to_owned()
}

async fn enter(idx: &mut Idx, code: &str) {
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code}})).await;
}

#[tokio::test]
async fn a_sign_up_that_was_not_finished_holds_no_address() {
    for verifies in [false, true] {
        let org = FlowOrg::with(|rule| rule.email_verification = verifies).await;
        org.answers(&[ALLOW]);
        // Left at the password, and, where a code is asked for, at the code.
        let mut left = [org.idx().await, org.idx().await];
        left[0].sign_up(rosario()).await;
        if verifies {
            left[1].join(rosario()).await;
            assert_eq!(left[1].body["currentAuthenticator"]["value"]["key"], "okta_email");
        }
        assert!(org.stored(LOGIN).await.is_none(), "nobody is made");
        org.org.clock.advance(Duration::from_secs(1));
        let mut next = org.idx().await;
        next.join(rosario()).await;
        if verifies {
            enter(&mut next, &code(&org).await).await;
        }
        assert!(!next.code().is_empty());
        assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
        assert_eq!((org.count("user.lifecycle.create").await, org.count("user.lifecycle.activate").await), (1, 1));
    }
}

#[tokio::test]
async fn whoever_finishes_first_has_the_address_and_the_other_reads_so() {
    for verifies in [false, true] {
        let org = FlowOrg::with(|rule| rule.email_verification = verifies).await;
        org.answers(&[ALLOW]);
        let (mut first, mut second) = (org.idx().await, org.idx().await);
        first.sign_up(rosario()).await;
        if verifies {
            first.choose_password().await;
        }
        let first_code = if verifies { code(&org).await } else { String::new() };
        org.org.clock.advance(Duration::from_secs(1));
        second.join(rosario()).await;
        if verifies {
            enter(&mut second, &code(&org).await).await;
        }
        assert!(!second.code().is_empty());
        match verifies {
            false => first.choose_password().await,
            true => first.proceed("enroll-authenticator", json!({"credentials": {"passcode": first_code}})).await,
        };
        assert_eq!((first.status, first.remediations()), (400, vec!["enroll-profile", "select-identify"]));
        assert_eq!(first.said_at("email"), [TAKEN]);
        // With another address the same person goes on in the same flow.
        first.register(json!({"email": "other@okta.com", "firstName": "Rosario", "lastName": "Jones"})).await;
        assert_eq!((first.status, first.remediations()), (200, vec!["enroll-authenticator"]));
        assert_eq!(org.count("user.lifecycle.create").await, 1);
    }
}

#[tokio::test]
async fn one_client_takes_none_of_forty_addresses() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let profile = |number: usize| json!({"email": format!("r{number}@okta.com"), "firstName": "R", "lastName": "J"});
    let mut taking = Vec::new();
    for _ in 0..40 {
        taking.push(org.idx().await);
    }
    let all = taking.iter_mut().enumerate().map(|(number, idx)| idx.sign_up(profile(number)));
    futures::future::join_all(all).await;
    assert!(taking.iter().all(|idx| idx.status == 200), "the hook let all of them in");
    for number in [0, 17, 39] {
        let mut owner = org.idx().await;
        owner.join(profile(number)).await;
        assert!(!owner.code().is_empty(), "{number}");
    }
}

#[tokio::test]
async fn one_network_leaves_others_mails_for_an_address() {
    let mut options = OrgOptions::default();
    options.settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let org = FlowOrg::with_options(options, with_code).await;
    org.answers(&[ALLOW]);
    let attempt = async |address: &str| {
        let mut idx = org.idx().await;
        idx.forwarded_for = Some(address.to_owned());
        idx.join(rosario()).await;
        (idx.status, org.org.app.mails().await.expect("mails").len())
    };
    for sent in 1..=5 {
        assert_eq!(attempt("203.0.113.7").await, (200, sent));
    }
    assert_eq!(attempt("203.0.113.7").await, (429, 5), "a stranger fills nobody's mailbox");
    for sent in 6..=10 {
        assert_eq!(attempt("203.0.113.8").await, (200, sent), "and does not keep the owner out");
    }
    assert_eq!(attempt("203.0.113.9").await, (429, 10), "ten an hour from everywhere");
}

#[tokio::test]
async fn the_user_is_what_the_hook_decided_on_and_the_hook_is_asked_once() {
    let org = FlowOrg::with(with_code).await;
    org.answers(&[r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"title":"Dr.","city":"Riga"}}]}"#]);
    let mut idx = org.idx().await;
    idx.sign_up(rosario()).await;
    let execution = org.org.client.get("/hookwright/v1/executions").await.json()[0]["id"].clone();
    assert!(execution.is_string(), "the call is recorded when it was made");
    idx.choose_password().await;
    enter(&mut idx, "nonsense").await;
    enter(&mut idx, &code(&org).await).await;
    assert!(!idx.code().is_empty());
    let user = org.stored(LOGIN).await.expect("the user");
    let decided = json!({"login": LOGIN, "email": LOGIN, "firstName": "Rosario", "lastName": "Jones", "title": "Dr.",
        "city": "Riga"});
    assert_eq!(Value::Object(user.profile), decided);
    assert!(user.email_verified && user.revision == 1 && user.status == UserStatus::Active);
    assert_eq!(org.asked().len(), 1);
    let events = org.events().await;
    for kind in ["create", "activate"] {
        let kind = format!("user.lifecycle.{kind}");
        let event = events.iter().find(|event| event["eventType"] == kind).expect("an event");
        assert_eq!(event["debugContext"]["debugData"]["executionId"], execution, "{kind}");
    }
    let groups = org.org.client.get(&format!("/api/v1/users/{}/groups", user.id)).await.text();
    assert!(groups.contains("00g000000000000flow1"), "{groups}");
    let mut again = org.idx().await;
    again.sign_in(LOGIN, PASSWORD).await;
    assert!(!again.code().is_empty(), "the password is the one that was chosen");
}

#[tokio::test]
async fn what_changed_before_the_password_came_is_judged_again() {
    for changed in ["policy", "hook", "schema"] {
        let org = FlowOrg::start().await;
        org.answers(&[ALLOW]);
        let mut idx = org.idx().await;
        idx.sign_up(rosario()).await;
        match changed {
            "policy" => org.change_rule(|rule| rule.target_group = None).await,
            "hook" => {
                let path = format!("/api/v1/inlineHooks/{}", id_of(&org.hook));
                let renamed = json!({"name": "Another name"});
                assert_eq!(org.org.client.post(&path, &renamed).await.status, 200);
            }
            _ => {
                let body = json!({"definitions": {"base": {"properties": {"title": {"title": "Honorific"}}}}});
                let answer = org.org.client.post("/api/v1/meta/schemas/user/default", &body).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        }
        idx.choose_password().await;
        assert_eq!((idx.status, idx.banners()), (400, vec![FAILED]), "{changed}");
        assert!(org.stored(LOGIN).await.is_none(), "{changed}");
        // The form is filled in still, and the hook is asked again.
        org.answers(&[ALLOW]);
        idx.register(rosario()).await.choose_password().await;
        assert!(!idx.code().is_empty(), "{changed}");
        assert_eq!(org.asked().len(), 2, "{changed}");
    }
}

#[tokio::test]
async fn who_goes_back_leaves_nothing_in_the_flow() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    browser.send("/signin/sign-up", &[]).await;
    let form = [("userProfile.email", LOGIN), ("userProfile.firstName", "Rosario"), ("userProfile.lastName", "Jones")];
    browser.send("/signin/register", &form).await;
    assert!(browser.page.contains("Set up your password"), "{}", browser.page);
    browser.send("/signin/cancel", &[]).await;
    let sent = browser.filled(&[("passcode", PASSWORD)]);
    browser.post("/signin/set-password", sent).await;
    assert!(org.stored(LOGIN).await.is_none());
    assert!(browser.page.contains(r#"action="/signin/identify""#) && !browser.page.contains(LOGIN));
}

#[tokio::test]
async fn nothing_that_was_typed_is_in_the_database_in_the_clear() {
    let org = FlowOrg::with(|rule| {
        rule.hook = None;
        rule.email_verification = true;
    })
    .await;
    org.user("known@okta.com").await;
    // A password where the name belongs: on the page with both, and where the name comes first.
    const TYPED: &str = "Tr0ub4dor-and-3-more";
    let mut one = org.idx().await;
    one.sign_in(TYPED, "whatever-it-was").await;
    assert_eq!(one.status, 401);
    let mut two = org.idx().await;
    two.proceed("identify", json!({"identifier": TYPED})).await;
    assert_eq!(two.body["user"]["value"]["identifier"], TYPED, "the person sees what they typed");
    let mut browser = Browser::of(&org.org);
    browser.sign_in(TYPED, "whatever-it-was").await;
    assert!(browser.page.contains(TYPED), "{}", browser.page);
    // A form that was refused, and one that waits for the code.
    let mut three = org.idx().await;
    three.sign_up(json!({"email": TYPED, "firstName": TYPED, "lastName": "x"})).await;
    assert_eq!(three.status, 400);
    let mut four = org.idx().await;
    four.join(json!({"email": "waits@okta.com", "firstName": "Wilhelmina", "lastName": "Waits"})).await;
    assert_eq!(four.body["currentAuthenticator"]["value"]["key"], "okta_email");
    let bytes = org.org.database_bytes();
    for text in [TYPED, "Wilhelmina", "$argon2id$v=19$m=19456"] {
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "{text} is in the database");
    }
    enter(&mut four, &code(&org).await).await;
    assert!(!four.code().is_empty(), "and yet the flow goes on with it");
    assert_eq!(org.stored("waits@okta.com").await.expect("the user").profile["firstName"], "Wilhelmina");
}

#[tokio::test]
async fn a_network_can_have_a_thousand_open_flows_and_others_begin_theirs() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    let org = FlowOrg::with_options(options, |_| {}).await;
    org.user(LOGIN).await;
    let origin = |last: u8| RequestOrigin { ip_address: Some([203, 0, 113, last].into()), ..RequestOrigin::default() };
    let begin = async |last: u8| org.org.app.start_flow(FlowStart::default(), &origin(last)).await;
    let begun = futures::future::join_all((0..1_000).map(|_| begin(7))).await;
    assert!(begun.iter().all(Result::is_ok));
    let refused = begin(7).await.expect_err("one too many");
    assert!(matches!(refused, hookwright_app::Error::TooBusy { .. }), "{refused:?}");
    assert!(begin(8).await.is_ok(), "another network");
    // An end frees a place, and so does time.
    let handle = &begun[0].as_ref().expect("a flow").state_handle;
    let input = Input::Identify { identifier: LOGIN.to_owned(), password: Some(PASSWORD.into()), device: None };
    org.org.app.advance_flow(handle, None, input, &origin(7)).await.expect("signed in");
    assert!(begin(7).await.is_ok() && begin(7).await.is_err());
    org.org.clock.advance(Duration::from_secs(3_601));
    assert!(begin(7).await.is_ok());
}

#[tokio::test]
async fn a_network_with_too_many_open_flows_is_told_so_as_okta_does() {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    let org = FlowOrg::with_options(options, |_| {}).await;
    let origin = RequestOrigin { ip_address: Some([127, 0, 0, 1].into()), ..RequestOrigin::default() };
    let begun = (0..1_000).map(|_| org.org.app.start_flow(FlowStart::default(), &origin));
    assert!(futures::future::join_all(begun).await.iter().all(Result::is_ok));
    let mut browser = Browser::of(&org.org);
    browser.open(&format!("/signin?app={APP}")).await;
    assert_eq!(browser.status, 200, "a page alone is no flow");
    let body = browser.filled(&[]);
    let own = org.org.app.settings().public_url.clone();
    let answer = browser.request(http::Method::POST, "/signin/sign-up", &[("origin", &own)], Some(body)).await;
    assert_eq!(answer.refusal(), (429, "E0000047".to_owned()));
    assert!(!answer.header("retry-after").is_empty());
}

/// What releases keep of a state handle: SHA-256 over the parts, each behind its length.
fn kept_of(handle: &str) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in ["flow", handle] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().try_into().expect("32 bytes")
}

#[tokio::test]
async fn a_sign_up_that_a_release_before_had_begun_can_be_finished() {
    let org = FlowOrg::start().await;
    let schema = org.org.store.user_schema().await.expect("a schema").expect("a schema");
    let profile = object(json!({"login": LOGIN, "email": LOGIN, "firstName": "R", "lastName": "J"}));
    let now = org.org.app.now();
    let user = User::create(UserId::mint(org.org.app.entropy()), &profile, None, true, now);
    let mut idx = org.idx().await;
    let id = kept_of(&idx.handle);
    let state = FlowState::beginning(None).at(Stage::SetPassword { user: user.id.clone(), is_new: true });
    let flow = Flow {
        id,
        handle: id,
        previous: None,
        attempt: "the one of before".to_owned(),
        application: AppId::from_text(APP),
        state,
        created: now,
        expires: now.plus(Duration::from_secs(60)),
        revision: 1,
    };
    let changes = vec![
        Change::insert_user(user, &schema),
        Change::Flow(FlowChange::Delete(id)),
        Change::Flow(FlowChange::Insert(Box::new(flow))),
    ];
    org.org.store.commit(changes).await.expect("what a release before wrote");
    idx.post("/idp/idx/challenge/answer", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert_eq!((idx.status, org.stored(LOGIN).await.expect("the user").status), (200, UserStatus::Active));
}
