//! Trusted origins: create, list, read, replace, switch on and off, delete.

use hookwright_model::Violations;
use hookwright_model::id::{TrustedOriginId, TrustedOriginKind};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::profile::TAKEN;
use hookwright_model::trusted_origin::TrustedOrigin;
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value};

use crate::events::{self, EventKind, origin_target};
use crate::listing::{Listing, PageQuery, page};
use crate::{App, Caller, Error};

const OBJECT: &str = "trustedOrigin";

/// The most origins of one page.
const MAX_PAGE: usize = 200;

impl App {
    /// Trusts an origin.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field, a taken name or a taken origin.
    pub async fn create_trusted_origin(&self, caller: &Caller, body: &Map<String, Value>) -> Result<Value, Error> {
        let now = self.now();
        let id = TrustedOriginId::mint_at(now, self.entropy());
        let origin = TrustedOrigin::create(id, body, caller.user_id(), now).map_err(invalid)?;
        let event = self.event(events::ORIGIN_CREATED, caller, origin_target(&origin), now);
        let changes = vec![Change::InsertTrustedOrigin(origin.clone()), Change::AppendEvents(vec![event])];
        let text = origin.origin.clone();
        self.commit(changes, move |app| app.forget_origin(&text)).await.map_err(refusal)?;
        Ok(origin.to_json(&self.settings().public_url))
    }

    /// An origin as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn trusted_origin(&self, id: &TrustedOriginId) -> Result<Value, Error> {
        Ok(self.stored_origin(id).await?.to_json(&self.settings().public_url))
    }

    /// A page of origins.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`], [`Error::BadCursor`].
    pub async fn trusted_origins(&self, query: &PageQuery) -> Result<Listing, Error> {
        let limit = query.limit(20, MAX_PAGE)?;
        let origins = self.inner.store.trusted_origins(query.after::<TrustedOriginKind>()?, limit + 1).await?;
        let (origins, next) = page(origins, limit, |origin| origin.id.to_string());
        let base = &self.settings().public_url;
        Ok(Listing { items: origins.iter().map(|origin| origin.to_json(base)).collect(), next })
    }

    /// Replaces an origin (PUT).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn replace_trusted_origin(
        &self,
        caller: &Caller,
        id: &TrustedOriginId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let decide = |stored: &TrustedOrigin| stored.replaced(body, caller.user_id(), self.now()).map(Some);
        self.change_origin(caller, id, events::ORIGIN_UPDATED, decide).await
    }

    /// Switches an origin on or off; doing it again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_trusted_origin_status(
        &self,
        caller: &Caller,
        id: &TrustedOriginId,
        status: LifecycleStatus,
    ) -> Result<Value, Error> {
        let kind = if status.is_active() { events::ORIGIN_ACTIVATED } else { events::ORIGIN_DEACTIVATED };
        let decide = |stored: &TrustedOrigin| {
            Ok((stored.status != status).then(|| stored.with_status(status, caller.user_id(), self.now())))
        };
        self.change_origin(caller, id, kind, decide).await
    }

    /// Trusts an origin no longer.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_trusted_origin(&self, caller: &Caller, id: &TrustedOriginId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let origin = self.stored_origin(id).await?;
            let event = self.event(events::ORIGIN_DELETED, caller, origin_target(&origin), self.now());
            let deletion = Change::DeleteTrustedOrigin { id: id.clone(), revision: origin.revision };
            let forget = move |app: &Self| app.forget_origin(&origin.origin);
            match self.commit(vec![deletion, Change::AppendEvents(vec![event])], forget).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                other => return Ok(other?),
            }
        }
    }

    async fn change_origin(
        &self,
        caller: &Caller,
        id: &TrustedOriginId,
        kind: EventKind,
        decide: impl Fn(&TrustedOrigin) -> Result<Option<TrustedOrigin>, Violations>,
    ) -> Result<Value, Error> {
        let base = &self.settings().public_url;
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let stored = self.stored_origin(id).await?;
            let Some(origin) = decide(&stored).map_err(invalid)? else { return Ok(stored.to_json(base)) };
            let event = self.event(kind, caller, origin_target(&origin), self.now());
            let changes = vec![Change::UpdateTrustedOrigin(origin.clone()), Change::AppendEvents(vec![event])];
            let both = (stored.origin, origin.origin.clone());
            let forget = move |app: &Self| {
                app.forget_origin(&both.0);
                app.forget_origin(&both.1);
            };
            match self.commit(changes, forget).await {
                Ok(()) => return Ok(origin.to_json(base)),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    async fn stored_origin(&self, id: &TrustedOriginId) -> Result<TrustedOrigin, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.trusted_origin(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }
}

fn refusal(error: CommitError) -> Error {
    let field = match error {
        CommitError::Conflict(Conflict::NameTaken) => "name",
        CommitError::Conflict(Conflict::OriginTaken) => "origin",
        error => return error.into(),
    };
    Error::invalid(OBJECT, field, TAKEN)
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
