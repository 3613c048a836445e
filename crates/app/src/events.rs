//! System Log events of what callers do.

use hookwright_model::api_token::{ApiToken, TokenOwner};
use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, RULE_NAME};
use hookwright_model::execution::{Actor, Origin};
use hookwright_model::group::Group;
use hookwright_model::hook_key::HookKey;
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::signing_secret::SigningSecret;
use hookwright_model::system_log::{LogEvent, Outcome, Severity, Target};
use hookwright_model::text::cut;
use hookwright_model::trusted_origin::TrustedOrigin;
use hookwright_model::user::{USER_SCHEMA_ID, User};
use hookwright_model::{Entropy, Timestamp, id};
use serde_json::Map;

use crate::{App, Caller};

/// Types of the events that management calls make, with what is shown of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventKind(pub(crate) &'static str, pub(crate) &'static str);

pub(crate) const INLINE_HOOK_CREATED: EventKind = EventKind("inline_hook.created", "Create inline hook");
pub(crate) const INLINE_HOOK_UPDATED: EventKind = EventKind("inline_hook.updated", "Update inline hook");
pub(crate) const INLINE_HOOK_ACTIVATED: EventKind = EventKind("inline_hook.activated", "Activate inline hook");
pub(crate) const INLINE_HOOK_DEACTIVATED: EventKind = EventKind("inline_hook.deactivated", "Deactivate inline hook");
pub(crate) const INLINE_HOOK_DELETED: EventKind = EventKind("inline_hook.deleted", "Delete inline hook");
pub(crate) const HOOK_KEY_CREATED: EventKind = EventKind("system.hook.key.created", "Create hook key");
pub(crate) const HOOK_KEY_UPDATED: EventKind = EventKind("system.hook.key.updated", "Update hook key");
pub(crate) const HOOK_KEY_DELETED: EventKind = EventKind("system.hook.key.deleted", "Delete hook key");
pub(crate) const SIGNING_SECRET_CREATED: EventKind =
    EventKind("inline_hook.signing_secret.created", "Create signing secret of inline hook");
pub(crate) const SIGNING_SECRET_DELETED: EventKind =
    EventKind("inline_hook.signing_secret.deleted", "Delete signing secret of inline hook");
pub(crate) const SEALING_KEY_ROTATED: EventKind =
    EventKind("system.sealing_key.rotate", "Rotate the key that seals secrets");
pub(crate) const LOG_RESTARTED: EventKind = EventKind("system.log.restart", "Begin the proof of the System Log again");
pub(crate) const API_TOKEN_CREATED: EventKind = EventKind("system.api_token.create", "Create API token");
pub(crate) const API_TOKEN_REVOKED: EventKind = EventKind("system.api_token.revoke", "Revoke API token");
/// Okta logs no refused token; the name is one of the family of its events of tokens.
pub(crate) const API_TOKEN_REFUSED: EventKind = EventKind("system.api_token.refused", "Refuse API token");

pub(crate) const USER_CREATED: EventKind = EventKind("user.lifecycle.create", "Create Okta user");
pub(crate) const USER_ACTIVATED: EventKind = EventKind("user.lifecycle.activate", "Activate Okta user");
pub(crate) const USER_REACTIVATED: EventKind = EventKind("user.lifecycle.reactivate", "Reactivate Okta user");
pub(crate) const USER_DEACTIVATED: EventKind = EventKind("user.lifecycle.deactivate", "Deactivate Okta user");
pub(crate) const USER_SUSPENDED: EventKind = EventKind("user.lifecycle.suspend", "Suspend Okta user");
pub(crate) const USER_UNSUSPENDED: EventKind = EventKind("user.lifecycle.unsuspend", "Unsuspend Okta user");
pub(crate) const USER_LOCKED: EventKind = EventKind("user.account.lock", "Max sign in attempts exceeded");
pub(crate) const USER_UNLOCKED: EventKind = EventKind("user.account.unlock", "Unlock user account");
pub(crate) const USER_DELETION_BEGUN: EventKind = EventKind("user.lifecycle.delete.initiated", "Delete Okta user");
pub(crate) const USER_DELETED: EventKind = EventKind("user.lifecycle.delete.completed", "User is deleted from Okta");
pub(crate) const PROFILE_UPDATED: EventKind = EventKind("user.account.update_profile", "Update user profile for Okta");
pub(crate) const PASSWORD_SET: EventKind = EventKind("user.account.update_password", "Update user password for Okta");
pub(crate) const PASSWORD_RESET: EventKind = EventKind("user.account.reset_password", "Reset user password for Okta");
pub(crate) const RECOVERY_MAILED: EventKind =
    EventKind("system.email.password_reset.sent_message", "Send self-service password reset email");
pub(crate) const UNLOCK_MAILED: EventKind =
    EventKind("system.email.account_unlock.sent_message", "Send self-service unlock account email");
pub(crate) const PASSWORD_EXPIRED: EventKind =
    EventKind("user.account.expire_password", "Expire user password for Okta");
