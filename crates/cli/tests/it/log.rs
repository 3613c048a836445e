//! `hookwright log`: checking the log beside a running `serve`, and what it prints.

use std::path::Path;
use std::process::{Command, Output};

use hookwright_testkit::Client;
use hookwright_testkit::postgres::PostgresServer;
use rusqlite::Connection;
use serde_json::Value;

use crate::process::{Process, hookwright, run, serve, text};
use crate::serve::hook;

fn log(words: &[&str], folder: &Path) -> Command {
    let mut command = hookwright();
    command.arg("log").args(words).arg("--data-dir").arg(folder);
    command
}

/// What it printed, and the status it ended with.
fn ended(command: &mut Command) -> (String, Option<i32>) {
    let Output { status, stdout, stderr } = run(command);
    assert_eq!(text(&stderr), "");
    (text(&stdout).trim_end().to_owned(), status.code())
}

async fn make_hooks(client: &Client, names: std::ops::Range<u32>) {
    for name in names {
        let answer = client.post("/api/v1/inlineHooks", &hook(&format!("hook {name}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_log_is_verified_beside_a_running_serve_and_its_first_break_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    let client = process.client();
    make_hooks(&client, 0..5).await;
    let (printed, status) = ended(&mut log(&["verify"], folder.path()));
    assert!(printed.starts_with("the log is whole: ") && status == Some(0), "{printed}");
    let head = printed.lines().last().unwrap().strip_prefix("head ").unwrap().to_owned();
    make_hooks(&client, 5..10).await;
    let (printed, status) = ended(&mut log(&["verify", "--json", "--expect", &head], folder.path()));
    let proof: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&proof["whole"], &proof["break"], status), (&Value::Bool(true), &Value::Null, Some(0)), "{printed}");
    let other = format!("{}-0123456789abcdef", head.split('-').next().unwrap());
    let (printed, status) = ended(&mut log(&["verify", "--expect", &other], folder.path()));
    assert!(printed.contains("rolled_back") && status == Some(1), "{printed}");
    assert!(!run(&mut log(&["verify", "--expect", "x"], folder.path())).status.success());

    // Somebody who can write to the file takes an event away.
    let newest = &client.get("/api/v1/logs?sortOrder=DESCENDING&limit=2").await.json();
    let file = Connection::open(folder.path().join("hookwright.db")).unwrap();
    let theft = "DELETE FROM journal WHERE seq = (SELECT max(seq) - 1 FROM journal)";
    assert_eq!(file.execute(theft, []).unwrap(), 1);
    let (printed, status) = ended(&mut log(&["verify"], folder.path()));
    assert!(printed.starts_with("the log is broken: removed: ") && status == Some(1), "{printed}");
    assert!(printed.contains("missing: 1 chunk\n"), "{printed}");
    assert!(printed.contains(newest[0]["uuid"].as_str().unwrap()), "{printed} {newest}");
    let (printed, status) = ended(&mut log(&["verify", "--json"], folder.path()));
    let proof: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&proof["whole"], &proof["break"]["kind"], status), (&false.into(), &"removed".into(), Some(1)));
    assert_eq!(proof["break"]["at"]["ids"][0], newest[0]["uuid"]);

    // It was looked into: from here on the log proves itself again, and says so.
    let (printed, status) = ended(&mut log(&["restart"], folder.path()));
    assert!(printed.contains("from before the chain began") && status == Some(0), "{printed}");
    make_hooks(&client, 10..12).await;
    let (printed, status) = ended(&mut log(&["verify"], folder.path()));
    assert!(printed.starts_with("the log is whole: 3 records") && status == Some(0), "{printed}");
    let restarts = client.get("/api/v1/logs?filter=eventType%20eq%20%22system.log.restart%22").await.json();
    assert_eq!(restarts.as_array().map(Vec::len), Some(1), "{restarts}");
}

#[tokio::test]
async fn a_log_on_postgres_is_verified_by_the_keys_of_the_org_alone() {
    let server = PostgresServer::start_with(&["fsync=on", "full_page_writes=on"]);
    let url = server.url("postgres");
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(serve(folder.path()).env("HOOKWRIGHT_DATABASE_URL", &url));
    let client = process.client();
    make_hooks(&client, 0..5).await;
    let (printed, status) = ended(log(&["verify"], folder.path()).env("HOOKWRIGHT_DATABASE_URL", &url));
    assert!(printed.starts_with("the log is whole: ") && status == Some(0), "{printed}");
    let mut rotation = hookwright();
    rotation.args(["key", "rotate", "--data-dir"]).arg(folder.path()).env("HOOKWRIGHT_DATABASE_URL", &url);
    assert!(run(&mut rotation).status.success());
    make_hooks(&client, 5..8).await;
    let (printed, status) = ended(log(&["verify"], folder.path()).env("HOOKWRIGHT_DATABASE_URL", &url));
    assert!(printed.starts_with("the log is whole: ") && status == Some(0), "{printed}");
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = run(log(&["verify"], elsewhere.path()).env("HOOKWRIGHT_DATABASE_URL", &url));
    assert!(text(&refused.stderr).contains("put the keyring back"), "{}", text(&refused.stderr));
}
