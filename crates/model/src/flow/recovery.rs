//! What somebody can do who can't sign in: set a new password, or have the lock taken away, with a code that is mailed.
//!
//! Nothing here tells a name that nobody has from one that somebody has: the flow remembers the name as it was entered, and
//! whom a code was mailed to beside it.

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// The id of the authenticator that is an email address.
pub const EMAIL_AUTHENTICATOR: &str = "autEmail";

/// The id of the authenticator that is a password.
pub const PASSWORD_AUTHENTICATOR: &str = "autPassword";

/// How many digits a recovery code has. It stands for a whole account where no password is asked for: with the limits on mails
/// and tries, guessing at a thousand accounts at once for a day succeeds in one of a hundred such days.
pub const RECOVERY_CODE_DIGITS: u32 = 8;

/// How many recoveries one client network may begin within a minute, as many as it may enter wrong passwords.
pub const RECOVERIES_PER_MINUTE: i64 = 10;

/// How many recoveries one client network may begin within an hour.
pub const RECOVERIES_PER_HOUR: i64 = 100;

/// How many codes one client network may ask for within an hour for one name, whether or not somebody has it.
pub const RECOVERY_CODES_PER_NAME: i64 = 5;

/// What a code is mailed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecoveryPurpose {
    /// A new password.
    Password,
    /// An end of the lock.
    Unlock,
}

/// Whom a code was mailed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mailed {
    /// The user.
    pub user: UserId,
    /// The epoch of the user's proofs when it was mailed: the code ends with it.
    pub proof_epoch: i64,
    /// SHA-256 of the code and the flow's id, in hexadecimal digits.
    pub code_sha256: String,
}
