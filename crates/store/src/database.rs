//! Reading, on either engine: one text, one row type, and a macro that chooses the pool.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};

use crate::health::Health;

/// The connections that reads go through, and what they met.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: Pool,
    pub(crate) health: Arc<Health>,
}

/// The connections of the engine in use.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// How long a read may take once it has a connection. The server stops it on its own a little earlier, unless it is gone.
pub(crate) const PATIENCE: Duration = Duration::from_secs(6);

/// Runs a query on the pool of the engine in use and gives rows of one type:
/// `fetch!(database, fetch_all, RowType, SQL, argument, …)`.
macro_rules! fetch {
    ($database:expr, $method:ident, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {{
        let database: &$crate::database::Database = $database;
        let result = match &database.pool {
            $crate::database::Pool::Sqlite(pool) => {
                $crate::database::fetch_from!(pool, $method, $row, $sql $(, $argument)*)
            }
            $crate::database::Pool::Postgres(pool) => {
                $crate::database::fetch_from!(pool, $method, $row, $sql $(, $argument)*)
            }
        };
        result.inspect_err(|error| database.health.note(error))
    }};
}
pub(crate) use fetch;

/// One arm of [`fetch`]: the same text for both engines, but other types.
macro_rules! fetch_from {
    ($pool:expr, $method:ident, $row:ty, $sql:expr $(, $argument:expr)*) => {{
        let mut connection = $pool.acquire().await.map_err($crate::error::StoreError::from_driver)?;
        let query = sqlx::query_as::<_, $row>($sql)$(.bind($argument))*;
        match tokio::time::timeout($crate::database::PATIENCE, query.$method(&mut *connection)).await {
            Ok(result) => result.map_err($crate::error::StoreError::from_driver),
            Err(_) => {
                // It may never answer: it must not come back into the pool.
                connection.close_on_drop();
                Err($crate::error::StoreError::unavailable("it does not answer in time"))
            }
        }
    }};
}
pub(crate) use fetch_from;

impl Database {
    /// Open connections, and those of them that nobody uses.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let (open, idle) = match &self.pool {
            Pool::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Pool::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        (usize::try_from(open).unwrap_or(usize::MAX), idle)
    }

    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether a text can be looked up at all: PostgreSQL's text has no U+0000, so that none of ours does.
pub(crate) fn can_be_stored(text: &str) -> bool {
    !text.contains('\0')
}
