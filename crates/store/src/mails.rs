//! Mails as rows: written with what caused them, sent afterwards by whoever claims them. Their text is sealed until they are
//! sent, and gone afterwards: it holds codes and links that open accounts.

use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::mail::Mail;
use secrecy::ExposeSecret;

use crate::database::fetch;
use crate::error::{CommitError, StoreError};
use crate::keyring::Keyring;
use crate::leases::Claim;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Statement};
use crate::store::Store;
use crate::work::Work;

/// The longest pause after a failure, or longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

const INSERT: &str = "INSERT INTO mails (id, recipient, subject, body, created_ms, sent_ms, expires_ms, sealed_body) \
     VALUES ($1, $2, $3, '', $4, $5, $6, $7)";

/// Nobody needs its text any longer.
const NOTE_SENT: &str = "UPDATE mails SET sent_ms = $2, last_error = $3, body = '', sealed_body = NULL WHERE id = $1";

/// Only by whoever has the claim still: another may be sending it by now.
const POSTPONE: &str = "UPDATE mails SET claim = NULL, due_ms = $3, last_error = COALESCE($4, last_error) \
     WHERE id = $1 AND claim = $2 AND sent_ms IS NULL";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, recipient, subject, body, sealed_body, created_ms, sent_ms, attempts FROM mails ", $rest)
    };
}

/// Where the text is.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "mails", row: id, column: "sealed_body" }
}

pub(crate) fn insert(keyring: &Keyring, mail: &Mail, expires: Timestamp) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Text(mail.id.clone()),
        Argument::Text(mail.to.clone()),
        Argument::Text(mail.subject.clone()),
        Argument::Integer(mail.created.as_millis()),
        Argument::OptionalInteger(mail.sent.map(Timestamp::as_millis)),
        Argument::Integer(expires.as_millis()),
        Argument::Bytes(keyring.seal(place(&mail.id), mail.body.as_bytes())?),
    ];
    Ok(Statement::new(INSERT, arguments))
}

pub(crate) fn note_sent(id: String, at: Timestamp, refusal: Option<String>) -> Statement {
    let arguments = vec![Argument::Text(id), Argument::Integer(at.as_millis()), Argument::OptionalText(refusal)];
    Statement::new(NOTE_SENT, arguments)
}

pub(crate) fn postpone(id: String, claim: String, due: Timestamp, error: Option<String>) -> Statement {
    let arguments = vec![
        Argument::Text(id),
        Argument::Text(claim),
        Argument::Integer(due.as_millis()),
        Argument::OptionalText(error),
    ];
    Statement::new(POSTPONE, arguments)
}

/// A mail that one process has claimed.
#[derive(Debug, Clone)]
pub struct ClaimedMail {
    /// The mail.
    pub mail: Mail,
    /// How often somebody has begun to send it, this time included.
    pub attempts: u32,
}

#[derive(sqlx::FromRow)]
struct MailRow {
    id: String,
    recipient: String,
    subject: String,
    body: String,
    sealed_body: Option<Vec<u8>>,
    created_ms: i64,
    sent_ms: Option<i64>,
    attempts: i64,
}

impl Store {
    /// The last mails, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mails(&self, limit: u32) -> Result<Vec<Mail>, StoreError> {
        let limit = i64::from(limit);
        let rows =
            fetch!(self.database(), fetch_all, MailRow, select!("ORDER BY created_ms DESC, id DESC LIMIT $1"), limit)?;
        rows.into_iter().map(|row| self.open_mail(row)).collect()
    }

    /// Whether a mail that was written after this time is due.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn has_due_mails(&self, after: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        const SELECT: &str = "SELECT COUNT(*) FROM (SELECT 1 AS found FROM mails \
             WHERE sent_ms IS NULL AND created_ms > $1 AND (due_ms <= $2 OR due_ms > $3) LIMIT 1) AS due";
        let latest = now.plus(LONGEST_PAUSE * 2);
        let (after, now, latest) = (after.as_millis(), now.as_millis(), latest.as_millis());
        let (found,) = fetch!(self.database(), fetch_one, (i64,), SELECT, after, now, latest)?;
        Ok(found > 0)
    }

    /// Claims at most so many of the mails that were written after this time and are due, newest first. Nobody else gets them
    /// until the claim ends.
    ///
    /// # Errors
    /// See [`StoreError`]; what was claimed all the same is free again when the claim ends.
    pub async fn claim_mails(
        &self,
        claim: &Claim,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedMail>, StoreError> {
        let arguments = vec![
            Argument::Text(claim.token.clone()),
            Argument::Integer(claim.until().as_millis()),
            Argument::Integer(after.as_millis()),
            Argument::Integer(claim.now.as_millis()),
            Argument::Integer(claim.latest(LONGEST_PAUSE).as_millis()),
            Argument::Integer(i64::from(limit)),
        ];
        let statement = Statement::new(self.dialect().claim_mails(), arguments);
        self.write(Work::of_statements(vec![statement])).await.map_err(CommitError::into_store_error)?;
        let sql = select!("WHERE claim = $1 AND sent_ms IS NULL AND created_ms > $2 ORDER BY created_ms DESC, id DESC");
        let (token, after) = (claim.token.as_str(), after.as_millis());
        let rows = fetch!(self.database(), fetch_all, MailRow, sql, token, after)?;
        let claimed = |row: MailRow| {
            let attempts = u32::try_from(row.attempts).unwrap_or(1);
            Ok(ClaimedMail { attempts, mail: self.open_mail(row)? })
        };
        rows.into_iter().map(claimed).collect()
    }

    fn open_mail(&self, row: MailRow) -> Result<Mail, StoreError> {
        let body = match &row.sealed_body {
            Some(sealed) => {
                let opened = self.unseal_row(
                    |keyring| keyring.unseal_text(place(&row.id), sealed),
                    |error| match error {
                        RowError::Sealed(error) => StoreError::Unreadable(format!("mail {}: {error}", row.id)),
                        RowError::Damaged(what) => StoreError::Unreadable(what),
                    },
                )?;
                opened.expose_secret().to_owned()
            }
            None => row.body,
        };
        Ok(Mail {
            id: row.id,
            to: row.recipient,
            subject: row.subject,
            body,
            created: Timestamp::from_millis(row.created_ms),
            sent: row.sent_ms.map(Timestamp::from_millis),
        })
    }
}
