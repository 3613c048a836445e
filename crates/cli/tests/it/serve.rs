//! `hookwright serve`: start, stop, start again, and no two on one folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hookwright_testkit::Client;
use serde_json::{Value, json};

use crate::process::{Process, TOKEN, hookwright, run, serve, text};

/// A registration hook of this name.
pub(crate) fn hook(name: &str) -> Value {
    json!({
        "name": name,
        "type": "com.okta.user.pre-registration",
        "version": "1.0.0",
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": "https://www.example.com/hook",
                "authScheme": {"type": "HEADER", "key": "authorization", "value": "Basic c2VjcmV0"},
            },
        },
    })
}

fn files_of(folder: &Path) -> Vec<(String, u32)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect()
}

#[tokio::test]
async fn a_hook_is_still_there_after_a_stop_and_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(&mut serve(folder.path()));
    let created = first.client().await_created("kept").await;
    assert!(first.signal("TERM").success());

    let mut second = Process::start(&mut serve(folder.path()));
    let found = second.client().get(&format!("/api/v1/inlineHooks/{created}")).await;
    assert_eq!(found.json()["name"], "kept");
    assert!(second.signal("INT").success());
}

/// Creates a hook and returns its id.
trait Creates {
    async fn await_created(&self, name: &str) -> String;
}

impl Creates for Client {
    async fn await_created(&self, name: &str) -> String {
        let answer = self.post("/api/v1/inlineHooks", &hook(name)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_second_serve_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(&mut serve(folder.path()));
    let client = first.client();
    let output = run(&mut serve(folder.path()));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(!text(&output.stdout).contains("listening"), "it listens all the same");
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.starts_with("hookwright: ") && last.contains(folder.path().to_str().unwrap()), "{errors}");
    assert_eq!(client.get("/readyz").await.status, 200);
}

#[test]
fn the_data_folder_and_its_files_are_for_the_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let mut process = Process::start(&mut serve(&folder));
    process.address();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let files = files_of(&folder);
    assert!(files.iter().any(|(name, _)| name == "hookwright.key"), "{files:?}");
    assert!(files.iter().all(|(_, mode)| mode & 0o077 == 0), "{files:?}");
}

#[tokio::test]
async fn without_a_configured_token_one_is_made_and_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = serve(folder.path());
        command.env_remove("HOOKWRIGHT_API_TOKEN");
        Process::start(&mut command)
    };
    let mut first = start();
    let token = first.line_with("API token").rsplit(' ').next().unwrap().to_owned();
    let client = Client::new(first.address()).with_token(&token);
    assert_eq!(client.get("/api/v1/inlineHooks").await.text(), "[]");
    assert!(first.signal("TERM").success());
    let logged = first.all_errors();
    assert!(!logged.contains(&token), "{logged}");

    let mut second = start();
    let client = Client::new(second.address()).with_token(&token);
    assert_eq!(client.get("/api/v1/inlineHooks").await.status, 200);
    assert!(!second.printed().contains("token"), "{}", second.printed());
}

#[tokio::test]
async fn a_start_that_fails_keeps_the_first_token_for_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(hookwright().args(["serve", "--listen", &address, "--data-dir"]).arg(folder.path()));
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains(&address), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains("API token"));

    let mut second = Process::start(serve(folder.path()).env_remove("HOOKWRIGHT_API_TOKEN"));
    let token = second.line_with("API token").rsplit(' ').next().unwrap().to_owned();
    let client = Client::new(second.address()).with_token(&token);
    assert_eq!(client.get("/api/v1/inlineHooks").await.status, 200);
}

#[tokio::test]
async fn a_configured_token_works_and_is_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    assert_eq!(process.client().get("/api/v1/inlineHooks").await.status, 200);
    assert!(process.signal("TERM").success());
    let shown = process.printed() + &process.all_errors();
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn only_development_takes_a_hook_on_loopback_and_says_so_loudly() {
    let mut uri = hook("loopback");
    uri["channel"]["config"]["uri"] = json!("http://127.0.0.1:9/hook");

    let folder = tempfile::tempdir().unwrap();
    let mut development = Process::start(&mut serve(folder.path()));
    assert_eq!(development.client().post("/api/v1/inlineHooks", &uri).await.status, 200);
    assert!(development.signal("TERM").success());
    let errors = development.all_errors();
    assert!(errors.contains("never do this in production"), "{errors}");

    let folder = tempfile::tempdir().unwrap();
    let mut command = hookwright();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let mut production = Process::start(command.env("HOOKWRIGHT_API_TOKEN", TOKEN));
    let refused = production.client().post("/api/v1/inlineHooks", &uri).await;
    assert_eq!(refused.refusal(), (400, "E0000001".to_owned()));
}

#[tokio::test]
async fn migrate_makes_a_database_that_serve_takes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(hookwright().args(["migrate", "--data-dir"]).arg(folder.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut process = Process::start(&mut serve(folder.path()));
    assert_eq!(process.client().get("/api/v1/inlineHooks").await.text(), "[]");
}
