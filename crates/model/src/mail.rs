//! Mails to people.

use crate::Timestamp;
use crate::account_link::LinkPurpose;
use crate::flow::RecoveryPurpose;

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

/// The mail with the code that lets somebody set a new password, or have the lock taken away.
#[must_use]
pub fn recovery((id, to): (String, &str), purpose: RecoveryPurpose, code: &str, minutes: u64, now: Timestamp) -> Mail {
    let (subject, what, otherwise) = match purpose {
        RecoveryPurpose::Password => {
            ("Reset your password", "set a new password", "nothing has changed, and your password stays as it is")
        }
        RecoveryPurpose::Unlock => ("Unlock your account", "unlock your account", "you can ignore this mail"),
    };
    let body = format!(
        "Hello,\n\nenter this code to {what}: {code}\n\nIt can be used for {minutes} minutes. Give it to nobody: we never ask \
         for it by mail or phone. If you didn't ask for it, {otherwise}.\n"
    );
    Mail { id, to: to.to_owned(), subject: subject.to_owned(), body, created: now, sent: None }
}

/// The mail with the link that an administrator sends.
#[must_use]
pub fn link(id: String, to: &str, purpose: LinkPurpose, url: &str, now: Timestamp) -> Mail {
    let (subject, body) = match purpose {
        LinkPurpose::Activation => (
            "Activate your account",
            format!(
                "Welcome!\n\nOpen this link to choose a password:\n\n{url}\n\nIt can be used once, within 7 days.\n"
            ),
        ),
        LinkPurpose::PasswordReset => (
            "Set a new password",
            format!(
                "Hello,\n\nan administrator asks you to set a new password. Open this link:\n\n{url}\n\nIt can be used \
                 once, within an hour.\n"
            ),
        ),
    };
    Mail { id, to: to.to_owned(), subject: subject.to_owned(), body, created: now, sent: None }
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
