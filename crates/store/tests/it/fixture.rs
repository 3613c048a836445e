//! A fresh database for a test, on either engine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use hookwright_model::Entropy;
use hookwright_store::{Keyring, OpenError, Store, StoreOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::postgres_server::PostgresServer;

/// Runs test functions over a fixture on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::fixture::Fixture::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::fixture::Fixture::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;

/// Waits until all that was recorded is written. Reads wait for it too, but not as long as a busy test machine may need.
pub(crate) async fn settled(store: &Store) {
    let begun = Instant::now();
    while store.gauges().buffered_records > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the records are never written");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A database that no other test uses, gone with the fixture.
pub(crate) struct Fixture {
    pub(crate) url: String,
    pub(crate) keyring: Keyring,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/org.db", folder.path().display());
        Self { url, keyring: Keyring::in_memory(&Seeded::new(1)), folder }
    }

    pub(crate) async fn postgres() -> Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        static DATABASES: AtomicU64 = AtomicU64::new(0);
        let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(PostgresServer::start)).await.unwrap();
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name}");
        tokio::task::spawn_blocking(move || server.query("postgres", &create)).await.unwrap();
        let keyring = Keyring::in_memory(&Seeded::new(1));
        Self { url: server.url(&name), keyring, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn options(&self) -> StoreOptions {
        let mut options = StoreOptions::new(self.url.clone(), self.keyring.clone());
        options.accept_data_loss = true;
        options
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Store, OpenError> {
        Store::open(self.options()).await
    }

    /// Runs statements before there is a store: on SQLite they may make the file.
    pub(crate) async fn create(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// Runs a statement beside the store, as somebody with access to the database could. Tells how many rows it touched.
    pub(crate) async fn tamper(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let rows = connection.execute(sql).await.unwrap().rows_affected();
            connection.close().await.unwrap();
            rows
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap().rows_affected()
        }
    }

    /// Runs a text of several statements on a database that is made if there is none.
    pub(crate) async fn run_text(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite:") {
            let url = format!("{}?mode=rwc", self.url);
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// Why PostgreSQL refuses a statement.
    pub(crate) async fn tamper_error(&self, sql: &str) -> String {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap_err().to_string()
    }

    /// A number from the database, read beside the store.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            number
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    }
}

/// Bytes that look random and are the same each time (splitmix64).
pub(crate) struct Seeded(Mutex<u64>);

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