pub(crate) const PRIVILEGE_GRANTED: EventKind = EventKind("user.account.privilege.grant", "Grant user privilege");
pub(crate) const PRIVILEGE_REVOKED: EventKind = EventKind("user.account.privilege.revoke", "Revoke user privilege");
pub(crate) const SCHEMA_UPDATED: EventKind = EventKind("system.user_schema.update", "Update user profile schema");
pub(crate) const GROUP_CREATED: EventKind = EventKind("group.lifecycle.create", "Create Okta group");
pub(crate) const GROUP_UPDATED: EventKind = EventKind("group.profile.update", "Update Okta group");
pub(crate) const GROUP_DELETED: EventKind = EventKind("group.lifecycle.delete", "Delete Okta group");
pub(crate) const USER_JOINED_GROUP: EventKind = EventKind("group.user_membership.add", "Add user to group membership");
pub(crate) const MEMBER_REMOVED: EventKind =
    EventKind("group.user_membership.remove", "Remove user from group membership");
pub(crate) const POLICY_CREATED: EventKind = EventKind("policy.lifecycle.create", "Create policy");
pub(crate) const POLICY_UPDATED: EventKind = EventKind("policy.lifecycle.update", "Update policy");
pub(crate) const POLICY_ACTIVATED: EventKind = EventKind("policy.lifecycle.activate", "Activate policy");
pub(crate) const POLICY_DEACTIVATED: EventKind = EventKind("policy.lifecycle.deactivate", "Deactivate policy");
pub(crate) const POLICY_DELETED: EventKind = EventKind("policy.lifecycle.delete", "Delete policy");
pub(crate) const RULE_ADDED: EventKind = EventKind("policy.rule.add", "Add policy rule");
pub(crate) const RULE_UPDATED: EventKind = EventKind("policy.rule.update", "Update policy rule");
pub(crate) const APPLICATION_CREATED: EventKind = EventKind("application.lifecycle.create", "Create application");
pub(crate) const APPLICATION_UPDATED: EventKind = EventKind("application.lifecycle.update", "Update application");
pub(crate) const APPLICATION_ACTIVATED: EventKind = EventKind("application.lifecycle.activate", "Activate application");
pub(crate) const APPLICATION_DEACTIVATED: EventKind =
    EventKind("application.lifecycle.deactivate", "Deactivate application");
pub(crate) const APPLICATION_DELETED: EventKind = EventKind("application.lifecycle.delete", "Delete application");
pub(crate) const APPLICATION_POLICY_UPDATED: EventKind =
    EventKind("application.policy.update", "Update policy of application");
pub(crate) const ORIGIN_CREATED: EventKind = EventKind("security.trusted_origin.create", "Create trusted origin");
pub(crate) const ORIGIN_UPDATED: EventKind = EventKind("security.trusted_origin.update", "Update trusted origin");
pub(crate) const ORIGIN_ACTIVATED: EventKind = EventKind("security.trusted_origin.activate", "Activate trusted origin");
pub(crate) const ORIGIN_DEACTIVATED: EventKind =
    EventKind("security.trusted_origin.deactivate", "Deactivate trusted origin");
pub(crate) const ORIGIN_DELETED: EventKind = EventKind("security.trusted_origin.delete", "Delete trusted origin");
pub(crate) const SESSION_STARTED: EventKind = EventKind("user.session.start", "User login to Okta");
pub(crate) const SESSION_ENDED: EventKind = EventKind("user.session.end", "User logout from Okta");
pub(crate) const TOKENS_GRANTED: EventKind =
    EventKind("app.oauth2.as.token.grant.access_token", "OAuth2 access token is granted");
pub(crate) const TOKENS_REVOKED: EventKind = EventKind("app.oauth2.as.token.revoke", "OAuth2 token revocation request");
pub(crate) const REUSE_DETECTED: EventKind =
    EventKind("app.oauth2.as.token.detect_reuse", "OAuth2 code or token is used again");
pub(crate) const KEYS_ROTATED: EventKind = EventKind("app.oauth2.as.key.rollover", "OAuth2 signing keys are rotated");
pub(crate) const HOOK_SKIPPED: EventKind = EventKind("inline_hook.executed", "Skip inline hook since it is not active");

impl EventKind {
    /// The event of something that went well.
    fn success(
        self,
        published: Timestamp,
        actor: Actor,
        origin: Origin,
        targets: Vec<Target>,
        uuid: String,
    ) -> LogEvent {
        let Self(event_type, display_message) = self;
        LogEvent {
            uuid,
            published,
            event_type: event_type.into(),
            severity: Severity::Info,
            display_message: display_message.into(),
            actor,
            origin,
            outcome: Outcome { result: "SUCCESS".into(), reason: None },
            targets,
            debug_data: Map::new(),
        }
    }
}

