//! Marked secrets go through everything there is, and are searched for in everything that comes out.

use std::io::Write;
use std::sync::{Arc, Mutex};

use hookwright_testkit::{Answer, ExternalService, Org, Reply};
use http::Method;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::execute::hook_at;
use crate::fixtures::{HOOKS, created, hook, hook_with, path_of};

const HOOK_SECRET: &str = "canary1-HookSecret?<&>";
const CLIENT_SECRET: &str = "canary2-ClientSecret";
const PASSWORD: &str = "canary3-Password";
const CODE: &str = "canary4-31337";
const WRONG_TOKEN: &str = "canary5-not-a-token";
const COOKIE: &str = "canary6-cookie";

/// All that is logged on this thread, down to the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The forms in which a secret could get out: plain, base64 at each alignment, hex, URL, JSON.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = Value::from(secret).to_string().trim_matches('"').to_owned();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, url, json];
    for shift in 0..3 {
        // The characters that depend on neighbours are cut off.
        let text = base64(&[vec![b'x'; shift], secret.as_bytes().to_vec()].concat());
        let text = text.trim_end_matches('=');
        forms.push(text[4.min(text.len())..text.len() - 2].to_owned());
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(number >> (18 - 6 * position) & 63) as usize]));
        }
    }
    text
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Every kind of call that carries a secret in or could carry one out.
async fn everything(org: &Org, service: &ExternalService) -> Vec<Answer> {
    let scheme = json!({"type": "HEADER", "key": "X-Api-Key", "value": HOOK_SECRET});
    let plain = hook_with("plain", "/channel/config/authScheme", scheme.clone());
    let mut oauth = hook("oauth");
    oauth["channel"] = json!({"type": "OAUTH", "config": {
        "uri": service.url("/oauth"), "authType": "client_secret_post", "clientId": "a-client",
        "clientSecret": CLIENT_SECRET, "tokenUrl": service.url("/token")}});
    let mut answers = vec![org.client.post(HOOKS, &plain).await, org.client.post(HOOKS, &oauth).await];
    let path = path_of(&answers[0].json());
    let oauth_path = path_of(&answers[1].json());
    answers.push(org.client.put(&path, &plain).await);
    answers.push(org.client.post(&path, &plain).await);
    answers.push(org.client.post(HOOKS, &plain).await);
    answers.push(org.client.get(HOOKS).await);
    let mut wrong = plain.clone();
    wrong["version"] = json!("x");
    wrong["channel"]["config"]["headers"] = json!([{"key": "x-api-key", "value": "x"}]);
    answers.push(org.client.put(&path, &wrong).await);
    let half = plain.to_string();
    let cut = org.client.request(Method::PUT, &path).header("Content-Type", "application/json");
    answers.push(cut.body(half[..half.len() - 1].to_owned()).send().await);
    let twice = half.replacen('{', &format!("{{\"{HOOK_SECRET}\":1,\"x\":2,"), 1);
    answers.push(
        org.client.request(Method::PUT, &path).header("Content-Type", "application/json").body(twice).send().await,
    );

    let echo = json!({"debugContext": {"got": HOOK_SECRET, "password": PASSWORD}, "commands": [{"type": HOOK_SECRET}]});
    let header = [("Content-Type", HOOK_SECRET), ("X-Echo", HOOK_SECRET), ("Location", HOOK_SECRET)];
    for reply in [
        Reply::json(200, echo.to_string()),
        Reply::answer(500, &header, format!("<p>{HOOK_SECRET}</p>")),
        Reply::answer(302, &header, ""),
        Reply::json(200, format!("{{\"{HOOK_SECRET}\":")),
        Reply::close(),
    ] {
        service.on("/hook", [reply]);
        let mut import = hook_with("import", "/channel/config/uri", json!(service.url("/hook")));
        import["type"] = json!("com.okta.user.credential.password.import");
        import["name"] = json!(format!("import {}", answers.len()));
        import["channel"]["config"]["authScheme"] = scheme.clone();
        let import = created(org, &import).await;
        let payload = json!({"data": {"context": {"credential": {"username": "a", "password": PASSWORD}}}});
        answers.push(org.client.post(&format!("{}/execute", path_of(&import)), &payload).await);
    }
    let phone = hook_at(org, service, "/phone", "com.okta.telephony.provider").await;
    let payload = json!({"data": {"messageProfile": {"otpCode": CODE, "msgTemplate": format!("It is {CODE}")}}});
    answers.push(org.client.post(&format!("{}/execute", path_of(&phone)), &payload).await);
    answers.push(org.client.post(&format!("{oauth_path}/execute"), &json!({})).await);
    for value in [format!("SSWS {WRONG_TOKEN}"), format!("Bearer {WRONG_TOKEN}"), WRONG_TOKEN.to_owned()] {
        let request =
            org.stranger().request(Method::GET, HOOKS).header("Authorization", &value).header("Cookie", COOKIE);
        answers.push(request.send().await);
    }
    for path in ["/hookwright/v1/executions?limit=200", "/api/v1/logs", "/metrics", "/readyz"] {
        answers.push(org.client.get(path).await);
    }
    answers
}

#[tokio::test]
async fn no_secret_gets_into_an_answer_a_log_a_metric_a_record_or_the_database() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    // With a single subscriber, tracing asks only the thread that comes upon an event first, which may be another test's, and
    // remembers its answer for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).finish());
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let answers = everything(&org, &service).await;
    for execution in org.client.get("/hookwright/v1/executions?limit=200").await.json().as_array().expect("a list") {
        let id = execution["id"].as_str().expect("an id");
        assert!(!contains(&org.client.get(&format!("/hookwright/v1/executions/{id}")).await.body, "canary"));
    }
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    for answer in &answers {
        places.push((format!("{:?}", answer.headers), answer.body.to_vec()));
    }
    let org = org.restart().await;
    places.push(("the database".to_owned(), org.database_bytes()));
    let logged = log.0.lock().expect("no panic while logging").clone();
    assert!(contains(&logged, "answered") && contains(&logged, "refused"), "the log is looked at");
    places.push(("the log".to_owned(), logged));
    let token = hookwright_testkit::TOKEN;
    for secret in [HOOK_SECRET, CLIENT_SECRET, PASSWORD, CODE, WRONG_TOKEN, COOKIE, token, crate::fixtures::SECRET] {
        for form in forms(secret) {
            for (place, bytes) in &places {
                assert!(!contains(place.as_bytes(), &form), "{form} in {place}");
                let shown = String::from_utf8_lossy(bytes);
                let at =
                    shown.find(&form).map(|at| shown[at.saturating_sub(300)..].chars().take(700).collect::<String>());
                assert!(!contains(bytes, &form), "{form} in {place}: {at:?}");
            }
        }
    }
    // The service itself was told the secrets, or there would have been nothing to hide.
    let told = service.requests();
    assert!(told.iter().any(|request| request.header("x-api-key") == Some(HOOK_SECRET)));
    assert!(
        told.iter().any(|request| contains(&request.body, PASSWORD))
            && told.iter().any(|request| contains(&request.body, CODE))
    );
}
