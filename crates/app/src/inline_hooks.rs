//! Inline hooks: create, read, replace, update, activate, deactivate, delete. Calling one is in `hook_call`.

use bytes::Bytes;
use hookwright_contract::{HookType, json};
use hookwright_model::Violations;
use hookwright_model::hook_settings::HookSettings;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::system_log::LogEvent;
use hookwright_model::text::cut;
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value};

use crate::changing::Tries;
use crate::events::{self, EventKind, hook_target};
use crate::{App, Caller, Error};

/// What a violation's summary names.
const OBJECT: &str = "inlineHook";
const SETTINGS: &str = "inlineHookSettings";

impl App {
    /// Registers a hook. It starts ACTIVE.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field, a taken name, or the limit of hooks.
    pub async fn create_inline_hook(&self, caller: &Caller, body: &json::Value<'_>) -> Result<Bytes, Error> {
        let now = self.now();
        let id = InlineHookId::mint_at(now, self.entropy());
        let hook = InlineHook::create(id, body, &self.settings().address_policy, now).map_err(invalid)?;
        let event = self.event(events::INLINE_HOOK_CREATED, caller, hook_target(&hook), now);
        let limit = self.settings().inline_hook_limit;
        let changes = vec![Change::InsertInlineHook { hook: hook.clone(), limit }, Change::AppendEvents(vec![event])];
        self.check_hook_key(&hook).await?;
        let id = hook.id.clone();
        self.commit(changes, move |app| app.forget_hook(id.as_str())).await.map_err(|error| self.refusal(error))?;
        self.hook_json(&hook)
    }

