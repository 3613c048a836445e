//! API tokens as rows: of a token only its SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::admin_role::AdminRole;
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::api_token::{ApiToken, TokenOwner};
use hookwright_model::id::{ApiTokenId, UserId};
use hookwright_model::user::{UserStatus, attribute, full_name};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::{object, unknown};

const INSERT: &str = "INSERT INTO api_tokens (id, name, sha256, user_id, scopes, created_ms, last_used_ms, expires_ms, \
     revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

/// Only forward: a late write of an earlier use must not shorten a token's life.
const TOUCH: &str = "UPDATE api_tokens SET last_used_ms = $2, expires_ms = $3 \
     WHERE id = $1 AND last_used_ms < $2 AND expires_ms < $3 AND revoked_ms IS NULL";

const REVOKE: &str = "UPDATE api_tokens SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL";

const REVOKE_OF_USER: &str = "UPDATE api_tokens SET revoked_ms = $2 WHERE user_id = $1 AND revoked_ms IS NULL";

const ADOPT: &str = "UPDATE api_tokens SET user_id = $1 WHERE user_id IS NULL AND revoked_ms IS NULL";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, sha256, user_id, scopes, created_ms, last_used_ms, expires_ms, revoked_ms \
             FROM api_tokens ",
            $rest
        )
    };
}

/// The token with what its rights need of its owner. The highest role is the last one by its name.
const WITH_OWNER: &str = "SELECT api_tokens.id, name, sha256, user_id, scopes, api_tokens.created_ms, last_used_ms, \
     expires_ms, revoked_ms, users.status AS owner_status, users.profile AS owner_profile, \
     (SELECT max(role) FROM user_roles WHERE user_roles.user_id = users.id) AS owner_role \
     FROM api_tokens LEFT JOIN users ON users.id = api_tokens.user_id WHERE sha256 = $1";

pub(crate) fn insert(token: &ApiToken) -> Statement {
    let arguments = vec![
        Argument::Text(token.id.as_str().to_owned()),
        Argument::Text(token.name.clone()),
        Argument::Bytes(token.sha256.to_vec()),
        Argument::OptionalText(token.owner.as_ref().map(|owner| owner.as_str().to_owned())),
        Argument::Text(token.scopes.to_string()),
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

pub(crate) fn revoke_of_user(user: &UserId, at: Timestamp) -> Statement {
    let arguments = vec![Argument::Text(user.as_str().to_owned()), Argument::Integer(at.as_millis())];
    Statement::new(REVOKE_OF_USER, arguments)
}

pub(crate) fn adopt(user: &UserId) -> Statement {
    Statement::new(ADOPT, vec![Argument::Text(user.as_str().to_owned())])
}

/// A row as it is read.
#[derive(sqlx::FromRow)]
struct ApiTokenRow {
    id: String,
    name: String,
    sha256: Vec<u8>,
    user_id: Option<String>,
    scopes: String,
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
        let scopes = ApiScopes::parse(&row.scopes)
            .map_err(|unknown| StoreError::Unreadable(format!("token {}: {unknown}", row.id)))?;
        Ok(Self {
            owner: row.user_id.map(UserId::from_text),
            scopes,
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

/// A token's row beside its owner's.
#[derive(sqlx::FromRow)]
struct OwnedTokenRow {
    #[sqlx(flatten)]
    token: ApiTokenRow,
    owner_status: Option<String>,
    owner_profile: Option<String>,
    owner_role: Option<String>,
}

impl OwnedTokenRow {
    fn into_parts(self) -> Result<(ApiToken, Option<TokenOwner>), StoreError> {
        let token = ApiToken::try_from(self.token)?;
        let (Some(id), Some(status), Some(profile)) = (token.owner.clone(), self.owner_status, self.owner_profile)
        else {
            return Ok((token, None));
        };
        let profile = object(&profile, &|| format!("user {id}"))?;
        let role =
            self.owner_role.map(|role| AdminRole::parse(&role).ok_or_else(|| unknown("role of user", id.as_str())));
        let owner = TokenOwner {
            login: attribute(&profile, "login").to_owned(),
            name: full_name(&profile),
            status: UserStatus::parse(&status).ok_or_else(|| unknown("user", id.as_str()))?,
            role: role.transpose()?,
            id,
        };
        Ok((token, Some(owner)))
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

    /// The token with this SHA-256, also if it is revoked or expired, and what its rights need of its owner.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token_with_owner(
        &self,
        sha256: &[u8; 32],
    ) -> Result<Option<(ApiToken, Option<TokenOwner>)>, StoreError> {
        let row = fetch!(self.database(), fetch_optional, OwnedTokenRow, WITH_OWNER, sha256.to_vec())?;
        row.map(OwnedTokenRow::into_parts).transpose()
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
