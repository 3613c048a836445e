//! Codes at the end of flows, as rows: of a code only its SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::flow::FlowCode;
use hookwright_model::id::{AppId, UserId};

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::{from_text, hash, to_text};

const INSERT: &str = "INSERT INTO flow_codes (sha256, application_id, user_id, client, authenticated_ms, expires_ms) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

const TAKE: &str = "UPDATE flow_codes SET taken_ms = $2 WHERE sha256 = $1 AND taken_ms IS NULL";

const DELETE_OF_USER: &str = "DELETE FROM flow_codes WHERE user_id = $1";

pub(crate) fn insert(code: &FlowCode) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Bytes(code.sha256.to_vec()),
        Argument::Text(code.application.as_str().to_owned()),
        Argument::Text(code.user.as_str().to_owned()),
        Argument::Text(to_text(&code.client)?),
        Argument::Integer(code.authenticated.as_millis()),
        Argument::Integer(code.expires.as_millis()),
    ];
    Ok(Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere)))
}

pub(crate) fn take(sha256: &[u8; 32], at: Timestamp) -> Statement {
    Statement::new(TAKE, vec![Argument::Bytes(sha256.to_vec()), Argument::Integer(at.as_millis())])
        .or(Otherwise::Conflict(Conflict::Stale))
}

pub(crate) fn delete_of_user(user: &UserId) -> Statement {
    Statement::new(DELETE_OF_USER, vec![Argument::Text(user.as_str().to_owned())])
}

#[derive(sqlx::FromRow)]
struct FlowCodeRow {
    sha256: Vec<u8>,
    application_id: String,
    user_id: String,
    client: String,
    authenticated_ms: i64,
    expires_ms: i64,
    taken_ms: Option<i64>,
}

impl Store {
    /// The code with this SHA-256, also if it has expired or was exchanged. Whoever uses it must take it in the same commit
    /// ([`crate::FlowChange::TakeCode`]), so that it is used once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow_code(&self, sha256: &[u8; 32]) -> Result<Option<FlowCode>, StoreError> {
        const SELECT: &str = "SELECT sha256, application_id, user_id, client, authenticated_ms, expires_ms, taken_ms \
             FROM flow_codes WHERE sha256 = $1";
        let row = fetch!(self.database(), fetch_optional, FlowCodeRow, SELECT, sha256.to_vec())?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(FlowCode {
            sha256: hash(row.sha256)?,
            application: AppId::from_text(row.application_id),
            user: UserId::from_text(row.user_id),
            client: from_text(&row.client, &|| "the client of a code".to_owned())?,
            authenticated: Timestamp::from_millis(row.authenticated_ms),
            expires: Timestamp::from_millis(row.expires_ms),
            taken: row.taken_ms.map(Timestamp::from_millis),
        }))
    }
}
