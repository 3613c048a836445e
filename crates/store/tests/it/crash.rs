//! Killed at random moments, nothing acknowledged is lost and nothing is half-written.
//!
//! The child is this test program again, told by its environment to write until it is killed. What it acknowledged it has
//! printed before.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use hookwright_store::{Change, JournalItem, JournalScan, Keyring, Store, StoreOptions};

use crate::fixture::{Fixture, Seeded};
use crate::samples::{event, execution, hook, hook_id};

const CHILD: &str = "HOOKWRIGHT_TEST_CRASH_CHILD";
const ROUNDS: u64 = 24;

/// In the child: writes hooks, each with its event, and executions, from several tasks, until it is killed.
async fn write_until_killed(url: String, round: u64) {
    let store = Store::open(StoreOptions::new(url, Keyring::in_memory(&Seeded::new(1)))).await.unwrap();
    for task in 0..4 {
        let store = store.clone();
        tokio::spawn(async move {
            for count in 0.. {
                let number = (round * 10 + task) * 100_000 + count;
                let insert = Change::InsertInlineHook { hook: hook(number), limit: u64::MAX };
                let flow = Change::AppendExecution(execution(number));
                store.commit(vec![insert, Change::AppendEvents(vec![event(number)]), flow]).await.unwrap();
                acknowledge(number);
                store.record(execution(number + 50_000)).await;
            }
        });
    }
    std::future::pending::<()>().await;
}

/// A line of its own, whatever the test harness printed before.
fn acknowledge(number: u64) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\nkept {number}").unwrap();
    output.flush().unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the environment is how the child is told what it is")]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(task) = std::env::var(CHILD) {
        let (round, url) = task.split_once(' ').unwrap();
        runtime.block_on(write_until_killed(url.to_owned(), round.parse().unwrap()));
    }
    let fixture = Fixture::sqlite();
    let mut kept = BTreeSet::new();
    for round in 1..=ROUNDS {
        kept.extend(run_and_kill(&fixture.url, round));
        runtime.block_on(check(&fixture, &kept));
    }
    assert!(kept.len() > 100, "the children did something: {}", kept.len());
}

/// Starts a child, kills it at some moment, and tells which numbers it had acknowledged.
fn run_and_kill(url: &str, round: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::nothing_acknowledged_is_lost_when_the_process_is_killed", "--nocapture"])
        .env(CHILD, format!("{round} {url}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    });
    // Some die while they open the database, most while they write.
    std::thread::sleep(Duration::from_millis(20 + (round * 7_919) % 400));
    child.kill().unwrap();
    child.wait().unwrap();
    let text = reader.join().unwrap();
    text.lines().filter_map(|line| line.strip_prefix("kept ")?.parse().ok()).collect()
}

/// All that was acknowledged is there, and each hook has its event and its execution, and the other way round.
async fn check(fixture: &Fixture, kept: &BTreeSet<u64>) {
    let store = fixture.open().await;
    let hooks: BTreeSet<String> =
        store.inline_hooks(None).await.unwrap().iter().map(|hook| hook.id.as_str().to_owned()).collect();
    for number in kept {
        assert!(hooks.contains(hook_id(*number).as_str()), "hook {number} was acknowledged and is lost");
    }
    let scan = JournalScan { max_items: usize::MAX, ..JournalScan::default() };
    let (mut with_event, mut with_execution) = (BTreeSet::new(), BTreeSet::new());
    for entry in store.journal(&scan).await.unwrap() {
        match entry.item {
            JournalItem::Event(event) => {
                with_event.insert(event.targets[0].id.clone());
            }
            JournalItem::Execution(execution) => {
                let number: u64 = execution.summary.origin.request_id.trim_start_matches("req").parse().unwrap();
                if number % 100_000 < 50_000 {
                    with_execution.insert(hook_id(number).as_str().to_owned());
                }
            }
        }
    }
    assert_eq!(hooks, with_event, "a hook without its event, or the other way round");
    assert_eq!(hooks, with_execution, "a hook without its execution, or the other way round");
    let tally = fixture.number("SELECT value FROM tallies WHERE name = 'inline_hooks'").await;
    assert_eq!(usize::try_from(tally).unwrap(), hooks.len());
    assert_eq!(fixture.number("SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    assert_eq!(fixture.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").await, 0);
    let proof = store.verify_log(None).await.unwrap();
    assert_eq!(proof.broken, None, "the log is not what was written");
    store.close().await;
}
