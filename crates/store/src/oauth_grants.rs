//! Grants and refresh tokens as rows: of codes and tokens only the SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::id::{AppId, UserId};
use hookwright_model::oauth::{Grant, RefreshToken, Scopes};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;

const INSERT: &str = "INSERT INTO oauth_grants (id, code_sha256, application_id, user_id, scopes, authenticated_ms, \
     created_ms, expires_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

const REVOKE: &str = "UPDATE oauth_grants SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL";

const REVOKE_OF_USER: &str = "UPDATE oauth_grants SET revoked_ms = $2 WHERE user_id = $1 AND revoked_ms IS NULL";

const INSERT_REFRESH_TOKEN: &str = "INSERT INTO refresh_tokens (sha256, grant_id, created_ms, first_used_ms, expires_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const USE_REFRESH_TOKEN: &str = "UPDATE refresh_tokens SET first_used_ms = coalesce(first_used_ms, $2) \
     WHERE sha256 = $1 AND EXISTS (SELECT 1 FROM oauth_grants WHERE id = grant_id AND revoked_ms IS NULL)";

const PROLONG_REFRESH_TOKEN: &str = "UPDATE refresh_tokens SET expires_ms = $2 \
     WHERE sha256 = $1 AND EXISTS (SELECT 1 FROM oauth_grants WHERE id = grant_id AND revoked_ms IS NULL)";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, code_sha256, application_id, user_id, scopes, authenticated_ms, created_ms, expires_ms, \
             revoked_ms FROM oauth_grants ",
            $rest
        )
    };
}

pub(crate) fn insert(grant: &Grant) -> Statement {
    let arguments = vec![
        Argument::Text(grant.id.clone()),
        Argument::Bytes(grant.code_sha256.to_vec()),
        Argument::Text(grant.application.as_str().to_owned()),
        Argument::Text(grant.user.as_str().to_owned()),
        Argument::Text(grant.scopes.to_text()),
        Argument::Integer(grant.authenticated.as_millis()),
        Argument::Integer(grant.created.as_millis()),
        Argument::Integer(grant.expires.as_millis()),
        Argument::OptionalInteger(grant.revoked.map(Timestamp::as_millis)),
    ];
    Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere))
}

pub(crate) fn revoke(id: String, at: Timestamp) -> Statement {
    Statement::new(REVOKE, vec![Argument::Text(id), Argument::Integer(at.as_millis())])
}

pub(crate) fn revoke_of_user(user: &UserId, at: Timestamp) -> Statement {
    let arguments = vec![Argument::Text(user.as_str().to_owned()), Argument::Integer(at.as_millis())];
    Statement::new(REVOKE_OF_USER, arguments)
}

pub(crate) fn insert_refresh_token(token: &RefreshToken) -> Statement {
    let arguments = vec![
        Argument::Bytes(token.sha256.to_vec()),
        Argument::Text(token.grant.clone()),
        Argument::Integer(token.created.as_millis()),
        Argument::OptionalInteger(token.first_used.map(Timestamp::as_millis)),
        Argument::Integer(token.expires.as_millis()),
    ];
    Statement::new(INSERT_REFRESH_TOKEN, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere))
}

pub(crate) fn use_refresh_token(sha256: &[u8; 32], at: Timestamp) -> Statement {
    touch(USE_REFRESH_TOKEN, sha256, at)
}

pub(crate) fn prolong_refresh_token(sha256: &[u8; 32], expires: Timestamp) -> Statement {
    touch(PROLONG_REFRESH_TOKEN, sha256, expires)
}

fn touch(sql: &'static str, sha256: &[u8; 32], instant: Timestamp) -> Statement {
    let arguments = vec![Argument::Bytes(sha256.to_vec()), Argument::Integer(instant.as_millis())];
    Statement::new(sql, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    id: String,
    code_sha256: Vec<u8>,
    application_id: String,
    user_id: String,
    scopes: String,
    authenticated_ms: i64,
    created_ms: i64,
    expires_ms: i64,
    revoked_ms: Option<i64>,
}

impl TryFrom<GrantRow> for Grant {
    type Error = StoreError;

    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            code_sha256: hash(row.code_sha256)?,
            application: AppId::from_text(row.application_id),
            user: UserId::from_text(row.user_id),
            scopes: Scopes::granted(&row.scopes),
            authenticated: Timestamp::from_millis(row.authenticated_ms),
            created: Timestamp::from_millis(row.created_ms),
            expires: Timestamp::from_millis(row.expires_ms),
            revoked: row.revoked_ms.map(Timestamp::from_millis),
        })
    }
}

#[derive(sqlx::FromRow)]
struct RefreshTokenRow {
    sha256: Vec<u8>,
    grant_id: String,
    created_ms: i64,
    first_used_ms: Option<i64>,
    expires_ms: i64,
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Unreadable("a hash of the authorization server is too short".to_owned()))
}

impl Store {
    /// The grant of this id, also if it has ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn oauth_grant(&self, id: &str) -> Result<Option<Grant>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, GrantRow, select!("WHERE id = $1"), id)?;
        row.map(Grant::try_from).transpose()
    }

    /// The grant that a code was exchanged for, also if it has ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn oauth_grant_of_code(&self, sha256: &[u8; 32]) -> Result<Option<Grant>, StoreError> {
        let sql = select!("WHERE code_sha256 = $1");
        let row = fetch!(self.database(), fetch_optional, GrantRow, sql, sha256.to_vec())?;
        row.map(Grant::try_from).transpose()
    }

    /// The refresh token with this SHA-256, also if it has expired or was used.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn refresh_token(&self, sha256: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
        const SELECT: &str =
            "SELECT sha256, grant_id, created_ms, first_used_ms, expires_ms FROM refresh_tokens WHERE sha256 = $1";
        let row = fetch!(self.database(), fetch_optional, RefreshTokenRow, SELECT, sha256.to_vec())?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(RefreshToken {
            sha256: hash(row.sha256)?,
            grant: row.grant_id,
            created: Timestamp::from_millis(row.created_ms),
            first_used: row.first_used_ms.map(Timestamp::from_millis),
            expires: Timestamp::from_millis(row.expires_ms),
        }))
    }
}
