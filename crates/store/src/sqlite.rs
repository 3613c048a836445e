//! Opening a SQLite database: its file, the lock that keeps a second server out, its settings.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{ConnectOptions, SqlitePool};

use crate::error::{OpenError, StoreError};
use crate::fault::{self, DriverError, Fault};
use crate::options::StoreOptions;
use crate::schema;
use crate::session::Session as _;
use crate::sqlite_session::SqliteSession;
use crate::tenure::Tenure;
use crate::{private_file, restore, sqlite_check};

/// SQLite's page size; the limit on the file is counted in pages.
const PAGE_OCTETS: u64 = 4096;

/// How long the writer waits for another process's lock before it looks whether somebody gave up waiting for it.
const WRITER_PATIENCE: Duration = Duration::from_millis(100);

/// How long opening waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// A WAL that grew beside a long read shrinks to this size in bytes when it starts over.
const WAL_OCTETS: u64 = 64 << 20;

/// How many pages the WAL gathers before they are written back (16 MiB): commits wait meanwhile, and a page that changed often
/// is written back once.
const WRITE_BACK_PAGES: i64 = 4096;

/// How long a start after an unclean end waits for the check of the file: about a gigabyte. What is larger is served while it is
/// checked.
const CHECK_TIME: Duration = Duration::from_secs(1);

/// Reading beyond this many connections gains nothing.
const MAX_READERS: u32 = 8;

/// An opened database.
pub(crate) struct Opened {
    pub(crate) writer: SqliteSession,
    pub(crate) readers: SqlitePool,
    /// Held as long as the database is open; `None` in memory and where the file is shared.
    pub(crate) tenure: Option<Tenure>,
    /// The file; `None` in memory.
    pub(crate) file: Option<PathBuf>,
    /// False if the check after an unclean end is not over yet.
    pub(crate) is_checked: bool,
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

/// The file of the database.
///
/// # Errors
/// [`OpenError::Unsuitable`] for one in memory.
pub(crate) fn file_of(url: &str) -> Result<PathBuf, OpenError> {
    match read_url(url)?.1 {
        Location::File(path) => Ok(path),
        Location::Memory => Err(OpenError::Unsuitable("it is in memory, and has no file".to_owned())),
    }
}

/// Whether the database has no tables of ours yet.
pub(crate) fn is_new(url: &str) -> Result<bool, OpenError> {
    let Location::File(path) = read_url(url)?.1 else { return Ok(true) };
    restore::finish(&path)?;
    if !path.exists() {
        return Ok(true);
    }
    let look = || -> Result<bool, DriverError> {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'sealing_keys'";
        let tables: i64 = sqlite_check::look_at(&path)?.query_row(sql, [], |row| row.get(0))?;
        Ok(tables != 1)
    };
    Ok(look().map_err(StoreError::from_driver)?)
}

pub(crate) async fn open(options: &StoreOptions) -> Result<Opened, OpenError> {
    let (connect, location) = read_url(&options.database_url)?;
    let (connect, mut tenure, was_cut_short) = match &location {
        Location::Memory => (connect, None, false),
        Location::File(path) => {
            let (tenure, was_cut_short) = if options.shared {
                (None, false)
            } else {
                let (tenure, was_cut_short) = Tenure::take(path)?;
                restore::finish_locked(path)?;
                (Some(tenure), was_cut_short)
            };
            // Made here, so that nobody else can read it; its WAL gets the same mode from SQLite.
            private_file::touch(path).map_err(|error| unusable(path, &error))?;
            (connect.journal_mode(SqliteJournalMode::Wal), tenure, was_cut_short)
        }
    };
    let in_memory = matches!(location, Location::Memory);
    // SQLite does not wait by itself for others that turn a new file to WAL at the same time.
    let begun = Instant::now();
    let mut writer = loop {
        match open_writer(connect.get_filename(), in_memory, options.max_database_bytes) {
            Ok(writer) => break writer,
            Err(error) => bear(begun, error).await?,
        }
    };
    if !in_memory {
        check_settings(&writer)?;
    }
    let is_checked = !was_cut_short || writer.check_within(CHECK_TIME)?;
    prepare(&mut writer, options).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.max_connections.clamp(1, MAX_READERS))
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        .connect_lazy_with(connect.pragma("query_only", "ON"));
    if let Some(tenure) = &mut tenure {
        tenure.begin();
    }
    let file = match location {
        Location::Memory => None,
        Location::File(path) => Some(path),
    };
    Ok(Opened { writer, readers, tenure, file, is_checked })
}

/// The connection that writes, with each commit flushed to the disk.
fn open_writer(path: &Path, in_memory: bool, max_octets: Option<u64>) -> Result<SqliteSession, DriverError> {
    let writer = SqliteSession::open(path, in_memory, WRITER_PATIENCE)?;
    if !in_memory {
        writer.set("journal_mode", "WAL")?;
    }
    writer.set("synchronous", "FULL")?;
    writer.set("foreign_keys", true)?;
    writer.set("wal_autocheckpoint", WRITE_BACK_PAGES)?;
    writer.set("journal_size_limit", WAL_OCTETS.cast_signed())?;
    if let Some(octets) = max_octets {
        writer.set("max_page_count", (octets / PAGE_OCTETS).max(1).cast_signed())?;
    }
    Ok(writer)
}

/// Settings that the file system or the file itself may have overruled.
fn check_settings(writer: &SqliteSession) -> Result<(), OpenError> {
    let mode: String = writer.setting("journal_mode").map_err(StoreError::from_driver)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::Unsuitable(format!("SQLite can't use a write-ahead log here (it says {mode:?})")));
    }
    let synchronous: i64 = writer.setting("synchronous").map_err(StoreError::from_driver)?;
    if synchronous < 2 {
        return Err(OpenError::Unsuitable("SQLite does not flush each commit to disk".to_owned()));
    }
    Ok(())
}

/// Waits a moment if another process is in the way and has not been for too long; gives the error otherwise.
async fn bear(begun: Instant, error: DriverError) -> Result<(), StoreError> {
    if fault::classify(&error) != Fault::Busy || begun.elapsed() >= PATIENCE {
        return Err(StoreError::from_driver(error));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    Ok(())
}

/// Tables and keys, in one transaction.
async fn prepare(writer: &mut SqliteSession, options: &StoreOptions) -> Result<(), OpenError> {
    let begun = Instant::now();
    while let Err(error) = writer.run_text("BEGIN IMMEDIATE").await {
        bear(begun, error).await?;
    }
    match schema::prepare(writer, &options.keyring, options.restart_log).await {
        Ok(()) => Ok(writer.run_text("COMMIT").await.map_err(StoreError::from_driver)?),
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
