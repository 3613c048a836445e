//! The two states of whatever can be switched on and off: hooks, policies, apps, trusted origins.

use crate::names::names;

names! {
    /// Whether something takes part in what the org does.
    #[derive(Default)]
    LifecycleStatus {
        /// It does.
        #[default]
        Active = "ACTIVE",
        /// It does not, as if it were not there.
        Inactive = "INACTIVE",
    }
}

impl LifecycleStatus {
    /// Whether it is [`LifecycleStatus::Active`].
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}
