//! Calling an external service: the one crate that opens outbound sockets.
//!
//! An [`Engine`] takes a prepared hook and a body, and comes back with a [`Report`]: each attempt as it went and the service's
//! answer, or why there is none. What the answer says is judged by `contract`, what it does by `app`.

mod access_token;
mod admission;
mod attempt;
mod breaker;
mod call_settings;
mod classify;
mod coding;
mod connect;
mod connection;
mod exchange;
mod network;
mod oauth;
mod outcome;
mod pool;
mod prepared;
mod progress;
mod proxy;
mod rate;
mod request_head;
mod resolver;
mod retry;
mod run_to_end;
mod sharing;
mod signature;
mod tls;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use hookwright_model::address::AddressPolicy;
use hookwright_model::inline_hook::InlineHook;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

pub use breaker::{BreakerRule, CircuitState};
pub use call_settings::{CallSettings, DEFAULT_TIMEOUT};
pub use network::{Duplex, Network, Socket, SystemNetwork};
pub use oauth::{Assertions, HookKey, HookKeyError, HookKeys, NewKeyPair};
pub use outcome::{
    Answer, AttemptReport, BadBody, CallFailure, CapacityScope, Report, TlsFailure, TooLarge, Unreachable,
};
pub use prepared::Prepared;
pub use proxy::{EgressProxy, EgressProxyError, ProxyTarget};
pub use resolver::{Resolve, SystemResolver};
pub use run_to_end::{RunToEnd, run_to_end};
pub use sharing::Asker;
pub use signature::{BadMessageKey, CallHeaders, MessageKey};
pub use tls::{ClientIdentity, ClientIdentityError, HookTls, HookTlsError};

use admission::Admission;
use attempt::Sender;
use connect::Connector;
use oauth::TokenSources;
use pool::Pool;
use prepared::PreparedHook;
use retry::Rule;

/// What an engine is built from.
#[derive(Clone)]
pub struct EngineOptions {
    /// Which addresses may be called.
    pub policy: AddressPolicy,
    /// Calls at once over all hooks.
    pub max_calls: usize,
    /// Calls at once of one hook, unless its settings say otherwise.
    pub max_calls_per_hook: usize,
    /// Our name in requests.
    pub user_agent: String,
    /// Certificate authorities that are trusted besides Mozilla's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Finds the addresses of names; the system's resolver unless a test lies.
    pub resolver: Arc<dyn Resolve>,
    /// Opens connections; the operating system's TCP unless a simulation takes its place.
    pub network: Arc<dyn Network>,
    /// What signs for OAuth clients of the kind `private_key_jwt`; without it, hooks of that kind get no token.
    pub assertions: Option<Assertions>,
    /// The proxy that calls go through; calls to loopback, which development opens, never do.
    pub proxy: Option<EgressProxy>,
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EngineOptions")
            .field("policy", &self.policy)
            .field("max_calls", &self.max_calls)
            .field("max_calls_per_hook", &self.max_calls_per_hook)
            .field("user_agent", &self.user_agent)
            .field("extra_roots", &self.extra_roots.len())
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            policy: AddressPolicy::default(),
            max_calls: 256,
            max_calls_per_hook: 32,
            user_agent: concat!("Hookwright/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: Vec::new(),
            resolver: Arc::new(SystemResolver::default()),
            network: Arc::new(SystemNetwork),
            assertions: None,
            proxy: None,
        }
    }
}

/// Why an engine can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The configured name can't stand in a header.
    #[error("the user agent {0:?} cannot stand in an HTTP header")]
    UserAgent(String),
    /// A configured certificate authority can't be read, or TLS can't be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Calls external services. Cheap to clone; clones share connections and limits.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max_calls: usize,
    max_calls_per_hook: usize,
    user_agent: HeaderValue,
    admission: Admission,
    pool: Arc<Pool>,
    connector: Connector,
    tokens: TokenSources,
    assertions: Option<Assertions>,
}

