//! Signed calls and traces: what is on the wire, how secrets are changed, and that nothing shows them.

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwright_responder::{Answer, RegistrationRequest, Responder, Signatures};
use hookwright_testkit::{ExternalService, Org, Reply, SeenRequest};
use http::Method;
use serde_json::{Value, json};

use crate::execute::{ALLOW, execute, hook_at};
use crate::expectations::{accepted, refused, refused_for};
use crate::fixtures::{created, hook_with, id_of, path_of};

const TYPE: &str = "com.okta.user.pre-registration";
/// The second at which the org under test stands.
const NOW: u64 = 1_700_000_000;

fn secrets_path(hook: &Value) -> String {
    format!("/hookwright/v1/inlineHooks/{}/signingSecrets", id_of(hook))
}

async fn made(org: &Org, hook: &Value, body: Value) -> Value {
    accepted(&org.client.post(&secrets_path(hook), &body).await)
}

async fn start() -> (Org, ExternalService, Value) {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let hook = hook_at(&org, &service, "/hook", TYPE).await;
    (org, service, hook)
}

fn last(service: &ExternalService) -> SeenRequest {
    service.requests().pop().expect("the service was called")
}

/// How many signatures there are, after each was verified with one of these secrets and public keys.
fn verified(seen: &SeenRequest, secrets: &[&Value]) -> usize {
    let header = |name: &str| seen.header(name).unwrap_or_default();
    let message =
        [format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes(), &seen.body].concat();
    let bytes = |text: &Value, prefix: &str| {
        let text = text.as_str().unwrap_or_default().strip_prefix(prefix).expect("a key has its prefix");
        STANDARD.decode(text).expect("a key is base64")
    };
    let is_right = |signature: &str, secret: &Value| {
        let (version, signature) = signature.split_once(',').expect("a version");
        let signature = STANDARD.decode(signature).expect("base64");
        match (version, secret["algorithm"].as_str()) {
            ("v1", Some("hmac-sha256")) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(&secret["secret"], "whsec_"));
                hmac::verify(&key, &message, &signature).is_ok()
            }
            ("v1a", Some("ed25519")) => UnparsedPublicKey::new(&ED25519, bytes(&secret["publicKey"], "whpk_"))
                .verify(&message, &signature)
                .is_ok(),
            _ => false,
        }
    };
    let signatures: Vec<&str> = header("webhook-signature").split(' ').collect();
    for signature in &signatures {
        assert!(secrets.iter().any(|secret| is_right(signature, secret)), "{signature}");
    }
    signatures.len()
}

#[tokio::test]
async fn a_hook_signs_its_calls_only_if_it_has_a_secret() {
    let (org, service, hook) = start().await;
    execute(&org, &hook).await;
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert_eq!(last(&service).header(name), None);
    }
    let secret = made(&org, &hook, json!({})).await;
    let answer = execute(&org, &hook).await;
    let seen = last(&service);
    assert_eq!(verified(&seen, &[&secret]), 1);
    assert_eq!(
        seen.header("webhook-id"),
        Some(answer.header("x-hookwright-execution-id")),
        "the execution is found by it"
    );
    assert_eq!(seen.header("webhook-timestamp"), Some(NOW.to_string().as_str()));
    let path = format!("{}/{}", secrets_path(&hook), id_of(&secret));
    assert_eq!(org.client.delete(&path).await.status, 204);
    execute(&org, &hook).await;
    assert_eq!(last(&service).header("webhook-signature"), None);
    refused(&org.client.delete(&path).await, 404, "E0000007");
}

#[tokio::test]
async fn both_attempts_of_a_call_carry_one_signature() {
    let (org, service, hook) = start().await;
    let secret = made(&org, &hook, json!({"algorithm": "ed25519"})).await;
    service.on("/hook", [Reply::json(500, "{}"), Reply::json(200, ALLOW)]);
    accepted(&execute(&org, &hook).await);
    let seen = service.requests();
    let [first, second] = seen.as_slice() else { panic!("two attempts") };
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature", "traceparent"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
    assert_eq!((verified(first, &[&secret]), verified(second, &[&secret])), (1, 1));
}

