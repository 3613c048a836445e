//! Mails to people.

use crate::Timestamp;

/// A mail that is to be sent, or was.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Unique key.
    pub id: String,
    /// Whom it goes to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created: Timestamp,
    /// When the server took it, or refused it for good.
    pub sent: Option<Timestamp>,
}

impl std::fmt::Debug for Mail {
    /// Without the text: there may be a code in it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mail").field("id", &self.id).field("to", &self.to).finish_non_exhaustive()
    }
}

/// The mail with the code that proves an address.
#[must_use]
pub fn verification(id: String, to: &str, code: &str, minutes: u64, now: Timestamp) -> Mail {
    let body = format!(
        "Welcome!\n\nYour verification code is {code}\n\nIt can be used for {minutes} minutes. If you didn't ask for it, \
         you can ignore this mail.\n"
    );
    Mail { id, to: to.to_owned(), subject: "Confirm your email address".to_owned(), body, created: now, sent: None }
}
