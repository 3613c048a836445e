//! Every kind of secret goes through a real `serve`, marked, and is searched for in everything that it prints, logs, shows
//! and stores, and in a copy of the database.

use std::path::Path;
use std::process::Command;

use hookwright_testkit::canaries::leak;
use hookwright_testkit::postgres::PostgresServer;
use hookwright_testkit::{Answer, Client, ExternalService, Reply};
use http::Method;
use serde_json::{Value, json};

use crate::process::{Process, hookwright, run, serve};
use crate::sign_up;

const TOKEN: &str = "canary01-ApiToken-0123456789abcdef0123456789";
const WRONG_TOKEN: &str = "canary02-NoToken-0123456789abcdef0123456789";
const HOOK_SECRET: &str = "canary03-HookSecret?<&>";
const CLIENT_SECRET: &str = "canary04-ClientSecret";
const APP_SECRET: &str = "canary05-AppSecret-0123456789";
const PASSWORD: &str = "canary06-Passw0rd?<&>";
const WRONG_PASSWORD: &str = "canary07-WrongPassw0rd";
const CODE: &str = "canary08-31337";
const COOKIE: &str = "canary09-cookie-0123456789";
const SMTP_PASSWORD: &str = "canary10-SmtpPassword";
const PROXY_PASSWORD: &str = "canary11-ProxyPassword";
const DATABASE_PASSWORD: &str = "canary12-DatabasePassword";

/// What the walk was told as a secret, beside the constants.
type Secrets = Vec<(String, String)>;

/// Requests on the way of everything that there is, by somebody with a token and by a stranger.
struct Walk {
    client: Client,
    answers: Vec<(String, Vec<u8>)>,
    secrets: Secrets,
}

impl Walk {
    async fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.client.request(method.clone(), path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await;
        self.keep(&format!("{method} {path}"), &answer);
        answer
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        self.send(Method::POST, path, Some(body)).await.json()
    }

    /// Calls a hook. The answer is what the service said.
    async fn execute(&mut self, hook: &Value, payload: &Value) {
        let path = format!("/api/v1/inlineHooks/{}/execute", hook["id"].as_str().unwrap_or_default());
        self.post(&path, payload).await;
        self.answers.pop();
    }

    fn keep(&mut self, what: &str, answer: &Answer) {
        let kept = [format!("{:?}\n", answer.headers).as_bytes(), &answer.body].concat();
        self.answers.push((format!("the answer to {what}"), kept));
    }

    /// A secret that the org made and shows once. The answer that shows it is not searched.
    fn told(&mut self, name: &str, answer: &Value, pointer: &str) {
        let secret = answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert!(secret.len() > 16, "{name}: {answer}");
        self.secrets.push((name.to_owned(), secret.to_owned()));
        self.answers.pop();
    }
}

