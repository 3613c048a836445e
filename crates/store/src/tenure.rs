//! Who has a SQLite database to itself, and whether the one before left it in good order.
//!
//! The lock is an advisory one on a file beside the database; the system gives it back however a process ends. The file's content
//! tells the rest: it is empty after an end in good order.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::private_file::{self, beside};

const IN_USE: &[u8] = b"in use, or not closed in good order\n";

/// Kept as long as the database is open.
pub(crate) struct Tenure {
    file: File,
    /// What is left behind when this is dropped.
    in_order: bool,
}

impl Tenure {
    /// Takes the lock. Tells whether the last owner, or a power cut, left the database as it was in the middle of its work.
    pub(crate) fn take(database: &Path) -> Result<(Self, bool), OpenError> {
        private_file::make_folder_of(database).map_err(|error| unusable(database, &error))?;
        let path = lock_path(database);
        let mut file = private_file::touch(&path).map_err(|error| unusable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { database: database.to_owned(), lock: path });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(&path, &error)),
        }
        let mut mark = Vec::new();
        file.read_to_end(&mut mark).map_err(|error| unusable(&path, &error))?;
        // Of what came before a power cut, the mark may not have reached the disk; the log of the database has.
        let was_cut_short = !mark.is_empty() || has_log(database);
        if mark.is_empty() {
            file.write_all(IN_USE).map_err(|error| unusable(&path, &error))?;
            flush_behind(path);
        }
        Ok((Self { file, in_order: !was_cut_short }, was_cut_short))
    }

    /// From now on the database is at work, so that an end without [`Self::end`] is none in good order.
    pub(crate) const fn begin(&mut self) {
        self.in_order = false;
    }

    /// The database is closed and whole.
    pub(crate) fn end(mut self) {
        self.in_order = true;
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        if self.in_order {
            // If it fails, the next start looks more closely than it had to.
            let _ = self.file.set_len(0);
        }
    }
}

/// Whether there is a write-ahead log with something in it.
pub(crate) fn has_log(database: &Path) -> bool {
    std::fs::metadata(beside(database, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// The file whose lock its server holds.
pub(crate) fn lock_path(database: &Path) -> PathBuf {
    beside(database, ".lock")
}

/// Flushes in a thread of its own: a start does not wait for it. The file is opened again, since a lock lives as long as any
/// copy of the handle that took it.
fn flush_behind(path: PathBuf) {
    let flush = move || File::open(path).and_then(|file| file.sync_data());
    // If it fails, the log that a power cut leaves tells the same.
    let _ = std::thread::Builder::new().name("store-mark".to_owned()).spawn(flush);
}

fn unusable(path: &Path, error: &io::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn was_cut_short(database: &Path) -> bool {
        Tenure::take(database).unwrap().1
    }

    #[test]
    fn only_an_end_in_good_order_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("org.db");
        let (mut tenure, cut) = Tenure::take(&database).unwrap();
        assert!(!cut && Tenure::take(&database).is_err(), "two at once");
        tenure.begin();
        tenure.end();
        assert!(!was_cut_short(&database));
        // A start that is refused changes nothing.
        assert!(!was_cut_short(&database));

        let (mut tenure, _) = Tenure::take(&database).unwrap();
        tenure.begin();
        drop(tenure);
        assert!(was_cut_short(&database));
        assert!(was_cut_short(&database), "a refused start has forgotten it");
        Tenure::take(&database).unwrap().0.end();
        assert!(!was_cut_short(&database));
    }

    #[test]
    fn a_log_that_is_left_tells_it_too() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("org.db");
        std::fs::write(beside(&database, "-wal"), "").unwrap();
        assert!(!was_cut_short(&database));
        std::fs::write(beside(&database, "-wal"), "frames").unwrap();
        assert!(was_cut_short(&database));
    }
}
