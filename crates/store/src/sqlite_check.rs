//! Whether a SQLite file contradicts itself.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;
use crate::fault::DriverError;
use crate::tenure::has_log;

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Depth {
    /// Every page and every row; not whether each index has its rows.
    Quick,
    /// That too.
    Whole,
}

/// Opens a database to look at it. What an unclean end left behind is left as it is.
pub(crate) fn look_at(database: &Path) -> Result<Connection, DriverError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let had_log = has_log(database);
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    if had_log {
        // Otherwise the last connection that is closed writes the log back.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    Ok(connection)
}

/// Looks for contradictions.
///
/// # Errors
/// [`StoreError::Damaged`] with the first one, or what the driver says.
pub(crate) fn check(connection: &Connection, depth: Depth) -> Result<(), StoreError> {
    let sql = match depth {
        Depth::Quick => "PRAGMA quick_check(1)",
        Depth::Whole => "PRAGMA integrity_check(1)",
    };
    let found: String = connection.query_row(sql, [], |row| row.get(0)).map_err(StoreError::from_driver)?;
    if found == "ok" { Ok(()) } else { Err(contradiction(&found)) }
}

/// The first line may say where, as "*** in database main ***"; the next one says what.
fn contradiction(found: &str) -> StoreError {
    let what = found.lines().find(|line| !line.starts_with("***")).unwrap_or(found);
    StoreError::Damaged(what.to_owned())
}

/// As [`check`], for at most this long; false if that was not enough.
pub(crate) fn check_within(connection: &Connection, patience: Duration) -> Result<bool, StoreError> {
    let handle = connection.get_interrupt_handle();
    let (done, wait) = channel::<()>();
    let watch = std::thread::Builder::new().name("store-check".to_owned()).spawn(move || {
        if wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    drop(done);
    // Joined, so that it interrupts nothing that comes after.
    if let Ok(watch) = watch {
        let _ = watch.join();
    }
    match found {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(false),
        Err(error) => Err(StoreError::from_driver(error)),
        Ok(found) if found == "ok" => Ok(true),
        Ok(found) => Err(contradiction(&found)),
    }
}
