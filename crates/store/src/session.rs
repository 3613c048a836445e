//! One connection of either engine inside a transaction: what a commit and a migration need of it.

use sqlx::PgConnection;

use crate::change::Conflict;
use crate::dialect::Dialect;
use crate::dialect::{AWAIT_HEAD, TAKE_HEAD};
use crate::error::{CommitError, StoreError};
use crate::fault::{self, DriverError, Fault};
use crate::journal::chain::{APPEND_WITH_HEAD, Extension, StoredHead};
use crate::journal::chunk::Chunk;
use crate::keyring::CurrentKeyring;
use crate::statement::{Expect, Otherwise, Statement};
use crate::work::Work;

/// A connection that a commit or a migration runs on.
pub(crate) trait Session {
    const DIALECT: Dialect;

    /// Runs a text without arguments; it may hold several statements.
    async fn run_text(&mut self, sql: &'static str) -> Result<(), DriverError>;

    /// Runs a statement and tells how many rows it touched.
    async fn execute(&mut self, statement: &Statement) -> Result<u64, StatementError>;

    /// The number in the only row and column, if there is a row.
    async fn number(&mut self, sql: &'static str) -> Result<Option<i64>, DriverError>;

    /// Names and canaries of the keys that secrets may be sealed with.
    async fn sealing_keys(&mut self) -> Result<Vec<(String, Vec<u8>)>, DriverError>;

    /// Whether a query finds a row.
    async fn finds(&mut self, query: &Statement) -> Result<bool, StatementError>;

    /// Appends chunks to the journal, in this order, each proved by the keyring's first key. Nothing of the transaction may
    /// lock anything behind it.
    async fn append(&mut self, chunks: &[Chunk], keyring: &CurrentKeyring) -> Result<(), StatementError>;
}

/// Why a statement failed.
pub(crate) enum StatementError {
    /// Its arguments could not be made ready.
    Store(StoreError),
    /// What the driver said.
    Database(DriverError),
}

impl From<DriverError> for StatementError {
    fn from(error: DriverError) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::Error> for StatementError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<StoreError> for StatementError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl StatementError {
    /// What the failure means.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Store(_) => Fault::Refused,
            Self::Database(error) => fault::classify(error),
        }
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => StoreError::from_driver(error),
        }
    }
}

impl Session for PgConnection {
    const DIALECT: Dialect = Dialect::Postgres;