/// What an engine is doing right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gauges {
    /// Calls under way over all hooks.
    pub calls: usize,
    /// The most calls at once over all hooks.
    pub max_calls: usize,
    /// Connections that wait for the next call.
    pub idle_connections: usize,
    /// Calls under way by hook id; hooks without one are left out.
    pub calls_by_hook: Vec<(String, usize)>,
    /// How circuits stand by hook id; hooks without a circuit breaker are left out.
    pub circuits: Vec<(String, CircuitState)>,
}

impl Engine {
    /// An engine without connections.
    ///
    /// # Errors
    /// The options can't be used.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let user_agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| EngineError::UserAgent(options.user_agent.clone()))?;
        let connector = Connector {
            policy: options.policy,
            resolver: options.resolver,
            network: options.network,
            proxy: options.proxy,
            own: RwLock::default(),
        };
        Ok(Self(Arc::new(Inner {
            max_calls: options.max_calls,
            max_calls_per_hook: options.max_calls_per_hook,
            user_agent,
            admission: Admission::new(options.max_calls),
            pool: Pool::new(options.max_calls_per_hook.max(32), &options.extra_roots)?,
            connector,
            tokens: TokenSources::default(),
            assertions: options.assertions,
        })))
    }

    /// Refuses calls to an address at which this process itself listens, so that a hook can't lead back into the org.
    pub fn refuse_own_listener(&self, address: SocketAddr) {
        self.0.connector.own.write().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    /// Makes a hook ready for calling. Cheap; called when a hook is cached.
    #[must_use]
    pub fn prepare(&self, hook: &InlineHook, settings: CallSettings) -> Prepared {
        let origin = self.0.pool.origin(hook.channel.uri.url());
        Prepared(Arc::new(PreparedHook::new(hook, settings, &self.0, origin)))
    }

    /// Makes a hook ready whose service wants a client certificate, or has one of a private authority.
    ///
    /// # Errors
    /// [`EngineError::Tls`] if the settings can't be used.
    pub fn prepare_with_tls(
        &self,
        hook: &InlineHook,
        settings: CallSettings,
        tls: &HookTls,
    ) -> Result<Prepared, EngineError> {
        let origin = self.0.pool.origin_with(hook.channel.uri.url(), tls)?;
        Ok(Prepared(Arc::new(PreparedHook::new(hook, settings, &self.0, origin))))
    }

    /// Calls a hook: at most two attempts, each within the time of its settings.
    ///
    /// A call that has begun runs to its end in a task of its own if this future is dropped; only its report is lost then.
    pub async fn call(&self, prepared: &Prepared, body: Bytes) -> Report {
        let (engine, prepared) = (self.clone(), prepared.clone());
        run_to_end(async move { engine.call_here(&prepared, body, CallHeaders::default(), None).await }).await
    }

    /// As [`Engine::call`], with fields of this call's own, which both attempts have; but a dropped future ends the call
    /// halfway: for callers whose own work [runs to its end](run_to_end). The hook's places are shared by those who ask.
    pub async fn call_here(
        &self,
        prepared: &Prepared,
        body: Bytes,
        headers: CallHeaders,
        asker: Option<Asker>,
    ) -> Report {
        let started = Instant::now();
        let hook = &*prepared.0;
        let default_limit = self.0.max_calls_per_hook;
        let permit = match self.0.admission.admit(&hook.gate, (hook.settings, default_limit), asker, started) {
            Ok(permit) => permit,
            Err(failure) => {
                let duration = started.elapsed();
                return Report { attempts: Vec::new(), result: Err(failure), duration, access_token: None };
            }
        };
        let rule = Rule { timeout: hook.settings.timeout, retry: hook.settings.retry };
        let report = retry::run(rule, started, &Sender { engine: &self.0, hook, body, headers }).await;
        permit.end(report.result.is_err());
        report
    }

    /// Calls at once of one hook, unless its settings say otherwise.
    #[must_use]
    pub fn max_calls_per_hook(&self) -> usize {
        self.0.max_calls_per_hook
    }

    /// What the engine is doing right now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges {
            calls: self.0.admission.under_way(),
            max_calls: self.0.max_calls,
            idle_connections: self.0.pool.idle_connections(),
            calls_by_hook: self.0.admission.by_hook(),
            circuits: self.0.admission.circuits(Instant::now()),
        }
    }
}
