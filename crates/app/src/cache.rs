//! What hot paths read without asking the database: hooks ready to be called, tokens ready to be compared.
//!
//! An entry is believed for a second at most, so that a write of another node or of the command line is seen by then, also where
//! nobody tells of it; `nodes` hears of most at once. This process's own writes are seen at once: every write raises the generation, and what was read before it is not kept.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::{HookTls, MessageKey, Prepared};
use hookwright_model::api_token::{ApiToken, TokenOwner};
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::redaction::Redaction;
use hookwright_model::shown::Shown;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::metrics::HookMetrics;
use crate::turns::Turns;
use crate::{App, Error};

/// How long an entry is believed at most.
const MAX_AGE: Duration = Duration::from_secs(1);

/// From this age on, one who asks reads it anew, and the others go on with it meanwhile.
const FRESH: Duration = Duration::from_millis(700);

/// How long one waits for another who asks the database for the same.
const PATIENCE: Duration = Duration::from_millis(250);

/// More entries than this are not kept; the oldest knowledge is dropped wholesale, which costs one read each.
const MAX_ENTRIES: usize = 10_000;
/// As long as most hooks are as JSON, or a little longer.
const HOOK_BYTES: usize = 1024;

/// A hook with everything that a call or an answer needs of it.
pub(crate) struct CachedHook {
    pub(crate) hook: InlineHook,
    pub(crate) prepared: Prepared,
    /// What its calls are signed with; empty for most hooks.
    pub(crate) message_keys: Vec<MessageKey>,
    pub(crate) json: Bytes,
    pub(crate) metrics: HookMetrics,
    /// Takes its secrets out of what is recorded and shown.
    pub(crate) redaction: Redaction,
    /// The same with the access token that was shown last: tokens last longer than calls.
    redaction_with_token: Mutex<Option<(SecretString, Redaction)>>,
    /// Its URL as records show it.
    pub(crate) shown_uri: Shown,
}

impl CachedHook {
    /// Takes out the hook's secrets and the access token that its service was shown, if it was shown one.
    pub(crate) fn redaction_with(&self, token: Option<SecretString>) -> Redaction {
        let Some(token) = token else { return self.redaction.clone() };
        let mut last = self.redaction_with_token.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, redaction)) if known.expose_secret() == token.expose_secret() => redaction.clone(),
            _ => {
                let redaction = self.redaction.clone().and(Some(token.expose_secret()));
                *last = Some((token, redaction.clone()));
                redaction
            }
        }
    }
}

/// A token with what its rights need of its owner, and when it was last renewed.
#[derive(Debug)]
pub(crate) struct CachedToken {
    pub(crate) token: ApiToken,
    pub(crate) owner: TokenOwner,
    pub(crate) renewed_ms: AtomicI64,
}

/// A map whose entries age, and whose readers can't bring back what a writer changed meanwhile.
///
/// The age of an entry counts from before it was read, so that a slow database doesn't make it older than it looks. One reads
/// for all who ask for the same meanwhile: a thousand calls at once would otherwise ask the database a thousand times.
pub(crate) struct Aging<K, V> {
    entries: RwLock<HashMap<K, Entry<V>>>,
    generation: AtomicU64,
    /// Keys that are being written. Until that has ended nobody keeps what he read, so that no read from here is older than
    /// one from the database before it.
    being_written: Mutex<Vec<K>>,
    turns: Turns,
}

struct Entry<V> {
    value: Arc<V>,
    /// When the database was asked for it.
    asked: Instant,
    /// Somebody is reading it anew.
    is_claimed: AtomicBool,
}

/// What is needed to keep what is read now.
struct Stale<V> {
    generation: u64,
    asked: Instant,
    /// What was known before.
    old: Option<Arc<V>>,
}

impl<K, V> Default for Aging<K, V> {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            generation: AtomicU64::new(0),
            being_written: Mutex::default(),
            turns: Turns::default(),
        }
    }
}

impl<K: Hash + Eq, V> Aging<K, V> {
    /// What is known of a key, a second old at most, or else what is read now. `read` is given what was known before.
    pub(crate) async fn get_or_read<Q, R>(
        &self,
        key: &Q,
        own: impl FnOnce(&Q) -> K,
        read: impl FnOnce(Option<Arc<V>>) -> R,
    ) -> Result<Option<Arc<V>>, Error>
    where
        Q: Hash + Eq + ?Sized,
        K: Borrow<Q>,
        R: Future<Output = Result<Option<Arc<V>>, Error>>,
    {
        if let Ok(value) = self.look(key) {
            return Ok(Some(value));
        }
        // Whoever waits too long asks the database too: a slow one must not make a queue of all callers.
        let _turn = self.turns.take(key, PATIENCE).await;
        let stale = match self.look(key) {
            Ok(value) => return Ok(Some(value)),
            Err(stale) => stale,
        };
        // Boxed, as everything that only a miss needs: the future of a query has kilobytes, and each call would carry them.
        let Some(value) = Box::pin(read(stale.old.clone())).await? else {
            if stale.old.is_some() {
                self.drop_entry(key);
            }
            return Ok(None);
        };
        self.put(own(key), &value, &stale);
        Ok(Some(value))
    }

