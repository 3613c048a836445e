//! Apps: create, list, read, replace, switch on and off, delete, and which policy they come under.

use hookwright_model::Violations;
use hookwright_model::application::Application;
use hookwright_model::id::{AppId, AppKind, PolicyId};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::profile::TAKEN;
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value};

use crate::events::{self, EventKind, application_target, policy_target};
use crate::listing::{Listing, PageQuery};
use crate::searching::{Scan, read_criteria};
use crate::{App, Caller, Error};

const OBJECT: &str = "app";

/// The most apps of one page.
const MAX_PAGE: usize = 200;

/// What `filter` of apps may look at.
const SEARCHED: [&str; 7] =
    ["id", "status", "name", "label", "created", "lastUpdated", "credentials.oauthClient.client_id"];

/// Which apps to list, as the query says it.
#[derive(Debug, Default)]
pub struct ApplicationQuery {
    /// Only those whose label or name begins so, letter case aside.
    pub q: Option<String>,
    /// Only those for which this SCIM expression holds.
    pub filter: Option<String>,
    /// Which page.
    pub page: PageQuery,
}

impl App {
    /// Makes an app. It comes under the default policy. The answer alone shows the client secret.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field or a taken client id.
    pub async fn create_application(
        &self,
        caller: &Caller,
        body: &Map<String, Value>,
        activate: bool,
    ) -> Result<Value, Error> {
        let now = self.now();
        let policy = self.inner.store.default_enrollment_policy().await?;
        let policy = policy.ok_or_else(|| Error::Internal("the org has no default policy".to_owned()))?;
        let id = AppId::mint_at(now, self.entropy());
        let app = Application::create(id, body, policy.id, activate, now, self.entropy()).map_err(invalid)?;
        let event = self.event(events::APPLICATION_CREATED, caller, application_target(&app), now);
        let insert = Change::InsertApplication(Box::new(app.clone()));
        let changes = vec![insert, Change::AppendEvents(vec![event])];
        self.commit_application(&app, changes).await.map_err(refusal)?;
        Ok(app.to_json_with_secret(&self.settings().public_url))
    }