/// Hooks with secrets, whose services give them back in every way.
async fn hooks(walk: &mut Walk, service: &ExternalService) {
    let scheme = json!({"type": "HEADER", "key": "X-Api-Key", "value": HOOK_SECRET});
    let echo = json!({"debugContext": {"got": HOOK_SECRET}, "error": {"errorSummary": HOOK_SECRET}, "commands": [{"type": HOOK_SECRET}]});
    let header = [("Content-Type", HOOK_SECRET), ("X-Echo", HOOK_SECRET), ("Location", HOOK_SECRET)];
    let replies = [
        Reply::json(200, echo.to_string()),
        Reply::answer(500, &header, format!("<p>{HOOK_SECRET}</p>")),
        Reply::answer(302, &header, ""),
        Reply::json(200, format!("{{\"{HOOK_SECRET}\":")),
        Reply::close(),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        service.on("/hook", [reply]);
        let hook = json!({"name": format!("import {number}"), "type": "com.okta.user.credential.password.import",
            "version": "1.0.0", "channel": {"type": "HTTP", "version": "1.0.0",
            "config": {"uri": service.url("/hook"), "authScheme": scheme}}});
        let hook = walk.post("/api/v1/inlineHooks", &hook).await;
        let path = format!("/api/v1/inlineHooks/{}", hook["id"].as_str().unwrap_or_default());
        let payload = json!({"data": {"context": {"credential": {"username": "a", "password": PASSWORD}}}});
        walk.execute(&hook, &payload).await;
        let secret = walk
            .post(
                &format!("/hookwright/v1/inlineHooks/{}/signingSecrets", hook["id"].as_str().unwrap_or_default()),
                &json!({"algorithm": "hmac-sha256"}),
            )
            .await;
        walk.told("signing secret", &secret, "/secret");
        walk.send(Method::GET, &path, None).await;
    }
    service
        .on("/token", [Reply::json(200, json!({"access_token": CLIENT_SECRET, "token_type": "Bearer"}).to_string())]);
    service.on("/phone", [Reply::json(500, format!("{{\"x\":\"{CODE}\"}}"))]);
    let oauth = json!({"name": "oauth", "type": "com.okta.user.pre-registration", "version": "1.0.0", "channel":
        {"type": "OAUTH", "version": "1.0.0", "config": {"uri": service.url("/hook"), "authType": "client_secret_post",
        "clientId": "a-client", "clientSecret": CLIENT_SECRET, "tokenUrl": service.url("/token")}}});
    let oauth = walk.post("/api/v1/inlineHooks", &oauth).await;
    walk.execute(&oauth, &json!({})).await;
    let phone = json!({"name": "phone", "type": "com.okta.telephony.provider", "version": "1.0.0", "channel": {"type": "HTTP",
        "version": "1.0.0", "config": {"uri": service.url("/phone"), "authScheme": scheme}}});
    let phone = walk.post("/api/v1/inlineHooks", &phone).await;
    let payload = json!({"data": {"messageProfile": {"otpCode": CODE, "msgTemplate": format!("It is {CODE}")}}});
    walk.execute(&phone, &payload).await;
    walk.post("/api/v1/hook-keys", &json!({"name": "a key"})).await;
    // Through the egress proxy, which is not there.
    let away = json!({"name": "away", "type": "com.okta.user.pre-registration", "version": "1.0.0", "channel": {"type": "HTTP",
        "version": "1.0.0", "config": {"uri": "https://192.0.2.1/hook", "authScheme": scheme}}});
    let away = walk.post("/api/v1/inlineHooks", &away).await;
    walk.execute(&away, &json!({})).await;
}