    /// A young entry, or one that somebody else is just reading anew.
    fn look<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<Arc<V>, Stale<V>>
    where
        K: Borrow<Q>,
    {
        let generation = self.generation.load(Ordering::Acquire);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get(key) else {
            return Err(Stale { generation, asked: Instant::now(), old: None });
        };
        let age = entry.asked.elapsed();
        if age < FRESH || (age < MAX_AGE && entry.is_claimed.swap(true, Ordering::Relaxed)) {
            return Ok(Arc::clone(&entry.value));
        }
        Err(Stale { generation, asked: Instant::now(), old: Some(Arc::clone(&entry.value)) })
    }

    /// Keeps what was read, unless something was written since.
    fn put(&self, key: K, value: &Arc<V>, stale: &Stale<V>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) == stale.generation && !self.keys_being_written().contains(&key) {
            if entries.len() >= MAX_ENTRIES {
                entries.clear();
            }
            let entry = Entry { value: Arc::clone(value), asked: stale.asked, is_claimed: AtomicBool::new(false) };
            entries.insert(key, entry);
        }
    }

    /// Drops an entry that the database no longer has. Says nothing about other entries, so that a flood of questions for
    /// things that don't exist can't keep the rest from being kept.
    fn drop_entry<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn keys_being_written(&self) -> MutexGuard<'_, Vec<K>> {
        self.being_written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets an entry before a write, until [`Self::end_write`].
    fn begin_write(&self, key: K) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        entries.remove(&key);
        self.keys_being_written().push(key);
    }

    /// A write has ended; what was read meanwhile is not kept.
    fn end_write(&self, key: &K) {
        let _entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        let mut keys = self.keys_being_written();
        if let Some(index) = keys.iter().position(|written| written == key) {
            keys.swap_remove(index);
        }
    }

    /// Forgets everything after a write that changed many things.
    pub(crate) fn forget_all(&self) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        entries.clear();
    }

    /// Forgets an entry after a write.
    pub(crate) fn forget<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        entries.remove(key);
    }
}

/// Hooks by id.
#[derive(Default)]
pub(crate) struct HookCache(Aging<Box<str>, CachedHook>);

/// Finished lists of hooks: of all, and of one type.
#[derive(Default)]
pub(crate) struct HookLists(Aging<Option<HookType>, Bytes>);

/// Tokens by their SHA-256.
#[derive(Default)]
pub(crate) struct TokenCache(Aging<[u8; 32], CachedToken>);

/// A hook that is being written. When that has ended, it is forgotten with the lists that it stands in.
pub(crate) struct HookWrite {
    app: App,
    id: Box<str>,
}

impl Drop for HookWrite {
    fn drop(&mut self) {
        self.app.inner.hooks.0.end_write(&self.id);
        self.app.inner.hook_lists.0.forget_all();
    }
}

impl App {
    /// A hook, at most a second old.
    pub(crate) async fn cached_hook(&self, id: &InlineHookId) -> Result<Option<Arc<CachedHook>>, Error> {
        if !id.is_plausible() {
            return Ok(None);
        }
        let read = async |old: Option<Arc<CachedHook>>| {
            let Some(hook) = self.inner.store.inline_hook(id.as_str()).await? else {
                if let Some(old) = old {
                    self.inner.metrics.forget_hook(&old.hook.id);
                }
                return Ok(None);
            };
            match old.filter(|old| old.hook.revision == hook.revision) {
                Some(unchanged) => Ok(Some(unchanged)),
                None => Ok(Some(Arc::new(self.prepare_hook(hook).await?))),
            }
        };
        self.inner.hooks.0.get_or_read(id.as_str(), |id| id.into(), read).await
    }

    /// A hook as the API shows it.
    ///
    /// # Errors
    /// [`Error::Internal`], though nothing in a hook could fail to be written as JSON.
    pub(crate) fn hook_json(&self, hook: &InlineHook) -> Result<Bytes, Error> {
        let mut json = Vec::with_capacity(HOOK_BYTES);
        self.write_hook(&mut json, hook)?;
        Ok(Bytes::from(json))
    }

