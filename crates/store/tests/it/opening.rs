//! Opening: upgrades, refusals that say what to do, and the readiness of an open store.

use hookwright_store::{Change, Keyring, OpenError, Store, StoreOptions};

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::samples::hook;

on_both_engines! {
    a_newer_schema_is_refused_with_a_clear_sentence,
    stores_that_open_at_once_make_the_tables_once,
    an_open_store_is_ready_and_shows_its_fill_levels,
    reads_go_on_while_many_commits_are_under_way,
}

async fn a_newer_schema_is_refused_with_a_clear_sentence(fixture: Fixture) {
    fixture.open().await.close().await;
    fixture.tamper("UPDATE schema_version SET version = version + 1").await;
    let error = fixture.try_open().await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found, known } if found == known + 1), "{error:?}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
    fixture.tamper("UPDATE schema_version SET version = version - 1").await;
    fixture.open().await.close().await;
}

async fn stores_that_open_at_once_make_the_tables_once(fixture: Fixture) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let mut options = fixture.options();
            options.shared = true;
            tokio::spawn(async move {
                let store = Store::open(options).await.unwrap();
                store.close().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(fixture.number("SELECT count(*) FROM schema_version").await, 1);
    assert_eq!(fixture.number("SELECT count(*) FROM sealing_keys").await, 1);
}

async fn an_open_store_is_ready_and_shows_its_fill_levels(fixture: Fixture) {
    let store = fixture.open().await;
    store.check_ready().await.unwrap();
    store.check_ready().await.unwrap();
    assert_eq!(fixture.number("SELECT beats FROM readiness").await, 1, "a fresh commit is proof enough");
    let gauges = store.gauges();
    assert_eq!((gauges.buffered_records, gauges.waiting_commits), (0, 0));
    assert!(gauges.connections >= 1 && gauges.idle_connections <= gauges.connections);
    store.close().await;
    assert!(store.check_ready().await.is_err());
    assert!(store.inline_hooks(None).await.unwrap_err().is_unavailable());
}

async fn reads_go_on_while_many_commits_are_under_way(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![Change::InsertInlineHook { hook: hook(0), limit: 10_000 }]).await.unwrap();
    let writers: Vec<_> = (0..8_u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 1..50 {
                    let hook = hook(task * 100 + number);
                    store.commit(vec![Change::InsertInlineHook { hook, limit: 10_000 }]).await.unwrap();
                }
            })
        })
        .collect();
    let mut reads = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        assert!(store.inline_hook(hook(0).id.as_str()).await.unwrap().is_some());
        reads += 1;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(reads > 0);
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1 + 8 * 49);
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused() {
    for url in ["", "mysql://localhost/x", "/tmp/x.db", "postgres://%%%secret%%%@:::/", "sqlite://x?mode=nonsense"] {
        let error = Store::open(StoreOptions::new(url, Keyring::in_memory(&Seeded::new(1)))).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
