//! What hot paths read without asking the database: hooks ready to be called, tokens ready to be compared.
//!
//! An entry is believed for a second at most, so that a write of another node or of the command line is seen by then. This
//! process's own writes are seen at once: every write raises the generation, and what was read before it is not kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::{HookTls, Prepared};
use hookwright_model::api_token::ApiToken;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use tokio::time::Instant;

use crate::metrics::HookMetrics;
use crate::{App, Error};

/// How long an entry is believed.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The longest finished list that is kept, in bytes.
const MAX_LIST_BYTES: usize = 1 << 20;

/// More entries than this are not kept; the oldest knowledge is dropped wholesale, which costs one read each.
const MAX_ENTRIES: usize = 10_000;

/// A hook with everything that a call or an answer needs of it.
pub(crate) struct CachedHook {
    pub(crate) hook: InlineHook,
    pub(crate) prepared: Prepared,
    pub(crate) json: Bytes,
    pub(crate) metrics: HookMetrics,
}

/// A token and when it was last renewed.
pub(crate) struct CachedToken {
    pub(crate) token: Arc<ApiToken>,
    pub(crate) renewed_ms: AtomicI64,
}

/// A map whose entries age and whose readers can't bring back what a writer changed meanwhile.
///
/// The age of an entry counts from before it was read, so that a slow database doesn't make it older than it looks.
pub(crate) struct Aging<K, V> {
    entries: RwLock<HashMap<K, (Arc<V>, Instant)>>,
    generation: AtomicU64,
    /// Keys that are being written. Until that has ended nobody keeps what he read, so that no read from here is older than
    /// one from the database before it.
    being_written: Mutex<Vec<K>>,
}

impl<K, V> Default for Aging<K, V> {
    fn default() -> Self {
        Self { entries: RwLock::default(), generation: AtomicU64::new(0), being_written: Mutex::default() }
    }
}

impl<K: std::hash::Hash + Eq, V> Aging<K, V> {
    /// A young entry, or else the generation under which a fresh one may be put.
    pub(crate) fn get<Q: std::hash::Hash + Eq + ?Sized>(&self, key: &Q) -> Result<Arc<V>, Stale<V>>
    where
        K: std::borrow::Borrow<Q>,
    {
        let generation = self.generation.load(Ordering::Acquire);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match entries.get(key) {
            Some((value, read)) if read.elapsed() < MAX_AGE => Ok(Arc::clone(value)),
            old => Err(Stale { generation, asked: Instant::now(), old: old.map(|(value, _)| Arc::clone(value)) }),
        }
    }

    /// Keeps what was read, unless something was written since.
    pub(crate) fn put(&self, key: K, value: &Arc<V>, stale: &Stale<V>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) == stale.generation && !self.keys_being_written().contains(&key) {
            if entries.len() >= MAX_ENTRIES {
                entries.clear();
            }
            entries.insert(key, (Arc::clone(value), stale.asked));
        }
    }

    /// Drops an entry that the database no longer has. Says nothing about other entries, so that a flood of questions for
    /// things that don't exist can't keep the rest from being kept.
    pub(crate) fn drop_entry<Q: std::hash::Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
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
    pub(crate) fn forget<Q: std::hash::Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        entries.remove(key);
    }
}

/// What is needed to keep what is read now.
pub(crate) struct Stale<V> {
    generation: u64,
    asked: Instant,
    /// What was known before.
    pub(crate) old: Option<Arc<V>>,
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
        let id = id.as_str();
        let stale = match self.inner.hooks.0.get(id) {
            Ok(hook) => return Ok(Some(hook)),
            Err(stale) => stale,
        };
        // Boxed, as everything that only a miss needs: a query's future has kilobytes, and each call would carry them.
        let Some(hook) = Box::pin(self.inner.store.inline_hook(id)).await? else {
            if let Some(old) = stale.old {
                self.inner.hooks.0.drop_entry(id);
                self.inner.metrics.forget_hook(&old.hook.id);
            }
            return Ok(None);
        };
        let unchanged = stale.old.as_ref().filter(|old| old.hook.revision == hook.revision);
        let cached = match unchanged {
            Some(unchanged) => Arc::clone(unchanged),
            None => Arc::new(self.prepare_hook(hook)?),
        };
        self.inner.hooks.0.put(id.into(), &cached, &stale);
        Ok(Some(cached))
    }

    /// A hook as the API shows it.
    pub(crate) fn hook_json(&self, hook: &InlineHook) -> Bytes {
        let settings = &self.inner.settings;
        Bytes::from(hook.to_json(&settings.public_url, settings.secret_display).to_string())
    }

    /// A hook with its finished parts.
    ///
    /// # Errors
    /// [`Error::Internal`] if its certificates, which were checked when they came, can't be used.
    fn prepare_hook(&self, hook: InlineHook) -> Result<CachedHook, Error> {
        let json = self.hook_json(&hook);
        let (engine, calls) = (&self.inner.engine, self.call_settings(&hook));
        let unusable = |error: &dyn std::fmt::Display| Error::Internal(format!("TLS settings of {}: {error}", hook.id));
        let prepared = if hook.settings.tls.is_empty() {
            engine.prepare(&hook, calls)
        } else {
            let tls = HookTls::of(&hook.settings.tls).map_err(|error| unusable(&error))?;
            engine.prepare_with_tls(&hook, calls, &tls).map_err(|error| unusable(&error))?
        };
        let metrics = self.inner.metrics.of_hook(&hook.id);
        Ok(CachedHook { hook, prepared, json, metrics })
    }

    /// The list of all hooks or of those of one type, finished, at most a second old.
    pub(crate) async fn cached_hook_list(&self, hook_type: Option<HookType>) -> Result<Bytes, Error> {
        let stale = match self.inner.hook_lists.0.get(&hook_type) {
            Ok(list) => return Ok(Bytes::clone(&list)),
            Err(stale) => stale,
        };
        let hooks = Box::pin(self.inner.store.inline_hooks(hook_type)).await?;
        let mut list = String::with_capacity(hooks.len() * 900 + 2);
        list.push('[');
        for (index, hook) in hooks.iter().enumerate() {
            if index > 0 {
                list.push(',');
            }
            let settings = &self.inner.settings;
            list.push_str(&hook.to_json(&settings.public_url, settings.secret_display).to_string());
        }
        list.push(']');
        let list = Bytes::from(list);
        if list.len() <= MAX_LIST_BYTES {
            self.inner.hook_lists.0.put(hook_type, &Arc::new(list.clone()), &stale);
        }
        Ok(list)
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

    pub(crate) fn forget_token(&self, sha256: &[u8; 32]) {
        self.inner.tokens.0.forget(sha256);
    }

    /// A token, at most a second old. Unknown ones are never kept, so a fresh token works at once.
    pub(crate) async fn cached_token(&self, sha256: &[u8; 32]) -> Result<Option<Arc<CachedToken>>, Error> {
        let stale = match self.inner.tokens.0.get(sha256) {
            Ok(token) => return Ok(Some(token)),
            Err(stale) => stale,
        };
        let Some(token) = Box::pin(self.inner.store.api_token_by_hash(sha256)).await? else {
            if stale.old.is_some() {
                self.inner.tokens.0.drop_entry(sha256);
            }
            return Ok(None);
        };
        let renewed_ms = AtomicI64::new(token.last_used.as_millis());
        let cached = Arc::new(CachedToken { token: Arc::new(token), renewed_ms });
        self.inner.tokens.0.put(*sha256, &cached, &stale);
        Ok(Some(cached))
    }
}
