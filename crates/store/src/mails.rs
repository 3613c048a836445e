//! Mails as rows: written with what caused them, sent afterwards.

use hookwright_model::Timestamp;
use hookwright_model::mail::Mail;

use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Statement};
use crate::store::Store;

const INSERT: &str = "INSERT INTO mails (id, recipient, subject, body, created_ms, sent_ms, expires_ms) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

const NOTE_SENT: &str = "UPDATE mails SET sent_ms = $2 WHERE id = $1";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, recipient, subject, body, created_ms, sent_ms FROM mails ", $rest)
    };
}

pub(crate) fn insert(mail: &Mail, expires: Timestamp) -> Statement {
    let arguments = vec![
        Argument::Text(mail.id.clone()),
        Argument::Text(mail.to.clone()),
        Argument::Text(mail.subject.clone()),
        Argument::Text(mail.body.clone()),
        Argument::Integer(mail.created.as_millis()),
        Argument::OptionalInteger(mail.sent.map(Timestamp::as_millis)),
        Argument::Integer(expires.as_millis()),
    ];
    Statement::new(INSERT, arguments)
}

pub(crate) fn note_sent(id: String, at: Timestamp) -> Statement {
    Statement::new(NOTE_SENT, vec![Argument::Text(id), Argument::Integer(at.as_millis())])
}

#[derive(sqlx::FromRow)]
struct MailRow {
    id: String,
    recipient: String,
    subject: String,
    body: String,
    created_ms: i64,
    sent_ms: Option<i64>,
}

impl From<MailRow> for Mail {
    fn from(row: MailRow) -> Self {
        Self {
            id: row.id,
            to: row.recipient,
            subject: row.subject,
            body: row.body,
            created: Timestamp::from_millis(row.created_ms),
            sent: row.sent_ms.map(Timestamp::from_millis),
        }
    }
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
        Ok(rows.into_iter().map(Mail::from).collect())
    }

    /// Mails written after this time that still wait for the server, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unsent_mails(&self, after: Timestamp, limit: u32) -> Result<Vec<Mail>, StoreError> {
        let (after, limit) = (after.as_millis(), i64::from(limit));
        let sql = select!("WHERE sent_ms IS NULL AND created_ms > $1 ORDER BY created_ms DESC, id DESC LIMIT $2");
        let rows = fetch!(self.database(), fetch_all, MailRow, sql, after, limit)?;
        Ok(rows.into_iter().map(Mail::from).collect())
    }
}
