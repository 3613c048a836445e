//! Hook keys as rows: the private half sealed, read only where something is signed.

use hookwright_model::Timestamp;
use hookwright_model::hook_key::{HookKey, PublicKey};
use hookwright_model::id::HookKeyId;
use secrecy::{ExposeSecret, SecretSlice};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Count, Otherwise, Probe, Statement, count_down};
use crate::store::Store;

const INSERT: &str = "INSERT INTO hook_keys (id, key_id, name, folded_name, modulus, exponent, sealed_private_key, \
     created_ms, last_updated_ms, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE hook_keys SET name = $3, folded_name = $4, last_updated_ms = $5, revision = revision + 1 \
     WHERE id = $1 AND revision = $2 \
     AND NOT EXISTS (SELECT 1 FROM hook_keys AS other WHERE other.folded_name = $4 AND other.id <> $1)";

const DELETE: &str = "DELETE FROM hook_keys WHERE id = $1 AND revision = $2";

const NAME_TAKEN: &str = "SELECT id FROM hook_keys WHERE folded_name = $1 AND id <> $2";

const SEALED: &str = "SELECT id, key_id, sealed_private_key FROM hook_keys WHERE id = $1";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, key_id, name, modulus, exponent, created_ms, last_updated_ms, revision, \
             EXISTS (SELECT 1 FROM inline_hooks WHERE inline_hooks.hook_key_id = hook_keys.id) AS is_used \
             FROM hook_keys ",
            $rest
        )
    };
}

/// Where the private half of a key stands.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "hook_keys", row: id, column: "sealed_private_key" }
}

pub(crate) fn insert(
    keyring: &Keyring,
    key: &HookKey,
    private_key: &SecretSlice<u8>,
    limit: u64,
) -> Result<(Count, Statement), StoreError> {
    let count = Count::new("hook_keys", limit, Otherwise::Conflict(Conflict::LimitReached));
    let arguments = vec![
        Argument::Text(key.id.as_str().to_owned()),
        Argument::Text(key.key_id.clone()),
        Argument::Text(key.name.clone()),
        Argument::Text(key.name.to_lowercase()),
        Argument::Text(key.public_key.modulus.clone()),
        Argument::Text(key.public_key.exponent.clone()),
        Argument::Bytes(keyring.seal(place(key.id.as_str()), private_key.expose_secret())?),
        Argument::Integer(key.created.as_millis()),
        Argument::Integer(key.last_updated.as_millis()),
        Argument::Integer(key.revision),
    ];
    Ok((count, Statement::new(INSERT, arguments).or(name_taken_or(key, "", Conflict::AlreadyThere))))
}

pub(crate) fn update(key: &HookKey) -> Statement {
    let arguments = vec![
        Argument::Text(key.id.as_str().to_owned()),
        Argument::Integer(key.revision),
        Argument::Text(key.name.clone()),
        Argument::Text(key.name.to_lowercase()),
        Argument::Integer(key.last_updated.as_millis()),
    ];
    Statement::new(UPDATE, arguments).or(name_taken_or(key, key.id.as_str(), Conflict::Stale))
}

pub(crate) fn delete(id: &HookKeyId, revision: i64) -> [Statement; 2] {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    let delete = Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale));
    [count_down("hook_keys"), delete]
}

fn name_taken_or(key: &HookKey, id: &str, conflict: Conflict) -> Otherwise {
    let arguments = vec![Argument::Text(key.name.to_lowercase()), Argument::Text(id.to_owned())];
    Otherwise::FirstFound { probes: vec![Probe::new(NAME_TAKEN, arguments, Conflict::NameTaken)], conflict }
}

#[derive(sqlx::FromRow)]
struct HookKeyRow {
    id: String,
    key_id: String,
    name: String,
    modulus: String,
    exponent: String,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
    is_used: bool,
}

impl From<HookKeyRow> for HookKey {
    fn from(row: HookKeyRow) -> Self {
        Self {
            id: HookKeyId::from_text(row.id),
            key_id: row.key_id,
            name: row.name,
            public_key: PublicKey { modulus: row.modulus, exponent: row.exponent },
            created: Timestamp::from_millis(row.created_ms),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            is_used: row.is_used,
            revision: row.revision,
        }
    }
}

#[derive(sqlx::FromRow)]
struct SealedRow {
    id: String,
    key_id: String,
    sealed_private_key: Vec<u8>,
}

impl Store {
    /// The hook key of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hook_key(&self, id: &str) -> Result<Option<HookKey>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        Ok(fetch!(self.database(), fetch_optional, HookKeyRow, select!("WHERE id = $1"), id)?.map(HookKey::from))
    }

    /// The hook key with this `keyId`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hook_key_by_key_id(&self, key_id: &str) -> Result<Option<HookKey>, StoreError> {
        if !can_be_stored(key_id) {
            return Ok(None);
        }
        let sql = select!("WHERE key_id = $1");
        Ok(fetch!(self.database(), fetch_optional, HookKeyRow, sql, key_id)?.map(HookKey::from))
    }

    /// All hook keys, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hook_keys(&self) -> Result<Vec<HookKey>, StoreError> {
        let rows = fetch!(self.database(), fetch_all, HookKeyRow, select!("ORDER BY created_ms, id"))?;
        Ok(rows.into_iter().map(HookKey::from).collect())
    }

    /// What the hook key of this id signs with: its `keyId` and its private half (PKCS #8).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hook_private_key(&self, id: &str) -> Result<Option<(String, SecretSlice<u8>)>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let Some(row) = fetch!(self.database(), fetch_optional, SealedRow, SEALED, id)? else { return Ok(None) };
        let private_key = self.unseal_row(
            |keyring| Ok(keyring.unseal(place(&row.id), &row.sealed_private_key)?),
            |error| match error {
                RowError::Sealed(error) => {
                    StoreError::Unreadable(format!("the private half of hook key {}: {error}", row.id))
                }
                RowError::Damaged(what) => StoreError::Unreadable(what),
            },
        )?;
        Ok(Some((row.key_id, SecretSlice::from(private_key.to_vec()))))
    }
}
