//! Wrong passwords as rows, one a key; the keys are hashes of names and addresses.

use hookwright_model::Timestamp;
use hookwright_model::guessing::Failures;

use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Statement};
use crate::store::Store;

/// The count begins again where the failures are too old to count; the first of them can't lie ahead.
const NOTE: &str = "INSERT INTO sign_in_failures (id, count, first_ms, last_ms, expires_ms, subject) \
     VALUES ($1, 1, $2, $2, $4, $5) ON CONFLICT (id) DO UPDATE SET \
     count = CASE WHEN sign_in_failures.first_ms < $3 THEN 1 ELSE sign_in_failures.count + 1 END, \
     first_ms = CASE WHEN sign_in_failures.first_ms < $3 OR sign_in_failures.first_ms > $2 THEN $2 \
                     ELSE sign_in_failures.first_ms END, \
     last_ms = $2, expires_ms = $4";

const FORGET: &str = "DELETE FROM sign_in_failures WHERE id = $1";

const FORGET_SUBJECT: &str = "DELETE FROM sign_in_failures WHERE subject = $1";

pub(crate) fn note(
    key: &[u8; 32],
    subject: Option<&[u8; 32]>,
    at: Timestamp,
    since: Timestamp,
    expires: Timestamp,
) -> Statement {
    let arguments = vec![
        Argument::Bytes(key.to_vec()),
        Argument::Integer(at.as_millis()),
        Argument::Integer(since.as_millis()),
        Argument::Integer(expires.as_millis()),
        Argument::OptionalBytes(subject.map(|subject| subject.to_vec())),
    ];
    Statement::new(NOTE, arguments)
}

pub(crate) fn forget(key: &[u8; 32]) -> Statement {
    Statement::new(FORGET, vec![Argument::Bytes(key.to_vec())])
}

pub(crate) fn forget_subject(subject: &[u8; 32]) -> Statement {
    Statement::new(FORGET_SUBJECT, vec![Argument::Bytes(subject.to_vec())])
}

impl Store {
    /// The most failures for somebody's name under one key.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn most_guesses(&self, subject: &[u8; 32]) -> Result<i64, StoreError> {
        const SELECT: &str = "SELECT COALESCE(MAX(count), 0) FROM sign_in_failures WHERE subject = $1";
        let (most,) = fetch!(self.database(), fetch_one, (i64,), SELECT, subject.to_vec())?;
        Ok(most)
    }

    /// The failures under a key; none if there is no row.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn sign_in_failures(&self, key: &[u8; 32]) -> Result<Failures, StoreError> {
        const SELECT: &str = "SELECT count, first_ms, last_ms FROM sign_in_failures WHERE id = $1";
        let row = fetch!(self.database(), fetch_optional, (i64, i64, i64), SELECT, key.to_vec())?;
        Ok(row.map_or_else(Failures::default, |(count, first, last)| Failures {
            count,
            first: Timestamp::from_millis(first),
            last: Timestamp::from_millis(last),
        }))
    }
}
