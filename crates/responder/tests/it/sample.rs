//! The sample service answers as the guide's code does.

use std::collections::HashMap;

use hookwright_responder::sample::{self, Matching};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::{Running, request};

/// The answer that the guide gives to one of its requests.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) endpoint: String,
    pub(crate) request: String,
    pub(crate) answer: Value,
}

pub(crate) fn expected_answers() -> Vec<Expected> {
    serde_json::from_str(include_str!("../fixtures/sample.json")).unwrap()
}

/// The guide's requests by the names that the expectations use.
pub(crate) fn requests() -> HashMap<&'static str, &'static str> {
    HashMap::from([
        ("registration.ssr-example-domain", request!("registration.ssr-example-domain")),
        ("registration.ssr-okta-domain", request!("registration.ssr-okta-domain")),
        ("registration.ssr-okta-domain-employee", request!("registration.ssr-okta-domain-employee")),
        ("registration.pp-employee-1234", request!("registration.pp-employee-1234")),
        ("registration.pp-employee-12345", request!("registration.pp-employee-12345")),
        ("registration.pp-employee-and-mobile", request!("registration.pp-employee-and-mobile")),
    ])
}

#[tokio::test]
async fn every_answer_of_the_guide_is_given_byte_for_byte() {
    for matching in [Matching::Strict, Matching::Contains] {
        let service = Running::start(sample::responder(matching)).await;
        let mut caller = service.connect().await;
        for expected in expected_answers() {
            let received = caller.post(&expected.endpoint, "", requests()[expected.request.as_str()]).await;
            assert_eq!(received.status, 200);
            assert_eq!(received.header("content-type"), ["application/json"]);
            assert_eq!(received.body, expected.answer.to_string(), "{} {}", expected.endpoint, expected.request);
        }
    }
}

#[tokio::test]
async fn each_single_endpoint_passes_over_the_other_kind_of_request() {
    let service = Running::start(sample::responder(Matching::Strict)).await;
    let update = service.post("/registrationHookSSR", request!("registration.pp-employee-1234")).await;
    assert_eq!((update.status, update.body.as_str()), (200, "{}"));
    let sign_up = service.post("/registrationHookPP", request!("registration.ssr-okta-domain")).await;
    assert_eq!((sign_up.status, sign_up.body.as_str()), (200, "{}"));
}

fn changed(request: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut body = serde_json::from_str(request).unwrap();
    change(&mut body);
    body.to_string()
}

#[tokio::test]
async fn a_look_alike_domain_gets_in_only_where_the_letter_of_the_guide_is_asked_for() {
    let body = changed(request!("registration.ssr-okta-domain"), |body| {
        body["data"]["userProfile"]["login"] = json!("mallory@okta.com.evil.example");
    });
    let strict = Running::start(sample::responder(Matching::Strict)).await;
    assert!(strict.post("/registrationHookSSR", &body).await.body.contains(r#""DENY""#));
    let literal = Running::start(sample::responder(Matching::Contains)).await;
    assert!(literal.post("/registrationHookSSR", &body).await.body.contains(r#""ALLOW""#));
}

#[tokio::test]
async fn a_request_without_the_deciding_member_is_told_which_one() {
    let service = Running::start(sample::responder(Matching::Strict)).await;
    let without = |member: &'static str| {
        changed(request!("registration.ssr-okta-domain-employee"), move |body| {
            body["data"]["userProfile"].as_object_mut().unwrap().remove(member);
        })
    };
    let received = service.post("/registrationHookSSR", without("login")).await;
    assert_eq!(received.status, 400);
    assert_eq!(
        received.body,
        r#"{"errorSummary":"The request cannot be answered: data.userProfile.login is missing.","errorCauses":[{"errorSummary":"data.userProfile.login is missing","reason":"INVALID_MEMBER","locationType":"body","location":"data.userProfile.login"}]}"#
    );
    let received = service.post("/registrationHookSSRandPP", without("email")).await;
    assert_eq!(received.problem().1.as_deref(), Some("data.userProfile.email"));
    // Without an employee number the guide denies.
    let received = service.post("/registrationHookSSRandPP", without("employeeNumber")).await;
    assert_eq!(received.status, 200);
    assert!(received.body.contains(r#""DENY""#));
}

#[tokio::test]
async fn the_combined_endpoint_takes_a_request_without_a_type_for_a_sign_up() {
    let service = Running::start(sample::responder(Matching::Strict)).await;
    let classic = changed(request!("registration.ssr-okta-domain-employee"), |body| {
        body.as_object_mut().unwrap().remove("requestType");
    });
    let received = service.post("/registrationHookSSRandPP", classic).await;
    assert_eq!(received.body, r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#);
}
