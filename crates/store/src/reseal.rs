//! Sealing all secrets anew with the keyring's first key, row by row, beside other writes.

use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::database::fetch;
use crate::error::{CommitError, StoreError};
use crate::keyring::Keyring;
use crate::seal::Place;
use crate::statement::{Argument, Statement};
use crate::store::Store;
use crate::work::Work;
use crate::{applications, hook_keys, inline_hooks, mails, schema, signing_keys, signing_secrets};

const BATCH: i64 = 64;

/// A column of sealed values.
struct Column {
    /// Rows that another key than the one with this prefix has sealed; a sealed value begins with format and key id.
    others: &'static str,
    /// Only if nobody has written the row meanwhile: who did has sealed it anew anyway.
    replace: &'static str,
    place: for<'id> fn(&'id str) -> Place<'id>,
    /// What a row is, for an error.
    what: &'static str,
}

macro_rules! column {
    ($table:literal, $column:literal, $place:path, $what:literal) => {
        Column {
            others: concat!(
                "SELECT id, ",
                $column,
                " AS sealed FROM ",
                $table,
                " WHERE ",
                $column,
                " IS NOT NULL AND substr(",
                $column,
                ", 1, 9) <> $1 AND id > $2 ORDER BY id LIMIT $3"
            ),
            replace: concat!("UPDATE ", $table, " SET ", $column, " = $3 WHERE id = $1 AND ", $column, " = $2"),
            place: $place,
            what: $what,
        }
    };
}

const COLUMNS: &[Column] = &[
    column!("inline_hooks", "sealed_secret", inline_hooks::place, "hook"),
    column!("inline_hooks", "sealed_client_key", inline_hooks::client_key_place, "hook"),
    column!("applications", "sealed_client_secret", applications::place, "app"),
    column!("hook_keys", "sealed_private_key", hook_keys::place, "hook key"),
    column!("signing_keys", "sealed_private", signing_keys::place, "signing key"),
    column!("signing_secrets", "sealed_secret", signing_secrets::place, "signing secret"),
    column!("mails", "sealed_body", mails::place, "mail"),
];

#[derive(sqlx::FromRow)]
struct Sealed {
    id: String,
    sealed: Vec<u8>,
}

impl Store {
    /// Seals every secret with the keyring's first key, beside other writes. May be cut short and run again; `progress` is
    /// told how many are done.
    ///
    /// # Errors
    /// See [`StoreError`]; what was sealed before stays sealed.
    pub async fn reseal(&self, progress: impl Fn(u64) + Send) -> Result<u64, StoreError> {
        let keyring = &self.keyring();
        self.write_unopposed(vec![schema::announce_key(keyring)?]).await?;
        let prefix = keyring.sealing_key()?.prefix().to_vec();
        let mut done = 0;
        for column in COLUMNS {
            let mut after = String::new();
            loop {
                let (prefix, from) = (prefix.clone(), after.as_str());
                let rows = fetch!(self.database(), fetch_all, Sealed, column.others, prefix, from, BATCH)?;
                let Some(last) = rows.last() else { break };
                after.clone_from(&last.id);
                let statements =
                    rows.into_iter().map(|row| seal_anew(column, keyring, row)).collect::<Result<Vec<_>, _>>()?;
                done += u64::try_from(statements.len()).unwrap_or(0);
                self.write_unopposed(statements).await?;
                progress(done);
            }
        }
        Ok(done)
    }

    /// Opens every sealed secret with the keys at hand; tells how many there are.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] of the first one that can't be opened.
    pub async fn open_every_secret(&self) -> Result<u64, StoreError> {
        let keyring = &self.keyring();
        let mut opened = 0;
        for column in COLUMNS {
            let rows = fetch!(self.database(), fetch_all, Sealed, column.others, Vec::<u8>::new(), "", i64::MAX)?;
            for row in &rows {
                unseal(column, keyring, row)?;
                opened += 1;
            }
        }
        Ok(opened)
    }

    async fn write_unopposed(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        self.write(Work::of_statements(statements)).await.map_err(CommitError::into_store_error)
    }
}

/// Opens every sealed secret of a SQLite file, as [`Store::open_every_secret`] does. Of an earlier release, columns may be missing.
pub(crate) fn open_every_secret(connection: &Connection, keyring: &Keyring) -> Result<u64, StoreError> {
    let mut opened = 0;
    for column in COLUMNS {
        let Ok(mut query) = connection.prepare(column.others) else { continue };
        let rows = query
            .query_map((Vec::<u8>::new(), "", i64::MAX), |row| Ok(Sealed { id: row.get(0)?, sealed: row.get(1)? }))
            .map_err(StoreError::from_driver)?;
        for row in rows {
            unseal(column, keyring, &row.map_err(StoreError::from_driver)?)?;
            opened += 1;
        }
    }
    Ok(opened)
}

fn unseal(column: &Column, keyring: &Keyring, row: &Sealed) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    keyring
        .unseal((column.place)(&row.id), &row.sealed)
        .map_err(|error| StoreError::Unreadable(format!("the secret of {} {}: {error}", column.what, row.id)))
}

fn seal_anew(column: &Column, keyring: &Keyring, row: Sealed) -> Result<Statement, StoreError> {
    let secret = unseal(column, keyring, &row)?;
    let fresh = keyring.seal((column.place)(&row.id), &secret)?;
    let arguments = vec![Argument::Text(row.id), Argument::Bytes(row.sealed), Argument::Bytes(fresh)];
    Ok(Statement::new(column.replace, arguments))
}
