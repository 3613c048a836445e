//! A form that reaches both nodes does its work once, and each call that was made is recorded.

use std::time::Duration;

use hookwright_testkit::{Org, OrgOptions, Reply};
use serde_json::{Value, json};

use super::SharedDatabase;
use crate::execute::ALLOW;
use crate::flows::idx::Idx;
use crate::flows::org::FlowOrg;

fn options(options: &mut OrgOptions) {
    options.settings.public_url = "https://org.example".to_owned();
    options.settings.attempt_timeout = Duration::from_secs(3);
}

async fn nodes(database: &SharedDatabase) -> (FlowOrg, Org) {
    let one = FlowOrg::with_options(database.options(100, options), |_| {}).await;
    let two = Org::start_with(database.options(200, options)).await;
    (one, two)
}

fn visitor(number: usize) -> Value {
    json!({"email": format!("rosario{number}@okta.com"), "firstName": "Rosario", "lastName": "Jones"})
}

/// A flow that waits for the form, as each of the nodes' clients has it.
async fn at_form(one: &FlowOrg, two: &Org) -> (Idx, Idx) {
    let mut idx = one.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    let other = idx.moved_to(two);
    (idx, other)
}

/// The effects of all recorded calls.
async fn effects(org: &Org) -> Vec<String> {
    let answer = org.client.get("/hookwright/v1/executions?limit=100").await.json();
    let effect = |execution: &Value| execution["effect"].as_str().unwrap_or_default().to_owned();
    answer.as_array().expect("executions").iter().map(effect).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_sent_to_both_nodes_calls_the_hook_once() {
    const FLOWS: usize = 6;
    let database = SharedDatabase::create().await;
    let (one, two) = nodes(&database).await;
    one.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(200))]);
    for number in 0..FLOWS {
        let (mut here, mut there) = at_form(&one, &two).await;
        let (mut here_again, mut there_again) = (here.clone(), there.clone());
        tokio::join!(
            here.register(visitor(number)),
            there.register(visitor(number)),
            here_again.register(visitor(number)),
            there_again.register(visitor(number)),
        );
        // The next step is for the one whose form it was; the others can ask for it with the interaction handle.
        let mut idxs = [here, there, here_again, there_again];
        let statuses = idxs.each_ref().map(|idx| idx.status);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3, "{statuses:?}");
        for idx in &mut idxs {
            assert_eq!(idx.introspect_again().await.remediations(), ["enroll-authenticator"]);
        }
        idxs[1].choose_password().await;
        assert_eq!(idxs[1].status, 200, "{:#}", idxs[1].body);
    }
    assert_eq!(one.asked().len(), FLOWS);
    // A record may be on its way for a moment, which only its own node waits for.
    assert_eq!((effects(&one.org).await.len(), effects(&two).await.len()), (FLOWS, FLOWS));
    assert_eq!(one.count("user.lifecycle.create").await, FLOWS);
    tokio::join!(one.org.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_recorded_also_if_its_flow_is_gone_when_the_answer_comes() {
    let database = SharedDatabase::create().await;
    let (one, two) = nodes(&database).await;
    one.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(300))]);
    let (mut here, _) = at_form(&one, &two).await;
    let handle = here.handle.clone();
    let ending = async {
        while one.service.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        two.app.end_flow(&handle).await.expect("the flow ends");
    };
    tokio::join!(here.register(visitor(1)), ending);
    assert_eq!(effects(&one.org).await, ["flow UNCHANGED: what the answer led to was not written"]);
    assert!(one.stored("rosario1@okta.com").await.is_none());
    tokio::join!(one.org.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_a_dead_node_had_claimed_is_worked_on_when_the_claim_ends() {
    let database = SharedDatabase::create().await;
    let (one, two) = nodes(&database).await;
    one.answers(&[ALLOW]);
    let (_, there) = at_form(&one, &two).await;
    let until = two.app.now().plus(Duration::from_secs(11)).as_millis();
    database.query(&format!("UPDATE flows SET claim = 'dead', claimed_until_ms = {until}"));
    let submit = tokio::spawn(async move {
        let mut there = there;
        there.register(visitor(1)).await;
        there
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!submit.is_finished() && one.asked().is_empty(), "the other node's claim holds");
    two.clock.advance(Duration::from_secs(11));
    let idx = submit.await.expect("an answer");
    assert_eq!((idx.status, idx.remediations()), (200, vec!["enroll-authenticator"]), "{:#}", idx.body);
    assert_eq!(one.asked().len(), 1);
    tokio::join!(one.org.stop(), two.stop());
}
