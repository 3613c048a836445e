//! A backup of a SQLite database, beside the server that works on it.
//!
//! SQLite's online backup copies the pages of one moment; a server that writes meanwhile is not held up. `VACUUM INTO` would give
//! the same moment, packed, and take several times as long, since it writes every row and index again.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::StepResult;

use crate::dialect::Dialect;
use crate::error::{OpenError, StoreError};
use crate::fault::DriverError;
use crate::keyring::Keyring;
use crate::private_file::{self, beside};
use crate::sqlite_check::{self, Depth};
use crate::{reseal, schema};

/// How long the copy waits for the lock of another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first bytes of every SQLite file (<https://www.sqlite.org/fileformat.html#the_database_header>).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What a backup has in it.
#[derive(Debug)]
pub struct Backup {
    /// Its size in bytes.
    pub octets: u64,
    /// The names of the keys that it can't be opened without.
    pub key_ids: Vec<String>,
    /// How many secrets are sealed in it, all of which the keyring opened; or why it did not.
    pub secrets: Result<u64, OpenError>,
}

/// Why a backup could not be made or put back; each prints as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Nothing is overwritten unasked.
    #[error("{} is there already: name another file, or overwrite it with --force", .0.display())]
    Exists(PathBuf),
    /// What would be overwritten is no backup.
    #[error("{} is no database, so it is not overwritten: name another file", .0.display())]
    NoDatabase(PathBuf),
    /// Both names mean the same file.
    #[error("{} is the database itself: name another file", .0.display())]
    Itself(PathBuf),
    /// There is nothing to copy.
    #[error("there is no database at {}: say where it is as `serve` is told", .0.display())]
    Nothing(PathBuf),
    /// What was named is not a database of ours.
    #[error("{} is no backup of Hookwright: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// A file or folder can't be used.
    #[error("{} can't be used: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The copy contradicts itself.
    #[error("{} is damaged ({what})", path.display())]
    Damaged {
        /// What was checked.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Someone else has it, it is of a later release, or the keys do not open it.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl BackupError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, reason: error.to_string() }
    }

    /// An error of the database in this file.
    pub(crate) fn of(path: &Path) -> impl Fn(StoreError) -> Self {
        let path = path.to_owned();
        move |error| match error {
            StoreError::Damaged(what) => Self::Damaged { path: path.clone(), what },
            error => Self::Open(error.into()),
        }
    }

    fn driver(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        let of = Self::of(path);
        move |error| of(StoreError::from_driver(error))
    }
}

/// Copies the database to a new file with mode 0600, checks the copy, and opens every secret in it. Blocks.
///
/// The file is there whole, or not at all; it is made also if the keys do not open what is sealed in it.
///
/// # Errors
/// See [`BackupError`]; then no file is there.
pub fn backup(
    database: &Path,
    target: &Path,
    overwrite: bool,
    keyring: Option<&Keyring>,
) -> Result<Backup, BackupError> {
    if !database.exists() {
        return Err(BackupError::Nothing(database.to_owned()));
    }
    check_target(database, target, overwrite)?;
    let draft = Draft::beside(target)?;
    copy(database, draft.path())?;
    let connection = open_alone(draft.path())?;
    sqlite_check::check(&connection, Depth::Whole).map_err(BackupError::of(database))?;
    let key_ids = key_ids(&connection)?;
    let secrets = keyring.map_or(Ok(0), |keyring| open_secrets(&connection, keyring));
    drop(connection);
    let octets = std::fs::metadata(draft.path()).map_err(BackupError::file(draft.path()))?.len();
    draft.become_file(target)?;
    Ok(Backup { octets, key_ids, secrets })
}

fn check_target(database: &Path, target: &Path, overwrite: bool) -> Result<(), BackupError> {
    let Ok(there) = std::fs::canonicalize(target) else { return Ok(()) };
    if std::fs::canonicalize(database).is_ok_and(|database| database == there) {
        return Err(BackupError::Itself(target.to_owned()));
    }
    if !overwrite {
        return Err(BackupError::Exists(target.to_owned()));
    }
    if !is_sqlite(target).map_err(BackupError::file(target))? {
        return Err(BackupError::NoDatabase(target.to_owned()));
    }
    Ok(())
}

