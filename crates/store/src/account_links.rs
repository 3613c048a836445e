//! Links that set a password, as rows: of a token only its SHA-256 is known here.

use hookwright_model::Timestamp;
use hookwright_model::account_link::{AccountLink, LinkPurpose};
use hookwright_model::id::UserId;

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::{hash, unknown};

const INSERT: &str = "INSERT INTO account_links (sha256, user_id, purpose, proof_epoch, expires_ms) \
     VALUES ($1, $2, $3, $4, $5)";

const TAKE: &str = "DELETE FROM account_links WHERE sha256 = $1 AND expires_ms > $2";

pub(crate) fn insert(link: &AccountLink) -> Statement {
    let arguments = vec![
        Argument::Bytes(link.sha256.to_vec()),
        Argument::Text(link.user.as_str().to_owned()),
        Argument::Text(link.purpose.as_str().to_owned()),
        Argument::Integer(link.proof_epoch),
        Argument::Integer(link.expires.as_millis()),
    ];
    Statement::new(INSERT, arguments)
}

pub(crate) fn take(sha256: &[u8; 32], now: Timestamp) -> Statement {
    let arguments = vec![Argument::Bytes(sha256.to_vec()), Argument::Integer(now.as_millis())];
    Statement::new(TAKE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

impl Store {
    /// The link whose token has this SHA-256, also if it has expired. Whoever uses it must take it in the same commit
    /// ([`crate::FlowChange::TakeLink`]), so that it is used once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn account_link(&self, sha256: &[u8; 32]) -> Result<Option<AccountLink>, StoreError> {
        const SELECT: &str =
            "SELECT sha256, user_id, purpose, proof_epoch, expires_ms FROM account_links WHERE sha256 = $1";
        let row =
            fetch!(self.database(), fetch_optional, (Vec<u8>, String, String, i64, i64), SELECT, sha256.to_vec())?;
        let Some((sha256, user, purpose, proof_epoch, expires_ms)) = row else { return Ok(None) };
        Ok(Some(AccountLink {
            sha256: hash(sha256)?,
            purpose: LinkPurpose::parse(&purpose).ok_or_else(|| unknown("purpose", &purpose))?,
            user: UserId::from_text(user),
            proof_epoch,
            expires: Timestamp::from_millis(expires_ms),
        }))
    }
}
