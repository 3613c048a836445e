//! Sealing all secrets anew with the keyring's first key, row by row, beside other writes.

use crate::database::{Database, fetch};
use crate::error::StoreError;
use crate::inline_hooks;
use crate::keyring::Keyring;
use crate::retention::into_store_error;
use crate::schema;
use crate::statement::{Argument, Statement};
use crate::work::Work;
use crate::write_side::WriteSide;

const BATCH: i64 = 64;

/// Rows that another key than the one with this prefix has sealed; a sealed value begins with format and key id.
const OTHERS: &str = "SELECT id, sealed_secret FROM inline_hooks WHERE sealed_secret IS NOT NULL \
     AND substr(sealed_secret, 1, 9) <> $1 AND id > $2 ORDER BY id LIMIT $3";

/// Only if nobody has written the row meanwhile: who did has sealed it anew anyway.
const REPLACE: &str = "UPDATE inline_hooks SET sealed_secret = $3 WHERE id = $1 AND sealed_secret = $2";

#[derive(sqlx::FromRow)]
struct Sealed {
    id: String,
    sealed_secret: Vec<u8>,
}

pub(crate) async fn apply(
    database: &Database,
    write_side: &WriteSide,
    keyring: &Keyring,
    progress: impl Fn(u64) + Send,
) -> Result<u64, StoreError> {
    let write = async |statements| write_side.write(Work::of_statements(statements)).await.map_err(into_store_error);
    write(vec![schema::announce_key(keyring)?]).await?;
    let prefix = keyring.sealing_key()?.prefix().to_vec();
    let mut after = String::new();
    let mut done = 0;
    loop {
        let rows = fetch!(database, fetch_all, Sealed, OTHERS, prefix.clone(), after.as_str(), BATCH)?;
        let Some(last) = rows.last() else { return Ok(done) };
        after.clone_from(&last.id);
        let statements: Vec<Statement> = rows
            .into_iter()
            .map(|row| {
                let place = inline_hooks::place(&row.id);
                let secret = keyring
                    .unseal(place, &row.sealed_secret)
                    .map_err(|error| StoreError::Unreadable(format!("the secret of hook {}: {error}", row.id)))?;
                let fresh = keyring.seal(place, &secret)?;
                let arguments =
                    vec![Argument::Text(row.id), Argument::Bytes(row.sealed_secret), Argument::Bytes(fresh)];
                Ok(Statement::new(REPLACE, arguments))
            })
            .collect::<Result<_, StoreError>>()?;
        done += u64::try_from(statements.len()).unwrap_or(0);
        write(statements).await?;
        progress(done);
    }
}
