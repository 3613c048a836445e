//! API tokens as rows: of a token only its SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::api_token::ApiToken;
use hookwright_model::id::ApiTokenId;

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;

const INSERT: &str = "INSERT INTO api_tokens (id, name, sha256, created_ms, last_used_ms, expires_ms, revoked_ms) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

/// Only forward: a late write of an earlier use must not shorten a token's life.
const TOUCH: &str = "UPDATE api_tokens SET last_used_ms = $2, expires_ms = $3 \
     WHERE id = $1 AND last_used_ms < $2 AND expires_ms < $3 AND revoked_ms IS NULL";

const REVOKE: &str = "UPDATE api_tokens SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, name, sha256, created_ms, last_used_ms, expires_ms, revoked_ms FROM api_tokens ", $rest)
    };
}

pub(crate) fn insert(token: &ApiToken) -> Statement {
    let arguments = vec![
        Argument::Text(token.id.as_str().to_owned()),
        Argument::Text(token.name.clone()),
        Argument::Bytes(token.sha256.to_vec()),
        Argument::Integer(token.created.as_millis()),
        Argument::Integer(token.last_used.as_millis()),
        Argument::Integer(token.expires.as_millis()),
        Argument::OptionalInteger(token.revoked.map(Timestamp::as_millis)),
    ];
    Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::TokenExists))
}

pub(crate) fn touch(id: &ApiTokenId, last_used: Timestamp, expires: Timestamp) -> Statement {
    let arguments = vec![
        Argument::Text(id.as_str().to_owned()),
        Argument::Integer(last_used.as_millis()),
        Argument::Integer(expires.as_millis()),
    ];
    Statement::new(TOUCH, arguments)
}

pub(crate) fn revoke(id: &ApiTokenId, at: Timestamp) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(at.as_millis())];
    Statement::new(REVOKE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

/// A row as it is read.
#[derive(sqlx::FromRow)]
struct ApiTokenRow {
    id: String,
    name: String,
    sha256: Vec<u8>,
    created_ms: i64,
    last_used_ms: i64,
    expires_ms: i64,
    revoked_ms: Option<i64>,
}

impl TryFrom<ApiTokenRow> for ApiToken {
    type Error = StoreError;

    fn try_from(row: ApiTokenRow) -> Result<Self, StoreError> {
        let sha256 = row
            .sha256
            .try_into()
            .map_err(|_| StoreError::Unreadable(format!("token {}: its hash has another length", row.id)))?;
        Ok(Self {
            id: ApiTokenId::from_text(row.id),
            name: row.name,
            sha256,
            created: Timestamp::from_millis(row.created_ms),
            last_used: Timestamp::from_millis(row.last_used_ms),
            expires: Timestamp::from_millis(row.expires_ms),
            revoked: row.revoked_ms.map(Timestamp::from_millis),
        })
    }
}

impl Store {
    /// The token with this SHA-256, also if it is revoked or expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
        let sql = select!("WHERE sha256 = $1");
        let row = fetch!(self.database(), fetch_optional, ApiTokenRow, sql, sha256.to_vec())?;
        row.map(ApiToken::try_from).transpose()
    }

    /// The token of this id, also if it is revoked or expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token(&self, id: &str) -> Result<Option<ApiToken>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, ApiTokenRow, select!("WHERE id = $1"), id)?;
        row.map(ApiToken::try_from).transpose()
    }

    /// All tokens, oldest first, also revoked and expired ones.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let rows = fetch!(self.database(), fetch_all, ApiTokenRow, select!("ORDER BY created_ms, id"))?;
        rows.into_iter().map(ApiToken::try_from).collect()
    }
}
