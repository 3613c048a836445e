//! What only SQLite has: a file, its lock, its disk.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use hookwright_model::shown::ShownBody;
use hookwright_store::{Change, CommitError, ExecutionQuery, Keyring, KeyringError, OpenError, Store, StoreOptions};
use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::fixture::{Fixture, Seeded, settled};
use crate::samples::{SECRET, after, execution, hook, hook_id, token};

fn insert(number: u64) -> Change {
    Change::InsertInlineHook { hook: hook(number), limit: 100_000 }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused_until_the_first_ends() {
    let fixture = Fixture::sqlite();
    let first = fixture.open().await;
    let error = fixture.try_open().await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("org.db.lock"), "{error}");
    // A command may run beside it.
    let mut options = fixture.options();
    options.shared = true;
    let command = Store::open(options).await.unwrap();
    command.commit(vec![insert(1)]).await.unwrap();
    command.close().await;
    assert_eq!(first.inline_hooks(None).await.unwrap().len(), 1);
    // A clone that is still around does not keep the file.
    let clone = first.clone();
    first.close().await;
    fixture.open().await.close().await;
    assert!(clone.commit(vec![insert(2)]).await.is_err());
}

#[tokio::test]
async fn the_file_its_log_and_its_folder_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/data/org.db");
    let keyring = Keyring::in_memory(&Seeded::new(1));
    let store = Store::open(StoreOptions::new(format!("sqlite://{}", path.display()), keyring)).await.unwrap();
    store.commit(vec![insert(1)]).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["org.db", "org.db-wal", "org.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn no_secret_stands_in_the_files_in_the_clear() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    store.commit(vec![insert(1)]).await.unwrap();
    let mut search = Vec::new();
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        search.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let contains = |text: &str| search.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains("hooks.example.com"), "the search works");
    assert!(!contains(SECRET));
    store.close().await;
}

#[tokio::test]
async fn closing_leaves_one_file_and_the_next_start_finds_all() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    store.commit((0..100).map(insert).collect()).await.unwrap();
    assert!(fixture.folder.path().join("org.db-wal").exists());
    store.close().await;
    assert!(!fixture.folder.path().join("org.db-wal").exists());
    assert_eq!(fixture.open().await.inline_hooks(None).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_database_in_memory_works_and_is_its_own() {
    let open = || Store::open(StoreOptions::new("sqlite::memory:", Keyring::in_memory(&Seeded::new(1))));
    let (one, two) = (open().await.unwrap(), open().await.unwrap());
    one.commit(vec![insert(1)]).await.unwrap();
    for number in 0..300 {
        one.record(execution(number)).await;
    }
    settled(&one).await;
    let query = ExecutionQuery { limit: 1_000, ..ExecutionQuery::default() };
    assert_eq!(one.executions(&query).await.unwrap().items.len(), 300);
    assert_eq!(one.inline_hooks(None).await.unwrap().len(), 1);
    assert!(two.inline_hooks(None).await.unwrap().is_empty());
    assert!(Store::is_new("sqlite::memory:").await.unwrap());
    one.close().await;
    two.close().await;
}

/// Takes the write lock as another process would, for this long.
async fn hold_the_write_lock(fixture: &Fixture, time: Duration) -> tokio::task::JoinHandle<()> {
    let mut connection = SqliteConnection::connect(&fixture.url).await.unwrap();
    connection.execute("BEGIN IMMEDIATE").await.unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        connection.execute("ROLLBACK").await.unwrap();
    })
}

#[tokio::test]
async fn a_commit_waits_for_another_process_and_reads_go_on() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    store.commit(vec![insert(1)]).await.unwrap();
    let holder = hold_the_write_lock(&fixture, Duration::from_millis(700)).await;
    let begun = Instant::now();
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(vec![insert(2)]).await }
    });
    assert!(store.inline_hook(hook_id(1).as_str()).await.unwrap().is_some());
    assert!(begun.elapsed() < Duration::from_millis(500));
    commit.await.unwrap().unwrap();
    assert!(begun.elapsed() > Duration::from_millis(500));
    holder.await.unwrap();
}

