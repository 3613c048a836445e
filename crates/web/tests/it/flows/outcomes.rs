//! What a registration hook is sent, what its commands do together, and what the records tell of it.

use serde_json::{Value, json};

use super::org::{FlowOrg, asking};
use crate::execute::ALLOW;

const FAILED: &str = "There was an error creating your account. Please try registering again.";

fn rosario() -> Value {
    json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"})
}

/// Signs up and is refused; gives what stands above the form.
async fn refused(org: &FlowOrg) -> (Vec<String>, super::idx::Idx) {
    let mut idx = org.idx().await;
    idx.sign_up(rosario()).await;
    assert_eq!(idx.status, 400, "{:#}", idx.body);
    assert_eq!(idx.remediations(), ["enroll-profile", "select-identify"]);
    assert!(org.stored("rosario@okta.com").await.is_none(), "nobody is made");
    (idx.banners().into_iter().map(str::to_owned).collect(), idx)
}

#[tokio::test]
async fn commands_are_applied_in_order_and_stored() {
    let org = FlowOrg::start().await;
    org.answers(&[r#"{"commands":[
        {"type":"com.okta.user.profile.update","value":{"title":"first","department":"Ops"}},
        {"type":"com.okta.action.update","value":{"registration":"ALLOW"}},
        {"type":"com.okta.user.profile.update","value":{"title":"second","firstName":"Ro"}},
        {"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#]);
    org.idx().await.join(rosario()).await;
    let user = org.stored("rosario@okta.com").await.expect("the user");
    assert_eq!(
        Value::Object(user.profile),
        json!({"login": "rosario@okta.com", "email": "rosario@okta.com", "firstName": "Ro", "lastName": "Jones",
               "title": "second", "department": "Ops"})
    );
}

#[tokio::test]
async fn a_value_that_breaks_the_schema_is_said_at_its_field_or_not_at_all() {
    let org = FlowOrg::start().await;
    org.answers(&[r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"email":"nonsense"}}]}"#]);
    let (banners, idx) = refused(&org).await;
    assert!(banners.is_empty() && idx.said_at("email").len() == 1, "{:#}", idx.body);
    org.answers(&[r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"countryCode":"nowhere"}}]}"#]);
    assert_eq!(refused(&org).await.0, [FAILED]);
}

#[tokio::test]
async fn a_login_that_the_hook_sets_to_somebody_elses_is_refused_at_the_form() {
    let org = FlowOrg::start().await;
    org.user("taken@okta.com").await;
    org.answers(&[r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"login":"TAKEN@okta.com"}}]}"#]);
    let (_, idx) = refused(&org).await;
    assert_eq!(idx.said_at("email"), ["A user with this Primary email already exists"]);
}

#[tokio::test]
async fn what_the_schema_lacks_goes_to_the_hook_and_is_never_stored() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("favouriteColour", true))).await;
    org.answers(&[ALLOW]);
    let mut profile = rosario();
    profile["favouriteColour"] = json!("blue");
    profile["userType"] = json!("admin");
    org.idx().await.join(profile).await;
    let sent = &org.asked()[0]["data"]["userProfile"];
    assert_eq!(
        sent.to_string(),
        r#"{"firstName":"Rosario","lastName":"Jones","login":"rosario@okta.com","email":"rosario@okta.com","favouriteColour":"blue"}"#
    );
    let user = org.stored("rosario@okta.com").await.expect("the user");
    assert!(!user.profile.contains_key("favouriteColour") && !user.profile.contains_key("userType"));
}

#[tokio::test]
async fn the_request_is_the_one_that_okta_sends() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    org.idx().await.sign_up(rosario()).await;
    let request = &org.asked()[0];
    let members: Vec<&str> = request.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "eventId",
            "eventTime",
            "eventType",
            "eventTypeVersion",
            "contentType",
            "cloudEventVersion",
            "source",
            "requestType",
            "data"
        ]
    );
    assert_eq!(request["source"], "reg00000000000000077");
    assert_eq!(request["requestType"], "self.service.registration");
    assert_eq!(request["eventId"].as_str().expect("text").len(), 22);
    let context = &request["data"]["context"]["request"];
    assert_eq!(context["url"]["value"], "/idp/idx/enroll/new");
    assert_eq!((&context["method"], &context["ipAddress"]), (&json!("POST"), &json!("127.0.0.1")));
    assert_eq!(request["data"]["action"], "ALLOW");
}

#[tokio::test]
async fn an_inactive_hook_is_skipped_with_a_warning() {
    let org = FlowOrg::start().await;
    let path = format!("/api/v1/inlineHooks/{}/lifecycle/deactivate", org.hook["id"].as_str().expect("an id"));
    assert_eq!(org.org.client.post_empty(&path).await.status, 200);
    org.idx().await.join(rosario()).await;
    assert!(org.stored("rosario@okta.com").await.is_some());
    assert!(org.service.requests().is_empty());
    let events = org.events().await;
    let skipped = events.iter().find(|event| event["eventType"] == "inline_hook.executed").expect("an event");
    assert_eq!((&skipped["severity"], &skipped["outcome"]["result"]), (&json!("WARN"), &json!("SKIPPED")));
}

#[tokio::test]
async fn a_hook_that_a_policy_names_cannot_be_deleted() {
    let org = FlowOrg::start().await;
    let path = format!("/api/v1/inlineHooks/{}", org.hook["id"].as_str().expect("an id"));
    assert_eq!(org.org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await.status, 200);
    let answer = org.org.client.delete(&path).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("Portal policy"), "it says where: {}", answer.text());
    org.change_rule(|rule| rule.hook = None).await;
    assert_eq!(org.org.client.delete(&path).await.status, 204);
    // Without a hook the form alone decides.
    org.idx().await.join(rosario()).await;
    assert!(org.stored("rosario@okta.com").await.is_some() && org.asked().is_empty());
}

#[tokio::test]
async fn execution_events_and_user_belong_together() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    org.idx().await.join(rosario()).await;
    let events = org.events().await;
    let of = |kind: &str| events.iter().find(|event| event["eventType"] == kind).unwrap_or_else(|| panic!("{kind}"));
    let execution = of("inline_hook.response.processed")["debugContext"]["debugData"]["executionId"].clone();
    let created = of("user.lifecycle.create");
    assert_eq!(created["debugContext"]["debugData"]["executionId"], execution);
    assert_eq!(created["target"][0]["alternateId"], "rosario@okta.com");
    assert_eq!(of("group.user_membership.add")["target"][1]["id"], "00g000000000000flow1");
    let path = format!("/hookwright/v1/executions/{}", execution.as_str().expect("an id"));
    let shown = org.org.client.get(&path).await.json();
    assert_eq!((&shown["effect"], &shown["trigger"]), (&json!("registration ALLOW"), &json!("FLOW")), "{shown:#}");
}

#[tokio::test]
async fn markup_and_controls_in_the_services_words_stay_text() {
    let org = FlowOrg::start().await;
    let words = "<script>alert(1)</script>\u{202e}evil\u{0007}";
    let answer = json!({"error": {"errorCauses": [{"errorSummary": words, "location": "email"}]}}).to_string();
    org.answers(&[&answer]);
    let (_, idx) = refused(&org).await;
    assert_eq!(idx.said_at("email"), ["<script>alert(1)</script>evil"]);
}
