//! Opening a SQLite database: its file, the lock that keeps a second server out, its settings.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::dialect::{self, Fault};
use crate::error::{OpenError, StoreError};
use crate::keyring::Keyring;
use crate::options::StoreOptions;
use crate::private_file;
use crate::schema;
use crate::session::Session;

/// SQLite's page size; the limit on the file is counted in pages.
const PAGE_OCTETS: u64 = 4096;

/// How long the writer waits for another process's lock before it looks whether somebody gave up waiting for it.
const WRITER_PATIENCE: Duration = Duration::from_millis(100);

/// How long opening waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many texts the writer keeps prepared; see `writer.rs` for what they are.
const WRITER_STATEMENTS: usize = 64;

/// Reading beyond this many connections gains nothing.
const MAX_READERS: u32 = 8;

/// An opened database.
pub(crate) struct Opened {
    pub(crate) writer: SqliteConnection,
    pub(crate) readers: SqlitePool,
    /// Held as long as the database is open; `None` in memory and where the file is shared.
    pub(crate) lock: Option<File>,
}

/// Where a database lives.
enum Location {
    Memory,
    File(PathBuf),
}

fn read_url(url: &str) -> Result<(SqliteConnectOptions, Location), OpenError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| OpenError::Url(error.to_string()))?;
    let location = if url.contains(":memory:") || url.contains("mode=memory") {
        Location::Memory
    } else {
        Location::File(options.get_filename().to_owned())
    };
    Ok((options.disable_statement_logging(), location))
}

/// Whether the database has no tables of ours yet.
pub(crate) async fn is_new(url: &str) -> Result<bool, OpenError> {
    let (options, location) = read_url(url)?;
    let Location::File(path) = location else { return Ok(true) };
    if !path.exists() {
        return Ok(true);
    }
    let mut connection = options.connect().await.map_err(StoreError::from_sqlx)?;
    let tables = connection
        .number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'sealing_keys'")
        .await
        .map_err(StoreError::from_sqlx)?;
    connection.close().await.map_err(StoreError::from_sqlx)?;
    Ok(tables != Some(1))
}

pub(crate) async fn open(options: &StoreOptions) -> Result<Opened, OpenError> {
    let (connect, location) = read_url(&options.database_url)?;
    let (connect, lock) = match &location {
        Location::Memory => (connect, None),
        Location::File(path) => {
            let lock = if options.shared { None } else { Some(lock(path)?) };
            // Made here, so that nobody else can read it; its WAL gets the same mode from SQLite.
            private_file::touch(path).map_err(|error| unusable(path, &error))?;
            (connect.journal_mode(SqliteJournalMode::Wal), lock)
        }
    };
    let writing = connect
        .clone()
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WRITER_PATIENCE)
        .statement_cache_capacity(WRITER_STATEMENTS)
        // A WAL that grew beside a long read shrinks to this size when it starts over.
        .pragma("journal_size_limit", (64 << 20).to_string());
    let writing = match options.max_database_bytes {
        Some(octets) => writing.pragma("max_page_count", (octets / PAGE_OCTETS).max(1).to_string()),
        None => writing,
    };
    // SQLite does not wait by itself for others that turn a new file to WAL at the same time.
    let begun = Instant::now();
    let mut writer = loop {
        match writing.connect().await {
            Ok(writer) => break writer,
            Err(error) => bear(begun, error).await?,
        }
    };
    check_settings(&mut writer, &location).await?;
    prepare(&mut writer, &options.keyring).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.max_connections.clamp(1, MAX_READERS))
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        .connect_lazy_with(connect.pragma("query_only", "ON"));
    Ok(Opened { writer, readers, lock })
}

/// Takes the lock beside the database; the system gives it back when this process ends, however that happens.
fn lock(database: &Path) -> Result<File, OpenError> {
    private_file::make_folder_of(database).map_err(|error| unusable(database, &error))?;
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let path = database.with_file_name(name);
    let file = private_file::touch(&path).map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { database: database.to_owned(), lock: path }),
        Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

/// Settings that the file system or the file itself may have overruled.
async fn check_settings(writer: &mut SqliteConnection, location: &Location) -> Result<(), OpenError> {
    if matches!(location, Location::Memory) {
        return Ok(());
    }
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await.map_err(StoreError::from_sqlx)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::Unsuitable(format!("SQLite can't use a write-ahead log here (it says {mode:?})")));
    }
    let synchronous = writer.number("PRAGMA synchronous").await.map_err(StoreError::from_sqlx)?;
    if synchronous < Some(2) {
        return Err(OpenError::Unsuitable("SQLite does not flush each commit to disk".to_owned()));
    }
    Ok(())
}

/// Waits a moment if another process is in the way and has not been for too long; gives the error otherwise.
async fn bear(begun: Instant, error: sqlx::Error) -> Result<(), StoreError> {
    if dialect::classify(&error) != Fault::Busy || begun.elapsed() >= PATIENCE {
        return Err(StoreError::from_sqlx(error));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    Ok(())
}

/// Tables and keys, in one transaction.
async fn prepare(writer: &mut SqliteConnection, keyring: &Keyring) -> Result<(), OpenError> {
    let begun = Instant::now();
    while let Err(error) = writer.run_text("BEGIN IMMEDIATE").await {
        bear(begun, error).await?;
    }
    match schema::prepare(writer, keyring).await {
        Ok(()) => Ok(writer.run_text("COMMIT").await.map_err(StoreError::from_sqlx)?),
        Err(error) => {
            // The transaction ends with the connection anyway.
            let _ = writer.run_text("ROLLBACK").await;
            Err(error)
        }
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: error.to_string() }
}
