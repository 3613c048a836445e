//! The inline hook object: what it is, how it is read from a request, how it is shown.

mod input;
mod representation;

use hookwright_contract::HookType;
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::channel::Channel;
use crate::hook_settings::HookSettings;
use crate::id::InlineHookId;
use crate::lifecycle::LifecycleStatus;

pub use input::is_reserved;

/// A registered inline hook.
#[derive(Debug, Clone)]
pub struct InlineHook {
    /// Unique key, `cal…`.
    pub id: InlineHookId,
    /// Display name, unique in the org.
    pub name: String,
    /// Which extension point it serves; never changes.
    pub hook_type: HookType,
    /// Version of the hook type's contract as the client stated it.
    pub version: String,
    /// Whether flows call it. Only the lifecycle operations change it; only an INACTIVE hook can be deleted.
    pub status: LifecycleStatus,
    /// How the external service is reached.
    pub channel: Channel,
    /// What differs from Okta's ways of calling; ours alone and not part of the hook as Okta shows it.
    pub settings: HookSettings,
    /// Free members that the client stored with it, shown only if there are any.
    pub metadata: Option<Map<String, Value>>,
    /// When it was created; to the millisecond, so that hooks keep their order, though whole seconds are shown.
    pub created: Timestamp,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
    /// Counts the writes, so that two writers who read the same state can't both win. Starts at 1.
    pub revision: i64,
}

impl InlineHook {
    /// The hook in another status, changed now.
    #[must_use]
    pub fn with_status(&self, status: LifecycleStatus, now: Timestamp) -> Self {
        Self { status, last_updated: now.max(self.created), ..self.clone() }
    }

    /// The hook with other settings. They are not part of the object that Okta dates, so its dates stay.
    #[must_use]
    pub fn with_settings(&self, settings: HookSettings) -> Self {
        Self { settings, ..self.clone() }
    }
}
