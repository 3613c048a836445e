//! That every test of an org is a canary test: a secret that gets somewhere fails the test that sent it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hookwright_testkit::postgres::PostgresServer;
use hookwright_testkit::{ExternalService, Org, OrgOptions, Reply};
use serde_json::json;

use crate::execute::hook_at;

const PASSWORD: &str = "marked-Passw0rd?<&>";

/// Why the test that had this org would have failed.
fn told_at_the_end(org: Org) -> Option<String> {
    let failure = catch_unwind(AssertUnwindSafe(|| drop(org))).err()?;
    failure.downcast_ref::<String>().cloned()
}

async fn user(org: &Org) {
    let user = json!({
        "profile": {"login": "a@example.com", "email": "a@example.com", "firstName": "A", "lastName": "B"},
        "credentials": {"password": {"value": PASSWORD}},
    });
    let answer = org.client.post("/api/v1/users?activate=true", &user).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_test_fails_if_a_secret_it_sent_is_stored_or_recorded() {
    let org = Org::start().await;
    user(&org).await;
    assert_eq!(told_at_the_end(org), None);

    let org = Org::start().await;
    user(&org).await;
    let group = json!({"profile": {"name": format!("the group of {PASSWORD}")}});
    assert_eq!(org.client.post("/api/v1/groups", &group).await.status, 200);
    let told = told_at_the_end(org).expect("the name of a group is stored");
    assert!(told.contains("password") && told.contains("in the "), "{told}");

    // In a packed chunk of the journal, in base64.
    let (org, service) = (Org::start().await, ExternalService::start().await);
    user(&org).await;
    let encoded = "bWFya2VkLVBhc3N3MHJkPzwmPg";
    service.on("/hook", [Reply::json(200, json!({"debugContext": {"x": format!("{encoded:a>3}")}}).to_string())]);
    let hook = hook_at(&org, &service, "/hook", "com.okta.user.pre-registration").await;
    let answer = org.client.post(&format!("{}/execute", crate::fixtures::path_of(&hook)), &json!({"data": {}})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    org.client.get("/hookwright/v1/executions").await;
    assert!(told_at_the_end(org).is_some(), "the answer of a service is recorded");

    let org = Org::start().await;
    user(&org).await;
    org.client.get(&format!("/{}", PASSWORD.replace(['?', '<', '>', '&'], ""))).await;
    assert_eq!(told_at_the_end(org), None, "a part of it is another text");
}

#[tokio::test]
async fn a_secret_is_found_in_postgres_too() {
    let server = PostgresServer::start();
    let options = OrgOptions { database_url: Some(server.url("postgres")), ..OrgOptions::default() };
    let org = Org::start_with(options.clone()).await;
    user(&org).await;
    assert_eq!(told_at_the_end(org), None);
    let org = Org::start_with(OrgOptions { seed: 9, ..options }).await;
    let change = json!({"credentials": {"password": {"value": PASSWORD}}});
    org.client.post("/api/v1/users/a@example.com", &change).await;
    let group = json!({"profile": {"name": PASSWORD}});
    assert_eq!(org.client.post("/api/v1/groups", &group).await.status, 200);
    let told = told_at_the_end(org).expect("the name of a group is stored");
    assert!(told.contains("password"), "{told}");
}
