//! The raw database: one connection that inserts rows of a hook's size and commits each by itself, durably.
//!
//! What a management API without group commit would pay at least: `synchronous=FULL` makes each commit wait for the
//! disk. The columns and the unique index on the name are those that any store of hooks needs.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::summary::Summary;
use crate::tally::Tally;

/// Inserts rows with `body` into a new database in `folder` for as long as `measured`, after a warm-up of a tenth.
///
/// # Errors
///
/// Whatever SQLite says, such as a database that is already there.
pub async fn run(tag: &str, folder: &Path, measured: Duration, body: &str) -> anyhow::Result<Summary> {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("row-by-row.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    sqlx::query(
        "CREATE TABLE inline_hooks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, \
         body TEXT NOT NULL, created INTEGER NOT NULL)",
    )
    .execute(&mut connection)
    .await?;
    let mut tally = Tally::new()?;
    let measure_from = Instant::now() + measured / 10;
    let stop_at = measure_from + measured;
    let mut sent_at = Instant::now();
    for number in 0_i64.. {
        if sent_at >= stop_at {
            break;
        }
        sqlx::query("INSERT INTO inline_hooks (id, name, type, body, created) VALUES ($1, $2, $3, $4, $5)")
            .bind(format!("cal{number:017}"))
            .bind(format!("hook {number:016}"))
            .bind("com.okta.user.pre-registration")
            .bind(body)
            .bind(number)
            .execute(&mut connection)
            .await?;
        let done_at = Instant::now();
        if done_at >= measure_from && done_at <= stop_at {
            tally.answer(200, done_at - sent_at, true);
        }
        sent_at = done_at;
    }
    connection.close().await?;
    Ok(Summary::of_tally(tag, &tally, measured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_are_in_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let summary = run("create/sqlite", folder.path(), Duration::from_millis(100), "{}").await.unwrap();
            let options = SqliteConnectOptions::new().filename(folder.path().join("row-by-row.sqlite"));
            let mut connection = options.connect().await.unwrap();
            let rows: i64 =
                sqlx::query_scalar("SELECT count(*) FROM inline_hooks").fetch_one(&mut connection).await.unwrap();
            assert!(summary.metrics["requests"] > 0.0);
            assert!(f64::from(u32::try_from(rows).unwrap()) >= summary.metrics["requests"]);
        });
    }
}
