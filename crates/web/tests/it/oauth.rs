//! Hooks behind an authorization server, through `execute`.

use hookwright_testkit::{ExternalService, Org, Reply};
use serde_json::{Value, json};

use crate::execute::{ALLOW, execute};
use crate::expectations::{accepted, refused};
use crate::fixtures::{created, hook, id_of, path_of};

const CLIENT_SECRET: &str = "a-client-secret";

/// A hook whose service and authorization server are one: `/hook` and `/token`.
async fn guarded(org: &Org, service: &ExternalService) -> Value {
    let mut body = hook("guarded");
    body["channel"] = json!({"type": "OAUTH", "version": "1.0.0", "config": {
        "uri": service.url("/hook"), "authType": "client_secret_post", "clientId": "a-client",
        "clientSecret": CLIENT_SECRET, "tokenUrl": service.url("/token"), "scope": "hook:call",
        "headers": [{"key": "X-Tenant", "value": "one"}],
    }});
    created(org, &body).await
}

fn token(text: &str) -> Reply {
    Reply::json(200, json!({"access_token": text, "token_type": "Bearer", "expires_in": 3600}).to_string())
}

#[tokio::test]
async fn the_service_is_shown_a_token_that_was_bought_with_the_secret() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/token", [token("a-fresh-token")]);
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let hook = guarded(&org, &service).await;
    for _ in 0..2 {
        assert_eq!(execute(&org, &hook).await.text(), ALLOW);
    }
    // What was read is put back: the secret is kept, and still buys a token.
    accepted(&org.client.put(&path_of(&hook), &hook).await);
    assert_eq!(execute(&org, &hook).await.text(), ALLOW);
    let seen = service.requests();
    let asked: Vec<_> = seen.iter().filter(|request| request.target == "/token").collect();
    let form = String::from_utf8_lossy(&asked[0].body).into_owned();
    for part in
        ["grant_type=client_credentials", "client_id=a-client", "client_secret=a-client-secret", "scope=hook%3Acall"]
    {
        assert!(form.contains(part), "{form}");
    }
    let called: Vec<_> = seen.iter().filter(|request| request.target == "/hook").collect();
    assert_eq!(called.len(), 3);
    for request in called {
        assert_eq!(request.header("authorization"), Some("Bearer a-fresh-token"));
        assert_eq!(request.header("x-tenant"), Some("one"));
    }
    assert!(asked.iter().all(|request| request.header("x-tenant").is_none()));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_to_the_service() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let error = json!({"error": "invalid_client", "error_description": format!("{CLIENT_SECRET} is wrong")});
    service.on("/token", [Reply::json(401, error.to_string())]);
    let hook = guarded(&org, &service).await;
    let answer = execute(&org, &hook).await;
    let causes = refused(&answer, 400, "E0000208");
    assert!(
        causes[0].starts_with(&format!("Inline hook {}, TOKEN_REFUSED, 1 attempt(s): ", id_of(&hook))),
        "{causes:?}"
    );
    let summary = answer.json()["errorSummary"].as_str().unwrap_or_default().to_owned();
    assert!(summary.starts_with("Failed to get access token. The request was invalid, reason: "), "{summary}");
    assert!(summary.contains("invalid_client") && !answer.text().contains(CLIENT_SECRET), "{}", answer.text());
    assert!(service.requests().iter().all(|request| request.target == "/token"));
}

#[tokio::test]
async fn a_token_that_the_service_sends_back_gets_into_no_cause_and_no_record() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/token", [token("canary-access-token")]);
    service.on("/hook", [Reply::json(200, r#"{"commands":[{"type":"canary-access-token","value":{}}]}"#)]);
    let hook = guarded(&org, &service).await;
    let answer = execute(&org, &hook).await;
    let causes = refused(&answer, 400, "E0000134");
    assert!(causes[0].contains("UNKNOWN_COMMAND") && !answer.text().contains("canary"), "{causes:?}");
    let id = causes.last().expect("the execution is named").trim_start_matches("Execution ").to_owned();
    let record = crate::executions::record(&org, &id).await.to_string();
    assert!(record.contains("UNKNOWN_COMMAND") && !record.contains("canary"), "{record}");
}
