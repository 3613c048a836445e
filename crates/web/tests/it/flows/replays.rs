//! The same form twice, at once, by others, too late: once is once.

use std::time::Duration;

use hookwright_testkit::Reply;
use serde_json::{Value, json};

use super::org::{FlowOrg, PASSWORD};
use crate::execute::ALLOW;

fn rosario() -> Value {
    json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"})
}

#[tokio::test]
async fn fifty_equal_submits_at_once_make_one_user_one_call_and_one_event() {
    let org = FlowOrg::start().await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(100))]);
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    let submits = (0..50).map(|_| {
        let mut idx = idx.clone();
        async move {
            idx.register(rosario()).await;
            (idx.status, idx.remediations().join(" "))
        }
    });
    let results = futures::future::join_all(submits).await;
    // The next step is for the one whose form it was; the others can ask for it with the interaction handle.
    let next = (200, "enroll-authenticator".to_owned());
    assert_eq!(results.iter().filter(|result| **result == next).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == (401, String::new())).count(), 49, "{results:?}");
    idx.introspect_again().await;
    assert_eq!(idx.remediations(), ["enroll-authenticator"]);
    idx.choose_password().await;
    assert_eq!(org.asked().len(), 1);
    assert_eq!(org.count("user.lifecycle.create").await, 1);
}

#[tokio::test]
async fn of_many_visitors_with_one_login_one_wins() {
    let org = FlowOrg::start().await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(150))]);
    let mut flows = Vec::new();
    for _ in 0..16 {
        let mut idx = org.idx().await;
        idx.proceed("select-enroll-profile", json!({})).await;
        flows.push(idx);
    }
    // Each is let in by the hook, and has the name once there is a password.
    let submits = flows.iter_mut().map(|idx| async move {
        idx.register(rosario()).await.choose_password().await;
        if idx.status == 400 {
            assert_eq!(idx.said_at("email"), ["A user with this Primary email already exists"]);
        }
        idx.status
    });
    let statuses = futures::future::join_all(submits).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(org.count("user.lifecycle.create").await, 1);
}

#[tokio::test]
async fn a_form_of_an_earlier_step_does_nothing() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    idx.sign_up(rosario()).await;
    idx.post("/idp/idx/enroll/new", json!({"userProfile": {"email": "b@okta.com", "firstName": "B", "lastName": "B"}}))
        .await;
    assert_eq!((idx.status, idx.remediations()), (200, vec!["enroll-authenticator"]));
    assert!(org.stored("b@okta.com").await.is_none());
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    let code = idx.code().to_owned();
    idx.post("/idp/idx/challenge/answer", json!({"credentials": {"passcode": "Another-horse-8"}})).await;
    assert_eq!(idx.code(), code, "the end stays the end");
    let user = org.stored("rosario@okta.com").await.expect("the user");
    assert_eq!(user.revision, 1, "made in one write");
}

#[tokio::test]
async fn handles_that_are_unknown_tampered_foreign_or_old_open_nothing() {
    let (org, other) = (FlowOrg::start().await, FlowOrg::start().await);
    let idx = org.idx().await;
    // The two draw from one seed, so their first handles are equal.
    other.idx().await;
    let foreign = other.idx().await.handle;
    assert_ne!(foreign, idx.handle);
    let tampered = idx.handle.replace(|letter: char| letter.is_ascii_digit(), "x");
    for handle in ["", "unknown", &tampered, &foreign, &"x".repeat(5000)] {
        for path in ["/idp/idx/enroll", "/idp/idx/identify", "/idp/idx/cancel"] {
            let answer = idx.send(path, &json!({"stateHandle": handle, "identifier": "a@b.c"})).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.json()["messages"]["value"][0]["i18n"]["key"], "idx.session.expired");
            assert!(answer.json().get("remediation").is_none());
        }
    }
    org.org.clock.advance(Duration::from_secs(3_601));
    let answer = idx.send("/idp/idx/introspect", &json!({"stateToken": idx.handle})).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (401, "application/json"));
}

#[tokio::test]
async fn a_code_is_taken_once_and_not_for_long() {
    use hookwright_store::{Change, FlowChange};
    let org = FlowOrg::start().await;
    org.user("rosario@okta.com").await;
    let mut idx = org.idx().await;
    idx.sign_in("rosario@okta.com", PASSWORD).await;
    let code = org.org.app.flow_code(idx.code()).await.expect("a look-up").expect("the code");
    let take = || {
        let take = FlowChange::TakeCode { sha256: code.sha256, at: org.org.app.now() };
        org.org.store.commit(vec![Change::Flow(take)])
    };
    assert!(take().await.is_ok() && take().await.is_err());
    assert!(org.org.app.flow_code(idx.code()).await.expect("a look-up").is_none());
    let mut idx = org.idx().await;
    idx.sign_in("rosario@okta.com", PASSWORD).await;
    org.org.clock.advance(Duration::from_secs(61));
    assert!(org.org.app.flow_code(idx.code()).await.expect("a look-up").is_none());
}

#[tokio::test]
async fn a_visitor_who_hangs_up_leaves_a_whole_result_or_none() {
    let org = FlowOrg::start().await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(150))]);
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    let mut hasty = idx.clone();
    let gone = tokio::time::timeout(Duration::from_millis(50), hasty.register(rosario())).await;
    assert!(gone.is_err(), "the visitor has gone");
    wait_for_record(&org).await;
    // The answer is lost, and with it the state handle of the next step: the interaction handle leads there.
    idx.register(rosario()).await;
    assert_eq!(idx.status, 401);
    idx.introspect_again().await;
    assert_eq!((idx.status, idx.remediations()), (200, vec!["enroll-authenticator"]));
    idx.choose_password().await;
    assert_eq!((org.asked().len(), org.count("user.lifecycle.create").await), (1, 1));
}

async fn wait_for_record(org: &FlowOrg) {
    for _ in 0..200 {
        let executions = org.org.client.get("/hookwright/v1/executions").await.json();
        if executions.as_array().is_some_and(|all| !all.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the sign-up that had begun did not end");
}

#[tokio::test]
async fn a_policy_that_changed_while_the_hook_thought_makes_nobody() {
    let org = FlowOrg::start().await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(200))]);
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    let change = async {
        while org.service.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        org.change_rule(|rule| rule.target_group = None).await;
    };
    let mut slow = idx.clone();
    tokio::join!(slow.register(rosario()), change);
    assert_eq!(
        (slow.status, slow.banners()),
        (400, vec!["There was an error creating your account. Please try registering again."])
    );
    assert!(org.stored("rosario@okta.com").await.is_none());
    org.answers(&[ALLOW]);
    idx.register(rosario()).await.choose_password().await;
    assert_eq!(idx.status, 200);
    assert!(org.stored("rosario@okta.com").await.is_some());
}
