//! Putting a backup of a SQLite database back: the old database goes aside with all its files, whole, and the new one takes its
//! place, whole, whenever the process ends.
//!
//! The backup is copied beside the database and checked there. Then a note is written that says what is to be moved where. From
//! then on the restore counts, and whoever opens the database next does the rest, if need be: each step may be done twice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::backup::{self, BackupError, Draft};
use crate::error::{OpenError, StoreError};
use crate::keyring::Keyring;
use crate::private_file::{self, beside, sync_folder_of};
use crate::sqlite_check::{self, Depth};
use crate::tenure::{Tenure, has_log, lock_path};

/// What belongs to a database beside its file, and holds a part of it. The index of the log (`-shm`) holds nothing.
const PARTS: [&str; 2] = ["-wal", "-journal"];

/// What was put back.
#[derive(Debug)]
pub struct Restored {
    /// Where the old database is, if there was one; it can be put back as the new one was.
    pub aside: Option<PathBuf>,
    /// The version of its tables.
    pub schema_version: i64,
    /// How many secrets are sealed in it; the keyring opened all of them.
    pub secrets: u64,
}

/// Puts a backup in the place of the database. Blocks. The old database is kept as `DATABASE.before-restore-MARK`.
///
/// # Errors
/// See [`BackupError`]; the old database is as it was.
pub fn restore(database: &Path, file: &Path, keyring: &Keyring, mark: &str) -> Result<Restored, BackupError> {
    check_file(database, file)?;
    let (mut tenure, _) = Tenure::take(database)?;
    finish_locked(database)?;
    let draft = Draft::beside(database)?;
    copy(file, draft.path())?;
    let (schema_version, secrets) = check(file, draft.path(), keyring)?;
    draft.flush()?;
    let aside =
        PARTS.iter().chain(&[""]).any(|part| beside(database, part).exists()).then(|| free_name(database, mark));
    let note = Note { draft: draft.path().to_owned(), aside: aside.clone() };
    tenure.begin();
    note.write(database).map_err(BackupError::file(database))?;
    // Only now: the note leads whoever comes next to it.
    draft.stay();
    finish_locked(database)?;
    tenure.end();
    Ok(Restored { aside, schema_version, secrets })
}

/// Ends a restore that was cut short, if there is one.
pub(crate) fn finish(database: &Path) -> Result<(), OpenError> {
    if note_path(database).exists() {
        let (_tenure, _) = Tenure::take(database)?;
        finish_locked(database)?;
    }
    Ok(())
}

/// As [`finish`], by who has the lock.
pub(crate) fn finish_locked(database: &Path) -> Result<(), OpenError> {
    let failed = |error: io::Error| OpenError::File { path: database.to_owned(), reason: error.to_string() };
    let Some(note) = Note::read(database).map_err(failed)? else { return Ok(()) };
    note.follow(database).map_err(failed)
}

/// What is to be moved where.
struct Note {
    draft: PathBuf,
    aside: Option<PathBuf>,
}

fn note_path(database: &Path) -> PathBuf {
    beside(database, ".restoring")
}

impl Note {
    /// The files' names, one a line.
    fn write(&self, database: &Path) -> io::Result<()> {
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = format!("{}\n{}\n", name(&self.draft), self.aside.as_ref().map(name).unwrap_or_default());
        private_file::replace(&note_path(database), text.as_bytes())
    }

