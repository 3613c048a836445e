//! Mails: written into the database together with what caused them, sent by SMTP afterwards, and sent again if the server did
//! not take them. Without a server they stay in the outbox, which development shows.

use std::time::Duration;

use hookwright_model::flow::EMAIL_CODE_LIFETIME;
use hookwright_model::mail::Mail;
use hookwright_model::{Timestamp, mail};
use hookwright_store::{Change, FlowChange};
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use crate::{App, Error};

/// How long a mail is kept.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a conversation with the mail server may take.
const SERVER_PATIENCE: Duration = Duration::from_secs(20);

/// Mails that are sent one after the other at once.
const BATCH: u32 = 50;

/// How many mails the server may put off in one round before the rest waits too.
const MOST_POSTPONED: usize = 10;

/// The most mails that the outbox shows.
const SHOWN: u32 = 100;

/// Where mails go.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `smtp://` or `smtps://`, with user and password if the server wants them; `?tls=required` after `smtp://` for STARTTLS.
    pub smtp_url: SecretString,
    /// The sender, such as `Example <no-reply@example.com>`.
    pub from: String,
}

impl MailSettings {
    /// Looks whether mails could be sent with them; asks no server.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the password.
    pub fn check(&self) -> Result<(), String> {
        Postman::new(Some(self)).map(drop)
    }
}

/// Sends mails, or does not.
#[derive(Default)]
pub(crate) struct Postman {
    server: Option<(AsyncSmtpTransport<Tokio1Executor>, lettre::message::Mailbox)>,
    /// One round at a time, so that no mail is sent twice.
    round: tokio::sync::Mutex<()>,
}

impl Postman {
    /// # Errors
    /// A sentence that says what is wrong with the settings, without the password in them.
    pub(crate) fn new(settings: Option<&MailSettings>) -> Result<Self, String> {
        let Some(settings) = settings else { return Ok(Self::default()) };
        let url = settings.smtp_url.expose_secret();
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "the URL of the mail server can't be used".to_owned())?;
        let from = settings.from.parse().map_err(|error| format!("the sender of mails can't be used: {error}"))?;
        let server = builder.timeout(Some(SERVER_PATIENCE)).build();
        Ok(Self { server: Some((server, from)), round: tokio::sync::Mutex::default() })
    }
}

/// The change that puts a mail into the outbox.
pub(crate) fn queued(mail: Mail, now: Timestamp) -> Change {
    Change::Flow(FlowChange::InsertMail { mail, expires: now.plus(LIFETIME) })
}

/// The mail with the code that proves an address.
pub(crate) fn verification(id: String, to: &str, code: &str, lifetime: Duration, now: Timestamp) -> Mail {
    mail::verification(id, to, code, lifetime.as_secs() / 60, now)
}

impl App {
    /// The last mails, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn mails(&self) -> Result<Vec<Mail>, Error> {
        Ok(self.inner.store.mails(SHOWN).await?)
    }

    /// Sends what waits, beside whatever else happens.
    pub(crate) fn send_mails_soon(&self) {
        if self.inner.postman.server.is_none() {
            return;
        }
        let app = self.clone();
        self.inner.calls.spawn(async move {
            if let Err(error) = app.send_mails().await {
                tracing::warn!(%error, "mails could not be sent; they will be tried again");
            }
        });
    }

    /// Sends what waits, newest first: those people are looking at the page now. What the server does not take stays for the
    /// next time, as long as its code is good; what it never will take is let go, so that it stands in nobody's way.
    ///
    /// # Errors
    /// The store's.
    pub async fn send_mails(&self) -> Result<(), Error> {
        let Some((server, from)) = &self.inner.postman.server else { return Ok(()) };
        let _round = self.inner.postman.round.lock().await;
        let mut postponed = 0;
        for mail in self.inner.store.unsent_mails(self.now().minus(EMAIL_CODE_LIFETIME), BATCH).await? {
            match message(&mail, from) {
                None => tracing::warn!(mail = mail.id, "a mail can't be written to this address"),
                Some(message) => match server.send(message).await {
                    Ok(_) => {}
                    Err(error) if error.is_permanent() => {
                        tracing::warn!(mail = mail.id, %error, "the mail server refuses a mail for good");
                    }
                    // It may be this address alone.
                    Err(error) if error.is_transient() && postponed < MOST_POSTPONED => {
                        tracing::warn!(mail = mail.id, %error, "the mail server did not take a mail");
                        postponed += 1;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(mail = mail.id, %error, "the mail server takes no mails");
                        return Ok(());
                    }
                },
            }
            let sent = FlowChange::NoteMailSent { id: mail.id, at: self.now() };
            self.inner.store.commit(vec![Change::Flow(sent)]).await?;
        }
        Ok(())
    }
}

fn message(mail: &Mail, from: &lettre::message::Mailbox) -> Option<Message> {
    let to = mail.to.parse().ok()?;
    let builder = Message::builder().from(from.clone()).to(to).subject(&mail.subject).header(ContentType::TEXT_PLAIN);
    builder.body(mail.body.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_used_are_refused_without_their_password() {
        let settings = |url: &str, from: &str| MailSettings {
            smtp_url: SecretString::from(url.to_owned()),
            from: from.to_owned(),
        };
        for (url, from) in [("ftp://u:pass@h", "a@b.example"), ("smtp://u:pass@localhost", "nobody")] {
            let error = Postman::new(Some(&settings(url, from))).err().unwrap();
            assert!(!error.contains("pass"), "{error}");
        }
        assert!(Postman::new(Some(&settings("smtp://localhost:2525", "Org <a@b.example>"))).is_ok());
    }

    #[test]
    fn an_address_cannot_bring_headers_of_its_own() {
        let from = "a@b.example".parse().unwrap();
        let now = Timestamp::from_millis(0);
        let mail = |to: &str| verification("1".to_owned(), to, "123456", Duration::from_secs(600), now);
        assert!(message(&mail("rosario@okta.com"), &from).is_some());
        assert!(message(&mail("rosario@okta.com\r\nBcc: x@y.example"), &from).is_none());
    }
}
