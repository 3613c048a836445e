//! `hookwright backup` and `hookwright restore`: what the document says, done after a kill, and what an operator may get wrong.

use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use hookwright_testkit::Client;
use hookwright_testkit::postgres::PostgresServer;
use serde_json::json;

use crate::documents::{blocks, read, root};
use crate::process::{Process, TOKEN, hookwright, run, text};
use crate::serve::hook;

/// `serve` as the document has it: with the data folder where it is by default.
fn serve_in(folder: &Path) -> Command {
    let mut command = hookwright();
    command.current_dir(folder).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--development",
        "--inline-hook-limit",
        "5000",
    ]);
    command.env("HOOKWRIGHT_API_TOKEN", TOKEN);
    command
}

/// The lines of the document about backups, in its order: how one is made, and how it is put back.
fn lines_of_the_document() -> (String, String) {
    let document = read(&root().join("docs/operating.md"));
    let (_, section) = document.split_once("## Backup and restore\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let [make, put_back] = <[String; 2]>::try_from(blocks(section, "bash")).unwrap();
    (make, put_back)
}

/// Pastes lines into a shell that finds `hookwright`.
fn paste(folder: &Path, lines: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_hookwright")).parent().unwrap();
    let lines = format!("PATH={}:$PATH\n{lines}", binary.display());
    let output = Command::new("sh").args(["-euc", &lines]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{lines}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// Makes hooks and groups.
async fn fill(client: &Client, name: &str, count: usize) {
    for number in 0..count {
        let mut body = hook(&format!("{name} {number}"));
        body["metadata"] = json!({"filler": "x".repeat(2000)});
        let answer = client.post("/api/v1/inlineHooks", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let group = json!({"profile": {"name": format!("{name} {number}")}});
        assert_eq!(client.post("/api/v1/groups", &group).await.status, 200);
    }
}

/// How many hooks have a name that begins so. Everything else answers well, too.
async fn count(client: &Client, name: &str) -> usize {
    for path in ["/readyz", "/api/v1/logs?limit=1000", "/api/v1/groups", "/api/v1/users", "/hookwright/v1/executions"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let hooks = client.get("/api/v1/inlineHooks").await.json();
    hooks.as_array().unwrap().iter().filter(|hook| hook["name"].as_str().unwrap().starts_with(name)).count()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("hookwright-data/hookwright.db")
}

#[tokio::test]
async fn the_lines_of_the_document_bring_the_org_back_after_a_kill() {
    let (make, put_back) = lines_of_the_document();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("backups")).unwrap();
    let mut first = Process::start(&mut serve_in(folder.path()));
    let client = first.client();
    fill(&client, "before", 40).await;
    paste(folder.path(), &make);
    let backup = std::fs::read_dir(folder.path().join("backups")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    fill(&client, "after", 60).await;
    // A second one takes the place of the first.
    let kept = folder.path().join("kept");
    std::fs::copy(&backup, &kept).unwrap();
    paste(folder.path(), &make);
    assert_ne!(std::fs::read(&kept).unwrap(), std::fs::read(&backup).unwrap());
    std::fs::copy(&kept, &backup).unwrap();
    let beside_serve = run(hookwright().current_dir(folder.path()).args(["restore", "kept"]));
    assert!(!beside_serve.status.success());
    assert!(
        text(&beside_serve.stderr).contains("in use by another running hookwright"),
        "{}",
        text(&beside_serve.stderr)
    );
    assert!(!first.signal("KILL").success());
    assert!(std::fs::metadata(folder.path().join("hookwright-data/hookwright.db-wal")).unwrap().len() > 0);

    let told = text(&paste(folder.path(), &put_back).stdout);
    let mut second = Process::start(&mut serve_in(folder.path()));
    let client = second.client();
    assert_eq!((count(&client, "before").await, count(&client, "after").await), (40, 0));
    fill(&client, "later", 3).await;
    assert!(second.signal("TERM").success());

    // What was there at the kill is whole as well.
    let aside = told.lines().find_map(|line| line.strip_prefix("the database before is kept as ")?.split(':').next());
    paste(folder.path(), &format!("hookwright restore {}", aside.unwrap()));
    let mut third = Process::start(&mut serve_in(folder.path()));
    let client = third.client();
    assert_eq!((count(&client, "before").await, count(&client, "after").await), (40, 60));
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_the_old_org_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve_in(folder.path()));
    let client = process.client();
    fill(&client, "new", 20).await;
    paste(folder.path(), "hookwright backup new.db");
    fill(&client, "old", 20).await;
    process.signal("KILL");
    paste(folder.path(), "cp hookwright-data/hookwright.db old.db; cp hookwright-data/hookwright.db-wal old.db-wal");
    let mut seen = [0, 0];
    for round in 0..14 {
        paste(folder.path(), "hookwright restore old.db");
        let mut restoring = Process::start(hookwright().current_dir(folder.path()).args(["restore", "new.db"]));
        // Somewhere within what it does, and now and then after it.
        std::thread::sleep(Duration::from_millis(3 * round));
        restoring.signal("KILL");
        let list = text(&paste(folder.path(), "hookwright token list").stdout);
        assert!(list.contains("bootstrap"), "{list}");
        let connection = paste(folder.path(), "hookwright backup found.db --force");
        assert!(text(&connection.stdout).contains("checked the copy"));
        let secrets = text(&connection.stdout);
        let of_new = secrets.contains("its 20 secrets") || secrets.contains("its 21 secrets");
        let of_old = secrets.contains("its 40 secrets") || secrets.contains("its 41 secrets");
        assert!(of_new != of_old, "{secrets}");
        seen[usize::from(of_new)] += 1;
    }
    assert!(seen[0] > 0, "no restore was killed before its end: {seen:?}");
}

#[tokio::test]
async fn a_damaged_database_is_not_ready_and_not_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve_in(folder.path()));
    fill(&process.client(), "hook", 40).await;
    process.signal("TERM");

    let mut process = Process::start(&mut serve_in(folder.path()));
    let client = process.client();
    let octets = std::fs::metadata(database(folder.path())).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(database(folder.path())).unwrap();
    file.write_all_at(&vec![0xa5; usize::try_from(octets).unwrap() - 8192], 8192).unwrap();
    for path in ["/api/v1/inlineHooks", "/api/v1/groups", "/api/v1/logs"] {
        assert_eq!(client.get(path).await.status, 500, "{path}");
    }
    assert_eq!(client.get("/readyz").await.refusal(), (503, "E0000010".to_owned()));
    assert_eq!(client.get("/healthz").await.status, 200);
    process.signal("KILL");
    for _ in 0..2 {
        let output = run(&mut serve_in(folder.path()));
        let told = text(&output.stderr);
        assert!(
            !output.status.success() && told.contains("is damaged") && told.contains("hookwright restore"),
            "{told}"
        );
    }
}

#[test]
fn a_backup_without_its_keys_is_made_and_told_and_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve_in(folder.path()));
    process.address();
    process.signal("TERM");
    let key = folder.path().join("hookwright-data/hookwright.key");
    std::fs::rename(&key, folder.path().join("key")).unwrap();
    let made = run(hookwright().current_dir(folder.path()).args(["backup", "one.db"]));
    let told = text(&made.stderr);
    assert!(!made.status.success() && told.contains("is worth nothing without its keys"), "{told}");
    assert!(folder.path().join("one.db").exists());
    let put_back = run(hookwright().current_dir(folder.path()).args(["restore", "one.db"]));
    assert!(text(&put_back.stderr).contains("put the keyring back at"), "{}", text(&put_back.stderr));
    std::fs::rename(folder.path().join("key"), &key).unwrap();
    paste(folder.path(), "hookwright restore one.db");
}

#[test]
fn with_postgresql_the_line_for_its_own_tool_is_told_and_the_keys_are_checked() {
    let server = PostgresServer::start_with(&["fsync=on", "full_page_writes=on"]);
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("postgres");
    let command = |words: &[&str]| {
        let mut command = hookwright();
        command.current_dir(folder.path()).args(words).env("HOOKWRIGHT_DATABASE_URL", &url);
        command
    };
    assert!(run(&mut command(&["migrate"])).status.success());
    let output = run(&mut command(&["backup", "org.dump"]));
    let told = text(&output.stderr);
    assert!(!output.status.success() && told.contains("pg_dump --format=custom --file=org.dump "), "{told}");
    assert!(text(&output.stdout).contains("secrets of the database open with the keys of"), "{}", text(&output.stdout));
    assert!(!folder.path().join("org.dump").exists());
    let told = text(&run(&mut command(&["restore", "org.dump"])).stderr);
    assert!(told.contains("pg_restore"), "{told}");
    std::fs::remove_file(folder.path().join("hookwright-data/hookwright.key")).unwrap();
    assert!(text(&run(&mut command(&["backup", "org.dump"])).stderr).contains("put the keyring back at"));
}
