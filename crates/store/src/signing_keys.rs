//! Signing keys as rows: the private half sealed.

use hookwright_model::Timestamp;
use hookwright_model::signing_key::{SigningKey, SigningKeyStatus};
use secrecy::ExposeSecret;

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;

const INSERT: &str = "INSERT INTO signing_keys (id, status, sealed_private, modulus, exponent, created_ms, expires_ms) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const RETIRE: &str = "UPDATE signing_keys SET status = 'EXPIRED', expires_ms = $2 WHERE id = $1 AND status = 'ACTIVE'";

const PROMOTE: &str = "UPDATE signing_keys SET status = 'ACTIVE' WHERE id = $1 AND status = 'NEXT'";

/// Where the private half of a key stands.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "signing_keys", row: id, column: "sealed_private" }
}

pub(crate) fn insert(keyring: &Keyring, key: &SigningKey) -> Result<Statement, StoreError> {
    let sealed = keyring.seal(place(&key.kid), key.private.expose_secret().as_bytes())?;
    let arguments = vec![
        Argument::Text(key.kid.clone()),
        Argument::Fixed(key.status.as_str()),
        Argument::Bytes(sealed),
        Argument::Text(key.modulus.clone()),
        Argument::Text(key.exponent.clone()),
        Argument::Integer(key.created.as_millis()),
        Argument::OptionalInteger(key.expires.map(Timestamp::as_millis)),
    ];
    Ok(Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere)))
}

/// One key goes and the next one comes, in this order: there is never a second one that signs.
pub(crate) fn rotate(active: String, expires: Timestamp, next: String) -> [Statement; 2] {
    let retire = vec![Argument::Text(active), Argument::Integer(expires.as_millis())];
    [
        Statement::new(RETIRE, retire).or(Otherwise::Conflict(Conflict::Stale)),
        Statement::new(PROMOTE, vec![Argument::Text(next)]).or(Otherwise::Conflict(Conflict::Stale)),
    ]
}

#[derive(sqlx::FromRow)]
struct SigningKeyRow {
    id: String,
    status: String,
    sealed_private: Vec<u8>,
    modulus: String,
    exponent: String,
    created_ms: i64,
    expires_ms: Option<i64>,
}

impl SigningKeyRow {
    fn to_key(&self, keyring: &Keyring) -> Result<SigningKey, RowError> {
        let unknown = || RowError::Damaged(format!("signing key {}: its status is unknown", self.id));
        Ok(SigningKey {
            kid: self.id.clone(),
            status: SigningKeyStatus::parse(&self.status).ok_or_else(unknown)?,
            private: keyring.unseal_text(place(&self.id), &self.sealed_private)?,
            modulus: self.modulus.clone(),
            exponent: self.exponent.clone(),
            created: Timestamp::from_millis(self.created_ms),
            expires: self.expires_ms.map(Timestamp::from_millis),
        })
    }
}

impl Store {
    /// All signing keys, the newest first; also expired ones until they are dropped.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        const SELECT: &str = "SELECT id, status, sealed_private, modulus, exponent, created_ms, expires_ms \
             FROM signing_keys ORDER BY created_ms DESC, id";
        let rows = fetch!(self.database(), fetch_all, SigningKeyRow, SELECT)?;
        let read = |row: SigningKeyRow| {
            self.unseal_row(
                |keyring| row.to_key(keyring),
                |error| match error {
                    RowError::Sealed(error) => StoreError::Unreadable(format!("signing key {}: {error}", row.id)),
                    RowError::Damaged(what) => StoreError::Unreadable(what),
                },
            )
        };
        rows.into_iter().map(read).collect()
    }
}