/// People, an app with a secret, sign-ins that succeed and that fail.
async fn people(walk: &mut Walk, service: &ExternalService) {
    service.on("/hook", [Reply::json(200, json!({"commands": []}).to_string())]);
    let page_app = sign_up::org(&walk.client, service).await;
    let app = json!({"name": "oidc_client", "label": "Web", "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {"client_id": "canary-client", "client_secret": APP_SECRET, "token_endpoint_auth_method": "client_secret_basic"}},
        "settings": {"oauthClient": {"redirect_uris": ["https://app.example/callback"], "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"], "application_type": "web"}}});
    let made = walk.send(Method::POST, "/api/v1/apps", Some(&app)).await;
    if made.text().contains(APP_SECRET) {
        // Shown once, to who sent it.
        walk.answers.pop();
    }
    let user = json!({"profile": {"login": "a@example.com", "email": "a@example.com", "firstName": "A", "lastName": "B"},
        "credentials": {"password": {"value": PASSWORD}}});
    let made = walk.send(Method::POST, "/api/v1/users?activate=true", Some(&user)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let user = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap_or_default());
    let change = json!({"oldPassword": {"value": WRONG_PASSWORD}, "newPassword": {"value": PASSWORD}});
    walk.post(&format!("{user}/credentials/change_password"), &change).await;
    walk.post(&format!("{user}/lifecycle/suspend"), &json!({"password": PASSWORD})).await;
    walk.post(&format!("{user}/lifecycle/unsuspend"), &json!({})).await;
    for (password, name) in
        [(WRONG_PASSWORD, "a@example.com"), (PASSWORD, "a@example.com"), (PASSWORD, "b@example.com")]
    {
        let mut visitor = sign_up::Visitor::at_sign_in(&walk.client, &page_app).await;
        let encoded: String = url_encoded(password);
        for fields in [
            vec![("identifier", name)],
            vec![("password", encoded.as_str())],
            vec![("identifier", name), ("password", encoded.as_str())],
        ] {
            visitor.send("identify", &fields).await;
            visitor.send("password", &fields).await;
            visitor.look().await;
            walk.answers.push(("a page".to_owned(), visitor.page.clone().into_bytes()));
        }
        let cookie = visitor.cookie.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default();
        assert!(cookie.len() > 16, "{cookie}");
        walk.secrets.push(("cookie".to_owned(), cookie));
    }
    let form = format!(
        "grant_type=password&username=a&password={}&client_id=canary-client&client_secret={APP_SECRET}",
        url_encoded(PASSWORD)
    );
    for path in [
        "/oauth2/default/v1/token",
        "/oauth2/default/v1/revoke",
        "/oauth2/default/v1/introspect",
        "/oauth2/default/v1/interact",
    ] {
        let request =
            walk.client.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.clone()).send().await;
        walk.keep(path, &answer);
    }
    for path in ["/idp/idx/introspect", "/idp/idx/identify", "/idp/idx/challenge/answer"] {
        let body = json!({"stateHandle": COOKIE, "identifier": "a@example.com", "credentials": {"passcode": PASSWORD}});
        walk.post(path, &body).await;
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Wrong credentials, and whatever can be read, the details of each execution too.
async fn the_rest(walk: &mut Walk) {
    for value in [
        format!("SSWS {WRONG_TOKEN}"),
        format!("Bearer {WRONG_TOKEN}"),
        WRONG_TOKEN.to_owned(),
        format!("Basic {WRONG_TOKEN}"),
    ] {
        for path in ["/api/v1/inlineHooks", "/oauth2/default/v1/userinfo", "/hookwright/v1/executions"] {
            let request = Client::new(walk.client.address()).request(Method::GET, path);
            let answer =
                request.header("Authorization", &value).header("Cookie", &format!("sid={COOKIE}")).send().await;
            walk.keep(path, &answer);
        }
    }
    let executions = walk.send(Method::GET, "/hookwright/v1/executions?limit=200", None).await.json();
    for execution in executions.as_array().into_iter().flatten() {
        walk.send(
            Method::GET,
            &format!("/hookwright/v1/executions/{}", execution["id"].as_str().unwrap_or_default()),
            None,
        )
        .await;
    }
    for path in [
        "/api/v1/inlineHooks",
        "/api/v1/users",
        "/api/v1/groups",
        "/api/v1/apps",
        "/api/v1/policies?type=PROFILE_ENROLLMENT",
        "/api/v1/trustedOrigins",
        "/api/v1/hook-keys",
        "/api/v1/meta/schemas/user/default",
        "/api/v1/logs?limit=1000",
        "/metrics",
        "/readyz",
        "/livez",
        "/hookwright/v1/hook-keys/jwks",
        "/oauth2/default/v1/keys",
        "/hookwright/outbox",
        "/oauth2/default/.well-known/openid-configuration",
        "/signin",
    ] {
        walk.send(Method::GET, path, None).await;
    }
}

/// `serve` with every secret that it can be told, logging all it can.
fn with_secrets(folder: &Path) -> Command {
    let mut command = serve(folder);
    command.env("HOOKWRIGHT_API_TOKEN", TOKEN).env("HOOKWRIGHT_LOG", "trace").env("HOOKWRIGHT_LOG_FORMAT", "json");
    command.env("HOOKWRIGHT_SMTP_URL", format!("smtp://user:{SMTP_PASSWORD}@127.0.0.1:1"));
    command.env("HOOKWRIGHT_MAIL_FROM", "org@example.com");
    command.env("HOOKWRIGHT_EGRESS_PROXY", format!("http://user:{PROXY_PASSWORD}@127.0.0.1:1"));
    command
}

async fn nothing_gets_out(folder: &Path, complete: impl Fn(&mut Command), copy: impl Fn() -> Vec<(String, Vec<u8>)>) {
    let service = ExternalService::start().await;
    let mut command = with_secrets(folder);
    complete(&mut command);
    let mut process = Process::start(&mut command);
    let client = Client::new(process.address()).with_token(TOKEN);
    let mut walk = Walk { client, answers: Vec::new(), secrets: Vec::new() };
    hooks(&mut walk, &service).await;
    people(&mut walk, &service).await;
    the_rest(&mut walk).await;
    let mut places = std::mem::take(&mut walk.answers);
    // Beside the running org, when the last is in the write-ahead log.
    places.extend(files(folder));
    places.extend(copy());
    assert!(process.signal("TERM").success());
    places.extend(files(folder));
    let (stdout, stderr) = (process.printed(), process.all_errors());
    assert!(
        [&stdout, &stderr].iter().any(|text| text.contains("\"answered\"") && text.contains("\"refused\"")),
        "the log is looked at"
    );
    places.extend([("stdout".to_owned(), stdout.into_bytes()), ("stderr".to_owned(), stderr.into_bytes())]);
    let keys = std::fs::read_to_string(folder.join("hookwright.key")).unwrap();
    let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with('#')).collect();
    let mut secrets: Vec<(&str, &str)> = vec![
        ("API token", TOKEN),
        ("wrong token", WRONG_TOKEN),
        ("hook", HOOK_SECRET),
        ("OAuth client", CLIENT_SECRET),
        ("app", APP_SECRET),
        ("password", PASSWORD),
        ("wrong password", WRONG_PASSWORD),
        ("code", CODE),
        ("cookie", COOKIE),
        ("SMTP", SMTP_PASSWORD),
        ("proxy", PROXY_PASSWORD),
        ("database", DATABASE_PASSWORD),
    ];
    secrets.extend(keys.iter().map(|key| ("key file", *key)));
    secrets.extend(walk.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str())));
    if let Some(leak) = leak(&secrets, &places) {
        panic!("{leak}");
    }
    // The services were told what is theirs, or there would have been nothing to hide.
    assert!(service.requests().iter().any(|request| request.header("x-api-key") == Some(HOOK_SECRET)));
}

