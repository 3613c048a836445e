//! Making and upgrading the tables, and checking that the keyring fits: one transaction, under the engine's write lock.

use crate::dialect::Dialect;
use crate::error::{OpenError, StoreError};
use crate::fault::DriverError;
use crate::journal::chain::{Head, WRITE_HEAD};
use crate::keyring::{Keyring, KeyringError};
use crate::seal::{Place, SealError};
use crate::session::{Session, StatementError};
use crate::statement::{Argument, Statement};

const VERSION_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)";
pub(crate) const READ_VERSION: &str = "SELECT version FROM schema_version";
const FORGET_VERSION: &str = "DELETE FROM schema_version";
const WRITE_VERSION: &str = "INSERT INTO schema_version (version) VALUES ($1)";
const INSERT_KEY: &str = "INSERT INTO sealing_keys (id, canary) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const CANARY: &[u8] = b"hookwright";

/// Brings the tables up to date and checks the keys. The caller holds the transaction and ends it.
pub(crate) async fn prepare<S: Session>(
    session: &mut S,
    keyring: &Keyring,
    restart_log: bool,
) -> Result<(), OpenError> {
    let is_unproved = migrate(session).await?;
    check_keys(session, keyring).await?;
    if is_unproved || restart_log {
        begin_chains(session, keyring).await?;
    }
    Ok(())
}

/// Brings the tables up to date. Tells whether the journal is from now on a chain and was none before.
async fn migrate<S: Session>(session: &mut S) -> Result<bool, OpenError> {
    let migrations = S::DIALECT.migrations();
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    session.run_text(VERSION_TABLE).await.map_err(failed)?;
    let found = session.number(READ_VERSION).await.map_err(failed)?.unwrap_or(0);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found == known {
        return Ok(false);
    }
    let mut is_unproved = false;
    for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        session.run_text(migration).await.map_err(failed)?;
        is_unproved |= migration.contains("CREATE TABLE journal_chains");
    }
    session.run_text(FORGET_VERSION).await.map_err(failed)?;
    let write = Statement::new(WRITE_VERSION, vec![Argument::Integer(known)]);
    session.execute(&write).await.map_err(StatementError::into_store_error)?;
    Ok(is_unproved)
}

/// The chains of the journal begin behind what it holds now; where that is, is proved from now on.
async fn begin_chains<S: Session>(session: &mut S, keyring: &Keyring) -> Result<(), OpenError> {
    session.run_text(S::DIALECT.lock_chains()).await.map_err(failed)?;
    let began = session.number(S::DIALECT.last_number()).await.map_err(failed)?.unwrap_or(0);
    let key = keyring.sealing_key().map_err(StoreError::from)?;
    for chain in 0..S::DIALECT.chains() {
        let write = Statement::new(WRITE_HEAD, Head::genesis(chain, began).arguments(key).into());
        session.execute(&write).await.map_err(StatementError::into_store_error)?;
    }
    Ok(())
}

/// A query that reads from every table, so that it fails where one of them can't be read; its only value is of no use.
pub(crate) fn probe(dialect: Dialect) -> String {
    // SQLite would look at an index instead.
    let not_indexed = match dialect {
        Dialect::Sqlite => " NOT INDEXED",
        Dialect::Postgres => "",
    };
    let reads = tables(dialect)
        .into_iter()
        .map(|table| format!("(SELECT count(*) FROM (SELECT 1 FROM {table}{not_indexed} LIMIT 1) AS one)"));
    format!("SELECT {}", reads.collect::<Vec<_>>().join(" + "))
}

/// The tables that the migrations make and leave.
pub(crate) fn tables(dialect: Dialect) -> Vec<&'static str> {
    let mut tables = Vec::new();
    for line in dialect.migrations().iter().flat_map(|migration| migration.lines()) {
        let name = |start| line.trim_start().strip_prefix(start)?.split([' ', '(', ';']).next();
        if let Some(made) = name("CREATE TABLE ") {
            tables.push(made);
        } else if let Some(dropped) = name("DROP TABLE ") {
            tables.retain(|table| *table != dropped);
        }
    }
    tables
}

async fn check_keys<S: Session>(session: &mut S, keyring: &Keyring) -> Result<(), OpenError> {
    let known = session.sealing_keys().await.map_err(failed)?;
    fits(keyring, &known)?;
    let insert = announce_key(keyring).map_err(StoreError::from)?;
    let announced = keyring.key_ids().next().is_some_and(|active| known.iter().any(|(id, _)| *id == active));
    if !announced {
        session.execute(&insert).await.map_err(StatementError::into_store_error)?;
    }
    Ok(())
}

/// Each key that was ever used here has left a canary: the keyring must have all these keys, and they must open it.
pub(crate) fn fits(keyring: &Keyring, known: &[(String, Vec<u8>)]) -> Result<(), KeyringError> {
    let lacking: Vec<String> = known.iter().filter(|(id, _)| !keyring.holds(id)).map(|(id, _)| id.clone()).collect();
    if !lacking.is_empty() {
        return Err(KeyringError::Lacks(lacking));
    }
    for (id, canary) in known {
        if keyring.unseal(place(id), canary).ok().is_none_or(|opened| opened.as_slice() != CANARY) {
            return Err(KeyringError::Broken(id.clone()));
        }
    }
    Ok(())
}

/// Notes that values may be sealed with the keyring's first key from now on.
pub(crate) fn announce_key(keyring: &Keyring) -> Result<Statement, SealError> {
    let id = keyring.sealing_key()?.id().to_string();
    let canary = keyring.seal(place(&id), CANARY)?;
    Ok(Statement::new(INSERT_KEY, vec![Argument::Text(id), Argument::Bytes(canary)]))
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "sealing_keys", row: id, column: "canary" }
}

fn failed(error: DriverError) -> StoreError {
    StoreError::from_driver(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_reads_from_every_table_of_both_engines() {
        let (sqlite, postgres) = (tables(Dialect::Sqlite), tables(Dialect::Postgres));
        assert_eq!(sqlite, postgres);
        for table in ["inline_hooks", "journal", "users", "user_groups", "refresh_tokens", "leases"] {
            assert!(sqlite.contains(&table), "{sqlite:?}");
        }
        assert!(probe(Dialect::Sqlite).contains("FROM users NOT INDEXED LIMIT 1"), "{}", probe(Dialect::Sqlite));
    }
}
