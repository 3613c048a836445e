//! Backups of a SQLite database, and what is no backup.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookwright_store::{BackupError, Change, Keyring, KeyringError, OpenError, Restored, Store, backup, restore};

use crate::fixture::{Fixture, Seeded};
use crate::samples::{event, hook};

fn insert(number: u64) -> Vec<Change> {
    let insert = Change::InsertInlineHook { hook: hook(number), limit: 100_000 };
    vec![insert, Change::AppendEvents(vec![event(number)])]
}

fn file_of(fixture: &Fixture) -> PathBuf {
    fixture.folder.path().join("org.db")
}

async fn hooks(fixture: &Fixture) -> usize {
    let store = fixture.open().await;
    let count = store.inline_hooks(None).await.unwrap().len();
    store.close().await;
    count
}

fn put_back(fixture: &Fixture, from: &Path) -> Result<Restored, BackupError> {
    restore(&file_of(fixture), from, &fixture.keyring, "now")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_writers_has_all_that_was_answered_before_it_and_is_whole_and_private() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    for number in 0..50 {
        store.commit(insert(number)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut number = 50;
            while !stop.load(Ordering::Relaxed) {
                store.commit(insert(number)).await.unwrap();
                number += 1;
            }
        }
    });
    let target = fixture.folder.path().join("backups.db");
    for round in 0..5 {
        let (database, keyring, target) = (file_of(&fixture), fixture.keyring.clone(), target.clone());
        let made = tokio::task::spawn_blocking(move || backup(&database, &target, round > 0, Some(&keyring)));
        let made = made.await.unwrap().unwrap();
        assert!(made.secrets.unwrap() >= 50 && made.octets > 0);
        assert_eq!(made.key_ids, fixture.keyring.key_ids().collect::<Vec<_>>());
    }
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> =
        std::fs::read_dir(fixture.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("draft")), "{left:?}");
    store.close().await;

    let written = hooks(&fixture).await;
    let restored = put_back(&fixture, &target).unwrap();
    let count = hooks(&fixture).await;
    assert_eq!(restored.secrets, count as u64);
    assert!((50..=written).contains(&count), "{count} of {written}");
    // The one before is whole, too.
    put_back(&fixture, &restored.aside.unwrap()).unwrap();
    assert_eq!(hooks(&fixture).await, written);
}

#[tokio::test]
async fn nothing_is_overwritten_that_is_no_backup() {
    let fixture = Fixture::sqlite();
    fixture.open().await.close().await;
    let target = fixture.folder.path().join("target");
    let make =
        |target: &Path, overwrite| backup(&file_of(&fixture), target, overwrite, Some(&fixture.keyring)).map(drop);
    make(&target, false).unwrap();
    assert!(matches!(make(&target, false), Err(BackupError::Exists(_))));
    make(&target, true).unwrap();
    let keys = fixture.folder.path().join("keys");
    std::fs::write(&keys, "irreplaceable").unwrap();
    assert!(matches!(make(&keys, true), Err(BackupError::NoDatabase(_))));
    assert_eq!(std::fs::read_to_string(&keys).unwrap(), "irreplaceable");
    assert!(matches!(make(&file_of(&fixture), true), Err(BackupError::Itself(_))));
    let nowhere = fixture.folder.path().join("nowhere/target");
    assert!(matches!(make(&nowhere, false), Err(BackupError::File { .. })));
    let missing = backup(&nowhere, &target, true, Some(&fixture.keyring));
    assert!(matches!(missing, Err(BackupError::Nothing(_))));
}

#[tokio::test]
async fn what_can_not_be_served_is_not_put_back_and_the_old_database_stays_as_it_is() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    for number in 0..400 {
        store.commit(insert(number)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.db");
    backup(&file_of(&fixture), &good, false, Some(&fixture.keyring)).unwrap();
    let running = put_back(&fixture, &good).unwrap_err();
    assert!(matches!(running, BackupError::Open(OpenError::InUse { .. })), "{running}");
    store.close().await;

    let (text, foreign, damaged, newer) = (
        folder.path().join("text"),
        folder.path().join("foreign"),
        folder.path().join("damaged"),
        folder.path().join("newer"),
    );
    std::fs::write(&text, "-- a dump").unwrap();
    let write = |path: &Path, sql: &str| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    write(&foreign, "CREATE TABLE users (id TEXT)");
    std::fs::copy(&good, &newer).unwrap();
    write(&newer, "UPDATE schema_version SET version = 1000000");
    let mut bytes = std::fs::read(&good).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    std::fs::write(&damaged, bytes).unwrap();
    assert!(matches!(put_back(&fixture, &text), Err(BackupError::Foreign { .. })));
    assert!(matches!(put_back(&fixture, &foreign), Err(BackupError::Foreign { .. })));
    assert!(matches!(put_back(&fixture, &damaged), Err(BackupError::Damaged { .. })));
    assert!(matches!(put_back(&fixture, &newer), Err(BackupError::Open(OpenError::Newer { .. }))));
    let other = Keyring::in_memory(&Seeded::new(2));
    let error = restore(&file_of(&fixture), &good, &other, "now").unwrap_err();
    let BackupError::Open(OpenError::Keyring(KeyringError::Lacks(ids))) = &error else { panic!("{error}") };
    assert_eq!(*ids, fixture.keyring.key_ids().collect::<Vec<_>>());
    // The right key, and a secret that it does not open.
    let moved = folder.path().join("moved");
    std::fs::copy(&good, &moved).unwrap();
    write(&moved, "UPDATE inline_hooks SET sealed_secret = (SELECT max(sealed_secret) FROM inline_hooks)");
    let error = put_back(&fixture, &moved).unwrap_err();
    assert!(error.to_string().contains("the secret of hook cal"), "{error}");

    let left: Vec<_> =
        std::fs::read_dir(fixture.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "org.db" || name == "org.db.lock"), "{left:?}");
    assert_eq!(hooks(&fixture).await, 400);
}

#[tokio::test]
async fn a_folder_of_plain_copies_is_put_back_with_its_log() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    for number in 0..20 {
        store.commit(insert(number)).await.unwrap();
    }
    // As a kill leaves it.
    let folder = tempfile::tempdir().unwrap();
    for part in ["org.db", "org.db-wal"] {
        std::fs::copy(fixture.folder.path().join(part), folder.path().join(part)).unwrap();
    }
    store.commit(insert(20)).await.unwrap();
    store.close().await;
    put_back(&fixture, &folder.path().join("org.db")).unwrap();
    assert_eq!(hooks(&fixture).await, 20);
    assert!(Store::is_new(&fixture.url).await.is_ok_and(|new| !new));
}