/// Whether a file begins as SQLite's do.
pub(crate) fn is_sqlite(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC)
}

/// Copies the pages of one moment.
fn copy(database: &Path, draft: &Path) -> Result<(), BackupError> {
    let source = sqlite_check::look_at(database).map_err(StoreError::from_driver).map_err(BackupError::of(database))?;
    let failed = BackupError::driver(database);
    let mut copy = Connection::open(draft).map_err(BackupError::driver(draft))?;
    // Nobody looks at a draft that was not finished.
    copy.pragma_update(None, "journal_mode", "OFF").map_err(&failed)?;
    copy.pragma_update(None, "synchronous", "OFF").map_err(&failed)?;
    let copying = rusqlite::backup::Backup::new(&source, &mut copy).map_err(&failed)?;
    let begun = Instant::now();
    // All at once: between two steps, a write of somebody else would make it begin again.
    while copying.step(-1).map_err(&failed)? != StepResult::Done {
        if begun.elapsed() > PATIENCE {
            return Err(BackupError::of(database)(StoreError::unavailable("it is busy")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Opens a file that nobody else knows of, and makes it one that needs no other beside it.
pub(crate) fn open_alone(draft: &Path) -> Result<Connection, BackupError> {
    let failed = BackupError::driver(draft);
    let connection = Connection::open(draft).map_err(&failed)?;
    let _: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0)).map_err(&failed)?;
    Ok(connection)
}

/// The names of the keys that the database was ever used with.
pub(crate) fn key_ids(connection: &Connection) -> Result<Vec<String>, OpenError> {
    Ok(sealing_keys(connection)?.into_iter().map(|(id, _)| id).collect())
}

fn sealing_keys(connection: &Connection) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let read = || -> Result<_, DriverError> {
        let mut keys = connection.prepare("SELECT id, canary FROM sealing_keys")?;
        let keys = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    };
    read().map_err(StoreError::from_driver)
}

/// Whether the keyring has every key of the database and opens every secret; how many there are.
pub(crate) fn open_secrets(connection: &Connection, keyring: &Keyring) -> Result<u64, OpenError> {
    schema::fits(keyring, &sealing_keys(connection)?)?;
    Ok(reseal::open_every_secret(connection, keyring)?)
}

/// The schema's version, if it is one that this release can work with.
pub(crate) fn version(connection: &Connection) -> Result<i64, OpenError> {
    let known = i64::try_from(Dialect::Sqlite.migrations().len()).unwrap_or(i64::MAX);
    let found = connection.query_row(schema::READ_VERSION, [], |row| row.get(0)).map_err(StoreError::from_driver)?;
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(found) }
}

/// A file that goes, with what SQLite put beside it, unless it becomes another.
pub(crate) struct Draft {
    path: PathBuf,
    stays: bool,
}

impl Draft {
    /// An empty one with mode 0600, in the folder of `target`.
    pub(crate) fn beside(target: &Path) -> Result<Self, BackupError> {
        let (path, _) = private_file::open_draft(target).map_err(BackupError::file(target))?;
        Ok(Self { path, stays: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// On the disk, whole.
    pub(crate) fn flush(&self) -> Result<(), BackupError> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(BackupError::file(&self.path))
    }

    /// From now on it is somebody else's.
    pub(crate) fn stay(mut self) {
        self.stays = true;
    }

    /// Takes the place of `target`.
    fn become_file(self, target: &Path) -> Result<(), BackupError> {
        self.flush()?;
        std::fs::rename(&self.path, target).map_err(BackupError::file(target))?;
        private_file::sync_folder_of(target).map_err(BackupError::file(target))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let suffixes: &[&str] = if self.stays { &[] } else { &["", "-wal", "-shm", "-journal"] };
        for suffix in suffixes {
            // What is not there need not go.
            let _ = std::fs::remove_file(beside(&self.path, suffix));
        }
    }
}