    fn write_hook(&self, json: &mut Vec<u8>, hook: &InlineHook) -> Result<(), Error> {
        let settings = &self.inner.settings;
        let shown = hook.shown(&settings.public_url, settings.secret_display);
        serde_json::to_writer(json, &shown).map_err(|error| Error::Internal(format!("{} as JSON: {error}", hook.id)))
    }

    /// A hook with its finished parts.
    ///
    /// Its signing keys are read after the hook: whoever changes them gives the hook another revision, so that what is kept
    /// under a revision is never older than that.
    ///
    /// # Errors
    /// The store's, or [`Error::Internal`] if its certificates, which were checked when they came, can't be used.
    async fn prepare_hook(&self, hook: InlineHook) -> Result<CachedHook, Error> {
        let message_keys = self.message_keys(&hook.id).await?;
        let json = self.hook_json(&hook)?;
        let (engine, calls) = (&self.inner.engine, self.call_settings(&hook));
        let unusable = |error: &dyn std::fmt::Display| Error::Internal(format!("TLS settings of {}: {error}", hook.id));
        let prepared = if hook.settings.tls.is_empty() {
            engine.prepare(&hook, calls)
        } else {
            let tls = HookTls::of(&hook.settings.tls).map_err(|error| unusable(&error))?;
            engine.prepare_with_tls(&hook, calls, &tls).map_err(|error| unusable(&error))?
        };
        let metrics = self.inner.metrics.of_hook(&hook.id);
        let redaction = Redaction::of_channel(&hook.channel);
        let shown_uri = redaction.uri(&hook.channel.uri);
        let redaction_with_token = Mutex::default();
        Ok(CachedHook { hook, prepared, message_keys, json, metrics, redaction, redaction_with_token, shown_uri })
    }

    /// The list of all hooks or of those of one type, finished, at most a second old.
    pub(crate) async fn cached_hook_list(&self, hook_type: Option<HookType>) -> Result<Bytes, Error> {
        let read = async |_| {
            let hooks = self.inner.store.inline_hooks(hook_type).await?;
            let mut list = Vec::with_capacity(hooks.len() * HOOK_BYTES + 2);
            list.push(b'[');
            for (index, hook) in hooks.iter().enumerate() {
                if index > 0 {
                    list.push(b',');
                }
                self.write_hook(&mut list, hook)?;
            }
            list.push(b']');
            Ok(Some(Arc::new(Bytes::from(list))))
        };
        let list = self.inner.hook_lists.0.get_or_read(&hook_type, |hook_type| *hook_type, read).await?;
        Ok(list.map(|list| Bytes::clone(&list)).unwrap_or_default())
    }

    /// Forgets a hook that was written, and the lists that it stands in.
    pub(crate) fn forget_hook(&self, id: &str) {
        self.inner.hooks.0.forget(id);
        self.inner.hook_lists.0.forget_all();
    }

    /// Says that a hook is being written, as long as the value lives.
    pub(crate) fn hook_write(&self, id: &InlineHookId) -> HookWrite {
        let id: Box<str> = id.as_str().into();
        self.inner.hooks.0.begin_write(id.clone());
        self.inner.hook_lists.0.forget_all();
        HookWrite { app: self.clone(), id }
    }

    /// Forgets all hooks and lists.
    pub(crate) fn forget_hooks(&self) {
        self.inner.hooks.0.forget_all();
        self.inner.hook_lists.0.forget_all();
    }

    pub(crate) fn forget_token(&self, sha256: &[u8; 32]) {
        self.inner.tokens.0.forget(sha256);
    }

    /// Forgets all tokens: the standing of somebody who may own some has changed.
    pub(crate) fn forget_tokens(&self) {
        self.inner.tokens.0.forget_all();
    }

    /// A token that belongs to somebody, at most a second old. Unknown ones are never kept, so a fresh token works at once.
    pub(crate) async fn cached_token(&self, sha256: &[u8; 32]) -> Result<Option<Arc<CachedToken>>, Error> {
        let read = async |_| {
            let found = self.inner.store.api_token_with_owner(sha256).await?;
            let Some((token, Some(owner))) = found else { return Ok(None) };
            let renewed_ms = AtomicI64::new(token.last_used.as_millis());
            Ok(Some(Arc::new(CachedToken { token, owner, renewed_ms })))
        };
        self.inner.tokens.0.get_or_read(sha256, |sha256| *sha256, read).await
    }
}
