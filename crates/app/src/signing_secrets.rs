//! Signing secrets of a hook: create, which is also how one is replaced, list, delete.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hookwright_engine::MessageKey;
use hookwright_model::Violations;
use hookwright_model::id::{InlineHookId, SigningSecretId};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::signing_secret::{MAX_SIGNING_SECRETS, NewSigningSecret, SignatureAlgorithm, SigningSecret};
use hookwright_store::{Change, CommitError, Conflict};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::events::{self, EventKind, hook_target, signing_secret_target};
use crate::{App, Caller, Error};

const OBJECT: &str = "signingSecret";

impl App {
    /// Makes a signing secret. The answer is the only place where its value is shown, and of an Ed25519 key only the public
    /// half ever is. With an overlap, the hook's other secrets end when it is over.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] naming the field or the limit.
    pub async fn create_signing_secret(
        &self,
        caller: &Caller,
        hook_id: &InlineHookId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let asked = NewSigningSecret::read(body).map_err(invalid)?;
        let mut tries = self.tries(hook_id.as_str()).await?;
        loop {
            tries.begin().await?;
            let hook = self.stored_hook(hook_id).await?;
            let (now, id) = (self.now(), SigningSecretId::mint(self.entropy()));
            let known = self.inner.store.signing_secrets(hook_id.as_str()).await?;
            if known.iter().filter(|secret| secret.signs_at(now)).count() >= MAX_SIGNING_SECRETS {
                let text = format!("The hook has its most signing secrets already, {MAX_SIGNING_SECRETS}");
                return Err(Error::invalid(OBJECT, OBJECT, text));
            }
            let value = MessageKey::mint(self.entropy());
            let key = MessageKey::new(asked.algorithm, &value, None);
            let key = key.map_err(|error| Error::Internal(error.to_string()))?;
            let description = SigningSecret {
                id,
                hook_id: hook_id.clone(),
                algorithm: asked.algorithm,
                public_key: key.public_key(),
                created: now,
                expires: None,
            };
            let mut shown = description.to_json();
            if let (SignatureAlgorithm::HmacSha256, Some(members)) = (asked.algorithm, shown.as_object_mut()) {
                let secret = format!("whsec_{}", BASE64_STANDARD.encode(value.expose_secret()));
                members.insert("secret".to_owned(), secret.into());
            }
            // Expired ones go when there is a new one, so that they don't pile up.
            let expired = known.iter().filter(|secret| !secret.signs_at(now)).map(|secret| secret.id.clone()).collect();
            let insert = Insertion { asked, value, expired };
            match self.insert_signing_secret(caller, &hook, &description, insert).await {
                Ok(()) => return Ok(shown),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The signing secrets of a hook without their values, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn signing_secrets(&self, hook_id: &InlineHookId) -> Result<Value, Error> {
        self.stored_hook(hook_id).await?;
        let secrets = self.inner.store.signing_secrets(hook_id.as_str()).await?;
        Ok(secrets.iter().map(SigningSecret::to_json).collect())
    }

    /// Deletes a signing secret: it signs nothing more, on every node within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_signing_secret(
        &self,
        caller: &Caller,
        hook_id: &InlineHookId,
        id: &SigningSecretId,
    ) -> Result<(), Error> {
        let mut tries = self.tries(hook_id.as_str()).await?;
        loop {
            tries.begin().await?;
            let hook = self.stored_hook(hook_id).await?;
            let known = self.inner.store.signing_secrets(hook_id.as_str()).await?;
            let secret = known.into_iter().find(|secret| secret.id == *id).ok_or_else(|| Error::not_found(id))?;
            let delete = deletion(&hook, id.clone(), hook.revision);
            let event = self.signing_event(events::SIGNING_SECRET_DELETED, caller, &hook, &secret);
            match self.commit_for_hook(&hook, vec![delete, event]).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                other => return Ok(other?),
            }
        }
    }

    /// What the calls of a hook are signed with.
    pub(crate) async fn message_keys(&self, hook_id: &InlineHookId) -> Result<Vec<MessageKey>, Error> {
        let secrets = self.inner.store.opened_signing_secrets(hook_id.as_str()).await?;
        let key = |(secret, value): &(SigningSecret, _)| MessageKey::new(secret.algorithm, value, secret.expires);
        let keys: Result<Vec<_>, _> = secrets.iter().map(key).collect();
        keys.map_err(|error| Error::Internal(format!("a signing secret of {hook_id}: {error}")))
    }

    async fn insert_signing_secret(
        &self,
        caller: &Caller,
        hook: &InlineHook,
        description: &SigningSecret,
        insertion: Insertion,
    ) -> Result<(), CommitError> {
        let mut revision = hook.revision;
        let mut changes = Vec::new();
        for id in insertion.expired {
            changes.push(deletion(hook, id, revision));
            revision += 1;
        }
        changes.push(Change::InsertSigningSecret {
            description: Box::new(description.clone()),
            secret: insertion.value,
            hook_revision: revision,
            others_end: insertion.asked.overlap.map(|overlap| description.created.plus(overlap)),
        });
        changes.push(self.signing_event(events::SIGNING_SECRET_CREATED, caller, hook, description));
        self.commit_for_hook(hook, changes).await
    }

    async fn commit_for_hook(&self, hook: &InlineHook, changes: Vec<Change>) -> Result<(), CommitError> {
        let hook_id = hook.id.clone();
        self.commit(changes, move |app| app.forget_hook(hook_id.as_str())).await
    }

    fn signing_event(&self, kind: EventKind, caller: &Caller, hook: &InlineHook, secret: &SigningSecret) -> Change {
        let mut event = self.event(kind, caller, hook_target(hook), self.now());
        event.targets.push(signing_secret_target(secret));
        Change::AppendEvents(vec![event])
    }
}

/// What goes into the database with a new secret.
struct Insertion {
    asked: NewSigningSecret,
    value: secrecy::SecretSlice<u8>,
    expired: Vec<SigningSecretId>,
}

fn deletion(hook: &InlineHook, id: SigningSecretId, hook_revision: i64) -> Change {
    Change::DeleteSigningSecret { id, hook_id: hook.id.clone(), hook_revision }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
