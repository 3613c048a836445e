//! How a user is shown to clients.

use serde_json::{Map, Value, json};

use super::{User, UserStatus};
use crate::Timestamp;

/// The id of the one type that users have.
pub const USER_TYPE_ID: &str = "otyhookwrightdefault";

/// The id of the schema of that type.
pub const USER_SCHEMA_ID: &str = "oschookwrightdefault";

/// These attributes are shown even where they have no value.
const ALWAYS_SHOWN: [&str; 6] = ["firstName", "lastName", "mobilePhone", "secondEmail", "login", "email"];

/// How much of a user's links is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All that the status allows, as for a single user.
    Full,
    /// Only the link to the user, as in lists.
    Listed,
}

impl User {
    /// The user as the API shows it: never a password, nor whether there is one but by `credentials.password`.
    ///
    /// `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str, detail: Detail) -> Value {
        let date = |date: Option<Timestamp>| date.map(|date| date.whole_seconds().to_string());
        let mut credentials = Map::new();
        if self.password.is_some() {
            credentials.insert("password".into(), json!({}));
        }
        credentials.insert("provider".into(), json!({"type": "OKTA", "name": "OKTA"}));
        json!({
            "id": self.id,
            "status": self.status.as_str(),
            "created": self.created,
            "activated": date(self.activated),
            "statusChanged": date(self.status_changed),
            "lastLogin": date(self.last_login),
            "lastUpdated": self.last_updated,
            "passwordChanged": date(self.password_changed),
            "type": {"id": USER_TYPE_ID},
            "profile": self.shown_profile(),
            "credentials": credentials,
            "_links": match detail {
                Detail::Full => self.links(base),
                Detail::Listed => json!({"self": {"href": format!("{base}/api/v1/users/{}", self.id)}}),
            },
        })
    }

    fn shown_profile(&self) -> Map<String, Value> {
        let mut shown = self.profile.clone();
        for attribute in ALWAYS_SHOWN {
            if !shown.contains_key(attribute) {
                shown.insert(attribute.into(), Value::Null);
            }
        }
        shown
    }

    fn links(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/users/{}", self.id);
        let mut links = Map::new();
        links.insert("self".into(), json!({"href": own}));
        links.insert("schema".into(), json!({"href": format!("{base}/api/v1/meta/schemas/user/{USER_SCHEMA_ID}")}));
        links.insert("type".into(), json!({"href": format!("{base}/api/v1/meta/types/user/{USER_TYPE_ID}")}));
        for (relation, path) in self.steps() {
            links.insert((*relation).into(), json!({"href": format!("{own}/{path}"), "method": "POST"}));
        }
        Value::Object(links)
    }

    /// The links to what can be done with a user of this status.
    const fn steps(&self) -> &'static [(&'static str, &'static str)] {
        const ACTIVATE: (&str, &str) = ("activate", "lifecycle/activate");
        const DEACTIVATE: (&str, &str) = ("deactivate", "lifecycle/deactivate");
        const RESET: (&str, &str) = ("resetPassword", "lifecycle/reset_password");
        match self.status {
            UserStatus::Staged => &[ACTIVATE, DEACTIVATE],
            UserStatus::Provisioned => &[("reactivate", "lifecycle/reactivate"), RESET, DEACTIVATE],
            UserStatus::Active => &[
                ("suspend", "lifecycle/suspend"),
                RESET,
                ("expirePassword", "lifecycle/expire_password"),
                ("changePassword", "credentials/change_password"),
                DEACTIVATE,
            ],
            UserStatus::Recovery => &[("reactivate", "lifecycle/reactivate"), RESET, DEACTIVATE],
            UserStatus::PasswordExpired => &[RESET, ("changePassword", "credentials/change_password"), DEACTIVATE],
            UserStatus::LockedOut => &[("unlock", "lifecycle/unlock"), RESET, DEACTIVATE],
            UserStatus::Suspended => &[("unsuspend", "lifecycle/unsuspend"), DEACTIVATE],
            UserStatus::Deprovisioned => &[ACTIVATE],
        }
    }
}