#[tokio::test]
async fn a_commit_gives_up_after_five_seconds_and_the_next_one_works() {
    let fixture = Fixture::sqlite();
    let store = fixture.open().await;
    store.record(execution(1)).await;
    let holder = hold_the_write_lock(&fixture, Duration::from_secs(7)).await;
    let begun = Instant::now();
    let early = store.commit(vec![insert(1)]);
    let late = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        store.commit(vec![insert(2)]).await
    };
    let (early, late) = tokio::join!(early, late);
    let Err(CommitError::Unavailable(error)) = early else { panic!("{early:?}") };
    assert_eq!(error.to_string(), "the database is not available: it is busy");
    late.unwrap();
    assert!(begun.elapsed() > Duration::from_secs(6));
    holder.await.unwrap();
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1);
    settled(&store).await;
    assert_eq!(store.execution(&execution(1).id).await.unwrap(), Some(execution(1)));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_reads_and_heals_without_a_restart() {
    let fixture = Fixture::sqlite();
    let mut options = fixture.options();
    options.max_database_bytes = Some(1 << 20);
    let store = Store::open(options).await.unwrap();
    store.commit(vec![insert(1)]).await.unwrap();
    let mut large = execution(1);
    // Bytes that can't be packed.
    let noise =
        std::iter::successors(Some(1_u32), |state| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    large.request = ShownBody::stored(noise.map(|state| state.to_be_bytes()[0]).take(100 << 10).collect());
    let mut written = 0;
    let error = loop {
        match store.commit(vec![Change::AppendExecution(large.clone())]).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!((3..15).contains(&written), "{written}");
    assert!(
        matches!(&error, CommitError::Unavailable(error) if error.to_string().contains("the disk is full")),
        "{error:?}"
    );
    // A small commit still fits, even where it shares a transaction with large ones.
    let small = store.commit(vec![Change::TouchApiToken { id: token(1).id, last_used: after(1), expires: after(2) }]);
    let large_ones = (0..4).map(|_| store.commit(vec![Change::AppendExecution(large.clone())]));
    let (small, large_ones) = tokio::join!(small, futures::future::join_all(large_ones));
    small.unwrap();
    assert!(large_ones.iter().all(Result::is_err));
    // A record that does not fit waits in its buffer.
    let mut waiting = large.clone();
    waiting.id = execution(2).id;
    store.record(waiting.clone()).await;
    assert!(store.inline_hook(hook_id(1).as_str()).await.unwrap().is_some());
    assert_eq!(store.execution(&waiting.id).await.unwrap(), None);
    assert_eq!(store.gauges().buffered_records, 1);
    let removed = store.apply_retention(after(10_000), u64::MAX).await.unwrap();
    assert_eq!(removed.items, written);
    store.commit(vec![insert(2)]).await.unwrap();
    store.check_ready().await.unwrap();
    let begun = Instant::now();
    while store.execution(&waiting.id).await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the waiting record is never written");
    }
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let fixture = Fixture::sqlite();
    std::fs::write(fixture.folder.path().join("org.db"), "this is no database, whatever its name says".repeat(100))
        .unwrap();
    let error = fixture.try_open().await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
}

#[test]
fn a_keyring_is_made_for_a_new_database_only_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/keyring");
    let missing = Keyring::open_or_create(&path, &Seeded::new(1), false).unwrap_err();
    assert_eq!(missing, KeyringError::Missing(path.clone()));
    assert!(missing.to_string().contains("put the keyring back"), "{missing}");
    let made = Keyring::open_or_create(&path, &Seeded::new(1), true).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let read = Keyring::open_or_create(&path, &Seeded::new(2), true).unwrap();
    assert!(made.key_ids().eq(read.key_ids()));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = Keyring::open(&path).unwrap_err();
        assert!(matches!(error, KeyringError::Exposed { .. }), "{error:?}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_keyring_that_many_make_at_once_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    let rings: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let path = &path;
                scope
                    .spawn(move || Keyring::open_or_create(path, &Seeded::new(seed), true).unwrap().key_ids().collect())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(rings.iter().all(|ring| *ring == rings[0]), "{rings:?}");
}

#[tokio::test]
async fn keyrings_come_from_values_and_commands_and_errors_show_no_key() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let value = |text: String| Keyring::from_value(&text.into(), "HOOKWRIGHT_KEYRING");
    let one = value(format!("# a remark\n\n  {key}\n")).unwrap();
    assert_eq!(one.key_ids().count(), 1);
    assert!(!format!("{one:?}").contains("AAEC"));
    for text in [String::new(), "# none".to_owned(), format!("{key}\n{key}"), format!("{key}AAAA"), key[1..].to_owned()]
    {
        let error = value(text).unwrap_err();
        assert!(matches!(error, KeyringError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("HOOKWRIGHT_KEYRING") && !error.to_string().contains("AAEC"), "{error}");
    }
    let printed = Keyring::from_command("echo", &[key.to_owned()]).await.unwrap();
    assert!(printed.key_ids().eq(one.key_ids()));
    for (program, arguments) in [("false", vec![]), ("no-such-program", vec![]), ("echo", vec!["nothing".to_owned()])] {
        assert!(Keyring::from_command(program, &arguments).await.is_err(), "{program}");
    }
}
