//! Somebody who signed up and is not a user yet.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::id::{InlineHookId, PolicyId, UserId};
use crate::shown::Shown;
use crate::user::{PasswordHash, User};

/// Somebody whom the sign-up form and its hook let in, until the password is there, and the proof of the address if one is asked
/// for. Nothing of it is seen outside of the flow, and it goes with the flow: an address belongs to whoever finishes first.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Newcomer {
    /// The user's id, once there is a user.
    pub user: UserId,
    /// The whole profile, as the hook decided on it.
    pub profile: Map<String, Value>,
    /// The policy by which it was decided, with its revision.
    pub policy: (PolicyId, i64),
    /// The revision of the user schema against which the profile was checked.
    pub schema_revision: i64,
    /// The hook that was asked, with its revision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hook: Option<(InlineHookId, i64)>,
    /// The record of that call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<String>,
    /// What was odd about the hook's answer.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Shown>,
    /// The hash of the password, in the PHC format, while the proof of the address is out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
}

impl Newcomer {
    /// The user that it would be now: PROVISIONED without a password, ACTIVE with one.
    #[must_use]
    pub fn as_user(&self, now: Timestamp) -> User {
        let password = self.password.as_deref().map(PasswordHash::from_phc);
        let user = User::create(self.user.clone(), &self.profile, password, true, now);
        User { email_verified: false, ..user }
    }

    /// The user with the address proved.
    #[must_use]
    pub fn as_proven_user(&self, now: Timestamp) -> User {
        User { email_verified: true, ..self.as_user(now) }
    }
}

impl fmt::Debug for Newcomer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Newcomer").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::user::UserStatus;

    #[test]
    fn a_newcomer_comes_back_from_its_json_and_shows_nothing_of_itself() {
        let profile = json!({"login": "rosario@okta.com", "email": "rosario@okta.com"});
        let newcomer = Newcomer {
            user: UserId::from_text("00u1"),
            profile: profile.as_object().cloned().unwrap(),
            policy: (PolicyId::from_text("rst1"), 3),
            schema_revision: 2,
            hook: Some((InlineHookId::from_text("cal1"), 4)),
            execution: Some("exe1".to_owned()),
            warnings: vec!["odd".into()],
            password: Some("$argon2id$x".to_owned()),
        };
        let text = serde_json::to_string(&newcomer).unwrap();
        assert_eq!(serde_json::from_str::<Newcomer>(&text).unwrap(), newcomer);
        let shown = format!("{newcomer:?}");
        assert!(!shown.contains("rosario") && !shown.contains("argon2"), "{shown}");
        let now = Timestamp::from_millis(1_500);
        let user = newcomer.as_user(now);
        assert_eq!((user.status, user.email_verified, user.email()), (UserStatus::Active, false, "rosario@okta.com"));
        assert!(newcomer.as_proven_user(now).email_verified);
        let without = Newcomer { password: None, ..newcomer };
        assert_eq!(without.as_user(now).status, UserStatus::Provisioned);
    }
}