    fn read(database: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(note_path(database)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let mut names = text.lines().map(|name| (!name.is_empty()).then(|| database.with_file_name(name)));
        let draft = names.next().flatten().ok_or_else(|| io::Error::other("the note of a restore is empty"))?;
        Ok(Some(Self { draft, aside: names.next().flatten() }))
    }

    /// Moves what is not moved yet, and forgets the note.
    fn follow(self, database: &Path) -> io::Result<()> {
        if self.draft.exists() {
            if let Some(aside) = &self.aside {
                for part in ["", "-wal", "-journal"] {
                    move_if_there(&beside(database, part), &beside(aside, part))?;
                }
            }
            remove_if_there(&beside(database, "-shm"))?;
            // The old files are gone for certain before the new one comes: its log must not be that of another.
            sync_folder_of(database)?;
            fs::rename(&self.draft, database)?;
            sync_folder_of(database)?;
        }
        fs::remove_file(note_path(database))?;
        sync_folder_of(database)
    }
}

fn check_file(database: &Path, file: &Path) -> Result<(), BackupError> {
    let there = fs::canonicalize(file).map_err(BackupError::file(file))?;
    if fs::canonicalize(database).is_ok_and(|database| database == there) {
        return Err(BackupError::Itself(file.to_owned()));
    }
    if !backup::is_sqlite(file).map_err(BackupError::file(file))? {
        let reason = "it is not a SQLite file";
        return Err(BackupError::Foreign { path: file.to_owned(), reason });
    }
    // The files of a running server change while they are copied.
    if let Ok(lock) = File::open(lock_path(file))
        && lock.try_lock().is_err()
    {
        return Err(OpenError::InUse { database: file.to_owned(), lock: lock_path(file) }.into());
    }
    Ok(())
}

/// Copies the file, and the log beside it if it is no backup but a database that was not closed in good order.
fn copy(file: &Path, draft: &Path) -> Result<(), BackupError> {
    let parts: &[&str] = if has_log(file) { &["", "-wal"] } else { &[""] };
    for part in parts {
        let (from, to) = (beside(file, part), beside(draft, part));
        let copied = File::open(&from).and_then(|mut from| {
            drop(private_file::touch(&to)?);
            let mut to = OpenOptions::new().write(true).open(&to)?;
            io::copy(&mut from, &mut to)
        });
        copied.map_err(BackupError::file(&from))?;
    }
    Ok(())
}

/// Whether the copy is whole, of Hookwright, of a release that this one knows, and opened by the keys.
fn check(file: &Path, draft: &Path, keyring: &Keyring) -> Result<(i64, u64), BackupError> {
    let named = |error| match error {
        BackupError::Damaged { what, .. } => BackupError::Damaged { path: file.to_owned(), what },
        error => error,
    };
    let connection = backup::open_alone(draft).map_err(named)?;
    sqlite_check::check(&connection, Depth::Whole).map_err(BackupError::of(file))?;
    let ours = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('sealing_keys', 'schema_version')";
    let tables: i64 = connection
        .query_row(ours, [], |row| row.get(0))
        .map_err(StoreError::from_driver)
        .map_err(BackupError::of(file))?;
    if tables != 2 {
        return Err(BackupError::Foreign { path: file.to_owned(), reason: "it has other tables" });
    }
    let version = backup::version(&connection)?;
    Ok((version, backup::open_secrets(&connection, keyring)?))
}

/// A name for the old database that nothing has yet.
fn free_name(database: &Path, mark: &str) -> PathBuf {
    let name = |count: u32| match count {
        1 => beside(database, &format!(".before-restore-{mark}")),
        _ => beside(database, &format!(".before-restore-{mark}-{count}")),
    };
    let is_free = |path: &PathBuf| ["", "-wal", "-journal"].iter().all(|part| !beside(path, part).exists());
    (1..100).map(name).find(is_free).unwrap_or_else(|| name(100))
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that may have been moved when the process was killed, in whatever order it reached the disk.
    #[test]
    fn whenever_it_is_cut_short_the_new_database_is_there_whole_and_the_old_one_aside() {
        for done in 0..16_u32 {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("org.db");
            let place = |name: &str| folder.path().join(name);
            for (name, content) in [("org.db", "old"), ("org.db-wal", "log"), ("org.db-shm", "index"), ("draft", "new")]
            {
                fs::write(place(name), content).unwrap();
            }
            Note { draft: place("draft"), aside: Some(place("aside")) }.write(&database).unwrap();
            let moves = [("org.db", "aside"), ("org.db-wal", "aside-wal"), ("org.db-shm", "gone")];
            for (number, (from, to)) in moves.into_iter().enumerate() {
                if done >> number & 1 == 1 {
                    fs::rename(place(from), place(to)).unwrap();
                }
            }
            if done == 15 {
                fs::rename(place("draft"), &database).unwrap();
            }
            finish(&database).unwrap();
            finish(&database).unwrap();
            let read = |name: &str| fs::read_to_string(place(name)).unwrap_or_default();
            assert_eq!([read("org.db"), read("aside"), read("aside-wal")], ["new", "old", "log"], "{done:b}");
            for gone in ["org.db-wal", "org.db-shm", "draft", "org.db.restoring"] {
                assert!(!place(gone).exists(), "{gone} {done:b}");
            }
        }
    }
}
