//! Signing secrets as rows, sealed.

use hookwright_model::Timestamp;
use hookwright_model::id::{InlineHookId, SigningSecretId};
use hookwright_model::signing_secret::{SignatureAlgorithm, SigningSecret};
use secrecy::{ExposeSecret, SecretSlice};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::unknown;

/// Lets nobody change the hook or its secrets meanwhile, and everybody see that there is something new to read.
const NEXT_REVISION: &str = "UPDATE inline_hooks SET revision = revision + 1 WHERE id = $1 AND revision = $2";

const END_OTHERS: &str = "UPDATE signing_secrets SET expires_ms = $2 \
     WHERE hook_id = $1 AND (expires_ms IS NULL OR expires_ms > $2)";

const INSERT: &str = "INSERT INTO signing_secrets (id, hook_id, algorithm, public_key, sealed_secret, created_ms, \
     expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";

const DELETE: &str = "DELETE FROM signing_secrets WHERE id = $1 AND hook_id = $2";

const SELECT: &str = "SELECT id, hook_id, algorithm, public_key, sealed_secret, created_ms, expires_ms \
     FROM signing_secrets WHERE hook_id = $1 ORDER BY created_ms, id";

/// Where the secret stands.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "signing_secrets", row: id, column: "sealed_secret" }
}

pub(crate) fn insert(
    keyring: &Keyring,
    secret: &SigningSecret,
    value: &SecretSlice<u8>,
    hook_revision: i64,
    others_end: Option<Timestamp>,
) -> Result<Vec<Statement>, StoreError> {
    let hook_id = || Argument::Text(secret.hook_id.as_str().to_owned());
    let mut statements = vec![next_revision(&secret.hook_id, hook_revision)];
    if let Some(end) = others_end {
        statements.push(Statement::new(END_OTHERS, vec![hook_id(), Argument::Integer(end.as_millis())]));
    }
    let arguments = vec![
        Argument::Text(secret.id.as_str().to_owned()),
        hook_id(),
        Argument::Fixed(secret.algorithm.as_str()),
        Argument::OptionalText(secret.public_key.clone()),
        Argument::Bytes(keyring.seal(place(secret.id.as_str()), value.expose_secret())?),
        Argument::Integer(secret.created.as_millis()),
        Argument::OptionalInteger(secret.expires.map(Timestamp::as_millis)),
    ];
    statements.push(Statement::new(INSERT, arguments));
    Ok(statements)
}

pub(crate) fn delete(id: &SigningSecretId, hook_id: &InlineHookId, hook_revision: i64) -> [Statement; 2] {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Text(hook_id.as_str().to_owned())];
    let delete = Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale));
    [next_revision(hook_id, hook_revision), delete]
}

fn next_revision(hook_id: &InlineHookId, revision: i64) -> Statement {
    let arguments = vec![Argument::Text(hook_id.as_str().to_owned()), Argument::Integer(revision)];
    Statement::new(NEXT_REVISION, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

#[derive(sqlx::FromRow)]
struct SigningSecretRow {
    id: String,
    hook_id: String,
    algorithm: String,
    public_key: Option<String>,
    sealed_secret: Vec<u8>,
    created_ms: i64,
    expires_ms: Option<i64>,
}

impl SigningSecretRow {
    fn description(&self) -> Result<SigningSecret, StoreError> {
        let algorithm = SignatureAlgorithm::parse(&self.algorithm);
        Ok(SigningSecret {
            id: SigningSecretId::from_text(self.id.as_str()),
            hook_id: InlineHookId::from_text(self.hook_id.as_str()),
            algorithm: algorithm.ok_or_else(|| unknown("signing secret", &self.id))?,
            public_key: self.public_key.clone(),
            created: Timestamp::from_millis(self.created_ms),
            expires: self.expires_ms.map(Timestamp::from_millis),
        })
    }
}

impl Store {
    /// The signing secrets of a hook without the secrets, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn signing_secrets(&self, hook_id: &str) -> Result<Vec<SigningSecret>, StoreError> {
        self.signing_secret_rows(hook_id).await?.iter().map(SigningSecretRow::description).collect()
    }

    /// The signing secrets of a hook with the secrets, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn opened_signing_secrets(
        &self,
        hook_id: &str,
    ) -> Result<Vec<(SigningSecret, SecretSlice<u8>)>, StoreError> {
        let open = |row: &SigningSecretRow| {
            let secret = self.unseal_row(
                |keyring| Ok(keyring.unseal(place(&row.id), &row.sealed_secret)?),
                |error| match error {
                    RowError::Sealed(error) => StoreError::Unreadable(format!("signing secret {}: {error}", row.id)),
                    RowError::Damaged(what) => StoreError::Unreadable(what),
                },
            )?;
            Ok((row.description()?, SecretSlice::from(secret.to_vec())))
        };
        self.signing_secret_rows(hook_id).await?.iter().map(open).collect()
    }

    async fn signing_secret_rows(&self, hook_id: &str) -> Result<Vec<SigningSecretRow>, StoreError> {
        if !can_be_stored(hook_id) {
            return Ok(Vec::new());
        }
        fetch!(self.database(), fetch_all, SigningSecretRow, SELECT, hook_id)
    }
}
