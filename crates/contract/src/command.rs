//! Commands: the names Okta gives them and the operands they carry, as read from an accepted answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::HookType;
use crate::json::{Members, Value};

/// A kind of command, named as in the `type` member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandType {
    /// `com.okta.action.update`
    ActionUpdate,
    /// `com.okta.user.profile.update`
    UserProfileUpdate,
    /// `com.okta.user.progressive.profile.update`
    UserProgressiveProfileUpdate,
    /// `com.okta.identity.patch`
    IdentityPatch,
    /// `com.okta.access.patch`
    AccessPatch,
    /// `com.okta.assertion.patch`
    AssertionPatch,
    /// `com.okta.tokens.assertion.patch`, of the 2018 type only
    TokensAssertionPatch,
    /// `com.okta.appUser.profile.update`
    AppUserProfileUpdate,
    /// `com.okta.user.update`
    UserUpdate,
    /// `com.okta.telephony.action`
    TelephonyAction,
}

impl CommandType {
    /// The commands of a hook type, for whatever request.
    #[must_use]
    pub fn of(hook_type: HookType) -> &'static [Self] {
        match hook_type {
            HookType::Registration => {
                &[Self::ActionUpdate, Self::UserProfileUpdate, Self::UserProgressiveProfileUpdate]
            }
            HookType::Token => &[Self::IdentityPatch, Self::AccessPatch],
            HookType::Saml => &[Self::AssertionPatch],
            HookType::PasswordImport => &[Self::ActionUpdate],
            HookType::UserImport => {
                &[Self::AppUserProfileUpdate, Self::UserProfileUpdate, Self::ActionUpdate, Self::UserUpdate]
            }
            HookType::Telephony => &[Self::TelephonyAction],
            HookType::LegacyTokens => &[Self::TokensAssertionPatch],
        }
    }

    /// Okta's name of the command.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActionUpdate => "com.okta.action.update",
            Self::UserProfileUpdate => "com.okta.user.profile.update",
            Self::UserProgressiveProfileUpdate => "com.okta.user.progressive.profile.update",
            Self::IdentityPatch => "com.okta.identity.patch",
            Self::AccessPatch => "com.okta.access.patch",
            Self::AssertionPatch => "com.okta.assertion.patch",
            Self::TokensAssertionPatch => "com.okta.tokens.assertion.patch",
            Self::AppUserProfileUpdate => "com.okta.appUser.profile.update",
            Self::UserUpdate => "com.okta.user.update",
            Self::TelephonyAction => "com.okta.telephony.action",
        }
    }
}

impl fmt::Display for CommandType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Serialize for CommandType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One command of an accepted answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Command<'a> {
    /// What to do.
    pub command_type: CommandType,
    /// With what.
    pub operand: Operand<'a>,
}

/// The operand of a command, checked against the contract.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand<'a> {
    /// Of `com.okta.action.update` in a registration answer.
    Registration(Registration),
    /// Of `com.okta.action.update` in a password import answer.
    Credential(Credential),
    /// Of `com.okta.action.update` in a user import answer.
    Import(Import),
    /// Of the profile updates: attribute names and values, in the order of the text.
    Profile(Members<'a>),
    /// Of `com.okta.user.update`: the id of an existing user.
    UserId(Cow<'a, str>),
    /// Of the patches: operations in the order of the text.
    Patch(Vec<PatchOperation<'a>>),
    /// Of `com.okta.telephony.action`: at least one.
    Telephony(Vec<Delivery<'a>>),
}

/// Whether a registration or profile update may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Registration {
    /// It goes on.
    Allow,
    /// It ends.
    Deny,
}

/// Whether the external service knows the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Credential {
    /// It is the user's password; it is stored.
    Verified,
    /// It is not; nothing is stored and the hook runs again at the next sign-in.
    Unverified,
}

/// What becomes of an imported user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Import {
    /// A new user is created.
    CreateUser,
    /// An existing user gets the app.
    LinkUser,
}

/// An operation of a JSON Patch (RFC 6902), of the three Okta takes.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchOperation<'a> {
    /// What to do.
    pub op: PatchOp,
    /// Where: a JSON Pointer into the token or assertion.
    pub path: Cow<'a, str>,
    /// What to put there; `None` for `remove`.
    pub value: Option<Value<'a>>,
}

/// The operations a patch may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchOp {
    /// Puts a new member or element; on an existing member it replaces.
    Add,
    /// Replaces something that exists.
    Replace,
    /// Removes something that exists. Not for assertions.
    Remove,
}

impl PatchOp {
    /// The operation as `op` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// How one attempt to send a passcode went.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery<'a> {
    /// How it went.
    pub status: DeliveryStatus,
    /// Who sent it, if said.
    pub provider: Option<Cow<'a, str>>,
    /// The provider's id of it, if said.
    pub transaction_id: Option<Cow<'a, str>>,
    /// Anything else the service wants to tell, if said.
    pub transaction_metadata: Option<Cow<'a, str>>,
}

/// How an attempt to send a passcode went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// Delivered.
    Successful,
    /// Sent, not confirmed yet.
    Pending,
    /// Not delivered.
    Failed,
}
