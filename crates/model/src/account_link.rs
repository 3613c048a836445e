//! Links that let somebody set a password without the one of before: an administrator has them made, and mails them or hands
//! them over.

use std::time::Duration;

use crate::Timestamp;
use crate::id::UserId;
use crate::names::names;

names! {
    /// What a link is for.
    LinkPurpose {
        /// The first password of an account that is activated.
        Activation = "ACTIVATION",
        /// A new password in place of the one of before.
        PasswordReset = "PASSWORD_RESET",
    }
}

impl LinkPurpose {
    /// How long the link can be used (Okta's defaults: seven days and one hour).
    #[must_use]
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::Activation => Duration::from_secs(7 * 24 * 60 * 60),
            Self::PasswordReset => Duration::from_secs(60 * 60),
        }
    }
}

/// A link, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// Whose password it sets.
    pub user: UserId,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The epoch of the user's proofs when it was made. A new password, and each step that ends what rests on the account,
    /// begins another one, and the link is worth nothing.
    pub proof_epoch: i64,
    /// When it ends.
    pub expires: Timestamp,
}
