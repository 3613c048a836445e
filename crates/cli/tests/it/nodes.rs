//! Two nodes as processes on one PostgreSQL: the database goes and comes back, and a key comes to one of them first.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookwright_testkit::Client;
use hookwright_testkit::postgres::PostgresServer;
use serde_json::{Value, json};

use crate::process::{Process, hookwright, run, serve, text};
use crate::serve::hook;

/// What the issue of an outage must be over by, once the database is back.
const BACK: Duration = Duration::from_secs(10);

/// `serve` wants a server that keeps what it acknowledged.
fn server() -> PostgresServer {
    PostgresServer::start_with(&["fsync=on", "full_page_writes=on"])
}

fn start(folder: &Path, server: &PostgresServer) -> Process {
    let mut command = serve(folder);
    command.env("HOOKWRIGHT_DATABASE_URL", server.url("postgres")).args(["--inline-hook-limit", "100000"]);
    Process::start(&mut command)
}

/// Gives a node the keys of another, in a file of its own.
fn copy_keys(from: &Path, to: &Path) {
    std::fs::copy(from.join("hookwright.key"), to.join("hookwright.key")).unwrap();
}

async fn is_ready(client: &Client) -> bool {
    client.get("/readyz").await.status == 200
}

/// Waits until each of these is ready, or none.
async fn until_ready(clients: &[Client], ready: bool, limit: Duration) {
    let began = Instant::now();
    for client in clients {
        while is_ready(client).await != ready {
            assert!(began.elapsed() < limit, "still not {ready} after {limit:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Makes hooks until it is told to stop; the names of those that were acknowledged.
async fn make_hooks(client: Client, worker: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut kept = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("hook {worker} {number}");
        let answer = client.post("/api/v1/inlineHooks", &hook(&name)).await;
        match answer.status.as_u16() {
            200 => kept.push(name),
            503 => tokio::time::sleep(Duration::from_millis(10)).await,
            status => panic!("{status}: {}", answer.text()),
        }
        let read = client.get("/api/v1/inlineHooks?type=com.okta.oauth2.tokens.transform").await;
        assert!([200, 503].contains(&read.status.as_u16()), "{}: {}", read.status, read.text());
    }
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_under_load_costs_no_acknowledged_write() {
    let mut server = server();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut one = start(folders[0].path(), &server);
    let at_one = one.client();
    copy_keys(folders[0].path(), folders[1].path());
    let mut two = start(folders[1].path(), &server);
    let clients = [at_one, two.client()];
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> =
        (0..4).map(|worker| tokio::spawn(make_hooks(clients[worker % 2].clone(), worker, Arc::clone(&stop)))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..2 {
        server.crash();
        until_ready(&clients, false, Duration::from_secs(30)).await;
        server.resume();
        until_ready(&clients, true, BACK).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut kept = Vec::new();
    for worker in workers {
        kept.extend(worker.await.unwrap());
    }
    let stored = clients[1].get("/api/v1/inlineHooks").await.json();
    let stored: Vec<&str> = stored.as_array().unwrap().iter().filter_map(|hook| hook["name"].as_str()).collect();
    let lost: Vec<_> = kept.iter().filter(|name| !stored.contains(&name.as_str())).collect();
    assert!(!kept.is_empty() && lost.is_empty(), "lost of {}: {lost:?}", kept.len());
    for process in [&mut one, &mut two] {
        assert!(process.signal("TERM").success());
        let errors = process.all_errors();
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lacks_the_new_key_says_so_and_goes_on_when_it_has_it() {
    let server = server();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut one = start(folders[0].path(), &server);
    let at_one = one.client();
    copy_keys(folders[0].path(), folders[1].path());
    let mut two = start(folders[1].path(), &server);
    let at_two = two.client();
    let made = at_one.post("/api/v1/inlineHooks", &hook("sealed")).await.json();
    let path = format!("/api/v1/inlineHooks/{}", made["id"].as_str().unwrap());
    assert_eq!(at_two.get(&path).await.status, 200);

    let mut rotate = hookwright();
    rotate.args(["key", "rotate", "--data-dir"]).arg(folders[0].path());
    let output = run(rotate.env("HOOKWRIGHT_DATABASE_URL", server.url("postgres")));
    assert!(output.status.success(), "{}", text(&output.stderr));
    until_ready(std::slice::from_ref(&at_two), false, BACK).await;
    let mut list = hookwright();
    let listed = run(list.args(["key", "list", "--data-dir"]).arg(folders[0].path()));
    let listed = text(&listed.stdout);
    let new_key = listed.lines().next().unwrap().split_whitespace().next().unwrap();

    let ready = at_two.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains(new_key), "{} does not name {new_key}", ready.text());
    let mut statuses = Vec::new();
    for _ in 0..200 {
        let answer = at_two.get(&path).await;
        statuses.push(answer.status.as_u16());
        if answer.status == 503 {
            assert_eq!(answer.json()["errorCode"], "E0000010");
            assert!(answer.text().contains("a key"), "{}", answer.text());
            assert!(!answer.text().contains(new_key), "{}", answer.text());
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What it knew before is believed for a moment.
    assert_eq!((statuses.iter().find(|status| ![200, 503].contains(*status)), statuses.last()), (None, Some(&503)));
    assert!(is_ready(&at_one).await);
    assert_eq!(at_one.get(&path).await.status, 200);

    copy_keys(folders[0].path(), folders[1].path());
    until_ready(std::slice::from_ref(&at_two), true, BACK).await;
    let update = at_two.post(&path, &json!({"name": "sealed with the new key"})).await;
    assert_eq!(update.status, 200, "{}", update.text());
    let hooks: Value = at_two.get("/api/v1/inlineHooks").await.json();
    assert_eq!(hooks.as_array().map(Vec::len), Some(1));
    assert!(two.signal("TERM").success());
    let errors = two.all_errors();
    let said = errors.lines().filter(|line| line.contains("\"ERROR\"") && line.contains(new_key)).count();
    assert_eq!(said, 1, "{errors}");
    assert!(one.signal("TERM").success());
}
