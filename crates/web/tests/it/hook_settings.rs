//! Settings of one hook: Okta's behaviour by default, and each of them felt by real calls.

use std::time::{Duration, Instant};

use hookwright_testkit::certificates::Authority;
use hookwright_testkit::{Answer, ExternalService, Org, Reply};
use serde_json::{Value, json};

use crate::execute::{ALLOW, REGISTRATION, execute, failed, hook_at};
use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{HOOKS, created, hook, hook_with, id_of, path_of};

const TOKEN_HOOK: &str = "com.okta.oauth2.tokens.transform";

/// Where the settings of a hook that was shown are.
fn settings_of(hook: &Value) -> String {
    format!("/hookwright/v1/inlineHooks/{}/settings", id_of(hook))
}

async fn set(org: &Org, hook: &Value, settings: Value) -> Answer {
    org.client.put(&settings_of(hook), &settings).await
}

/// The events of this hook's changes.
async fn updates(org: &Org, hook: &Value) -> Vec<Value> {
    let filter = format!(r#"target.id eq "{}" and eventType eq "inline_hook.updated""#, id_of(hook));
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("filter", &filter).finish();
    let events = accepted(&org.client.get(&format!("/api/v1/logs?{query}")).await);
    events.as_array().expect("a list").clone()
}

async fn metric(org: &Org, hook: &Value) -> Option<String> {
    let name = format!("hookwright_circuit{{hook=\"{}\"}} ", id_of(hook));
    let text = org.client.get("/metrics").await.text();
    text.lines().find_map(|line| line.strip_prefix(&name)).map(ToOwned::to_owned)
}

#[tokio::test]
async fn a_hook_that_nobody_has_set_is_as_okta_has_it() {
    let org = Org::start().await;
    for (kind, retry, policy) in [
        (REGISTRATION, true, "STOP"),
        (TOKEN_HOOK, false, "CONTINUE"),
        ("com.okta.saml.tokens.transform", true, "CONTINUE"),
        ("com.okta.user.credential.password.import", true, "STOP"),
        ("com.okta.import.transform", true, "CONTINUE"),
        ("com.okta.telephony.provider", false, "CONTINUE"),
    ] {
        let hook = created(&org, &hook_with(kind, "/type", json!(kind))).await;
        let mut shown = accepted(&org.client.get(&settings_of(&hook)).await);
        let links = shown["_links"].take();
        assert_eq!(links["self"]["href"], format!("http://{}{}", org.client.address(), settings_of(&hook)));
        let expected = json!({
            "timeoutMs": 3000, "retry": retry, "maxConcurrentCalls": 32, "maxCallsPerSecond": null, "failurePolicy": policy,
            "circuitBreaker": null, "trustedCertificates": null, "clientCertificate": null, "_links": null,
        });
        assert_eq!(shown, expected, "{kind}");
    }
}

#[tokio::test]
async fn settings_are_replaced_reset_and_logged_with_what_changed() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let body = json!({"timeoutMs": 250, "retry": false, "circuitBreaker": {"failures": 3, "openMs": 5000}});
    let mut shown = accepted(&set(&org, &hook, body.clone()).await);
    for (name, value) in body.as_object().expect("an object") {
        assert_eq!(shown[name], *value);
    }
    assert_eq!(accepted(&org.client.get(&settings_of(&hook)).await), shown);
    // The hook as Okta shows it knows nothing of them; replacing it leaves them as they are.
    assert_eq!(accepted(&org.client.get(&path_of(&hook)).await), hook);
    accepted(&org.client.put(&path_of(&hook), &hook).await);
    let org = org.restart().await;
    shown["_links"] = accepted(&org.client.get(&settings_of(&hook)).await)["_links"].clone();
    assert_eq!(accepted(&org.client.get(&settings_of(&hook)).await), shown);
    // What is there already is not written again.
    let changes = updates(&org, &hook).await.len();
    accepted(&set(&org, &hook, body).await);
    assert_eq!(updates(&org, &hook).await.len(), changes);
    let answer = org.client.delete(&settings_of(&hook)).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let shown = accepted(&org.client.get(&settings_of(&hook)).await);
    assert_eq!((&shown["timeoutMs"], &shown["circuitBreaker"]), (&json!(3000), &Value::Null));

    let told: Vec<Value> =
        updates(&org, &hook).await.into_iter().map(|event| event["debugContext"]["debugData"].clone()).collect();
    assert_eq!(
        told,
        [
            json!({"settings.timeoutMs": "default -> 250", "settings.retry": "default -> false",
                "settings.circuitBreaker": "default -> 3 failures, 5000 ms"}),
            json!({}),
            json!({"settings.timeoutMs": "250 -> default", "settings.retry": "false -> default",
                "settings.circuitBreaker": "3 failures, 5000 ms -> default"}),
        ]
    );
}

