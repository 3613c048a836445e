//! The two states of whatever can be switched on and off: policies, rules, apps, trusted origins.

/// Whether something takes part in what the org does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LifecycleStatus {
    /// It does.
    #[default]
    Active,
    /// It does not, as if it were not there.
    Inactive,
}

impl LifecycleStatus {
    /// `ACTIVE` or `INACTIVE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }

    /// Reads the name, in capitals only.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ACTIVE" => Some(Self::Active),
            "INACTIVE" => Some(Self::Inactive),
            _ => None,
        }
    }

    /// Whether it is [`LifecycleStatus::Active`].
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}