    /// An app as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn application(&self, id: &AppId) -> Result<Value, Error> {
        Ok(self.stored_application(id).await?.to_json(&self.settings().public_url))
    }

    /// A page of apps.
    ///
    /// # Errors
    /// [`Error::InvalidSearch`], [`Error::InvalidQuery`], [`Error::BadCursor`].
    pub async fn applications(&self, query: &ApplicationQuery) -> Result<Listing, Error> {
        let limit = query.page.limit(20, MAX_PAGE)?;
        let mut criteria = read_criteria([&query.filter], |name| SEARCHED.contains(&name))?;
        if let Some(q) = &query.q {
            let quoted = Value::from(q.as_str());
            let starts = Some(format!("label sw {quoted} or name sw {quoted}"));
            criteria.extend(read_criteria([&starts], |_| true)?);
        }
        let base = &self.settings().public_url;
        let after = query.page.after::<AppKind>()?;
        let mut scan = Scan::new(criteria, after, limit);
        while let Some((after, step)) = scan.wanted() {
            let apps = self.inner.store.applications(&after, step).await?;
            scan.look_at(apps.iter().map(|app| (app.id.to_string(), app.to_json(base))));
        }
        Ok(scan.listing())
    }

    /// Replaces an app (PUT).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::WrongState`] for the built-in dashboard.
    pub async fn replace_application(
        &self,
        caller: &Caller,
        id: &AppId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let had_secret = self.has_secret(id).await?;
        let decide = |stored: &Application| stored.replaced(body, self.now(), self.entropy()).map(Some);
        let app = self.change_application(caller, id, events::APPLICATION_UPDATED, decide).await?;
        let base = &self.settings().public_url;
        // A secret that this call made is shown, or nobody would ever know it.
        let is_new = !had_secret && app.oauth.as_ref().is_some_and(|oauth| oauth.client_secret.is_some());
        Ok(if is_new { app.to_json_with_secret(base) } else { app.to_json(base) })
    }

    /// Switches an app on or off; doing it again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the built-in dashboard.
    pub async fn set_application_status(
        &self,
        caller: &Caller,
        id: &AppId,
        status: LifecycleStatus,
    ) -> Result<(), Error> {
        let kind = if status.is_active() { events::APPLICATION_ACTIVATED } else { events::APPLICATION_DEACTIVATED };
        let decide =
            |stored: &Application| Ok((stored.status != status).then(|| stored.with_status(status, self.now())));
        self.change_application(caller, id, kind, decide).await?;
        Ok(())
    }

    /// Deletes an INACTIVE app for good.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ActiveApplication`], [`Error::WrongState`] for the built-in dashboard.
    pub async fn delete_application(&self, caller: &Caller, id: &AppId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let app = self.own_application(id).await?;
            if app.status.is_active() {
                return Err(Error::ActiveApplication);
            }
            let event = self.event(events::APPLICATION_DELETED, caller, application_target(&app), self.now());
            let deletion = Change::DeleteApplication { id: id.clone(), revision: app.revision };
            match self.commit_application(&app, vec![deletion, Change::AppendEvents(vec![event])]).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Puts an app under another user profile policy, the built-in dashboard too.
    ///
    /// # Errors
    /// [`Error::NotFound`] for either.
    pub async fn assign_policy(&self, caller: &Caller, id: &AppId, policy: &PolicyId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let stored = self.stored_application(id).await?;
            let policy = self.stored_policy(policy).await?;
            if stored.policy_id == policy.id {
                return Ok(());
            }
            let app = stored.with_policy(policy.id.clone(), now);
            let mut event = self.event(events::APPLICATION_POLICY_UPDATED, caller, application_target(&app), now);
            event.targets.push(policy_target(&policy));
            let update = Change::UpdateApplication(Box::new(app.clone()));
            match self.commit_application(&app, vec![update, Change::AppendEvents(vec![event])]).await {
                Err(CommitError::Conflict(Conflict::Stale | Conflict::Reference)) => {}
                other => return Ok(other?),
            }
        }
    }

    async fn change_application(
        &self,
        caller: &Caller,
        id: &AppId,
        kind: EventKind,
        decide: impl Fn(&Application) -> Result<Option<Application>, Violations>,
    ) -> Result<Application, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let stored = self.own_application(id).await?;
            let Some(app) = decide(&stored).map_err(invalid)? else { return Ok(stored) };
            let event = self.event(kind, caller, application_target(&app), self.now());
            let update = Change::UpdateApplication(Box::new(app.clone()));
            match self.commit_application(&app, vec![update, Change::AppendEvents(vec![event])]).await {
                Ok(()) => return Ok(app),
                Err(CommitError::Conflict(Conflict::Stale | Conflict::Reference)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    async fn commit_application(&self, app: &Application, changes: Vec<Change>) -> Result<(), CommitError> {
        let forgotten = app.clone();
        self.commit(changes, move |app| app.forget_application(&forgotten)).await
    }

    async fn has_secret(&self, id: &AppId) -> Result<bool, Error> {
        let app = self.stored_application(id).await?;
        Ok(app.oauth.is_some_and(|oauth| oauth.client_secret.is_some()))
    }

    async fn stored_application(&self, id: &AppId) -> Result<Application, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.application(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }

    /// An app that is not built in.
    async fn own_application(&self, id: &AppId) -> Result<Application, Error> {
        let app = self.stored_application(id).await?;
        if app.system {
            return Err(Error::WrongState(format!("The app {} is built in and cannot be changed.", app.label)));
        }
        Ok(app)
    }
}

fn refusal(error: CommitError) -> Error {
    match error {
        CommitError::Conflict(Conflict::ClientIdTaken) => {
            Error::invalid(OBJECT, "credentials.oauthClient.client_id", TAKEN)
        }
        error => error.into(),
    }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
