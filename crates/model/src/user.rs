//! A user: who may sign in, in which state of their account, with which profile.

mod lifecycle;
mod representation;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::guessing::{LOCK, is_within};
use crate::id::UserId;
use crate::names::names;
use crate::text;

pub use lifecycle::{LifecycleStep, WrongStatus};
pub use representation::{Detail, USER_SCHEMA_ID, USER_TYPE_ID};

names! {
    /// The state of an account, as Okta's user life cycle names them.
    UserStatus {
        /// Created, not activated yet.
        Staged = "STAGED",
        /// Activated, but has not set a password yet.
        Provisioned = "PROVISIONED",
        /// May sign in.
        Active = "ACTIVE",
        /// Has to set a new password by the link that was sent.
        Recovery = "RECOVERY",
        /// Has to change the password at the next sign-in.
        PasswordExpired = "PASSWORD_EXPIRED",
        /// Tried too many wrong passwords.
        LockedOut = "LOCKED_OUT",
        /// Put on hold by an administrator.
        Suspended = "SUSPENDED",
        /// Deactivated; only such a user can be deleted for good.
        Deprovisioned = "DEPROVISIONED",
    }
}

impl UserStatus {
    /// Whether somebody with this status may stay signed in and have tokens. A lock keeps guessers out, not the owner: whoever
    /// fails often enough could sign them out otherwise.
    #[must_use]
    pub const fn may_be_signed_in(self) -> bool {
        matches!(self, Self::Active | Self::LockedOut)
    }

    /// Whether the account is activated and not put away: what administrators of this status may do stays in force. Of a lock
    /// or an expired password the account itself does not end.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        !matches!(self, Self::Staged | Self::Suspended | Self::Deprovisioned)
    }
}

/// A hashed password in the PHC string format, which names its algorithm and parameters. Never shown, also not by `Debug`.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// Takes a PHC string as it is.
    #[must_use]
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(SecretString::from(phc.into()))
    }

    /// The PHC string, for the store and for the comparison.
    #[must_use]
    pub fn expose_phc(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(..)")
    }
}

/// A user of the org.
#[derive(Debug, Clone)]
pub struct User {
    /// Unique key, `00u…`.
    pub id: UserId,
    /// The state of the account.
    pub status: UserStatus,
    /// The attributes that have a value, in the order they were given; none of them is null.
    pub profile: Map<String, Value>,
    /// The password, if one is set.
    pub password: Option<PasswordHash>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last activated.
    pub activated: Option<Timestamp>,
    /// When the status last changed.
    pub status_changed: Option<Timestamp>,
    /// When the user last signed in.
    pub last_login: Option<Timestamp>,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
    /// When the password was last set, to the millisecond: what was proved before it counts no longer.
    pub password_changed: Option<Timestamp>,
    /// Whether the user has proved the email address, or an administrator vouches for it.
    pub email_verified: bool,
    /// Counts how often everything that rested on the account was ended, by a step of the life cycle or a new password. What was
    /// proved in an earlier epoch counts no longer, whatever the clock says. Starts at 0.
    pub proof_epoch: i64,
    /// Counts the writes, so that two writers who read the same state can't both win. Starts at 1.
    pub revision: i64,
}

impl User {
    /// A new user. It is STAGED unless it is to be activated; then ACTIVE with a password, PROVISIONED without one.
    ///
    /// The profile is taken as checked; its null members are dropped and its text is composed. Whoever creates a user vouches
    /// for the email address, unless they say otherwise afterwards.
    #[must_use]
    pub fn create(
        id: UserId,
        profile: &Map<String, Value>,
        password: Option<PasswordHash>,
        activate: bool,
        now: Timestamp,
    ) -> Self {
        let (exactly, now) = (now, now.whole_seconds());
        let status = match (activate, &password) {
            (false, _) => UserStatus::Staged,
            (true, None) => UserStatus::Provisioned,
            (true, Some(_)) => UserStatus::Active,
        };
        Self {
            id,
            status,
            profile: crate::profile::stored_form(profile),
            created: now,
            activated: activate.then_some(now),
            status_changed: activate.then_some(now),
            last_login: None,
            last_updated: now,
            password_changed: password.is_some().then_some(exactly),
            password,
            email_verified: true,
            proof_epoch: 0,
            revision: 1,
        }
    }

    /// The user with another profile (taken as checked), changed now. Another email address is one that nobody has proved yet.
    #[must_use]
    pub fn with_profile(&self, profile: &Map<String, Value>, now: Timestamp) -> Self {
        let profile = crate::profile::stored_form(profile);
        let same_address = profile.get("email") == self.profile.get("email");
        Self {
            profile,
            email_verified: self.email_verified && same_address,
            last_updated: now.whole_seconds().max(self.created),
            ..self.clone()
        }
    }

    /// The user with a new password, set now; the status stays, and what was proved before counts no longer.
    #[must_use]
    pub fn with_password(&self, password: PasswordHash, now: Timestamp) -> Self {
        let last_updated = now.whole_seconds().max(self.created);
        let password_changed = Some(now.max(self.created));
        let proof_epoch = self.proof_epoch.saturating_add(1);
        Self { password: Some(password), password_changed, last_updated, proof_epoch, ..self.clone() }
    }

    /// Whether the user is LOCKED_OUT for long enough. A lock that a clock set that was ahead keeps nobody out.
    #[must_use]
    pub fn is_lock_over(&self, now: Timestamp) -> bool {
        let since = self.status_changed.unwrap_or(self.created);
        self.status == UserStatus::LockedOut && !is_within(since, LOCK, now)
    }

    /// What the user signs in with; empty if the profile has none.
    #[must_use]
    pub fn login(&self) -> &str {
        self.text("login")
    }

    /// The primary email address; empty if the profile has none.
    #[must_use]
    pub fn email(&self) -> &str {
        self.text("email")
    }

    /// First and last name as far as there are any, or else the login: what logs and pages call the user.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.profile)
    }

    fn text(&self, name: &str) -> &str {
        attribute(&self.profile, name)
    }
}

/// The text of an attribute of a profile; empty if it has none.
#[must_use]
pub fn attribute<'p>(profile: &'p Map<String, Value>, name: &str) -> &'p str {
    profile.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What logs and pages call somebody with this profile: see [`User::full_name`].
#[must_use]
pub fn full_name(profile: &Map<String, Value>) -> String {
    let names = ["firstName", "lastName"].map(|name| attribute(profile, name));
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if names.is_empty() { attribute(profile, "login").to_owned() } else { names.join(" ") }
}

/// A login as logins are compared: the unique index stands on it, and a sign-in looks it up.
#[must_use]
pub fn folded_login(login: &str) -> String {
    text::folded(login.trim())
}

#[cfg(test)]
mod tests;