#[tokio::test]
async fn each_wrong_setting_is_refused_by_its_name_and_nothing_is_stored() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let pem = Authority::new().root_pem();
    for (field, body) in [
        ("timeoutMs", json!({"timeoutMs": 99})),
        ("timeoutMs", json!({"timeoutMs": 30_001})),
        ("timeoutMs", json!({"timeoutMs": "3000"})),
        ("retry", json!({"retry": 1})),
        ("maxConcurrentCalls", json!({"maxConcurrentCalls": 0})),
        ("maxCallsPerSecond", json!({"maxCallsPerSecond": -1})),
        ("failurePolicy", json!({"failurePolicy": "CONTINUE"})),
        ("circuitBreaker.openMs", json!({"circuitBreaker": {"failures": 1}})),
        ("timeout", json!({"retry": false, "timeout": 5})),
        ("trustedCertificates", json!({"trustedCertificates": "none"})),
        (
            "trustedCertificates",
            json!({"trustedCertificates": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}),
        ),
        ("clientCertificate.certificate", json!({"clientCertificate": {"certificate": "x", "privateKey": "x"}})),
        ("clientCertificate.privateKey", json!({"clientCertificate": {"certificate": pem, "privateKey": pem}})),
    ] {
        refused_for(&set(&org, &hook, body).await, field);
    }
    refused(&org.client.put(&settings_of(&hook), &json!([])).await, 400, "E0000003");
    refused(&org.stranger().get(&settings_of(&hook)).await, 401, "E0000004");
    for method in ["GET", "PUT", "DELETE"] {
        let path = "/hookwright/v1/inlineHooks/cal00000000000000000/settings";
        let request = org.client.request(method.parse().expect("a method"), path);
        refused(&request.json(&json!({})).send().await, 404, "E0000007");
    }
    assert!(updates(&org, &hook).await.is_empty());
}

#[tokio::test]
async fn time_and_retry_are_those_of_the_hook() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::hang()]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    accepted(&set(&org, &hook, json!({"timeoutMs": 100, "retry": false})).await);
    let causes = failed(&execute(&org, &hook).await, &hook, "TIMED_OUT", 1);
    assert!(causes[0].contains("within 100 ms"), "{causes:?}");
    assert_eq!(service.requests().len(), 1);
    accepted(&set(&org, &hook, json!({"timeoutMs": 100})).await);
    failed(&execute(&org, &hook).await, &hook, "TIMED_OUT", 2);
}

#[tokio::test]
async fn a_hook_has_its_own_limit_of_calls_at_once() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(300))]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    accepted(&set(&org, &hook, json!({"maxConcurrentCalls": 1})).await);
    let answers = futures::future::join_all((0..3).map(|_| execute(&org, &hook))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let refused = answers.iter().find(|answer| answer.status != 200).expect("one too many");
    assert!(failed(refused, &hook, "AT_CAPACITY", 0)[0].contains("the limit is 1"));
}

