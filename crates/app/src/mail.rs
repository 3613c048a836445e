//! Mails: written into the database together with what caused them, sent by SMTP afterwards, and sent again if the server did
//! not take them. Without a server they stay in the outbox, which development shows.
//!
//! A process claims mails before it sends them, so that of several nodes one sends each. Should it die meanwhile, the claim ends
//! and another goes on: a mail is sent at least once, and by one process at a time.

use std::time::Duration;

use hookwright_model::flow::{EMAIL_CODE_LIFETIME, RecoveryPurpose};
use hookwright_model::id::mint_event_id;
use hookwright_model::mail::Mail;
use hookwright_model::text::cut;
use hookwright_model::{Timestamp, mail};
use hookwright_store::{Change, Claim, ClaimedMail, FlowChange};
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::{App, Error};

/// How long a mail is kept.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a conversation with the mail server may take.
const SERVER_PATIENCE: Duration = Duration::from_secs(20);

/// Mails that are claimed together, and sent one after the other.
const BATCH: u32 = 4;

/// How long a claim holds: longer than the server may take for all of them.
const LEASE: Duration = Duration::from_secs(120);

/// The pause after a mail was not taken: at first, and at most. It doubles each time.
const PAUSES: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(120));

/// The longest text of an error that is kept, in characters.
const MAX_ERROR_CHARACTERS: usize = 300;

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
    /// One round at a time: the server is not flooded.
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

/// The mail with the code of a recovery.
pub(crate) fn recovery(id: String, to: &str, purpose: RecoveryPurpose, code: &str, now: Timestamp) -> Mail {
    mail::recovery((id, to), purpose, code, EMAIL_CODE_LIFETIME.as_secs() / 60, now)
}

/// The mail with the code that proves an address.
pub(crate) fn verification(id: String, to: &str, code: &str, lifetime: Duration, now: Timestamp) -> Mail {
    mail::verification(id, to, code, lifetime.as_secs() / 60, now)
}

impl App {
    /// Whether somebody reads what is mailed: there is a mail server, or development shows the outbox.
    #[must_use]
    pub fn can_mail(&self) -> bool {
        self.inner.postman.server.is_some() || self.settings().address_policy.development
    }

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

    /// Sends what is due, newest first: those people are looking at the page now. What the server does not take is due again
    /// after a pause, as long as its code is good; what it never will take is let go, so that it stands in nobody's way.
    ///
    /// # Errors
    /// The store's.
    pub async fn send_mails(&self) -> Result<(), Error> {
        if self.inner.postman.server.is_none() {
            return Ok(());
        }
        let _round = self.inner.postman.round.lock().await;
        let mut postponed = 0;
        loop {
            let (now, store) = (self.now(), &self.inner.store);
            let after = now.minus(EMAIL_CODE_LIFETIME);
            if !store.has_due_mails(after, now).await? {
                return Ok(());
            }
            let claim = Claim { token: mint_event_id(self.entropy()), now, lease: LEASE };
            let mails = store.claim_mails(&claim, after, BATCH).await?;
            if mails.is_empty() || !self.send_claimed(mails, &claim, &mut postponed).await? {
                return Ok(());
            }
        }
    }

    /// Sends mails that are claimed; whether it is worth going on.
    async fn send_claimed(&self, mails: Vec<ClaimedMail>, claim: &Claim, postponed: &mut usize) -> Result<bool, Error> {
        let claimed = Instant::now();
        let mut goes_on = true;
        for ClaimedMail { mail, attempts } in mails {
            let change = if !goes_on {
                // It was not tried: the next round has it first.
                FlowChange::PostponeMail { id: mail.id, claim: claim.token.clone(), due: self.now(), error: None }
            } else if claimed.elapsed() + SERVER_PATIENCE > LEASE {
                // The claim may end before the server has answered: another process will have it.
                return Ok(true);
            } else {
                match self.send(&mail).await {
                    Sent::Taken => FlowChange::NoteMailSent { id: mail.id, at: self.now(), refusal: None },
                    Sent::Refused(error) => {
                        tracing::warn!(mail = mail.id, error, "this mail can't be sent");
                        FlowChange::NoteMailSent { id: mail.id, at: self.now(), refusal: Some(error) }
                    }
                    Sent::NotNow { error, of_this_mail } => {
                        tracing::warn!(mail = mail.id, attempts, error, "the mail server did not take a mail");
                        *postponed += 1;
                        goes_on = of_this_mail && *postponed <= MOST_POSTPONED;
                        let due = self.now().plus(pause(attempts));
                        FlowChange::PostponeMail { id: mail.id, claim: claim.token.clone(), due, error: Some(error) }
                    }
                }
            };
            self.inner.store.commit(vec![Change::Flow(change)]).await?;
        }
        Ok(goes_on)
    }

    async fn send(&self, mail: &Mail) -> Sent {
        let text = |error: &dyn std::fmt::Display| cut(&error.to_string(), MAX_ERROR_CHARACTERS);
        let Some((server, from)) = &self.inner.postman.server else {
            return Sent::NotNow { error: "there is no mail server".to_owned(), of_this_mail: false };
        };
        let Some(message) = message(mail, from) else {
            return Sent::Refused("a mail can't be written to this address".to_owned());
        };
        match server.send(message).await {
            Ok(_) => Sent::Taken,
            Err(error) if error.is_permanent() => Sent::Refused(text(&error)),
            // It may be this address alone.
            Err(error) => Sent::NotNow { of_this_mail: error.is_transient(), error: text(&error) },
        }
    }
}

/// What became of a mail.
enum Sent {
    Taken,
    /// The server never will take it.
    Refused(String),
    /// Perhaps later.
    NotNow {
        error: String,
        /// Whether it may be this mail alone that is not taken.
        of_this_mail: bool,
    },
}

/// How long a mail rests that was not taken the last time of so many.
fn pause(attempts: u32) -> Duration {
    let doubled = PAUSES.0.saturating_mul(1 << attempts.saturating_sub(1).min(10));
    doubled.min(PAUSES.1)
}

fn message(mail: &Mail, from: &lettre::message::Mailbox) -> Option<Message> {
    let to = mail.to.parse().ok()?;
    // The same each time, so that a mailbox that gets it again after a crash may tell.
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    let builder = Message::builder().from(from.clone()).to(to).message_id(Some(id)).subject(&mail.subject);
    builder.header(ContentType::TEXT_PLAIN).body(mail.body.clone()).ok()
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
    fn the_pause_doubles_up_to_two_minutes() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 4, 5, 100].map(|attempts| pause(attempts).as_secs()).into();
        assert_eq!(pauses, [15, 15, 30, 60, 120, 120, 120]);
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