    async fn run_text(&mut self, sql: &'static str) -> Result<(), DriverError> {
        sqlx::raw_sql(sql).execute(&mut *self).await?;
        Ok(())
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, StatementError> {
        let arguments = statement.postgres_arguments()?;
        Ok(sqlx::query_with(statement.sql, arguments).execute(&mut *self).await?.rows_affected())
    }

    async fn number(&mut self, sql: &'static str) -> Result<Option<i64>, DriverError> {
        Ok(sqlx::query_scalar(sql).fetch_optional(&mut *self).await?)
    }

    async fn sealing_keys(&mut self) -> Result<Vec<(String, Vec<u8>)>, DriverError> {
        Ok(sqlx::query_as("SELECT id, canary FROM sealing_keys").fetch_all(&mut *self).await?)
    }

    async fn finds(&mut self, query: &Statement) -> Result<bool, StatementError> {
        let arguments = query.postgres_arguments()?;
        Ok(sqlx::query_with(query.sql, arguments).fetch_optional(&mut *self).await?.is_some())
    }

    async fn append(&mut self, chunks: &[Chunk], keyring: &CurrentKeyring) -> Result<(), StatementError> {
        let (numbers, head) = take_head(self, chunks.len()).await?;
        let keyring = StoredHead::keyring_of(head.as_ref(), keyring);
        let mut chain = Extension::of(head.as_ref(), &keyring)?;
        for (index, (chunk, seq)) in chunks.iter().zip(numbers).enumerate() {
            let is_last = index + 1 == chunks.len();
            let mut is_chunk = true;
            for mut statement in chunk.statements(seq, &mut chain).collect::<Vec<_>>() {
                if is_last && std::mem::take(&mut is_chunk) {
                    // In one go, which saves the way there and back.
                    statement.arguments.splice(0..0, chain.head_arguments());
                    statement.sql = APPEND_WITH_HEAD;
                }
                self.execute(&statement).await?;
            }
        }
        Ok(())
    }
}

/// A row of [`TAKE_HEAD`]: a number, and the head if there was one.
#[derive(sqlx::FromRow)]
struct Taken {
    seq: i64,
    chain: Option<i64>,
    began: Option<i64>,
    executions_links: Option<i64>,
    executions_hmac: Option<Vec<u8>>,
    events_links: Option<i64>,
    events_hmac: Option<Vec<u8>>,
    key_id: Option<Vec<u8>>,
    mac: Option<Vec<u8>>,
}

impl Taken {
    fn head(self) -> Option<StoredHead> {
        Some(StoredHead {
            chain: self.chain?,
            began: self.began?,
            executions_links: self.executions_links?,
            executions_hmac: self.executions_hmac?,
            events_links: self.events_links?,
            events_hmac: self.events_hmac?,
            key_id: self.key_id?,
            mac: self.mac?,
        })
    }
}

/// As many numbers of the journal as chunks are to be appended, and the end of a chain, which is this transaction's alone.
async fn take_head(
    session: &mut PgConnection,
    chunks: usize,
) -> Result<(Vec<i64>, Option<StoredHead>), StatementError> {
    let wanted = i64::try_from(chunks).unwrap_or(i64::MAX);
    let mut taken: Vec<Taken> = sqlx::query_as(TAKE_HEAD).bind(wanted).fetch_all(&mut *session).await?;
    if taken.first().is_none_or(|first| first.chain.is_none()) {
        // Whichever; another one for the next.
        let seq = taken.first().map_or(0, |first| first.seq);
        let chain = seq.rem_euclid(Dialect::Postgres.chains());
        taken = sqlx::query_as(AWAIT_HEAD).bind(wanted).bind(chain).fetch_all(&mut *session).await?;
    }
    let mut numbers: Vec<i64> = taken.iter().map(|taken| taken.seq).collect();
    numbers.sort_unstable();
    Ok((numbers, taken.into_iter().next().and_then(Taken::head)))
}

/// Why a commit did not apply.
pub(crate) enum Failure {
    /// This is its answer.
    Answer(CommitError),
    /// The driver failed; whether to try again is for the caller to say.
    Statement(StatementError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        Self::Statement(error.into())
    }
}

/// Runs all that a commit writes; the caller holds the transaction and ends it.
pub(crate) async fn apply<S: Session>(session: &mut S, work: &Work, keyring: &CurrentKeyring) -> Result<(), Failure> {
    for statement in work.all_statements() {
        let rows = match session.execute(&statement).await {
            Ok(rows) => rows,
            Err(error) => return Err(constraint(&statement, &error).unwrap_or(Failure::Statement(error))),
        };
        if let Expect::OneRow(otherwise) = &statement.expect
            && rows != 1
        {
            return Err(Failure::Answer(explain(session, otherwise).await?));
        }
    }
    if work.chunks.is_empty() {
        return Ok(());
    }
    session.append(&work.chunks, keyring).await.map_err(Failure::Statement)
}

/// A unique index that refused a checked statement is the conflict which that statement expects; a reference that would
/// lead nowhere is a conflict of its own.
fn constraint(statement: &Statement, error: &StatementError) -> Option<Failure> {
    let conflict = match error.fault() {
        Fault::Reference => Conflict::Reference,
        Fault::Duplicate => match &statement.expect {
            Expect::NoDuplicate(conflict) | Expect::OneRow(Otherwise::Conflict(conflict)) => conflict.clone(),
            Expect::OneRow(Otherwise::FirstFound { probes, conflict }) => {
                probes.first().map_or(conflict, |probe| &probe.conflict).clone()
            }
            Expect::Anything | Expect::OneRow(Otherwise::Damage(_)) => return None,
        },
        _ => return None,
    };
    Some(Failure::Answer(conflict.into()))
}

/// What it means that a checked statement touched no row.
async fn explain<S: Session>(session: &mut S, otherwise: &Otherwise) -> Result<CommitError, Failure> {
    Ok(match otherwise {
        Otherwise::Conflict(conflict) => conflict.clone().into(),
        Otherwise::FirstFound { probes, conflict } => {
            for probe in probes {
                let query = Statement::new(probe.sql, probe.arguments.clone());
                if session.finds(&query).await.map_err(Failure::Statement)? {
                    return Ok(probe.conflict.clone().into());
                }
            }
            conflict.clone().into()
        }
        Otherwise::Damage(what) => CommitError::Failed(StoreError::Unreadable((*what).to_owned())),
    })
}
