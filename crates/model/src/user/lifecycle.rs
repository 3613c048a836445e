//! From one state of an account to the next, and which steps a state allows.
//!
//! See "Understand user status values and transitions" of Okta's user life cycle page.

use std::fmt;

use super::{User, UserStatus};
use crate::Timestamp;
use crate::names::names;

names! {
    /// A step of the life cycle that an administrator takes.
    LifecycleStep {
        /// STAGED or DEPROVISIONED to PROVISIONED or, with a password, ACTIVE.
        Activate = "activate",
        /// PROVISIONED or RECOVERY starts again with a fresh activation.
        Reactivate = "reactivate",
        /// Any state to DEPROVISIONED.
        Deactivate = "deactivate",
        /// ACTIVE to SUSPENDED.
        Suspend = "suspend",
        /// SUSPENDED back to ACTIVE.
        Unsuspend = "unsuspend",
        /// LOCKED_OUT back to ACTIVE.
        Unlock = "unlock",
        /// ACTIVE or LOCKED_OUT to PASSWORD_EXPIRED.
        ExpirePassword = "expire_password",
        /// To RECOVERY: the old password is gone.
        ResetPassword = "reset_password",
    }
}

impl LifecycleStep {
    /// Whether the step ends everything that rests on the account: sessions, codes, grants with their access and refresh tokens,
    /// and flows half way. Each step does that takes ACTIVE away, so that the way back gives nobody in who was there before.
    #[must_use]
    pub const fn ends_access(self) -> bool {
        match self {
            Self::Deactivate | Self::Suspend | Self::ExpirePassword | Self::ResetPassword | Self::Reactivate => true,
            Self::Activate | Self::Unsuspend | Self::Unlock => false,
        }
    }
}

/// The step is not one that the user's status allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus {
    /// The step.
    pub step: LifecycleStep,
    /// The status the user is in.
    pub status: UserStatus,
}

impl fmt::Display for WrongStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a user who is {} can't take the step {}", self.status.as_str(), self.step.as_str())
    }
}

impl std::error::Error for WrongStatus {}

impl User {
    /// The user after a step.
    ///
    /// # Errors
    /// [`WrongStatus`] if the user's present status does not allow it.
    pub fn after(&self, step: LifecycleStep, now: Timestamp) -> Result<Self, WrongStatus> {
        use LifecycleStep as Step;
        use UserStatus as Status;
        let fresh = if self.password.is_some() { Status::Active } else { Status::Provisioned };
        let status = match (step, self.status) {
            (Step::Activate, Status::Staged | Status::Deprovisioned) => fresh,
            (Step::Reactivate, Status::Provisioned | Status::Recovery) => Status::Provisioned,
            (Step::Deactivate, status) if status != Status::Deprovisioned => Status::Deprovisioned,
            (Step::Suspend, Status::Active) => Status::Suspended,
            (Step::Unsuspend, Status::Suspended) | (Step::Unlock, Status::LockedOut) => Status::Active,
            (Step::ExpirePassword, Status::Active | Status::PasswordExpired | Status::LockedOut)
                if self.password.is_some() =>
            {
                Status::PasswordExpired
            }
            (
                Step::ResetPassword,
                Status::Active | Status::Provisioned | Status::Recovery | Status::PasswordExpired | Status::LockedOut,
            ) => Status::Recovery,
            (step, status) => return Err(WrongStatus { step, status }),
        };
        let mut user = self.with_status(status, now);
        user.proof_epoch = user.proof_epoch.saturating_add(step.ends_access().into());
        match step {
            Step::Activate | Step::Reactivate => user.activated = Some(user.last_updated),
            Step::ResetPassword => user.password = None,
            _ => {}
        }
        Ok(user)
    }

    /// The user in another status, changed now; for the steps that the user takes and no administrator.
    #[must_use]
    pub fn with_status(&self, status: UserStatus, now: Timestamp) -> Self {
        let now = now.whole_seconds().max(self.created);
        Self { status, status_changed: Some(now), last_updated: now, ..self.clone() }
    }
}
