//! `hookwright demo`: the guide, played; ports that are taken; lines to paste.

use std::net::TcpListener;
use std::process::Command;

use crate::process::{Process, hookwright, run, text};

/// Requests that the guide is played with.
const REQUESTS: usize = 13;

/// People who walk through the pages.
const WALKS: usize = 9;

fn demo() -> Command {
    let mut command = hookwright();
    command.args(["demo", "--port", "0", "--responder-port", "0"]);
    command
}

/// Rows by their last column.
fn rows_that_say(printed: &str, guide: &str) -> usize {
    printed.lines().filter(|line| line.ends_with(guide)).count()
}

#[test]
fn every_answer_of_the_demo_is_the_guides_and_it_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(demo().arg("--once").env("TMPDIR", folder.path()));
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    assert_eq!(rows_that_say(&printed, " yes"), REQUESTS + WALKS, "{printed}");
    assert_eq!(rows_that_say(&printed, " NO"), 0, "{printed}");
    for name in
        ["Profile Enrollment SSR", "Progressive Profile Enrollment", "Profile and Progressive Profile Enrollment"]
    {
        assert!(printed.contains(&format!("{name:?} calls http://127.0.0.1:")), "{printed}");
    }
    assert!(printed.contains("Only okta.com emails can"), "{printed}");
    for (word, rows) in [("  CREATED  ", 2), ("  UPDATED  ", 2), ("  REFUSED  ", 5)] {
        assert_eq!(printed.matches(word).count(), rows, "{word} in {printed}");
    }
    assert_eq!(text(&output.stderr), "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the temporary folder stays");
}

#[test]
fn the_table_fits_100_columns_and_has_no_colours_in_a_pipe() {
    let output = run(demo().arg("--once"));
    let printed = text(&output.stdout);
    assert!(!printed.contains('\u{1b}'), "{printed}");
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn taken_ports_make_the_demo_take_others_and_say_so() {
    let (one, two) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = [&one, &two].map(|listener| listener.local_addr().unwrap().port().to_string());
    let [port, responder_port] = &ports;
    let output = run(hookwright().args(["demo", "--once", "--port", port, "--responder-port", responder_port]));
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    for port in &ports {
        assert!(printed.contains(&format!("(port {port} is taken)")), "{printed}");
    }
    assert_eq!(rows_that_say(&printed, " yes"), REQUESTS + WALKS, "{printed}");
}

#[test]
fn a_second_demo_goes_on_with_the_data_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = run(demo().arg("--once").arg("--data-dir").arg(folder.path()));
        let printed = text(&output.stdout);
        assert!(output.status.success(), "{printed}{}", text(&output.stderr));
        assert_eq!(rows_that_say(&printed, " yes"), REQUESTS + WALKS, "{printed}");
    }
}

#[test]
fn a_hook_that_was_deactivated_between_two_demos_is_active_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(demo().arg("--data-dir").arg(folder.path()));
    first.line_with("Ctrl-C ends the demo.");
    let execute = pasted(&first.printed()).into_iter().find(|line| line.contains("/execute")).unwrap();
    let deactivate = execute.replace("/execute", "/lifecycle/deactivate").split(" -d ").next().unwrap().to_owned();
    let answer = shell(&format!("{deactivate} -X POST"));
    assert!(answer.contains("INACTIVE"), "{answer}");
    assert!(first.signal("TERM").success());

    let output = run(demo().arg("--once").arg("--data-dir").arg(folder.path()));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn what_the_demo_prints_works_when_pasted_and_ctrl_c_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Process::start(demo().env("TMPDIR", folder.path()));
    demo.line_with("Ctrl-C ends the demo.");
    let lines = pasted(&demo.printed());
    let [hooks, decision, denied, executions, events] = lines.as_slice() else { panic!("{lines:#?}") };
    let [hooks, decision, denied, events] = [hooks, decision, denied, events].map(|line| shell(line));
    assert!(events.contains("inline_hook.created") && events.contains("Incorrect email address."), "{events}");
    assert!(hooks.contains("Progressive Profile Enrollment") && !hooks.contains("YWRtaW46"), "{hooks}");
    assert_eq!(decision, r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#);
    assert!(denied.contains("rosario.jones@example.com") && denied.contains("ERROR_RETURNED"), "{denied}");
    // The record of a call may follow its answer by a few moments.
    let mut listed = String::new();
    for _ in 0..100 {
        listed = shell(executions);
        if listed.matches(r#""verdict":"#).count() == REQUESTS + WALKS + 1 {
            break;
        }
    }
    assert_eq!(listed.matches(r#""verdict":"#).count(), REQUESTS + WALKS + 1, "{listed}");

    assert!(demo.signal("INT").success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the temporary folder stays");
}

/// The `curl` commands of the text, each on one line.
fn pasted(printed: &str) -> Vec<String> {
    let joined = printed.replace(" \\\n", " ");
    joined.lines().filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    text(&output.stdout)
}
