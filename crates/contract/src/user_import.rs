//! The user import hook: what becomes of an imported user.

use serde_json::Map;

use crate::command::{CommandType, Import, Operand};
use crate::json::Value;
use crate::reply::Reply;

/// What an accepted answer makes of an imported user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserImportEffect {
    /// Create a user or link an existing one: the last command's word, else the default the request names.
    pub action: Import,
    /// The existing user to link: the last command's word, else the match the request names.
    pub user_id: Option<String>,
    /// Attributes to set in the user's profile; where commands set one twice, the later value.
    pub user_profile: Map<String, serde_json::Value>,
    /// Attributes to set in the user's profile for the app, likewise.
    pub app_user_profile: Map<String, serde_json::Value>,
}

/// Folds the commands of an answer over the defaults of the request. An `error` leaves just the defaults.
#[must_use]
pub fn effect(request: &Value<'_>, reply: &Reply<'_>) -> UserImportEffect {
    let mut effect = UserImportEffect {
        action: default_action(request),
        user_id: matched_user(request).map(str::to_owned),
        user_profile: Map::new(),
        app_user_profile: Map::new(),
    };
    if reply.error.is_some() {
        return effect;
    }
    for command in &reply.commands {
        match &command.operand {
            Operand::Import(import) => effect.action = *import,
            Operand::UserId(id) => effect.user_id = Some(id.clone().into_owned()),
            Operand::Profile(members) => {
                let profile = if command.command_type == CommandType::AppUserProfileUpdate {
                    &mut effect.app_user_profile
                } else {
                    &mut effect.user_profile
                };
                for (name, value) in members {
                    profile.insert(name.clone().into_owned(), value.to_json());
                }
            }
            _ => {}
        }
    }
    effect
}

/// The action the request names as the default.
fn default_action(request: &Value<'_>) -> Import {
    match request.pointer("/data/action/result").and_then(Value::as_str) {
        Some("LINK_USER") => Import::LinkUser,
        _ => Import::CreateUser,
    }
}

/// The existing user that Okta's own matching found.
pub(crate) fn matched_user<'v>(request: &'v Value<'_>) -> Option<&'v str> {
    request.pointer("/data/user/id").and_then(Value::as_str)
}
