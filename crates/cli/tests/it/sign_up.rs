//! Sign-up through the binary: `kill -9` between the hook's answer and the write leaves a whole user or none.

use std::time::Duration;

use hookwright_testkit::{Client, ExternalService, Reply};
use http::Method;
use serde_json::{Value, json};

use crate::process::{Process, serve};

const ALLOW: &str = r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"title":"From the hook"}}]}"#;

/// How long the hook thinks.
const THINKING: Duration = Duration::from_millis(30);

/// Milliseconds from the hook's being asked to the kill: from before its answer to after the write.
const DELAYS: [u64; 12] = [0, 12, 18, 20, 22, 24, 26, 28, 30, 33, 40, 70];

/// A hook, a group, and an app whose policy has both; gives the app's id.
pub(crate) async fn org(client: &Client, service: &ExternalService) -> String {
    let made = async |path: &str, body: Value| {
        let answer = client.post(path, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    };
    let channel = json!({"type": "HTTP", "version": "1.0.0", "config": {"uri": service.url("/hook")}});
    let hook = json!({"name": "H", "type": "com.okta.user.pre-registration", "version": "1.0.0", "channel": channel});
    let hook = made("/api/v1/inlineHooks", hook).await;
    let group = made("/api/v1/groups", json!({"profile": {"name": "New"}})).await;
    let policy = made("/api/v1/policies", json!({"name": "P", "type": "PROFILE_ENROLLMENT", "status": "ACTIVE"})).await;
    let rules = format!("/api/v1/policies/{}/rules", policy["id"].as_str().unwrap());
    let mut rule = client.get(&rules).await.json()[0].clone();
    let profile = &mut rule["actions"]["profileEnrollment"];
    profile["preRegistrationInlineHooks"] = json!([{"inlineHookId": hook["id"]}]);
    profile["targetGroupIds"] = json!([group["id"]]);
    profile["unknownUserAction"] = json!("REGISTER");
    // The password is on the form, so that the hook's answer is all that a user waits for.
    profile["enrollAuthenticatorTypes"] = json!(["password"]);
    profile["activationRequirements"] = json!({"emailVerification": false});
    let answer = client.put(&format!("{rules}/{}", rule["id"].as_str().unwrap()), &rule).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let app = json!({"name": "bookmark", "label": "A", "signOnMode": "BOOKMARK",
        "settings": {"app": {"url": "https://a.example", "requestIntegration": false}}});
    let app = made("/api/v1/apps", app).await["id"].as_str().unwrap().to_owned();
    let mapping = format!("/api/v1/apps/{app}/policies/{}", policy["id"].as_str().unwrap());
    assert_eq!(client.put(&mapping, &json!({})).await.status, 204);
    app
}

/// A visitor with a cookie and the form that is open.
pub(crate) struct Visitor {
    client: Client,
    pub(crate) cookie: String,
    pub(crate) page: String,
}

impl Visitor {
    pub(crate) async fn at_sign_in(client: &Client, app: &str) -> Self {
        let first = client.request(Method::GET, &format!("/signin?app={app}")).send().await;
        let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { client: Client::new(client.address()), cookie, page: first.text() }
    }

    async fn at_form(client: &Client, app: &str) -> Self {
        let mut visitor = Self::at_sign_in(client, app).await;
        assert_eq!(visitor.send("sign-up", &[]).await, 303);
        visitor.look().await;
        assert!(visitor.page.contains(">Sign up</h1>"), "{}", visitor.page);
        visitor
    }

    pub(crate) async fn look(&mut self) {
        self.page = self.client.request(Method::GET, "/signin").header("cookie", &self.cookie).send().await.text();
    }

    fn hidden(&self, name: &str) -> String {
        let start = format!(r#"name="{name}" value=""#);
        self.page.split(&start).nth(1).unwrap_or_default().split('"').next().unwrap_or_default().to_owned()
    }

    /// Sends a form; its status.
    pub(crate) async fn send(&self, action: &str, fields: &[(&str, &str)]) -> u16 {
        let mut body: Vec<String> = ["token", "attempt", "app"].map(|it| format!("{it}={}", self.hidden(it))).into();
        body.extend(fields.iter().map(|(name, value)| format!("{name}={value}")));
        let request = self.client.request(Method::POST, &format!("/signin/{action}"));
        let request = request.header("cookie", &self.cookie).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        request.send().await.status.as_u16()
    }
}

#[tokio::test]
async fn a_kill_between_the_hooks_answer_and_the_write_leaves_a_whole_user_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let service = ExternalService::start().await;
    let mut process = Process::start(&mut serve(folder.path()));
    let mut client = process.client();
    let app = org(&client, &service).await;
    let mut made = 0;
    for (number, delay) in DELAYS.into_iter().enumerate() {
        service.on("/hook", [Reply::json(200, ALLOW).after(THINKING)]);
        let login = format!("rosario{number}%40okta.com");
        let mut visitor = Visitor::at_form(&client, &app).await;
        let fields = [
            ("userProfile.email", login.as_str()),
            ("userProfile.firstName", "R"),
            ("userProfile.lastName", "J"),
            ("passcode", "correct-horse-1"),
        ];
        let asked = service.requests().len();
        {
            // Given up as soon as the process is gone.
            let sent = visitor.send("register", &fields);
            tokio::select! {
                _ = sent => {}
                () = killed(&mut process, &service, asked, delay) => {}
            }
        }
        process = Process::start(&mut serve(folder.path()));
        client = process.client();
        let user = client.get(&format!("/api/v1/users/{login}")).await;
        let events = client.get("/api/v1/logs?limit=1000").await.text();
        let login = login.replace("%40", "@");
        let logged = events.matches(&format!(r#""alternateId":"{login}""#)).count() > 0
            && events.contains("user.lifecycle.create");
        visitor.client = Client::new(client.address());
        if user.status == 200 {
            made += 1;
            let id = user.json()["id"].as_str().unwrap().to_owned();
            assert_eq!(user.json()["profile"]["title"], "From the hook");
            assert!(logged, "a user without its event");
            let groups = client.get(&format!("/api/v1/users/{id}/groups")).await.text();
            assert!(groups.contains("\"New\""), "a user without the group: {groups}");
            visitor.look().await;
            // The answer with the state handle of now is lost: the visitor signs in.
            assert!(visitor.page.contains(">Sign in</h1>"), "{}", visitor.page);
        } else {
            assert_eq!(user.status, 404);
            // The visitor simply tries again, in the page that is still open.
            service.on("/hook", [Reply::json(200, ALLOW)]);
            assert_eq!(visitor.send("register", &fields).await, 303);
            assert_eq!(client.get(&format!("/api/v1/users/{}", login.replace('@', "%40"))).await.status, 200);
        }
    }
    println!("{made} of {} were written before the kill", DELAYS.len());
}

/// Kills the process a little after it has asked the hook.
async fn killed(process: &mut Process, service: &ExternalService, asked: usize, delay: u64) {
    while service.requests().len() == asked {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    tokio::time::sleep(Duration::from_millis(delay)).await;
    process.signal("KILL");
}