#[tokio::test]
async fn secrets_overlap_while_they_are_changed() {
    let (org, service, hook) = start().await;
    let old = made(&org, &hook, json!({})).await;
    execute(&org, &hook).await;
    assert_eq!(verified(&last(&service), &[&old]), 1);
    let new = made(&org, &hook, json!({"overlapSeconds": 3600})).await;
    let key = made(&org, &hook, json!({"algorithm": "ed25519"})).await;
    execute(&org, &hook).await;
    assert_eq!(verified(&last(&service), &[&old, &new, &key]), 3);
    let listed = accepted(&org.client.get(&secrets_path(&hook)).await);
    let ends: Vec<&Value> = listed.as_array().expect("a list").iter().map(|secret| &secret["expiresAt"]).collect();
    assert_eq!(ends.iter().filter(|end| end.is_null()).count(), 2, "{listed}");
    org.clock.advance(Duration::from_secs(3600));
    execute(&org, &hook).await;
    assert_eq!(verified(&last(&service), &[&new, &key]), 2);
    // The next one sweeps out what has expired.
    made(&org, &hook, json!({})).await;
    assert_eq!(accepted(&org.client.get(&secrets_path(&hook)).await).as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stored_sealed() {
    let (org, _service, hook) = start().await;
    let secret = made(&org, &hook, json!({})).await;
    let key = made(&org, &hook, json!({"algorithm": "ed25519"})).await;
    assert!(key.get("secret").is_none() && key["publicKey"].as_str().is_some_and(|key| key.starts_with("whpk_")));
    let value = secret["secret"].as_str().expect("it is shown once").to_owned();
    let bytes = STANDARD.decode(value.strip_prefix("whsec_").expect("its prefix")).expect("base64");
    assert_eq!(bytes.len(), 32);
    let listed = org.client.get(&secrets_path(&hook)).await;
    let logged = org.client.get("/api/v1/logs?filter=eventType%20sw%20%22inline_hook.signing_secret%22").await;
    let plain = value.trim_start_matches("whsec_");
    for text in [&listed.text(), &logged.text(), &org.client.get(&path_of(&hook)).await.text()] {
        assert!(!text.contains(plain), "{text}");
    }
    let events = accepted(&logged);
    let targets = events[0]["target"].as_array().expect("targets");
    assert_eq!((&targets[0]["id"], &targets[1]["id"]), (&hook["id"], &secret["id"]));
    assert_eq!(events.as_array().map(Vec::len), Some(2));
    let database = org.database_bytes();
    for needle in [plain.as_bytes(), &bytes] {
        assert!(!database.windows(needle.len()).any(|window| window == needle), "in the clear");
    }
    let org = org.restart().await;
    assert_eq!(accepted(&org.client.get(&secrets_path(&hook)).await).as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn faults_of_a_signing_secret_are_named() {
    let (org, _service, hook) = start().await;
    let path = secrets_path(&hook);
    refused_for(&org.client.post(&path, &json!({"algorithm": "rsa"})).await, "algorithm");
    refused_for(&org.client.post(&path, &json!({"overlapSeconds": -1})).await, "overlapSeconds");
    for _ in 0..5 {
        made(&org, &hook, json!({})).await;
    }
    refused_for(&org.client.post(&path, &json!({})).await, "signingSecret");
    for path in [
        "/hookwright/v1/inlineHooks/cal00000000000000000/signingSecrets",
        "/hookwright/v1/inlineHooks/%00/signingSecrets",
    ] {
        refused(&org.client.get(path).await, 404, "E0000007");
        refused(&org.client.post(path, &json!({})).await, 404, "E0000007");
        refused(&org.client.delete(&format!("{path}/sgs1")).await, 404, "E0000007");
        refused(&org.stranger().get(path).await, 401, "E0000004");
    }
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    assert_eq!(org.client.delete(&path_of(&hook)).await.status, 204, "its secrets go with it");
}

#[tokio::test]
async fn a_responder_believes_what_an_org_signs_and_nobody_else() {
    let org = Org::start().await;
    // Real time stands still here, so the responder is patient.
    let patience = Duration::from_secs(1 << 40);
    let answer = |_: RegistrationRequest| async { Answer::allow() };
    let signed_by = |key: &Value| match key["secret"].as_str() {
        Some(secret) => Signatures::new().secret(secret),
        None => Signatures::new().public_key(key["publicKey"].as_str().unwrap_or_default()),
    };
    for algorithm in ["hmac-sha256", "ed25519"] {
        let body = hook_with(algorithm, "/channel/config/uri", json!("http://127.0.0.1:9/hook"));
        let hook = created(&org, &body).await;
        let key = made(&org, &hook, json!({"algorithm": algorithm})).await;
        let signatures = signed_by(&key).expect("a key").tolerance(patience);
        let responder = Responder::new().registration("/hook", answer).signed(signatures);
        let bound = responder.bind("127.0.0.1:0").await.expect("a free port");
        let uri = json!(format!("http://{}/hook", bound.local_addr()));
        tokio::spawn(bound.serve_until(std::future::pending()));
        let mut moved = hook_with(algorithm, "/channel/config/uri", uri);
        moved["channel"]["config"]["headers"] = json!([{"key": "webhook-signature", "value": "v1,forged"}]);
        accepted(&org.client.put(&path_of(&hook), &moved).await);
        let payload = json!({"eventTypeVersion": "1.0", "eventType": TYPE, "requestType": "self.service.registration",
            "data": {"context": {}, "action": "ALLOW", "userProfile": {"email": "a@okta.com"}}});
        let path = format!("{}/execute", path_of(&hook));
        accepted(&org.client.post(&path, &payload).await);
        // Without the secret the org is a stranger.
        let secret = format!("{}/{}", secrets_path(&hook), id_of(&key));
        assert_eq!(org.client.delete(&secret).await.status, 204);
        refused(&org.client.post(&path, &payload).await, 400, "E0000134");
    }
}

#[tokio::test]
async fn a_call_goes_on_with_the_trace_of_its_request() {
    let (org, service, hook) = start().await;
    let path = format!("{}/execute", path_of(&hook));
    let execute = async |traceparent: &str| {
        let request = org.client.request(Method::POST, &path).header("traceparent", traceparent);
        let answer = request.json(&json!({})).send().await;
        let record = crate::executions::record(&org, answer.header("x-hookwright-execution-id")).await;
        let sent = last(&service).header("traceparent").expect("it is sent").to_owned();
        assert_eq!(record["request"]["traceParent"], sent.as_str(), "the record tells what was sent");
        sent
    };
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let sent = execute(&format!("00-{trace}-b7ad6b7169203331-00")).await;
    assert!(sent.starts_with(&format!("00-{trace}-")) && sent.ends_with("-00"), "{sent}");
    assert!(!sent.contains("b7ad6b7169203331"), "our part of it has an id of its own: {sent}");
    for bad in ["", "x", "00-0-0-00", &format!("ff-{trace}-b7ad6b7169203331-00")] {
        let sent = execute(bad).await;
        assert!(sent.len() == 55 && sent.ends_with("-01") && !sent.contains(trace), "{sent}");
    }
}
