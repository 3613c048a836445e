//! The connection that writes to a SQLite database.
//!
//! It blocks whoever uses it, which is the writer's thread alone: sqlx would run SQLite in a thread of its own, and the way
//! there and back for each statement takes longer than the statement. Reads go through sqlx, as they do on PostgreSQL.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Error::InvalidParameterCount;
use rusqlite::types::{FromSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension as _, ToSql};

use crate::dialect::{Dialect, READ_HEAD};
use crate::error::StoreError;
use crate::fault::DriverError;
use crate::journal::chain::{Extension, StoredHead};
use crate::journal::chunk::Chunk;
use crate::keyring::CurrentKeyring;
use crate::session::{Session, StatementError};
use crate::sqlite_check;
use crate::statement::{Argument, Statement};

/// How many texts are kept prepared: more than there are.
const KEPT_STATEMENTS: usize = 256;

/// The address and length of a text: all are constants.
type TextPlace = (usize, usize);

/// A connection to a SQLite database.
pub(crate) struct SqliteSession {
    connection: Connection,
    /// Which argument each placeholder of a text stands for.
    placeholders: RefCell<HashMap<TextPlace, Arc<[usize]>>>,
}

impl SqliteSession {
    /// Opens or makes the database. `in_memory`: the one of that name in this process's memory.
    pub(crate) fn open(path: &Path, in_memory: bool, busy_timeout: Duration) -> Result<Self, DriverError> {
        let place = if in_memory {
            OpenFlags::SQLITE_OPEN_MEMORY | OpenFlags::SQLITE_OPEN_SHARED_CACHE
        } else {
            OpenFlags::empty()
        };
        // No mutex: only one thread at a time has the connection.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(path, flags | place)?;
        connection.busy_timeout(busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
        Ok(Self { connection, placeholders: RefCell::default() })
    }

    /// Changes a setting of the connection or the file.
    pub(crate) fn set(&self, pragma: &str, value: impl ToSql) -> Result<(), DriverError> {
        Ok(self.connection.pragma_update(None, pragma, value)?)
    }

    /// A setting as it is.
    pub(crate) fn setting<T: FromSql>(&self, pragma: &str) -> Result<T, DriverError> {
        Ok(self.connection.pragma_query_value(None, pragma, |row| row.get(0))?)
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) fn run(&self, statement: &Statement) -> Result<usize, DriverError> {
        self.prepare(statement.sql)?.run(statement)
    }

    /// A text made ready, to be run once or more often.
    pub(crate) fn prepare(&self, sql: &'static str) -> Result<Prepared<'_>, DriverError> {
        let statement = self.connection.prepare_cached(sql)?;
        let mut known = self.placeholders.borrow_mut();
        let order = known.entry((sql.as_ptr().addr(), sql.len())).or_insert_with(|| order_of(&statement));
        Ok(Prepared { sql, statement, order: Arc::clone(order) })
    }

    /// Runs one statement without arguments.
    pub(crate) fn run_plain(&self, sql: &'static str) -> Result<(), DriverError> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Appends chunks to the journal, inside a transaction; see [`Session::append`].
    pub(crate) fn append<'c>(
        &self,
        chunks: impl Iterator<Item = &'c Chunk>,
        keyring: &CurrentKeyring,
    ) -> Result<(), StatementError> {
        let (mut seq, head) = self.head()?;
        let keyring = StoredHead::keyring_of(head.as_ref(), keyring);
        let mut chain = Extension::of(head.as_ref(), &keyring)?;
        for chunk in chunks {
            seq += 1;
            for statement in chunk.statements(seq, &mut chain) {
                self.run(&statement)?;
            }
        }
        self.run(&chain.head_statement())?;
        Ok(())
    }

    /// The highest number of a chunk, and the end of the chain.
    fn head(&self) -> Result<(i64, Option<StoredHead>), DriverError> {
        let mut statement = self.connection.prepare_cached(READ_HEAD)?;
        Ok(statement.query_row([], |row| {
            let Some(chain) = row.get(1)? else { return Ok((row.get(0)?, None)) };
            let head = StoredHead {
                chain,
                began: row.get(2)?,
                executions_links: row.get(3)?,
                executions_hmac: row.get(4)?,
                events_links: row.get(5)?,
                events_hmac: row.get(6)?,
                key_id: row.get(7)?,
                mac: row.get(8)?,
            };
            Ok((row.get(0)?, Some(head)))
        })?)
    }

    /// Looks for contradictions in the file, for at most this long; false if that was not enough.
    pub(crate) fn check_within(&self, patience: Duration) -> Result<bool, StoreError> {
        sqlite_check::check_within(&self.connection, patience)
    }

    /// Writes the log back and empties it: leaves one file instead of two, and the next start nothing to recover.
    pub(crate) fn checkpoint(&self) -> Result<(), DriverError> {
        Ok(self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

/// A text made ready.
pub(crate) struct Prepared<'s> {
    sql: &'static str,
    statement: CachedStatement<'s>,
    order: Arc<[usize]>,
}

impl Prepared<'_> {
    /// Whether this is the text of that statement.
    pub(crate) fn fits(&self, statement: &Statement) -> bool {
        std::ptr::eq(self.sql, statement.sql)
    }

    /// Runs a statement of this text and tells how many rows it touched.
    pub(crate) fn run(&mut self, statement: &Statement) -> Result<usize, DriverError> {
        self.bind(statement)?;
        Ok(self.statement.raw_execute()?)
    }

    fn bind(&mut self, statement: &Statement) -> Result<(), DriverError> {
        for (index, place) in (1..).zip(&*self.order) {
            let given = statement.arguments.len();
            let argument = statement.arguments.get(*place).ok_or(InvalidParameterCount(given, index))?;
            self.statement.raw_bind_parameter(index, argument)?;
        }
        Ok(())
    }
}

/// Which argument each placeholder stands for, `$1` for the first: SQLite counts `$2` as the first placeholder where it stands
/// before `$1`. One of another form stands for an argument that no statement has.
fn order_of(prepared: &rusqlite::Statement<'_>) -> Arc<[usize]> {
    let number = |index| prepared.parameter_name(index)?.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1);
    (1..=prepared.parameter_count()).map(|index| number(index).unwrap_or(usize::MAX)).collect()
}

impl ToSql for Argument {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Integer(value) => value.to_sql(),
            Self::OptionalInteger(value) => value.to_sql(),
            Self::Fixed(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
            Self::OptionalText(value) => value.to_sql(),
            Self::Bytes(value) => value.to_sql(),
            Self::OptionalBytes(value) => value.to_sql(),
        }
    }
}

impl Session for SqliteSession {
    const DIALECT: Dialect = Dialect::Sqlite;

    async fn run_text(&mut self, sql: &'static str) -> Result<(), DriverError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, StatementError> {
        Ok(u64::try_from(self.run(statement)?).unwrap_or(u64::MAX))
    }

    async fn number(&mut self, sql: &'static str) -> Result<Option<i64>, DriverError> {
        Ok(self.connection.query_row(sql, [], |row| row.get(0)).optional()?)
    }

    async fn sealing_keys(&mut self) -> Result<Vec<(String, Vec<u8>)>, DriverError> {
        let mut keys = self.connection.prepare("SELECT id, canary FROM sealing_keys")?;
        let keys = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    }

    async fn finds(&mut self, query: &Statement) -> Result<bool, StatementError> {
        let mut prepared = self.prepare(query.sql)?;
        prepared.bind(query)?;
        let found = prepared.statement.raw_query().next().map_err(DriverError::from)?.is_some();
        Ok(found)
    }

    async fn append(&mut self, chunks: &[Chunk], keyring: &CurrentKeyring) -> Result<(), StatementError> {
        Self::append(self, chunks.iter(), keyring)
    }
}
