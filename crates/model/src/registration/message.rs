//! What a person reads on a form: a text, where it belongs, and what kind of message it is.

use serde::{Deserialize, Serialize};

use crate::redaction::Redaction;
use crate::shown::Shown;

/// The longest text of an external service that is shown, in characters.
const MAX_SHOWN_CHARACTERS: usize = 1_000;

/// A text for the person at the form: at one field, or above all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The field it belongs to; `None` for the banner.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The text, as it is to be shown; whoever shows it escapes it.
    pub text: Shown,
    /// What kind of message it is.
    pub kind: MessageKind,
}

/// Why somebody is told something. Clients tell messages apart by [`MessageKind::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageKind {
    /// An external service's own words.
    Hook,
    /// What is said where an external service denied without words of its own, or failed.
    HookDefault,
    /// The field must be filled in.
    Blank,
    /// The field does not take this value.
    Invalid,
    /// Somebody else has this value.
    Taken,
    /// The password can't be used.
    Password,
    /// A new password in place of one that was forgotten can't be used.
    NewPassword,
    /// The one-time code is wrong or too old.
    Code,
    /// The recovery code is wrong.
    RecoveryCode,
    /// Nobody can recover an account here.
    RecoveryClosed,
    /// The account is unlocked.
    Unlocked,
    /// Sign-in failed; never says why.
    SignIn,
    /// Nobody can sign up here.
    SignUpClosed,
    /// Too many tries.
    TooMany,
    /// The flow is over or unknown.
    Expired,
    /// Something that is no fault.
    Info,
}

impl MessageKind {
    /// The `i18n.key` of the message. None of them is a key of the sign-in widget's own catalogue, but for those whose texts
    /// say the same there: for a key that it knows, the widget shows its own text.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Hook => "registration.error.hook",
            Self::HookDefault => "registration.error.hook.default",
            Self::Blank => "registration.error.blank",
            Self::Invalid => "registration.error.invalid",
            Self::Taken => "registration.error.notUniqueWithinOrg",
            Self::Password => "password.error.policy",
            Self::NewPassword => "password.passwordRequirementsNotMet",
            Self::Code => "email.error.code",
            Self::RecoveryCode => "api.authn.error.PASSCODE_INVALID",
            Self::RecoveryClosed => "oie.selfservice.reset.password.not.allowed",
            Self::Unlocked => "oie.selfservice.unlock_user.success.message",
            Self::SignIn => "errors.E0000004",
            Self::SignUpClosed => "registration.error.closed",
            Self::TooMany => "errors.E0000047",
            Self::Expired => "idx.session.expired",
            Self::Info => "hookwright.info",
        }
    }
}

impl Message {
    /// A message above the form.
    #[must_use]
    pub fn banner(kind: MessageKind, text: impl Into<Shown>) -> Self {
        Self { field: None, text: text.into(), kind }
    }

    /// A message at a field.
    #[must_use]
    pub fn at(field: impl Into<String>, kind: MessageKind, text: impl Into<Shown>) -> Self {
        Self { field: Some(field.into()), text: text.into(), kind }
    }
}

/// An external service's text as it may be shown: at most 1,000 characters, without secrets of the hook, without controls and
/// without the characters that turn the direction of the text around them (Unicode's bidirectional formatting characters).
#[must_use]
pub(crate) fn shown_text(text: &str, redaction: &Redaction) -> Shown {
    let kept = text.chars().map(|letter| if matches!(letter, '\t' | '\n' | '\r') { ' ' } else { letter });
    let kept: String = kept.filter(|letter| !letter.is_control() && !turns_direction(*letter)).collect();
    // Secrets are looked for in what is left, whole: neither a letter that goes nor a cut may hide one.
    redaction.text(kept.trim()).cut(MAX_SHOWN_CHARACTERS)
}

const fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
}
