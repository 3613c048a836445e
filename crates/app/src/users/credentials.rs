//! Passwords that administrators set, and that users change by the API.

use hookwright_model::Timestamp;
use hookwright_model::Violations;
use hookwright_model::password::check_password;
use hookwright_model::profile::MISSING;
use hookwright_model::user::{PasswordHash, User, UserStatus};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::OBJECT;
use crate::events;
use crate::passwords::Verified;
use crate::{App, Caller, Error};

impl App {
    /// Changes a password for somebody who knows the old one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::WrongUserStatus`], [`Error::WrongPassword`], [`Error::TooBusy`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        id_or_login: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let first = self.stored_user(id_or_login).await?;
        let mut violations = Violations::new();
        let old = read_value(body, "oldPassword", &mut violations);
        let new = read_value(body, "newPassword", &mut violations);
        if let Some(new) = &new
            && let Err(message) = check_password(new, first.login())
        {
            violations.add("newPassword", message);
        }
        violations.into_result().map_err(|violations| Error::Invalid { object: OBJECT, violations })?;
        if !matches!(first.status, UserStatus::Active | UserStatus::PasswordExpired) {
            return Err(Error::WrongUserStatus);
        }
        let old = SecretString::from(old.unwrap_or_default());
        if self.inner.passwords.verify(old, first.password.clone()).await? == Verified::Wrong {
            return Err(Error::WrongPassword);
        }
        let hash = self.hash_password(SecretString::from(new.unwrap_or_default())).await?;
        self.change_user(caller, &first.id, |stored, _| {
            // What was proved above was proved of this password only.
            let same = stored.password.as_ref().map(PasswordHash::expose_phc)
                == first.password.as_ref().map(PasswordHash::expose_phc);
            if !same {
                return Err(Error::WrongPassword);
            }
            Ok((with_new_password(stored, hash.clone(), self.now()), vec![events::PASSWORD_SET]))
        })
        .await?;
        Ok(json!({"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}}))
    }
}

/// The user with a password that is known to be fresh: who waited for one or was locked out is ACTIVE now.
pub(super) fn with_new_password(user: &User, hash: PasswordHash, now: Timestamp) -> User {
    let user = user.with_password(hash, now);
    match user.status {
        UserStatus::Provisioned | UserStatus::Recovery | UserStatus::PasswordExpired | UserStatus::LockedOut => {
            user.with_status(UserStatus::Active, now)
        }
        _ => user,
    }
}

/// The password of `credentials`, checked; other kinds of credentials are refused.
pub(super) fn read_password(
    body: &Map<String, Value>,
    login: &str,
    violations: &mut Violations,
) -> Option<SecretString> {
    let credentials = match body.get("credentials") {
        None | Some(Value::Null) => return None,
        Some(Value::Object(credentials)) => credentials,
        Some(_) => {
            violations.add("credentials", "The field must be an object");
            return None;
        }
    };
    if credentials.get("recovery_question").is_some_and(|question| !question.is_null()) {
        violations.add("credentials.recovery_question", "Recovery questions are not supported: recovery goes by mail");
    }
    let provider = credentials.get("provider").and_then(|provider| provider.get("type"));
    if provider.is_some_and(|provider| provider != "OKTA") {
        violations.add("credentials.provider.type", "The only provider is OKTA");
    }
    let password = match credentials.get("password") {
        None | Some(Value::Null) => return None,
        Some(Value::Object(password)) => password,
        Some(_) => {
            violations.add("credentials.password", "The field must be an object");
            return None;
        }
    };
    for member in ["hash", "hook"] {
        if password.get(member).is_some_and(|value| !value.is_null()) {
            violations.add(format!("credentials.password.{member}"), "Imported passwords are not supported");
        }
    }
    match password.get("value") {
        None | Some(Value::Null) => None,
        Some(Value::String(value)) => match check_password(value, login) {
            Ok(()) => Some(SecretString::from(value.as_str())),
            Err(message) => {
                violations.add("password", message);
                None
            }
        },
        Some(_) => {
            violations.add("password", "The field must be a string");
            None
        }
    }
}

fn read_value(body: &Map<String, Value>, name: &str, violations: &mut Violations) -> Option<String> {
    let value = body.get(name).and_then(|password| password.get("value")).and_then(Value::as_str);
    if value.is_none_or(str::is_empty) {
        violations.add(name, MISSING);
    }
    value.map(str::to_owned)
}