/// What stands in the files of the folder, the key file aside.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "key"))
        .map(|path| (format!("the file {}", path.display()), std::fs::read(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn no_secret_gets_out_of_a_process_or_into_its_files() {
    let folder = tempfile::tempdir().unwrap();
    nothing_gets_out(folder.path(), |_| (), Vec::new).await;
}

#[tokio::test]
async fn no_secret_gets_into_postgres_or_out_of_a_process_that_uses_it() {
    let server = PostgresServer::start_with(&["fsync=on", "full_page_writes=on"]);
    let url = server.url("postgres");
    let with_password = url.replacen("hookwright@", &format!("hookwright:{DATABASE_PASSWORD}@"), 1);
    let folder = tempfile::tempdir().unwrap();
    let dump = || vec![("the dump of the database".to_owned(), hookwright_testkit::canaries::dump(&url).unwrap())];
    nothing_gets_out(
        folder.path(),
        |command| {
            command.env("HOOKWRIGHT_DATABASE_URL", &with_password);
        },
        dump,
    )
    .await;
    // Nor when the database is not there.
    drop(server);
    let mut command = with_secrets(folder.path());
    let output = run(command.env("HOOKWRIGHT_DATABASE_URL", &with_password));
    assert!(!output.status.success());
    let mut listing = hookwright();
    let listed = run(listing
        .args(["token", "list", "--data-dir"])
        .arg(folder.path())
        .env("HOOKWRIGHT_DATABASE_URL", &with_password));
    let places =
        [output.stdout, output.stderr, listed.stdout, listed.stderr].map(|bytes| ("a refusal".to_owned(), bytes));
    assert_eq!(
        leak(&[("database", DATABASE_PASSWORD), ("SMTP", SMTP_PASSWORD), ("proxy", PROXY_PASSWORD)], &places),
        None
    );
}
