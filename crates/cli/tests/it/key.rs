//! `hookwright key`: where keys come from, and changing them beside a running `serve`.

use std::path::Path;
use std::process::Command;

use hookwright_testkit::Client;
use hookwright_testkit::postgres::PostgresServer;
use serde_json::{Value, json};

use crate::process::{Process, TOKEN, hookwright, run, serve, text};
use crate::serve::hook;

/// Enough secrets for several steps of a rotation.
const HOOKS: usize = 400;

fn key(words: &[&str], folder: &Path) -> Command {
    let mut command = hookwright();
    command.arg("key").args(words).arg("--data-dir").arg(folder);
    command
}

fn succeeded(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

fn failed(command: &mut Command) -> String {
    let output = run(command);
    assert!(!output.status.success(), "{}", text(&output.stdout));
    text(&output.stderr)
}

fn roomy(folder: &Path) -> Command {
    let mut command = serve(folder);
    command.args(["--inline-hook-limit", "1000"]);
    command
}

async fn fill(client: &Client) {
    let tasks = (0..8).map(|worker| {
        let client = client.clone();
        tokio::spawn(async move {
            for number in (worker..HOOKS).step_by(8) {
                let answer = client.post("/api/v1/inlineHooks", &hook(&format!("hook {number}"))).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Every hook can be read, which opens its secret, and written.
async fn all_is_well(client: &Client, round: &str) {
    let list = client.get("/api/v1/inlineHooks").await;
    assert_eq!(list.status, 200, "{}", list.text());
    let hooks = list.json();
    assert_eq!(hooks.as_array().map(Vec::len), Some(HOOKS));
    let path = format!("/api/v1/inlineHooks/{}", hooks[0]["id"].as_str().unwrap());
    let update = json!({"name": format!("hook of {round}")});
    assert_eq!(client.post(&path, &update).await.status, 200);
    let made = client.post("/api/v1/hook-keys", &json!({"name": format!("key of {round}")})).await;
    assert_eq!(made.status, 200, "{}", made.text());
}

#[tokio::test]
async fn keys_are_changed_beside_a_running_serve_also_if_that_is_killed() {
    kills_lose_nothing(|_| ()).await;
}

#[tokio::test]
async fn keys_are_changed_beside_a_running_serve_on_postgres_too() {
    // `serve` wants a server that keeps what it acknowledged.
    let server = PostgresServer::start_with(&["fsync=on", "full_page_writes=on"]);
    let url = server.url("postgres");
    kills_lose_nothing(move |command| {
        command.env("HOOKWRIGHT_DATABASE_URL", &url);
    })
    .await;
}

/// Changes keys, and kills who does it in the middle, in an org whose commands are completed by `complete`.
async fn kills_lose_nothing(complete: impl Fn(&mut Command)) {
    let completed = |mut command: Command| {
        complete(&mut command);
        command
    };
    let roomy = |folder: &Path| completed(roomy(folder));
    let key = |words: &[&str], folder: &Path| completed(key(words, folder));
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut roomy(folder.path()));
    let client = process.client();
    fill(&client).await;
    let first = succeeded(&mut key(&["list"], folder.path()));
    let mut cut_short = 0_usize;
    for round in 1..=3 {
        let mut rotation = Process::start(&mut key(&["rotate"], folder.path()));
        rotation.line_with("64 secrets");
        rotation.signal("KILL");
        all_is_well(&client, &format!("round {round}")).await;
        let finished = succeeded(&mut key(&["reseal"], folder.path()));
        cut_short += usize::from(!finished.contains("sealed 0 secrets"));
        all_is_well(&client, &format!("the end of round {round}")).await;
    }
    assert!(cut_short > 0, "no rotation was killed in the middle");
    let done = succeeded(&mut key(&["rotate"], folder.path()));
    assert!(done.contains("secrets with key "), "{done}");
    all_is_well(&client, "the last round").await;
    let keys = succeeded(&mut key(&["list"], folder.path()));
    assert_eq!((keys.lines().count(), keys.lines().last()), (5, first.lines().next()));
    let events = client.get("/api/v1/logs?filter=eventType%20eq%20%22system.sealing_key.rotate%22").await.json();
    assert!(events.as_array().is_some_and(|events| !events.is_empty()), "{events}");

    assert!(process.signal("TERM").success());
    let mut process = Process::start(&mut roomy(folder.path()));
    all_is_well(&process.client(), "the next start").await;
}

#[test]
fn a_missing_or_wrong_key_file_refuses_to_start_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    process.address();
    assert!(process.signal("TERM").success());
    let path = folder.path().join("hookwright.key");
    let keys = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let told = failed(&mut serve(folder.path()));
    assert!(told.contains("put the keyring back at") && told.contains("hookwright.key"), "{told}");

    let other = tempfile::tempdir().unwrap();
    let fresh = succeeded(hookwright().args(["key", "generate"]));
    let mut command = serve(folder.path());
    command.env("HOOKWRIGHT_KEYS", &fresh);
    let told = failed(&mut command);
    assert!(told.contains("give it the keyring that this database was used with"), "{told}");
    assert!(!told.contains(&fresh), "{told}");
    command.env("HOOKWRIGHT_KEYS", "not a key");
    assert!(failed(&mut command).contains("not 32 bytes in base64"));
    let told = failed(command.env("HOOKWRIGHT_KEY_FILE", &path));
    assert!(told.contains("more than one place of keys"), "{told}");

    // The right keys open it from wherever they come.
    for (name, value) in [
        ("HOOKWRIGHT_KEYS", keys.clone()),
        ("HOOKWRIGHT_KEY_COMMAND", format!("cat {}", other.path().join("elsewhere").display())),
        ("HOOKWRIGHT_KEY_FILE", other.path().join("elsewhere").display().to_string()),
    ] {
        let elsewhere = other.path().join("elsewhere");
        std::fs::write(&elsewhere, &keys).unwrap();
        assert!(Command::new("chmod").arg("600").arg(&elsewhere).status().unwrap().success());
        let mut process = Process::start(serve(folder.path()).env(name, value));
        process.address();
        assert!(process.signal("TERM").success(), "{name}");
    }
    let told = failed(key(&["rotate"], folder.path()).env("HOOKWRIGHT_KEYS", &keys));
    assert!(told.contains("hookwright key generate"), "{told}");
}

#[tokio::test]
async fn keys_that_a_command_prints_are_changed_by_putting_a_fresh_one_in_front() {
    let folder = tempfile::tempdir().unwrap();
    let printed = folder.path().join("printed");
    let old = succeeded(hookwright().args(["key", "generate"]));
    std::fs::write(&printed, &old).unwrap();
    let command = format!("cat {}", printed.display());
    let with_command = |mut process: Command| {
        process.env("HOOKWRIGHT_KEY_COMMAND", &command);
        process
    };
    let data = folder.path().join("data");
    let mut process = Process::start(&mut with_command(serve(&data)));
    let client = process.client();
    assert_eq!(client.post("/api/v1/inlineHooks", &hook("one")).await.status, 200);
    assert!(process.signal("TERM").success());
    assert!(!data.join("hookwright.key").exists());
    let fresh = succeeded(hookwright().args(["key", "generate"]));
    std::fs::write(&printed, format!("{fresh}\n{old}\n")).unwrap();
    let mut process = Process::start(&mut with_command(serve(&data)));
    let client = Client::new(process.address()).with_token(TOKEN);
    assert!(succeeded(&mut with_command(key(&["reseal"], &data))).contains("sealed 1 secrets anew"));
    assert!(succeeded(&mut with_command(key(&["reseal"], &data))).contains("sealed 0 secrets anew"));
    let list: Value = client.get("/api/v1/inlineHooks").await.json();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
}
