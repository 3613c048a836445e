//! People and what decides about them, through Okta's API.

use hookwright_testkit::Org;
use serde_json::{Value, json};

fn person(login: &str) -> Value {
    json!({"profile": {"firstName": "Rosario", "lastName": "Jones", "login": login, "email": login}})
}

#[tokio::test]
async fn a_person_is_found_by_id_and_by_login_and_a_login_is_taken_once() {
    let org = Org::start().await;
    let created = org.client.post("/api/v1/users?activate=false", &person("rosario.jones@okta.com")).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("00u"), "{id}");
    assert_eq!(created.json()["status"], "STAGED");
    for key in [id.as_str(), "rosario.jones@okta.com"] {
        let found = org.client.get(&format!("/api/v1/users/{key}")).await;
        assert_eq!(found.json()["id"], id.as_str(), "{}", found.text());
    }
    let again = org.client.post("/api/v1/users", &person("Rosario.Jones@okta.com")).await;
    assert_eq!(again.refusal(), (400, "E0000001".to_owned()), "{}", again.text());
    org.stop().await;
}

#[tokio::test]
async fn an_attribute_that_the_schema_does_not_know_is_refused() {
    let org = Org::start().await;
    let mut body = person("a@okta.com");
    body["profile"]["favouriteColour"] = json!("green");
    let refused = org.client.post("/api/v1/users", &body).await;
    assert_eq!(refused.refusal(), (400, "E0000001".to_owned()));
    assert!(refused.text().contains("favouriteColour"), "{}", refused.text());
    org.stop().await;
}

#[tokio::test]
async fn a_new_org_has_its_default_enrolment_policy() {
    let org = Org::start().await;
    let policies = org.client.get("/api/v1/policies?type=PROFILE_ENROLLMENT").await;
    assert_eq!(policies.status, 200, "{}", policies.text());
    let list = policies.json();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list[0]["system"], true);
    org.stop().await;
}
