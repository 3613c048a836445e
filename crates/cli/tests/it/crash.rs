//! `kill -9` in the middle of writes: what was answered is kept, and the rest is whole or not there.

use std::collections::BTreeSet;

use hookwright_testkit::Client;

use crate::process::{Process, serve};
use crate::serve::hook;

/// Answers that are awaited before the kill.
const ACKNOWLEDGED: usize = 25;
/// Clients that write at once.
const CLIENTS: usize = 4;

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    let client = process.client();
    let (sender, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    for writer in 0..CLIENTS {
        tokio::spawn(create_without_end(client.clone(), writer, sender.clone()));
    }
    drop(sender);
    let mut names = BTreeSet::new();
    while names.len() < ACKNOWLEDGED {
        names.insert(acknowledged.recv().await.unwrap());
    }
    assert!(!process.signal("KILL").success());
    // Answers that were on their way when it died count as well.
    while let Ok(name) = acknowledged.try_recv() {
        names.insert(name);
    }

    let mut process = Process::start(&mut serve(folder.path()));
    let list = process.client().get("/api/v1/inlineHooks").await.json();
    let hooks = list.as_array().unwrap();
    let found: BTreeSet<String> = hooks.iter().map(|hook| hook["name"].as_str().unwrap().to_owned()).collect();
    assert!(found.is_superset(&names), "lost: {:?}", names.difference(&found));
    for hook in hooks {
        assert_eq!(hook["channel"]["config"]["authScheme"]["value"], "******", "half a hook: {hook}");
    }
}

/// Writes until the server is gone, which ends the task by a panic that nobody waits for.
async fn create_without_end(client: Client, writer: usize, acknowledged: tokio::sync::mpsc::UnboundedSender<String>) {
    for number in 0.. {
        let name = format!("writer {writer} hook {number}");
        let answer = client.post("/api/v1/inlineHooks", &hook(&name)).await;
        if answer.status != 200 || acknowledged.send(name).is_err() {
            return;
        }
    }
}
