//! Sessions and known browsers as rows: of their secrets only the SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::session::Session;

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::hash;

const INSERT: &str = "INSERT INTO sessions (id, user_id, created_ms, last_used_ms, expires_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const TOUCH: &str = "UPDATE sessions SET last_used_ms = $2, expires_ms = $3 WHERE id = $1 AND last_used_ms < $2";

const DELETE: &str = "DELETE FROM sessions WHERE id = $1";

const DELETE_OF_USER: &str = "DELETE FROM sessions WHERE user_id = $1";

const REMEMBER: &str = "INSERT INTO known_browsers (sha256, user_id, expires_ms) VALUES ($1, $2, $3) \
     ON CONFLICT (sha256, user_id) DO UPDATE SET expires_ms = excluded.expires_ms";

pub(crate) fn insert(session: &Session) -> Statement {
    let arguments = vec![
        Argument::Bytes(session.id.to_vec()),
        Argument::Text(session.user.as_str().to_owned()),
        Argument::Integer(session.created.as_millis()),
        Argument::Integer(session.last_used.as_millis()),
        Argument::Integer(session.expires().as_millis()),
    ];
    Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere))
}

pub(crate) fn touch(id: &[u8; 32], at: Timestamp, expires: Timestamp) -> Statement {
    let arguments =
        vec![Argument::Bytes(id.to_vec()), Argument::Integer(at.as_millis()), Argument::Integer(expires.as_millis())];
    Statement::new(TOUCH, arguments)
}

pub(crate) fn delete(id: &[u8; 32]) -> Statement {
    Statement::new(DELETE, vec![Argument::Bytes(id.to_vec())])
}

pub(crate) fn delete_of_user(user: &UserId) -> Statement {
    Statement::new(DELETE_OF_USER, vec![Argument::Text(user.as_str().to_owned())])
}

pub(crate) fn remember(sha256: &[u8; 32], user: &UserId, expires: Timestamp) -> Statement {
    let arguments = vec![
        Argument::Bytes(sha256.to_vec()),
        Argument::Text(user.as_str().to_owned()),
        Argument::Integer(expires.as_millis()),
    ];
    Statement::new(REMEMBER, arguments)
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Vec<u8>,
    user_id: String,
    created_ms: i64,
    last_used_ms: i64,
}

impl Store {
    /// The session whose token has this SHA-256, also if it has ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn session(&self, id: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        const SELECT: &str = "SELECT id, user_id, created_ms, last_used_ms FROM sessions WHERE id = $1";
        let row = fetch!(self.database(), fetch_optional, SessionRow, SELECT, id.to_vec())?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Session {
            id: hash(row.id)?,
            user: UserId::from_text(row.user_id),
            created: Timestamp::from_millis(row.created_ms),
            last_used: Timestamp::from_millis(row.last_used_ms),
        }))
    }

    /// Who signed in with this device before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn users_of_device(&self, sha256: &[u8; 32], now: Timestamp) -> Result<Vec<UserId>, StoreError> {
        const SELECT: &str = "SELECT user_id FROM known_browsers WHERE sha256 = $1 AND expires_ms > $2";
        let rows = fetch!(self.database(), fetch_all, (String,), SELECT, sha256.to_vec(), now.as_millis())?;
        Ok(rows.into_iter().map(|(id,)| UserId::from_text(id)).collect())
    }
}
