//! The operations of the product: one file a noun, one method a verb.
//!
//! The API, the console, the sign-in pages and the command line all come through here, so that none of them can do what
//! another can't. Nothing in this room knows HTTP or SQL.

mod api_tokens;
mod applications;
mod cache;
mod caller;
mod changing;
mod error;
mod events;
mod executions;
mod flow;
mod groups;
mod guessing;
mod hook_call;
mod hook_keys;
mod hook_settings;
mod inline_hooks;
mod listing;
mod mail;
mod metrics;
mod nodes;
mod oauth;
mod opaque;
mod org;
mod org_cache;
mod passwords;
mod policies;
mod rate_limit;
mod refused_tokens;
mod roles;
mod sealing;
mod searching;
mod sessions;
mod settings;
mod sign_up_limit;
mod signing_keys;
mod signing_secrets;
mod system_log;
mod trusted_origins;
mod turns;
mod user_schema;
mod users;

use std::sync::Arc;
use std::time::Duration;

use hookwright_engine::Engine;
use hookwright_model::{Clock, Entropy, Timestamp};
use hookwright_store::Store;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

pub use api_tokens::{NewApiToken, TokenGrant, revoke_api_token};
pub use applications::ApplicationQuery;
pub use caller::{Caller, RequestOrigin};
pub use error::{Error, HookFailure};
pub use executions::ExecutionFilter;
pub use flow::{Advanced, Arrival, FlowStart, FlowView, SentForm, StartedFlow, WentOn};
pub use groups::GroupQuery;
pub use hook_call::HookAnswer;
pub use hook_keys::StoredHookKeys;
pub use listing::{Listing, PageQuery};
pub use mail::MailSettings;
pub use metrics::Metrics;
pub use oauth::{Authorized, BasicCredentials, Forwarded, LogoutRequest, OAuthFailure};
pub use org::prepare_org;
pub use policies::PolicyQuery;
pub use rate_limit::{RateClass, RateLimits, RateState};
pub use sealing::{reseal, rotate_sealing_key};
pub use sessions::{NewSession, SignedIn};
pub use settings::Settings;
pub use system_log::{LogPage, LogQuery, note_log_restart};
pub use users::{LifecycleAnswer, NewUserOptions, ProfileChange, UserListQuery};

/// How long the last calls are waited for, after the server's own time for ending requests.
const LAST_CALLS: Duration = Duration::from_millis(1500);

/// The org: what it knows and what it can do. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    engine: Engine,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    hooks: cache::HookCache,
    hook_lists: cache::HookLists,
    tokens: cache::TokenCache,
    org: org_cache::OrgCache,
    keys: signing_keys::KeyCache,
    metrics: Metrics,
    rate_limits: RateLimits,
    refused_tokens: refused_tokens::RefusedTokens,
    turns: turns::Turns,
    sign_ups: sign_up_limit::SignUps,
    passwords: passwords::Passwords,
    postman: mail::Postman,
    nodes: nodes::Nodes,
    key_making: Arc<Semaphore>,
    calls: TaskTracker,
}

impl App {
    /// Puts the org together. `serve` and the tests build it with this same constructor.
    #[must_use]
    pub fn new(
        store: Store,
        engine: Engine,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Self {
        let rate_limits = RateLimits::new(settings.rate_limits);
        let postman = mail::Postman::new(settings.mail.as_ref()).unwrap_or_else(|error| {
            tracing::error!(error, "no mail is sent");
            mail::Postman::default()
        });
        let passwords = passwords::Passwords::new(entropy.as_ref());
        Self {
            inner: Arc::new(Inner {
                store,
                engine,
                clock,
                entropy,
                settings,
                hooks: cache::HookCache::default(),
                hook_lists: cache::HookLists::default(),
                tokens: cache::TokenCache::default(),
                org: org_cache::OrgCache::default(),
                keys: signing_keys::KeyCache::default(),
                metrics: Metrics::new(),
                rate_limits,
                refused_tokens: refused_tokens::RefusedTokens::default(),
                turns: turns::Turns::default(),
                sign_ups: sign_up_limit::SignUps::default(),
                passwords,
                postman,
                nodes: nodes::Nodes::default(),
                key_making: Arc::new(Semaphore::new(1)),
                calls: TaskTracker::new(),
            }),
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Where unpredictable bytes come from.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        self.inner.entropy.as_ref()
    }

    /// What was configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// What is counted and timed.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// How often each caller may call.
    #[must_use]
    pub fn rate_limits(&self) -> &RateLimits {
        &self.inner.rate_limits
    }

    /// The metrics in the OpenMetrics text format, with the present sizes of pools and queues.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        self.inner.metrics.encode(&self.inner.store.gauges(), &self.inner.engine.gauges())
    }

    /// Whether the org can serve: its database reads and writes, and no key of it is lacking here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::LacksKey`] if it can't.
    pub async fn check_ready(&self) -> Result<(), Error> {
        // Whatever is wrong with the database, it is not this request's fault, and another node may serve.
        self.inner.store.check_ready().await.map_err(|error| Error::Unavailable(error.to_string()))?;
        let lacking = self.inner.store.lacking_keys().await?;
        if lacking.is_empty() { Ok(()) } else { Err(Error::LacksKey(lacking.join(" and "))) }
    }

    /// Waits for the calls under way, then writes what is buffered and closes the store.
    ///
    /// Calls that may take longer than most, by the settings of their hooks, are not waited for to their end.
    pub async fn close(&self) {
        self.inner.nodes.leave();
        self.tell_all_refused_tokens();
        self.inner.calls.close();
        if tokio::time::timeout(LAST_CALLS, self.inner.calls.wait()).await.is_err() {
            tracing::warn!("some calls of hooks were still under way at the end; their executions are not recorded");
        }
        self.inner.store.close().await;
    }
}
