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

#[tokio::test]
async fn a_group_has_the_members_that_it_was_given_and_everyone_stays_as_it_is() {
    let org = Org::start().await;
    let group = org.client.post("/api/v1/groups", &json!({"profile": {"name": "Members"}})).await;
    assert_eq!(group.status, 200, "{}", group.text());
    let mut body = person("member@okta.com");
    body["groupIds"] = json!([group.json()["id"]]);
    let user = org.client.post("/api/v1/users", &body).await;
    assert_eq!(user.status, 200, "{}", user.text());
    let id = group.json()["id"].as_str().unwrap().to_owned();
    let members = org.client.get(&format!("/api/v1/groups/{id}/users")).await;
    assert_eq!(members.json()[0]["id"], user.json()["id"], "{}", members.text());
    let found = org.client.get("/api/v1/groups?q=Everyone").await.json();
    let everyone = found[0]["id"].as_str().unwrap().to_owned();
    let refused = org.client.delete(&format!("/api/v1/groups/{everyone}")).await;
    assert_eq!(refused.refusal(), (403, "E0000107".to_owned()), "{}", refused.text());
    org.stop().await;
}

#[tokio::test]
async fn an_app_is_deactivated_before_it_is_deleted() {
    let org = Org::start().await;
    let body = json!({"label": "Portal", "signOnMode": "BOOKMARK", "settings": {"app": {"url": "https://a.example"}}});
    let app = org.client.post("/api/v1/apps", &body).await;
    assert_eq!(app.status, 200, "{}", app.text());
    let path = format!("/api/v1/apps/{}", app.json()["id"].as_str().unwrap());
    assert_eq!(org.client.delete(&path).await.refusal(), (403, "E0000056".to_owned()));
    let off = org.client.post(&format!("{path}/lifecycle/deactivate"), &json!({})).await;
    assert_eq!(off.status, 200, "{}", off.text());
    assert_eq!(org.client.delete(&path).await.status, 204);
    assert_eq!(org.client.get(&path).await.refusal(), (404, "E0000007".to_owned()));
    org.stop().await;
}

#[tokio::test]
async fn the_rule_of_a_policy_is_neither_doubled_nor_deleted() {
    let org = Org::start().await;
    let list = org.client.get("/api/v1/policies?type=PROFILE_ENROLLMENT").await.json();
    let rules = format!("/api/v1/policies/{}/rules", list[0]["id"].as_str().unwrap());
    let rule = org.client.get(&rules).await.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(org.client.post(&rules, &json!({})).await.refusal(), (403, "E0000107".to_owned()));
    let deleted = org.client.delete(&format!("{rules}/{rule}")).await;
    assert_eq!(deleted.refusal(), (403, "E0000107".to_owned()), "{}", deleted.text());
    org.stop().await;
}

#[tokio::test]
async fn an_origin_is_trusted_once() {
    let org = Org::start().await;
    let body = json!({"name": "Portal", "origin": "https://a.example", "scopes": [{"type": "CORS"}]});
    let origin = org.client.post("/api/v1/trustedOrigins", &body).await;
    assert_eq!(origin.status, 200, "{}", origin.text());
    let again = org.client.post("/api/v1/trustedOrigins", &body).await;
    assert_eq!(again.refusal(), (400, "E0000001".to_owned()), "{}", again.text());
    org.stop().await;
}
