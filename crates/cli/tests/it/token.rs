//! `hookwright token`: beside a running `serve`.

use std::path::Path;
use std::time::{Duration, Instant};

use hookwright_testkit::Client;

use crate::process::{Process, hookwright, run, serve, text};

/// Runs `token` with these words and returns what it printed.
fn token(words: &[&str], folder: &Path) -> String {
    let output = run(hookwright().arg("token").args(words).arg("--data-dir").arg(folder));
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

/// A folder with an org in it that does not run.
fn org() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = run(hookwright().args(["migrate", "--data-dir"]).arg(folder.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

/// The line of the list for a token of this name.
fn listed(folder: &Path, name: &str) -> Vec<String> {
    let list = token(&["list"], folder);
    let line = list.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("no {name} in {list}"));
    line.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_token_works_once_it_is_made_and_no_longer_than_a_second_after_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    let address = process.address();
    let secret = token(&["create", "--name", "terraform"], folder.path());
    let client = Client::new(address).with_token(&secret);
    assert_eq!(client.get("/api/v1/inlineHooks").await.status, 200);

    let line = listed(folder.path(), "terraform");
    let [id, status] = [&line[0], &line[1]];
    assert_eq!(status, "ACTIVE");
    // In use until the last moment, so that the server has it in memory.
    assert_eq!(client.get("/api/v1/inlineHooks").await.status, 200);
    token(&["revoke", id], folder.path());
    let revoked = Instant::now();
    let mut last_accepted = Duration::ZERO;
    loop {
        let asked = revoked.elapsed();
        let answer = client.get("/api/v1/inlineHooks").await;
        if answer.status == 401 {
            assert_eq!(answer.refusal(), (401, "E0000011".to_owned()));
            break;
        }
        last_accepted = asked;
        assert!(asked < Duration::from_secs(10), "it is still accepted");
    }
    assert!(last_accepted <= Duration::from_secs(1), "it was accepted {last_accepted:?} after its end");
    assert_eq!(listed(folder.path(), "terraform")[1], "REVOKED");
}

#[tokio::test]
async fn the_list_never_shows_a_secret() {
    let folder = org();
    let secret = token(&["create", "--name", "first"], folder.path());
    let list = token(&["list"], folder.path());
    assert!(list.contains("first") && !list.contains(&secret), "{list}");
}

#[test]
fn an_unknown_token_can_not_be_revoked() {
    let folder = org();
    token(&["create", "--name", "first"], folder.path());
    let output = run(hookwright().args(["token", "revoke", "00Tunknown", "--data-dir"]).arg(folder.path()));
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("00Tunknown"), "{}", text(&output.stderr));
}

#[test]
fn a_token_has_a_name_of_one_line() {
    let folder = org();
    for name in ["", "  ", "two\nlines"] {
        let output = run(hookwright().args(["token", "create", "--name", name, "--data-dir"]).arg(folder.path()));
        assert!(!output.status.success() && output.stdout.is_empty(), "{name:?}");
    }
    assert_eq!(token(&["list"], folder.path()).lines().count(), 1);
}

#[test]
fn a_token_is_narrowed_to_scopes_and_the_list_shows_them_with_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let migrate =
        run(hookwright().args(["migrate", "--admin-login", "ada@example.com", "--data-dir"]).arg(folder.path()));
    assert!(migrate.status.success(), "{}", text(&migrate.stderr));
    token(&["create", "--name", "all"], folder.path());
    let scopes = "okta.inlineHooks.manage,okta.users.read.self";
    token(&["create", "--name", "some", "--owner", "ADA@example.com", "--scopes", scopes], folder.path());
    assert_eq!(listed(folder.path(), "all")[5..7], ["ada@example.com", "-"]);
    assert_eq!(listed(folder.path(), "some")[5..7], ["ada@example.com", scopes]);
    for (flags, said) in [
        (["--scopes", "okta.inlinehook.manage"], "did you mean okta.inlineHooks.manage?"),
        (["--owner", "bob@example.com"], "no user with the id or login"),
    ] {
        let create = ["token", "create", "--name", "wrong", flags[0], flags[1], "--data-dir"];
        let output = run(hookwright().args(create).arg(folder.path()));
        assert!(!output.status.success() && output.stdout.is_empty(), "{flags:?}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn the_token_of_the_configuration_belongs_to_the_first_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(serve(folder.path()).args(["--admin-login", "ada@example.com"]));
    let client = process.client();
    let me = client.get("/api/v1/users/me").await.json();
    assert_eq!((&me["profile"]["login"], &me["status"]), (&"ada@example.com".into(), &"PROVISIONED".into()));
    assert_eq!(listed(folder.path(), "bootstrap")[5], "ada@example.com");
}

#[test]
fn where_no_org_is_no_token_is_made_and_nothing_else_either() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("misspelt");
    for words in [&["create", "--name", "terraform"][..], &["list"], &["revoke", "00Tunknown"]] {
        let output = run(hookwright().arg("token").args(words).arg("--data-dir").arg(&folder));
        assert!(!output.status.success() && output.stdout.is_empty(), "{words:?}");
        assert!(text(&output.stderr).contains("no org in"), "{}", text(&output.stderr));
    }
    assert!(!folder.exists());
}
