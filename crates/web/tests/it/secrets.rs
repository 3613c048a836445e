//! Secrets go in and never come out.

use hookwright_model::secret_display::SecretDisplay;
use hookwright_testkit::{Org, OrgOptions};
use serde_json::{Value, json};

use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{HOOKS, SECRET, created, hook, hook_with, path_of};

#[tokio::test]
async fn no_answer_shows_a_secret() {
    let org = Org::start().await;
    let created = org.client.post(HOOKS, &hook("mine")).await;
    let path = path_of(&created.json());
    let answers = [
        org.client.get(&path).await,
        org.client.get(HOOKS).await,
        org.client.put(&path, &hook("renamed")).await,
        org.client.post(&path, &hook("renamed again")).await,
        org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await,
        org.client.post_empty(&format!("{path}/lifecycle/activate")).await,
        org.client.delete(&path).await,
        // Refusals of a body that holds one.
        org.client.post(HOOKS, &hook("renamed again")).await,
        org.client.post(HOOKS, &hook_with("x", "/version", json!("y"))).await,
        org.client.put(&path, &hook_with("x", "/channel/config/uri", json!("nowhere"))).await,
    ];
    for answer in answers.iter().chain([&created]) {
        let text = format!("{:?} {}", answer.headers, answer.text());
        assert!(!text.contains(SECRET) && !text.contains("YWRtaW46c3VwZXJzZWNyZXQ"), "{text}");
    }
    assert_eq!(created.json()["channel"]["config"]["authScheme"]["value"], "******");
    assert_eq!(answers[0].json()["channel"]["config"]["authScheme"]["value"], "******");
}

#[tokio::test]
async fn the_mask_can_be_left_out_as_okta_does_today() {
    let mut options = OrgOptions::default();
    options.settings.secret_display = SecretDisplay::Omit;
    let org = Org::start_with(options).await;
    let hook = created(&org, &hook("mine")).await;
    assert_eq!(hook["channel"]["config"]["authScheme"], json!({"type": "HEADER", "key": "Authorization"}));
    assert_eq!(accepted(&org.client.put(&path_of(&hook), &hook).await), hook);
}

#[tokio::test]
async fn a_new_hook_needs_its_secret() {
    let org = Org::start().await;
    for value in [json!("******"), json!(""), Value::Null] {
        let body = hook_with("mine", "/channel/config/authScheme/value", value);
        refused_for(&org.client.post(HOOKS, &body).await, "channel.config.authScheme.value");
    }
}

#[tokio::test]
async fn a_hook_that_moves_needs_its_secret_again() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let field = "channel.config.authScheme.value";
    for uri in [
        "https://evil.example/registration",
        "https://hooks.example.com.evil.example/registration",
        "https://hooks.example.com:8443/registration",
        "http://127.0.0.1:443/registration",
    ] {
        for value in [json!("******"), Value::Null] {
            let mut body = hook_with("mine", "/channel/config/authScheme/value", value);
            body["channel"]["config"]["uri"] = json!(uri);
            refused_for(&org.client.put(&path, &body).await, field);
            refused_for(&org.client.post(&path, &json!({"channel": body["channel"]})).await, field);
        }
        accepted(&org.client.put(&path, &hook_with("mine", "/channel/config/uri", json!(uri))).await);
        accepted(&org.client.put(&path, &hook("mine")).await);
    }
    // Another path of the same place is no move, nor is the same port said aloud.
    for uri in
        ["https://hooks.example.com/elsewhere?a=b", "https://hooks.example.com:443/", "https://HOOKS.example.com/x"]
    {
        let mut body = hook_with("mine", "/channel/config/authScheme/value", Value::Null);
        body["channel"]["config"]["uri"] = json!(uri);
        accepted(&org.client.put(&path, &body).await);
    }
}

#[tokio::test]
async fn a_kept_secret_stays_under_its_header_name() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    let renamed =
        hook_with("mine", "/channel/config/authScheme", json!({"type": "HEADER", "key": "X-Key", "value": "******"}));
    refused_for(&org.client.put(&path, &renamed).await, "channel.config.authScheme.value");
    let recased = json!({"type": "HEADER", "key": "AUTHORIZATION", "value": "******"});
    let recased = accepted(&org.client.put(&path, &hook_with("mine", "/channel/config/authScheme", recased)).await);
    assert_eq!(recased["channel"]["config"]["authScheme"]["key"], "AUTHORIZATION");
    // A scheme that was taken away takes its secret along.
    accepted(&org.client.put(&path, &hook_with("mine", "/channel/config/authScheme", Value::Null)).await);
    let masked = hook_with("mine", "/channel/config/authScheme/value", json!("******"));
    refused_for(&org.client.put(&path, &masked).await, "channel.config.authScheme.value");
}

#[tokio::test]
async fn the_database_holds_no_secret_and_no_token_in_the_clear() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    accepted(&org.client.put(&path_of(&hook), &crate::fixtures::hook("again")).await);
    let bytes = org.database_bytes();
    for secret in [SECRET, "YWRtaW46c3VwZXJzZWNyZXQ", "supersecret", hookwright_testkit::TOKEN] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    // The test looks in the right place.
    assert!(bytes.windows(5).any(|window| window == b"again"));
}

#[tokio::test]
async fn an_unknown_name_is_not_told_apart_by_its_secret() {
    let org = Org::start().await;
    let answer = org.client.put(&format!("{HOOKS}/calNotThere0000000001"), &hook("mine")).await;
    refused(&answer, 404, "E0000007");
    assert!(!answer.text().contains(SECRET));
}
