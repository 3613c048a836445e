//! Opening a PostgreSQL database, and committing to it: each commit in a transaction of its own, repeated only while it is
//! certain that nothing of it was kept. The server groups the flushes of concurrent commits itself.

use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool};

use crate::dialect::SESSION_SETTINGS;
use crate::error::{CommitError, OpenError, StoreError};
use crate::fault::Fault;
use crate::keyring::CurrentKeyring;
use crate::notices::{self, Node};
use crate::options::StoreOptions;
use crate::schema;
use crate::session::{Failure, Session as _, StatementError, apply};
use crate::work::Work;

/// How long a commit is tried again before its caller hears of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the statements of a commit may take together, and `COMMIT` itself. The server stops each statement on its own
/// earlier, unless it is gone.
const STATEMENTS_TIME: Duration = Duration::from_secs(15);

/// A connection that rested for longer is asked whether it is still there before it is used.
const TRUSTED_REST: Duration = Duration::from_secs(1);

/// Nodes that start together make the tables one after the other.
const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(x'4800736368656d61'::bigint)";

fn read_url(url: &str) -> Result<PgConnectOptions, OpenError> {
    // The parser's message may repeat parts of the URL, which may hold a password.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| OpenError::Url("it is not of the form postgres://user:password@host:port/database".to_owned()))?;
    Ok(options.application_name("hookwright").disable_statement_logging())
}

/// Whether the database has no tables of ours yet.
pub(crate) async fn is_new(url: &str) -> Result<bool, OpenError> {
    let mut connection = read_url(url)?.connect().await.map_err(StoreError::from_driver)?;
    let tables = connection
        .number("SELECT count(*) FROM pg_class WHERE oid = to_regclass('sealing_keys')")
        .await
        .map_err(StoreError::from_driver)?;
    connection.close().await.map_err(StoreError::from_driver)?;
    Ok(tables != Some(1))
}

pub(crate) async fn open(options: &StoreOptions) -> Result<(PgPool, Node), OpenError> {
    let connect = read_url(&options.database_url)?;
    let listen = connect.clone();
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move { Ok(rest.idle_for < TRUSTED_REST || connection.ping().await.is_ok()) })
        })
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(SESSION_SETTINGS).execute(connection).await.map(|_| ()) })
        })
        .connect_with(connect)
        .await
        .map_err(StoreError::from_driver)?;
    let mut transaction = pool.begin().await.map_err(StoreError::from_driver)?;
    check_settings(&mut transaction, options).await?;
    transaction.run_text("SET LOCAL lock_timeout = '60s'").await.map_err(StoreError::from_driver)?;
    transaction.run_text("SET LOCAL statement_timeout = 0").await.map_err(StoreError::from_driver)?;
    transaction.run_text(LOCK_SCHEMA).await.map_err(StoreError::from_driver)?;
    schema::prepare(&mut *transaction, &options.keyring, options.restart_log).await?;
    transaction.commit().await.map_err(StoreError::from_driver)?;
    let node = Node::new(listen, notices::name(&pool).await?);
    Ok((pool, node))
}

/// Settings of the server without which "committed" does not mean "kept".
async fn check_settings(connection: &mut PgConnection, options: &StoreOptions) -> Result<(), OpenError> {
    let (encoding, fsync, full_page_writes): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::from_driver)?;
    if encoding != "UTF8" {
        return Err(OpenError::Unsuitable(format!("its encoding is {encoding} and must be UTF8")));
    }
    if !options.accept_data_loss && (fsync != "on" || full_page_writes != "on") {
        return Err(OpenError::Unsuitable("the server's settings fsync and full_page_writes must be on".to_owned()));
    }
    Ok(())
}

/// Commits, and returns when it is durable.
pub(crate) async fn write(pool: &PgPool, work: &Work, keyring: &CurrentKeyring) -> Result<(), CommitError> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let error = match attempt(pool, work, keyring).await {
            Ok(()) => return Ok(()),
            Err(AttemptError::Answer(answer)) => return Err(answer),
            Err(AttemptError::Silent) => {
                return Err(CommitError::Unavailable(StoreError::unavailable("it does not answer in time")));
            }
            Err(AttemptError::NothingKept(error)) => error,
        };
        let again = matches!(error.fault(), Fault::Retry | Fault::Away) && begun.elapsed() + pause < PATIENCE;
        if !again {
            return Err(error.into_store_error().into());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

enum AttemptError {
    /// This is the commit's answer.
    Answer(CommitError),
    /// The driver failed before `COMMIT` was sent, or the server said that it rolled back.
    NothingKept(StatementError),
    /// No answer came before `COMMIT` was sent.
    Silent,
}

impl From<sqlx::Error> for AttemptError {
    fn from(error: sqlx::Error) -> Self {
        Self::NothingKept(error.into())
    }
}

async fn attempt(pool: &PgPool, work: &Work, keyring: &CurrentKeyring) -> Result<(), AttemptError> {
    let mut connection = pool.acquire().await?;
    let result = attempt_on(&mut connection, work, keyring).await;
    if let Err(AttemptError::Answer(CommitError::OutcomeUnknown(_)) | AttemptError::Silent) = &result {
        // It may never answer: it must not come back into the pool.
        connection.close_on_drop();
    }
    result
}

async fn attempt_on(connection: &mut PgConnection, work: &Work, keyring: &CurrentKeyring) -> Result<(), AttemptError> {
    let applied = async {
        let mut transaction = connection.begin().await?;
        apply(&mut *transaction, work, keyring).await?;
        Ok(transaction)
    };
    // Dropping the transaction rolls it back.
    let transaction = match tokio::time::timeout(STATEMENTS_TIME, applied).await {
        Ok(Ok(transaction)) => transaction,
        Ok(Err(Failure::Answer(answer))) => return Err(AttemptError::Answer(answer)),
        Ok(Err(Failure::Statement(error))) => return Err(AttemptError::NothingKept(error)),
        Err(_) => return Err(AttemptError::Silent),
    };
    let unknown = |error| Err(AttemptError::Answer(CommitError::OutcomeUnknown(error)));
    match tokio::time::timeout(STATEMENTS_TIME, transaction.commit()).await {
        Ok(Ok(())) => Ok(()),
        // An answer of the server, which says that it rolled back.
        Ok(Err(error @ sqlx::Error::Database(_))) if !is_shutting_down(&error) => Err(error.into()),
        Ok(Err(error)) => unknown(StoreError::from_driver(error)),
        Err(_) => unknown(StoreError::unavailable("it does not answer in time")),
    }
}

/// A server that is told to stop while it commits may have committed already.
fn is_shutting_down(error: &sqlx::Error) -> bool {
    crate::fault::classify_sqlx(error) == Fault::Away
}
