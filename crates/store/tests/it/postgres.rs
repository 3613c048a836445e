//! What only PostgreSQL has: a server that goes away and comes back.

use std::time::{Duration, Instant};

use hookwright_store::{Change, CommitError, Keyring, OpenError, Store, StoreOptions};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::fixture::{Fixture, Seeded};
use crate::postgres_server::PostgresServer;
use crate::samples::{execution, hook, hook_id};

fn insert(number: u64) -> Change {
    Change::InsertInlineHook { hook: hook(number), limit: 100_000 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_and_returns_loses_nothing_and_needs_no_restart_of_ours() {
    let mut server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let mut options = StoreOptions::new(server.url("postgres"), Keyring::in_memory(&Seeded::new(1)));
    options.accept_data_loss = true;
    let store = Store::open(options).await.unwrap();
    let commits = (0..20).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(vec![insert(number)]).await })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    let mut server = tokio::task::spawn_blocking(move || {
        server.crash();
        server
    })
    .await
    .unwrap();
    store.record(execution(1)).await;
    let begun = Instant::now();
    let error = store.commit(vec![insert(100)]).await.unwrap_err();
    assert!(matches!(error, CommitError::Unavailable(_)), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert!(store.check_ready().await.is_err());
    assert!(store.inline_hooks(None).await.unwrap_err().is_unavailable());
    let server = tokio::task::spawn_blocking(move || {
        server.resume();
        server
    })
    .await
    .unwrap();
    let back = Instant::now();
    while store.check_ready().await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(10), "it is not ready again");
    }
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 20);
    store.commit(vec![insert(100)]).await.unwrap();
    while store.execution(&execution(1).id).await.unwrap().is_none() {
        assert!(back.elapsed() < Duration::from_secs(10), "the waiting record is never written");
    }
    store.close().await;
    drop(server);
}

#[tokio::test]
async fn a_server_that_does_not_flush_is_refused() {
    let fixture = Fixture::postgres().await;
    let mut options = fixture.options();
    options.accept_data_loss = false;
    let error = Store::open(options).await.unwrap_err();
    assert!(matches!(error, OpenError::Unsuitable(_)), "{error:?}");
    assert!(error.to_string().contains("fsync"), "{error}");
}

#[tokio::test]
async fn synchronous_commit_is_on_even_where_the_database_turns_it_off() {
    let fixture = Fixture::postgres().await;
    let name = fixture.url.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
    fixture.tamper(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    let store = fixture.open().await;
    // A trigger sees the setting of the session that writes.
    fixture
        .tamper(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION 'weak'; END IF; RETURN NEW; END $$",
        )
        .await;
    fixture.tamper("CREATE TRIGGER refuse BEFORE INSERT ON inline_hooks FOR EACH ROW EXECUTE FUNCTION refuse()").await;
    store.commit(vec![insert(1)]).await.unwrap();
    let weak = fixture.tamper_error("INSERT INTO inline_hooks SELECT 'x', 'x', 'x', hook_type, version, status, channel, NULL, NULL, 0, 0, 1 FROM inline_hooks").await;
    assert!(weak.contains("weak"), "{weak}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://nobody:password@localhost/none?host={}", folder.path().display());
    let begun = Instant::now();
    let error = Store::open(StoreOptions::new(url, Keyring::in_memory(&Seeded::new(1)))).await.unwrap_err();
    assert!(matches!(error, OpenError::Database(_)), "{error:?}");
    assert!(error.to_string().contains("can't be reached"), "{error}");
    assert!(!error.to_string().contains("password"));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_one_database() {
    let fixture = Fixture::postgres().await;
    let (one, two) = (fixture.open().await, fixture.open().await);
    one.commit(vec![insert(1)]).await.unwrap();
    assert!(two.inline_hook(hook_id(1).as_str()).await.unwrap().is_some());
    let commits: Vec<_> = (0..40)
        .map(|number| {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move {
                store.commit(vec![Change::InsertInlineHook { hook: hook(100 + number), limit: 11 }]).await
            })
        })
        .collect();
    let mut kept = 0;
    for commit in commits {
        kept += usize::from(commit.await.unwrap().is_ok());
    }
    assert_eq!(kept, 10, "the limit holds over both");
    two.record(execution(5)).await;
    two.close().await;
    assert!(one.execution(&execution(5).id).await.unwrap().is_some());
    one.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_waits_for_a_commit_under_way_and_a_bounded_scan_does_not() {
    use hookwright_store::JournalScan;
    let fixture = Fixture::postgres().await;
    let store = fixture.open().await;
    store.commit(vec![Change::AppendExecution(execution(1))]).await.unwrap();
    // Somebody has drawn the next number and not committed yet, as a slow node would.
    let mut slow = PgConnection::connect(&fixture.url).await.unwrap();
    slow.execute("BEGIN").await.unwrap();
    slow.execute(
        "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared((x'48'::bigint << 56) | last_value) FROM journal_seq) \
         INSERT INTO journal (seq, kind, first_ms, last_ms, items, octets, verdicts, id_tails, body) \
         SELECT nextval('journal_seq'), kind, first_ms, last_ms, items, octets, verdicts, id_tails, body FROM journal, turn",
    )
    .await
    .unwrap();
    store.commit(vec![Change::AppendExecution(execution(2))]).await.unwrap();
    let poll = JournalScan { max_items: 10, ..JournalScan::default() };
    let bounded = JournalScan { until: Some(crate::samples::after(10_000)), ..poll.clone() };
    assert_eq!(store.journal(&poll).await.unwrap().len(), 1, "the number between is not settled");
    assert_eq!(store.journal(&bounded).await.unwrap().len(), 2);
    slow.execute("COMMIT").await.unwrap();
    let entries = store.journal(&poll).await.unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries.is_sorted_by_key(|entry| entry.position));
}
