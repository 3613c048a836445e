//! Calling an external service: the one crate that opens outbound sockets.
//!
//! An [`Engine`] takes a prepared hook and a body, and comes back with a [`Report`]: each attempt as it went and the service's
//! answer, or why there is none. What the answer says is judged by `contract`, what it does by `app`.

mod outcome;
mod prepared;
mod simple;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hookwright_model::address::AddressPolicy;
use hookwright_model::inline_hook::InlineHook;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;

pub use outcome::{Answer, BadBody, CallFailure, CapacityScope, Report, TlsFailure, TooLarge, Unreachable};
pub use prepared::{CallSettings, DEFAULT_TIMEOUT, Prepared};

use prepared::PreparedHook;

/// What an engine is built from.
#[derive(Debug, Clone)]
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
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            policy: AddressPolicy::default(),
            max_calls: 256,
            max_calls_per_hook: 32,
            user_agent: concat!("Hookwright/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: Vec::new(),
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
    options: EngineOptions,
    user_agent: HeaderValue,
    tls: Arc<rustls::ClientConfig>,
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
}

impl Engine {
    /// An engine without connections.
    ///
    /// # Errors
    /// The options can't be used.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let user_agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| EngineError::UserAgent(options.user_agent.clone()))?;
        let tls = simple::tls_config(&options.extra_roots)?;
        Ok(Self(Arc::new(Inner { options, user_agent, tls })))
    }

    /// Makes a hook ready for calling. Cheap; called when a hook is cached.
    #[must_use]
    pub fn prepare(&self, hook: &InlineHook, settings: CallSettings) -> Prepared {
        Prepared(Arc::new(PreparedHook::new(hook, settings, &self.0.user_agent)))
    }

    /// Calls a hook: at most two attempts, each within the time of its settings.
    ///
    /// A call that has begun runs to its end in a task of its own if this future is dropped; only its report is lost then.
    pub async fn call(&self, prepared: &Prepared, body: Bytes) -> Report {
        let started = Instant::now();
        let (attempt, result) = simple::call(&self.0, &prepared.0, body).await;
        Report { attempts: vec![attempt], result, duration: started.elapsed() }
    }

    /// What the engine is doing right now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges { max_calls: self.0.options.max_calls, ..Gauges::default() }
    }
}
