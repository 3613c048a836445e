//! Reading, on either engine: one text, one row type, and a macro that chooses the pool.

use sqlx::{PgPool, SqlitePool};

/// The connections that reads go through.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs a query on the pool of the engine in use and gives rows of one type:
/// `fetch!(database, fetch_all, RowType, SQL, argument, …)`.
macro_rules! fetch {
    ($database:expr, $method:ident, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {
        match $database {
            $crate::database::Database::Sqlite(pool) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($argument))*.$method(pool).await
            }
            $crate::database::Database::Postgres(pool) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($argument))*.$method(pool).await
            }
        }
        .map_err($crate::error::StoreError::from_sqlx)
    };
}
pub(crate) use fetch;

impl Database {
    /// Open connections, and those of them that nobody uses.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let (open, idle) = match self {
            Self::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Self::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        (usize::try_from(open).unwrap_or(usize::MAX), idle)
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether a text can be looked up at all: PostgreSQL's text has no U+0000, so that none of ours does.
pub(crate) fn can_be_stored(text: &str) -> bool {
    !text.contains('\0')
}