#[tokio::test]
async fn calls_beyond_the_rate_fail_at_once_and_never_wait() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    accepted(&set(&org, &hook, json!({"maxCallsPerSecond": 2})).await);
    let began = Instant::now();
    let answers = futures::future::join_all((0..6).map(|_| execute(&org, &hook))).await;
    assert!(began.elapsed() < Duration::from_millis(900), "nobody waits for room: {:?}", began.elapsed());
    let refusals: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert_eq!((refusals.len(), service.requests().len()), (4, 2));
    let causes = failed(refusals[0], &hook, "RATE_LIMITED", 0);
    assert!(causes[0].contains("the limit is 2"), "{causes:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    accepted(&execute(&org, &hook).await);
    let list = accepted(
        &org.client.get(&format!("/hookwright/v1/executions?verdict=RATE_LIMITED&hookId={}", id_of(&hook))).await,
    );
    assert_eq!(list.as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_circuit_opens_tries_one_call_again_and_closes() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(503, "{}")]);
    let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
    assert_eq!(metric(&org, &hook).await, None);
    accepted(&set(&org, &hook, json!({"retry": false, "circuitBreaker": {"failures": 3, "openMs": 400}})).await);
    for _ in 0..3 {
        failed(&execute(&org, &hook).await, &hook, "WRONG_STATUS", 1);
    }
    let opened = Instant::now();
    failed(&execute(&org, &hook).await, &hook, "CIRCUIT_OPEN", 0);
    assert_eq!((metric(&org, &hook).await.as_deref(), service.requests().len()), (Some("2"), 3));
    // The time is up: one call of many tries, and fails.
    tokio::time::sleep(Duration::from_millis(450).saturating_sub(opened.elapsed())).await;
    assert_eq!(metric(&org, &hook).await.as_deref(), Some("1"));
    futures::future::join_all((0..5).map(|_| execute(&org, &hook))).await;
    assert_eq!(service.requests().len(), 4);
    // The service is well again: the next that tries goes well, and all others after it.
    service.on("/hook", [Reply::json(200, ALLOW)]);
    tokio::time::sleep(Duration::from_millis(450)).await;
    accepted(&execute(&org, &hook).await);
    assert_eq!(metric(&org, &hook).await.as_deref(), Some("0"));
    for _ in 0..3 {
        accepted(&execute(&org, &hook).await);
    }
    accepted(&org.client.get("/hookwright/v1/executions?verdict=CIRCUIT_OPEN").await);
}

#[tokio::test]
async fn a_record_tells_what_a_flow_does_with_a_failure() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(404, "{}")]);
    for (kind, settings, effect) in [
        (REGISTRATION, json!({}), "flow STOP"),
        (TOKEN_HOOK, json!({}), "flow CONTINUE"),
        ("com.okta.saml.tokens.transform", json!({"failurePolicy": "STOP"}), "flow STOP"),
        ("com.okta.telephony.provider", json!({"failurePolicy": "CONTINUE"}), "flow FALLBACK_PROVIDER"),
    ] {
        let hook = hook_at(&org, &service, "/hook", kind).await;
        accepted(&set(&org, &hook, settings).await);
        let causes = failed(&execute(&org, &hook).await, &hook, "WRONG_STATUS", 1);
        let id =
            causes.last().and_then(|cause| cause.strip_prefix("Execution ")).expect("the execution's id").to_owned();
        assert_eq!(crate::executions::record(&org, &id).await["effect"], effect, "{kind}");
    }
}

#[tokio::test]
async fn a_service_behind_mutual_tls_of_a_private_authority_is_reached() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let (org, service) =
        (Org::start().await, ExternalService::start_mutual_tls(&authority.issue(&["127.0.0.1"]), &clients).await);
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let mut body = hook("mutual");
    body["channel"]["config"]["uri"] = json!(service.url("/hook"));
    let hook = accepted(&org.client.post(HOOKS, &body).await);
    let causes = failed(&execute(&org, &hook).await, &hook, "UNREACHABLE", 2);
    assert!(causes[0].contains("unknown authority"), "{causes:?}");
    accepted(&set(&org, &hook, json!({"trustedCertificates": authority.root_pem()})).await);
    let causes = failed(&execute(&org, &hook).await, &hook, "UNREACHABLE", 2);
    assert!(causes[0].contains("client certificate"), "{causes:?}");

    let own = clients.issue(&["org.example"]);
    let mut settings = json!({
        "trustedCertificates": authority.root_pem(),
        "clientCertificate": {"certificate": own.chain_pem(), "privateKey": own.key_pem()},
    });
    let shown = accepted(&set(&org, &hook, settings.clone()).await);
    assert_eq!(shown["clientCertificate"], json!({"certificate": own.chain_pem(), "privateKey": "******"}));
    accepted(&execute(&org, &hook).await);
    // What is shown can be sent back: the key is kept. Without the certificate, the service does not answer any more.
    accepted(&set(&org, &hook, shown).await);
    accepted(&execute(&org, &hook).await);
    let log = format!("{:?}", updates(&org, &hook).await);
    settings["clientCertificate"] = Value::Null;
    accepted(&set(&org, &hook, settings).await);
    failed(&execute(&org, &hook).await, &hook, "UNREACHABLE", 2);
    let key = own.key_pem().lines().nth(1).expect("a line of the key").to_owned();
    let database = String::from_utf8_lossy(&org.database_bytes()).into_owned();
    assert!(!log.contains(&key) && log.contains("clientCertificate") && !database.contains(&key));
}
