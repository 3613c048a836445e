//! System Log events of what callers do.

use hookwright_model::execution::{Actor, Origin};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::system_log::{LogEvent, Outcome, Severity, Target};
use hookwright_model::{Entropy, Timestamp, id};
use serde_json::Map;

use crate::{App, Caller};

/// Types of the events that management calls make, with what is shown of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventKind(pub(crate) &'static str, pub(crate) &'static str);

pub(crate) const INLINE_HOOK_CREATED: EventKind = EventKind("inline_hook.created", "Create inline hook");
pub(crate) const INLINE_HOOK_UPDATED: EventKind = EventKind("inline_hook.updated", "Update inline hook");
pub(crate) const INLINE_HOOK_ACTIVATED: EventKind = EventKind("inline_hook.activated", "Activate inline hook");
pub(crate) const INLINE_HOOK_DEACTIVATED: EventKind = EventKind("inline_hook.deactivated", "Deactivate inline hook");
pub(crate) const INLINE_HOOK_DELETED: EventKind = EventKind("inline_hook.deleted", "Delete inline hook");
pub(crate) const API_TOKEN_CREATED: EventKind = EventKind("system.api_token.create", "Create API token");
pub(crate) const API_TOKEN_REVOKED: EventKind = EventKind("system.api_token.revoke", "Revoke API token");

/// The event of what the org's operator did at the command line or by a setting.
pub(crate) fn operator_event(kind: EventKind, target: Target, now: Timestamp, entropy: &dyn Entropy) -> LogEvent {
    LogEvent {
        uuid: id::mint_uuid(entropy),
        published: now,
        event_type: kind.0,
        severity: Severity::Info,
        display_message: kind.1.to_owned(),
        actor: Actor {
            id: "hookwright".to_owned(),
            kind: "SystemPrincipal".to_owned(),
            display_name: "Operator".to_owned(),
            alternate_id: "system@hookwright".to_owned(),
        },
        origin: Origin { request_id: id::mint_request_id(entropy), ..Origin::default() },
        outcome: Outcome { result: "SUCCESS", reason: None },
        targets: vec![target],
        debug_data: Map::new(),
    }
}

impl App {
    /// The event of a successful management call.
    pub(crate) fn event(&self, kind: EventKind, caller: &Caller, target: Target, now: Timestamp) -> LogEvent {
        LogEvent {
            uuid: id::mint_uuid(self.entropy()),
            published: now,
            event_type: kind.0,
            severity: Severity::Info,
            display_message: kind.1.to_owned(),
            actor: caller.actor(),
            origin: caller.origin.clone(),
            outcome: Outcome { result: "SUCCESS", reason: None },
            targets: vec![target],
            debug_data: Map::new(),
        }
    }
}

/// A hook as the target of an event.
pub(crate) fn hook_target(hook: &InlineHook) -> Target {
    Target {
        id: hook.id.to_string(),
        kind: "InlineHook".to_owned(),
        display_name: hook.name.clone(),
        alternate_id: None,
    }
}
