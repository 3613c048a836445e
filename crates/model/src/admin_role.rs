//! Administrator roles: what a user may do through the API.

use serde_json::{Value, json};

use crate::Timestamp;
use crate::id::{AdminRoleId, UserId};
use crate::names::names;

names! {
    /// The administrator roles of this org, by Okta's `type`.
    AdminRole {
        /// May do everything.
        SuperAdmin = "SUPER_ADMIN",
        /// May look at everything but inner addresses, and change nothing.
        ReadOnlyAdmin = "READ_ONLY_ADMIN",
    }
}

impl AdminRole {
    /// What Okta's console calls the role.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SuperAdmin => "Super Organization Administrator",
            Self::ReadOnlyAdmin => "Read-only Administrator",
        }
    }
}

/// A role that a user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAssignment {
    /// Unique key, `ra1…`.
    pub id: AdminRoleId,
    /// Who has the role.
    pub user: UserId,
    /// Which role.
    pub role: AdminRole,
    /// Since when.
    pub created: Timestamp,
}

impl RoleAssignment {
    /// The assignment as the API shows it; `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        json!({
            "id": self.id,
            "label": self.role.label(),
            "type": self.role.as_str(),
            "status": "ACTIVE",
            "created": self.created.whole_seconds(),
            "lastUpdated": self.created.whole_seconds(),
            "assignmentType": "USER",
            "_links": {"assignee": {"href": format!("{base}/api/v1/users/{}", self.user)}},
        })
    }
}