/// The event of what the org's operator did at the command line or by a setting.
pub(crate) fn operator_event(kind: EventKind, target: Target, now: Timestamp, entropy: &dyn Entropy) -> LogEvent {
    let actor = Actor {
        id: "hookwright".to_owned(),
        kind: "SystemPrincipal".to_owned(),
        display_name: "Operator".to_owned(),
        alternate_id: "system@hookwright".to_owned(),
    };
    let uuid = id::mint_uuid(entropy);
    let origin = Origin { request_id: id::mint_request_id(entropy), ..Origin::default() };
    kind.success(now, actor, origin, vec![target], uuid)
}

impl App {
    /// The event of a successful management call.
    pub(crate) fn event(&self, kind: EventKind, caller: &Caller, target: Target, now: Timestamp) -> LogEvent {
        kind.success(now, caller.actor(), caller.origin.clone(), vec![target], id::mint_uuid(self.entropy()))
    }

    /// The event of something that went well in a flow.
    pub(crate) fn flow_event(&self, kind: EventKind, actor: Actor, origin: &Origin, targets: Vec<Target>) -> LogEvent {
        kind.success(self.now(), actor, origin.clone(), targets, id::mint_uuid(self.entropy()))
    }
}

/// A user as the actor of an event.
pub(crate) fn user_actor(user: &User) -> Actor {
    Actor {
        id: user.id.to_string(),
        kind: "User".to_owned(),
        display_name: user.full_name(),
        alternate_id: user.login().to_owned(),
    }
}

/// The owner of an API token as the actor of an event.
pub(crate) fn owner_actor(owner: &TokenOwner) -> Actor {
    Actor {
        id: owner.id.to_string(),
        kind: "User".to_owned(),
        display_name: owner.name.clone(),
        alternate_id: owner.login.clone(),
    }
}

/// The org itself, for what nobody has proved to have asked for.
pub(crate) fn system_actor() -> Actor {
    Actor {
        id: "hookwright".to_owned(),
        kind: "SystemPrincipal".to_owned(),
        display_name: "Hookwright".to_owned(),
        alternate_id: "system@hookwright".to_owned(),
    }
}

/// Somebody whom the org does not know, by the name that they gave.
pub(crate) fn unknown_actor(name: &str) -> Actor {
    let name: String = if name.is_empty() { "unknown".to_owned() } else { cut(name, 100) };
    Actor { id: "unknown".to_owned(), kind: "User".to_owned(), display_name: name.clone(), alternate_id: name }
}

fn target(kind: &'static str, id: impl ToString, display_name: &str) -> Target {
    Target { id: id.to_string(), kind: kind.into(), display_name: display_name.to_owned(), alternate_id: None }
}

/// A hook as the target of an event.
pub(crate) fn hook_target(hook: &InlineHook) -> Target {
    target("InlineHook", &hook.id, &hook.name)
}

/// A hook key as the target of an event.
pub(crate) fn hook_key_target(key: &HookKey) -> Target {
    Target { alternate_id: Some(key.key_id.clone()), ..target("HookKey", &key.id, &key.name) }
}

/// A signing secret as the target of an event.
pub(crate) fn signing_secret_target(secret: &SigningSecret) -> Target {
    target("SigningSecret", &secret.id, secret.algorithm.as_str())
}

/// A sealing key as the target of an event, by its name, which tells nothing of the key.
pub(crate) fn sealing_key_target(id: &str) -> Target {
    target("SealingKey", id, id)
}

/// A user as the target of an event.
pub(crate) fn log_target() -> Target {
    target("SystemLog", "log", "System Log")
}

pub(crate) fn user_target(user: &User) -> Target {
    Target { alternate_id: Some(user.login().to_owned()), ..target("User", &user.id, &user.full_name()) }
}

/// A group as the target of an event.
pub(crate) fn group_target(group: &Group) -> Target {
    target("UserGroup", &group.id, &group.name)
}

/// A policy as the target of an event.
pub(crate) fn policy_target(policy: &EnrollmentPolicy) -> Target {
    target("PolicyEntity", &policy.id, &policy.name)
}

/// The rule of a policy as the target of an event.
pub(crate) fn rule_target(policy: &EnrollmentPolicy) -> Target {
    Target { alternate_id: Some(policy.id.to_string()), ..target("PolicyRule", &policy.rule.id, RULE_NAME) }
}

/// An app as the target of an event.
pub(crate) fn application_target(app: &Application) -> Target {
    Target { alternate_id: Some(app.label.clone()), ..target("AppInstance", &app.id, &app.label) }
}

/// The user schema as the target of an event.
pub(crate) fn schema_target() -> Target {
    target("UserSchema", USER_SCHEMA_ID, "User")
}

/// A token as the target of an event.
pub(crate) fn token_target(token: &ApiToken) -> Target {
    target("Token", &token.id, &token.name)
}

/// A trusted origin as the target of an event.
pub(crate) fn origin_target(origin: &TrustedOrigin) -> Target {
    Target { alternate_id: Some(origin.origin.clone()), ..target("TrustedOrigin", &origin.id, &origin.name) }
}
