//! A SQLite file that contradicts itself.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookwright_store::{Change, OpenError, Store, StoreError};

use crate::fixture::Fixture;
use crate::samples::hook;

const PAGE: usize = 4096;

fn file_of(fixture: &Fixture) -> PathBuf {
    fixture.folder.path().join("org.db")
}

/// Closes a database of some hundred pages in good order.
async fn fill(fixture: &Fixture) {
    let store = fixture.open().await;
    let inserts = (0..600).map(|number| {
        let mut hook = hook(number);
        hook.channel.headers[0].value = format!("{number} {}", "x".repeat(1500));
        Change::InsertInlineHook { hook, limit: 100_000 }
    });
    store.commit(inserts.collect()).await.unwrap();
    store.close().await;
}

/// Writes nonsense over the pages of the second half; gives back what was there.
fn damage(fixture: &Fixture) -> (u64, Vec<u8>) {
    let whole = std::fs::read(file_of(fixture)).unwrap();
    let from = whole.len() / PAGE / 2 * PAGE;
    let file = std::fs::OpenOptions::new().write(true).open(file_of(fixture)).unwrap();
    file.write_all_at(&vec![0xa5; whole.len() - from], from as u64).unwrap();
    (from as u64, whole[from..].to_vec())
}

async fn read_all(store: &Store) -> Result<(), StoreError> {
    store.inline_hooks(None).await.map(drop)
}

#[tokio::test]
async fn errors_of_the_data_are_remembered_until_a_check_finds_nothing() {
    let fixture = Fixture::sqlite();
    fill(&fixture).await;
    let store = fixture.open().await;
    let (from, good) = damage(&fixture);
    // The first pages of each table are well, and so is writing.
    store.check_ready().await.unwrap();
    let error = read_all(&store).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    for _ in 0..3 {
        let error = store.check_ready().await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    }
    let file = std::fs::OpenOptions::new().write(true).open(file_of(&fixture)).unwrap();
    file.write_all_at(&good, from).unwrap();
    let begun = Instant::now();
    while let Err(error) = store.check_ready().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.close().await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_after_an_unclean_end_and_again_at_the_next_start() {
    let fixture = Fixture::sqlite();
    fill(&fixture).await;
    // As a kill leaves it.
    std::fs::write(fixture.folder.path().join("org.db.lock"), "in use").unwrap();
    let store = fixture.open().await;
    store.close().await;
    assert_eq!(std::fs::read(fixture.folder.path().join("org.db.lock")).unwrap(), b"", "it was closed in good order");

    std::fs::write(fixture.folder.path().join("org.db.lock"), "in use").unwrap();
    let (from, good) = damage(&fixture);
    for _ in 0..2 {
        let error = fixture.try_open().await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
        assert!(error.to_string().contains("hookwright restore FILE"), "{error}");
    }
    let file = std::fs::OpenOptions::new().write(true).open(file_of(&fixture)).unwrap();
    file.write_all_at(&good, from).unwrap();
    let store = fixture.open().await;
    read_all(&store).await.unwrap();
    store.close().await;
}