    /// A hook as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn inline_hook(&self, id: &InlineHookId) -> Result<Bytes, Error> {
        let cached = self.cached_hook(id).await?.ok_or_else(|| Error::not_found(id))?;
        Ok(cached.json.clone())
    }

    /// All hooks, or those of one type, oldest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such type.
    pub async fn inline_hooks(&self, type_name: Option<&str>) -> Result<Bytes, Error> {
        let hook_type = match type_name {
            None | Some("") => None,
            Some(name) => {
                let unknown =
                    |_| Error::invalid("type", "type", format!("There is no inline hook type {:?}", cut(name, 64)));
                Some(name.parse::<HookType>().map_err(unknown)?)
            }
        };
        self.cached_hook_list(hook_type).await
    }

    /// Replaces a hook (PUT): all but its type, status and dates.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn replace_inline_hook(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        body: &json::Value<'_>,
    ) -> Result<Bytes, Error> {
        let now = self.now();
        let policy = &self.settings().address_policy;
        self.change(caller, id, events::INLINE_HOOK_UPDATED, |hook| hook.replaced(body, policy, now).map(Some)).await
    }

    /// Updates a hook (POST): the members that are present replace the stored ones.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_inline_hook(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        body: &json::Value<'_>,
    ) -> Result<Bytes, Error> {
        let now = self.now();
        let policy = &self.settings().address_policy;
        self.change(caller, id, events::INLINE_HOOK_UPDATED, |hook| hook.updated(body, policy, now).map(Some)).await
    }

    /// Activates or deactivates a hook; doing it again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_inline_hook_status(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        status: LifecycleStatus,
    ) -> Result<Bytes, Error> {
        let now = self.now();
        let kind = if status.is_active() { events::INLINE_HOOK_ACTIVATED } else { events::INLINE_HOOK_DEACTIVATED };
        self.change(caller, id, kind, |hook| Ok((hook.status != status).then(|| hook.with_status(status, now)))).await
    }

    /// Deletes an INACTIVE hook for good.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::WrongState`] for an ACTIVE one and for one that a policy names.
    pub async fn delete_inline_hook(&self, caller: &Caller, id: &InlineHookId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let hook = self.stored_hook(id).await?;
            if hook.status.is_active() {
                let cause = format!("The inline hook {id} is ACTIVE; deactivate it before you delete it.");
                return Err(Error::WrongState(cause));
            }
            let event = self.event(events::INLINE_HOOK_DELETED, caller, hook_target(&hook), self.now());
            let deletion = Change::DeleteInlineHook { id: id.clone(), revision: hook.revision };
            match self.write(&tries, id, vec![deletion, Change::AppendEvents(vec![event])]).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(CommitError::Conflict(Conflict::Reference)) => return Err(self.hook_in_use(id).await?),
                Err(error) => return Err(self.refusal(error)),
                Ok(()) => {
                    self.inner.metrics.forget_hook(id);
                    return Ok(());
                }
            }
        }
    }

    async fn hook_in_use(&self, id: &InlineHookId) -> Result<Error, Error> {
        let policies = self.inner.store.enrollment_policies_with_hook(id.as_str()).await?;
        let named = policies.first().map_or_else(String::new, |policy| format!(" {} ({})", policy.name, policy.id));
        Ok(Error::WrongState(format!("The inline hook {id} is used by the user profile policy{named}.")))
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        kind: EventKind,
        decide: impl Fn(&InlineHook) -> Result<Option<InlineHook>, Violations>,
    ) -> Result<Bytes, Error> {
        let decide = |hook: &InlineHook| Ok(decide(hook).map_err(invalid)?.map(|hook| (hook, Map::new())));
        self.hook_json(&self.change_hook(caller, id, kind, decide).await?)
    }

    /// Gives a hook other settings; the event tells what changed.
    pub(crate) async fn change_settings(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        decide: impl Fn(&InlineHook) -> Result<HookSettings, Violations>,
    ) -> Result<InlineHook, Error> {
        let decide = |hook: &InlineHook| {
            let settings = decide(hook).map_err(|violations| Error::Invalid { object: SETTINGS, violations })?;
            let changes = hook.settings.changes_to(&settings);
            let details = changes.into_iter().map(|(name, change)| (format!("settings.{name}"), change));
            Ok((hook.settings != settings).then(|| (hook.with_settings(settings), details.collect())))
        };
        self.change_hook(caller, id, events::INLINE_HOOK_UPDATED, decide).await
    }

    /// Reads, decides, writes; from the start again if another node wrote in between. Writes nothing where `decide` finds
    /// nothing to change.
    async fn change_hook(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        kind: EventKind,
        decide: impl Fn(&InlineHook) -> Result<Option<(InlineHook, Map<String, Value>)>, Error>,
    ) -> Result<InlineHook, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let stored = self.stored_hook(id).await?;
            let Some((hook, debug_data)) = decide(&stored)? else { return Ok(stored) };
            self.check_hook_key(&hook).await?;
            let event = LogEvent { debug_data, ..self.event(kind, caller, hook_target(&hook), self.now()) };
            let changes = vec![Change::UpdateInlineHook(hook.clone()), Change::AppendEvents(vec![event])];
            match self.write(&tries, id, changes).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(self.refusal(error)),
                Ok(()) => return Ok(hook),
            }
        }
    }

    /// Commits changes of one hook. Its turn ends, and others may keep what they read of it, when that is over.
    async fn write(&self, tries: &Tries<'_>, id: &InlineHookId, changes: Vec<Change>) -> Result<(), CommitError> {
        let (turn, written) = (tries.turn(), self.hook_write(id));
        self.commit(changes, |_| drop((written, turn))).await
    }

    /// A hook that is signed for needs a key that is there. The database has the last word, where a key goes meanwhile.
    async fn check_hook_key(&self, hook: &InlineHook) -> Result<(), Error> {
        let Some(id) = hook.channel.auth.hook_key_id() else { return Ok(()) };
        // Boxed: the query is large, and few hooks have a key.
        match Box::pin(self.inner.store.hook_key(id)).await? {
            Some(_) => Ok(()),
            None => Err(no_such_key()),
        }
    }

    pub(crate) async fn stored_hook(&self, id: &InlineHookId) -> Result<InlineHook, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.inline_hook(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }

    fn refusal(&self, error: CommitError) -> Error {
        match error {
            CommitError::Conflict(Conflict::NameTaken) => {
                Error::invalid(OBJECT, "name", "An object with this field already exists in the current organization")
            }
            CommitError::Conflict(Conflict::LimitReached) => {
                let limit = self.settings().inline_hook_limit;
                Error::invalid(OBJECT, OBJECT, format!("The org has its most inline hooks already, {limit}"))
            }
            CommitError::Conflict(Conflict::Reference) => no_such_key(),
            error => error.into(),
        }
    }
}

fn no_such_key() -> Error {
    Error::invalid(OBJECT, "channel.config.hookKeyId", "There is no hook key with this id")
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
