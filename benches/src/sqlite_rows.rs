//! The raw database: one connection that inserts rows of a hook's size and commits each by itself, durably.
//!
//! What a management API without group commit would pay at least: `synchronous=FULL` makes each commit wait for the
//! disk. The columns and the unique index on the name are those that any store of hooks needs.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::summary::Summary;
use crate::tally::Tally;

/// Inserts rows with `body` into a new database in `folder` for as long as `measured`, after a warm-up of a tenth.
///
/// # Errors
///
/// Whatever SQLite says, such as a database that is already there.
pub fn run(tag: &str, folder: &Path, measured: Duration, body: &str) -> anyhow::Result<Summary> {
    let connection = Connection::open(folder.join("row-by-row.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE inline_hooks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, \
         body TEXT NOT NULL, created INTEGER NOT NULL)",
    )?;
    let mut insert =
        connection.prepare("INSERT INTO inline_hooks (id, name, type, body, created) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut tally = Tally::new()?;
    let measure_from = Instant::now() + measured / 10;
    let stop_at = measure_from + measured;
    let mut sent_at = Instant::now();
    for number in 0_i64.. {
        if sent_at >= stop_at {
            break;
        }
        let (id, name) = (format!("cal{number:017}"), format!("hook {number:016}"));
        insert.execute((id, name, "com.okta.user.pre-registration", body, number))?;
        let done_at = Instant::now();
        if done_at >= measure_from && done_at <= stop_at {
            tally.answer(200, done_at - sent_at, true);
        }
        sent_at = done_at;
    }
    Ok(Summary::of_tally(tag, &tally, measured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_are_in_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let summary = run("create/sqlite", folder.path(), Duration::from_millis(100), "{}").unwrap();
        let connection = Connection::open(folder.path().join("row-by-row.sqlite")).unwrap();
        let rows: u32 = connection.query_row("SELECT count(*) FROM inline_hooks", [], |row| row.get(0)).unwrap();
        assert!(summary.metrics["requests"] > 0.0);
        assert!(f64::from(rows) >= summary.metrics["requests"]);
    }
}
