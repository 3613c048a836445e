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
async fn a_configured_token_that_was_revoked_stops_no_start_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(&mut serve(folder.path()));
    let client = first.client();
    assert_eq!(client.delete("/api/v1/api-tokens/current").await.status, 204);
    assert!(first.signal("TERM").success());

    let mut second = Process::start(&mut serve(folder.path()));
    let client = second.client();
    assert_eq!(client.get("/readyz").await.status, 200);
    assert_eq!(client.get("/api/v1/inlineHooks").await.refusal(), (401, "E0000011".to_owned()));
    assert!(second.signal("TERM").success());
    let told = second.all_errors();
    assert!(told.contains("was revoked and opens nothing") && !told.contains(TOKEN), "{told}");
}

#[tokio::test]
async fn another_configured_token_leaves_the_one_before_valid_and_says_how_to_end_it() {
    const OTHER: &str = "fedcba9876543210fedcba9876543210";
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(&mut serve(folder.path()));
    first.address();
    assert!(first.signal("TERM").success());
    assert!(!first.all_errors().contains("had before"));

    let mut second = Process::start(serve(folder.path()).env("HOOKWRIGHT_API_TOKEN", OTHER));
    let old = second.client();
    assert_eq!(old.get("/api/v1/inlineHooks").await.status, 200);
    assert_eq!(old.with_token(OTHER).get("/api/v1/inlineHooks").await.status, 200);
    assert!(second.signal("TERM").success());
    let told = second.all_errors();
    let (_, command) = told.split_once("`hookwright ").unwrap_or_else(|| panic!("{told}"));
    let (command, _) = command.split_once('`').unwrap();
    let output = run(hookwright().args(command.split(' ')).arg("--data-dir").arg(folder.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));

    let mut third = Process::start(serve(folder.path()).env("HOOKWRIGHT_API_TOKEN", OTHER));
    assert_eq!(third.client().get("/api/v1/inlineHooks").await.status, 401);
    assert!(third.signal("TERM").success());
    assert!(!third.all_errors().contains("had before"));
}

#[test]
#[cfg(target_os = "linux")]
fn no_command_leaves_its_memory_in_a_core_dump() {
    let folder = tempfile::tempdir().unwrap();
    for mut command in [serve(folder.path()), responder()] {
        let mut process = Process::start(&mut command);
        process.address();
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
        let core: Vec<&str> =
            limits.lines().find(|line| line.contains("core file")).unwrap().split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "{limits}");
        // What can't be dumped belongs to root, whose it was anyway in a container.
        let status = process.signal("ABRT");
        assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status));
    }
}

fn responder() -> std::process::Command {
    let mut command = hookwright();
    command.args(["responder", "--listen", "127.0.0.1:0"]);
    command
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
async fn what_is_opened_to_hooks_is_said_at_each_start_and_by_readyz() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = serve(folder.path());
        command.args(["--allowed-networks", "10.20.0.0/16", "--allowed-hosts", "hooks.corp.example"]);
        let mut process = Process::start(&mut command);
        let ready = process.client().get("/readyz").await.text();
        assert!(process.signal("TERM").success());
        for said in [ready, process.all_errors()] {
            assert!(said.contains("10.20.0.0/16") && said.contains("hooks.corp.example"), "{said}");
        }
    }
}

#[tokio::test]
async fn migrate_makes_a_database_that_serve_takes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(hookwright().args(["migrate", "--data-dir"]).arg(folder.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut process = Process::start(&mut serve(folder.path()));
    assert_eq!(process.client().get("/api/v1/inlineHooks").await.text(), "[]");
}
