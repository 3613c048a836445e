//! Hook keys: create, list, read, rename, delete, and what the engine signs with.
//!
//! Making a key takes a core for some hundred milliseconds: one is made at a time, on a thread of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hookwright_engine::{Assertions, HookKey as SigningKey, HookKeyError, HookKeys, NewKeyPair};
use hookwright_model::hook_key::{HookKey, MAX_HOOK_KEYS};
use hookwright_model::id::{self, HookKeyId};
use hookwright_model::profile::TAKEN;
use hookwright_model::{Clock, Entropy, Violations};
use hookwright_store::{Change, CommitError, Conflict, Store};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::events::{self, hook_key_target};
use crate::listing::Listing;
use crate::{App, Caller, Error};

const OBJECT: &str = "hookKey";

/// How long somebody waits until a key can be made for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// The org's hook keys as the engine asks for them.
#[derive(Debug, Clone)]
pub struct StoredHookKeys(Store);

impl StoredHookKeys {
    /// What an engine needs to sign with the keys of this store.
    #[must_use]
    pub fn assertions(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Assertions {
        Assertions { keys: Arc::new(Self(store)), clock, entropy }
    }
}

impl HookKeys for StoredHookKeys {
    fn hook_key<'a>(
        &'a self,
        id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<SigningKey>, HookKeyError>> + Send + 'a>> {
        Box::pin(async move {
            let found = self.0.hook_private_key(id).await;
            // The store's text may tell of the database, which is no business of whoever reads an execution.
            let found = found.map_err(|error| {
                tracing::error!(%error, id, "a hook key could not be read");
                HookKeyError::Unavailable("the database did not give it".to_owned())
            })?;
            let (key_id, private_key) = found.ok_or_else(|| HookKeyError::Unknown(id.to_owned()))?;
            SigningKey::from_pkcs8(key_id, private_key.expose_secret()).map(Arc::new)
        })
    }
}

impl App {
    /// Makes a key pair; its private half is sealed and never shown.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the field, a taken name, or the limit of keys; [`Error::TooBusy`] if others are waiting for
    /// keys too.
    pub async fn create_hook_key(&self, caller: &Caller, body: &Map<String, Value>) -> Result<Value, Error> {
        let name = HookKey::read_name(body).map_err(invalid)?;
        let permit = timeout(PATIENCE, Arc::clone(&self.inner.key_making).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(Error::TooBusy { retry_after: PATIENCE }) };
        // Looked up here too, so that no key is made for nothing; the database decides.
        let known = self.inner.store.hook_keys().await?;
        if known.iter().any(|key| key.name.to_lowercase() == name.to_lowercase()) {
            return Err(refusal(Conflict::NameTaken.into()));
        }
        if u64::try_from(known.len()).unwrap_or(u64::MAX) >= MAX_HOOK_KEYS {
            return Err(refusal(Conflict::LimitReached.into()));
        }
        // The permit goes where the work is: whoever hangs up does not free it.
        let making = tokio::task::spawn_blocking(move || (NewKeyPair::generate(), permit));
        let ended_badly = |error| Error::Internal(format!("making a hook key ended badly: {error}"));
        let (pair, permit) = making.await.map_err(ended_badly)?;
        let pair = pair.map_err(|error| Error::Internal(error.to_string()))?;
        let now = self.now();
        let id = HookKeyId::mint_at(now, self.entropy());
        let key = HookKey::new(id, id::mint_uuid(self.entropy()), name, pair.public_key, now);
        let event = self.event(events::HOOK_KEY_CREATED, caller, hook_key_target(&key), now);
        let insert =
            Change::InsertHookKey { key: Box::new(key.clone()), private_key: pair.private_key, limit: MAX_HOOK_KEYS };
        self.commit(vec![insert, Change::AppendEvents(vec![event])], |_| drop(permit)).await.map_err(refusal)?;
        Ok(key.to_json(true))
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn hook_keys(&self, with_public_key: bool) -> Result<Listing, Error> {
        let keys = self.inner.store.hook_keys().await?;
        Ok(Listing { items: keys.iter().map(|key| key.to_json(with_public_key)).collect(), next: None })
    }

    /// A key as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn hook_key(&self, id: &HookKeyId, with_public_key: bool) -> Result<Value, Error> {
        Ok(self.stored_key(id).await?.to_json(with_public_key))
    }

    /// The public half of the key with this `keyId`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn hook_public_key(&self, key_id: &HookKeyId) -> Result<Value, Error> {
        let found =
            if key_id.is_plausible() { self.inner.store.hook_key_by_key_id(key_id.as_str()).await? } else { None };
        Ok(found.ok_or_else(|| Error::not_found(key_id))?.public_json())
    }

    /// The public halves of all keys as a JWK set (RFC 7517 section 5), for authorization servers that fetch it.
    ///
    /// # Errors
    /// The store's.
    pub async fn hook_key_set(&self) -> Result<Value, Error> {
        let keys: Vec<Value> = self.inner.store.hook_keys().await?.iter().map(HookKey::to_jwk).collect();
        Ok(json!({"keys": keys}))
    }

    /// Gives a key another name, the one thing about it that can change.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn rename_hook_key(
        &self,
        caller: &Caller,
        id: &HookKeyId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let name = HookKey::read_name(body).map_err(invalid)?;
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let key = self.stored_key(id).await?.renamed(name.clone(), self.now());
            let event = self.event(events::HOOK_KEY_UPDATED, caller, hook_key_target(&key), self.now());
            let changes = vec![Change::UpdateHookKey(Box::new(key.clone())), Change::AppendEvents(vec![event])];
            match self.commit(changes, |_| ()).await {
                Ok(()) => return Ok(key.to_json(true)),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Deletes a key that no hook uses.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] while a hook uses it.
    pub async fn delete_hook_key(&self, caller: &Caller, id: &HookKeyId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let key = self.stored_key(id).await?;
            let event = self.event(events::HOOK_KEY_DELETED, caller, hook_key_target(&key), self.now());
            let deletion = Change::DeleteHookKey { id: id.clone(), revision: key.revision };
            match self.commit(vec![deletion, Change::AppendEvents(vec![event])], |_| ()).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(CommitError::Conflict(Conflict::Reference)) => {
                    let cause = format!("The hook key {id} is used by an inline hook; give that another one first.");
                    return Err(Error::WrongState(cause));
                }
                other => return Ok(other?),
            }
        }
    }

    async fn stored_key(&self, id: &HookKeyId) -> Result<HookKey, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.hook_key(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }
}

fn refusal(error: CommitError) -> Error {
    match error {
        CommitError::Conflict(Conflict::NameTaken) => Error::invalid(OBJECT, "name", TAKEN),
        CommitError::Conflict(Conflict::LimitReached) => {
            Error::invalid(OBJECT, OBJECT, format!("The org has its most hook keys already, {MAX_HOOK_KEYS}"))
        }
        error => error.into(),
    }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
