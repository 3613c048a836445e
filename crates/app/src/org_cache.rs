//! What flows and clients read again and again: the schema, policies, apps, origins. As old as a second at most, see `cache`.

use std::collections::HashSet;
use std::sync::Arc;

use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::EnrollmentPolicy;
use hookwright_model::id::{AppId, PolicyId};
use hookwright_model::trusted_origin::origin_of;
use hookwright_model::user_schema::UserSchema;
use hookwright_store::StoreError;

use crate::cache::Aging;
use crate::{App, Error};

/// The one key where there is one thing.
const ONLY: &str = "";

/// The longest key that is looked up; no id, client id or origin of ours is longer.
const MAX_KEY_BYTES: usize = 512;

type ByKey<V> = Aging<Box<str>, V>;

/// Schema, policies and apps by id, apps by client id, and whether an origin may call.
#[derive(Default)]
pub(crate) struct OrgCache {
    schema: ByKey<UserSchema>,
    policies: ByKey<EnrollmentPolicy>,
    applications: ByKey<Application>,
    clients: ByKey<Application>,
    dashboard: ByKey<Application>,
    origins: ByKey<bool>,
    client_origins: ByKey<HashSet<String>>,
}

impl App {
    /// The schema of the org's users; that of a new org before it is made.
    ///
    /// # Errors
    /// The store's.
    pub async fn cached_schema(&self) -> Result<Arc<UserSchema>, Error> {
        let read = async || Ok(Some(self.inner.store.user_schema().await?.unwrap_or_default()));
        Ok(cached(&self.inner.org.schema, ONLY, read).await?.unwrap_or_default())
    }

    /// A user profile policy.
    pub(crate) async fn cached_policy(&self, id: &PolicyId) -> Result<Option<Arc<EnrollmentPolicy>>, Error> {
        let read = || self.inner.store.enrollment_policy(id.as_str());
        cached(&self.inner.org.policies, id.as_str(), read).await
    }

    /// An app.
    pub(crate) async fn cached_application(&self, id: &AppId) -> Result<Option<Arc<Application>>, Error> {
        let read = || self.inner.store.application(id.as_str());
        cached(&self.inner.org.applications, id.as_str(), read).await
    }

    /// The app whose OAuth client calls itself so.
    pub(crate) async fn cached_client(&self, client_id: &str) -> Result<Option<Arc<Application>>, Error> {
        let read = || self.inner.store.application_by_client_id(client_id);
        cached(&self.inner.org.clients, client_id, read).await
    }

    /// The built-in dashboard; `None` before the org is made.
    pub(crate) async fn cached_dashboard(&self) -> Result<Option<Arc<Application>>, Error> {
        cached(&self.inner.org.dashboard, ONLY, || self.inner.store.dashboard()).await
    }

    /// Whether pages of this origin may call the org because an administrator trusts it.
    pub(crate) async fn is_trusted_for_cors(&self, origin: &str) -> Result<bool, Error> {
        // Only what is trusted is kept, so that a flood of made-up origins pushes nothing out.
        let read = async || Ok(self.inner.store.is_cors_origin(origin).await?.then_some(true));
        Ok(cached(&self.inner.org.origins, origin, read).await?.is_some())
    }

    /// Whether pages of this origin may read answers that are meant for clients: the org's own, one of those that a client
    /// sends people back to, and those that an administrator trusts.
    ///
    /// # Errors
    /// The store's.
    pub async fn may_read_answers(&self, origin: &str) -> Result<bool, Error> {
        if origin_of(&self.settings().public_url).is_some_and(|own| own == origin) {
            return Ok(true);
        }
        let read = async || {
            let uris = self.inner.store.redirect_uris().await?;
            Ok(Some(uris.iter().filter_map(|uri| origin_of(uri)).collect()))
        };
        let of_clients: Option<Arc<HashSet<String>>> = cached(&self.inner.org.client_origins, ONLY, read).await?;
        if of_clients.is_some_and(|origins| origins.contains(origin)) {
            return Ok(true);
        }
        self.is_trusted_for_cors(origin).await
    }

    pub(crate) fn forget_schema(&self) {
        self.inner.org.schema.forget(ONLY);
    }

    pub(crate) fn forget_policy(&self, id: &PolicyId) {
        self.inner.org.policies.forget(id.as_str());
    }

    /// Forgets an app under all its names.
    pub(crate) fn forget_application(&self, app: &Application) {
        self.inner.org.applications.forget(app.id.as_str());
        if let Some(oauth) = &app.oauth {
            self.inner.org.clients.forget(oauth.client_id.as_str());
        }
        self.inner.org.client_origins.forget(ONLY);
        if app.system {
            self.inner.org.dashboard.forget(ONLY);
        }
    }

    /// Forgets all apps: a policy was deleted, and its apps came under another.
    pub(crate) fn forget_applications(&self) {
        self.inner.org.applications.forget_all();
        self.inner.org.clients.forget_all();
        self.inner.org.dashboard.forget_all();
        self.inner.org.client_origins.forget_all();
    }

    /// Forgets all policies, and which apps are under which.
    pub(crate) fn forget_policies(&self) {
        self.inner.org.policies.forget_all();
        self.forget_applications();
    }

    /// Forgets all trusted origins.
    pub(crate) fn forget_origins(&self) {
        self.inner.org.origins.forget_all();
    }

    pub(crate) fn forget_origin(&self, origin: &str) {
        self.inner.org.origins.forget(origin);
    }
}

/// What is known of a key, or else what is read now.
async fn cached<V, R>(map: &ByKey<V>, key: &str, read: impl FnOnce() -> R) -> Result<Option<Arc<V>>, Error>
where
    R: Future<Output = Result<Option<V>, StoreError>>,
{
    if key.len() > MAX_KEY_BYTES {
        return Ok(None);
    }
    map.get_or_read(key, |key| key.into(), |_| async { Ok(read().await?.map(Arc::new)) }).await
}
