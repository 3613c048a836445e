//! Connections that wait for the next call, by the place they lead to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;
use url::Url;

use crate::connection::Connection;
use crate::tls::{self, HookTls};

/// How long a connection waits if the service doesn't say how long it would. Common servers close theirs after 5 s; a request
/// that meets the closing may not be sent again, so we are earlier.
const DEFAULT_IDLE: Duration = Duration::from_secs(4);
/// How long a connection waits at most, whatever the service says.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// How long a connection is used at most, so that a changed name is followed.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How many waiting connections are looked at for one of the same thread.
const LOOKED_AT: usize = 64;
/// How often connections are looked over that nobody asked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Where connections lead to: one scheme, host and port.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Any URL of the place; its path does not count.
    pub(crate) url: Url,
    /// What connections are secured with.
    pub(crate) tls: Arc<ClientConfig>,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    until: Instant,
}

impl Origin {
    /// A connection that can be used at once: one that this thread opened, so that no other has to be woken for it, or else
    /// any; the one used last first.
    pub(crate) fn take(&self) -> Option<Box<Connection>> {
        let (now, here) = (Instant::now(), thread::current().id());
        loop {
            let mut waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut looked_at = (0..waiting.len()).rev().zip(waiting.iter().rev()).take(LOOKED_AT);
            let at_home = looked_at.find(|(_, idle)| idle.connection.home() == here).map(|(index, _)| index);
            let mut idle = match at_home {
                Some(index) => waiting.remove(index),
                None => waiting.pop()?,
            };
            drop(waiting);
            if now < idle.until && idle.connection.is_ready() {
                return Some(idle.connection);
            }
        }
    }

    /// Whether a hook leads here or a connection waits: a hook is prepared anew now and then, and should find its connections.
    fn is_wanted(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1 || self.idle_connections() > 0
    }

    fn idle_connections(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Closes what has waited too long or was closed by the other side; says whether anything is left.
    fn sweep(&self, now: Instant) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|idle| now < idle.until && idle.connection.is_ready());
        !idle.is_empty()
    }
}

/// All waiting connections of an engine.
#[derive(Debug)]
pub(crate) struct Pool {
    origins: Mutex<HashMap<OriginKey, Arc<Origin>>>,
    max_idle_per_origin: usize,
    sweeping: AtomicBool,
    /// Whom connections trust that have no settings of their own, and what they are secured with.
    roots: RootCertStore,
    tls: Arc<ClientConfig>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OriginKey {
    scheme: String,
    host: String,
    port: u16,
    /// Tells TLS settings apart.
    fingerprint: Option<[u8; 32]>,
}

impl OriginKey {
    fn new(url: &Url, fingerprint: Option<[u8; 32]>) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default().unwrap_or(0), fingerprint }
    }
}

fn add(
    origins: &mut HashMap<OriginKey, Arc<Origin>>,
    key: OriginKey,
    url: &Url,
    tls: Arc<ClientConfig>,
) -> Arc<Origin> {
    origins.retain(|_, origin| origin.is_wanted());
    let origin = Arc::new(Origin { url: url.clone(), tls, idle: Mutex::default() });
    origins.insert(key, Arc::clone(&origin));
    origin
}

impl Pool {
    /// A pool without connections that trusts Mozilla's authorities and these.
    ///
    /// # Errors
    /// One of them can't be read.
    pub(crate) fn new(
        max_idle_per_origin: usize,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Arc<Self>, rustls::Error> {
        let roots = tls::roots(extra_roots)?;
        let tls = Arc::new(tls::client_config(roots.clone(), &HookTls::default())?);
        let sweeping = AtomicBool::new(false);
        Ok(Arc::new(Self { origins: Mutex::default(), max_idle_per_origin, sweeping, roots, tls }))
    }

    /// The place that a URL leads to; the same for all hooks that go there.
    pub(crate) fn origin(&self, url: &Url) -> Arc<Origin> {
        let mut origins = self.lock();
        let key = OriginKey::new(url, None);
        match origins.get(&key) {
            Some(origin) => Arc::clone(origin),
            None => add(&mut origins, key, url, Arc::clone(&self.tls)),
        }
    }

    /// The place that a URL leads to, for hooks with TLS settings of their own; they share no connection with others.
    ///
    /// # Errors
    /// The settings can't be used.
    pub(crate) fn origin_with(&self, url: &Url, hook: &HookTls) -> Result<Arc<Origin>, rustls::Error> {
        let Some(fingerprint) = hook.fingerprint() else { return Ok(self.origin(url)) };
        let mut origins = self.lock();
        let key = OriginKey::new(url, Some(fingerprint));
        if let Some(origin) = origins.get(&key) {
            return Ok(Arc::clone(origin));
        }
        let tls = Arc::new(tls::client_config(self.roots.clone(), hook)?);
        Ok(add(&mut origins, key, url, tls))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OriginKey, Arc<Origin>>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for the next call if it can be used again. `advertised` is what the service said of its patience.
    pub(crate) fn give_back(
        self: &Arc<Self>,
        origin: &Origin,
        mut connection: Box<Connection>,
        advertised: Option<Duration>,
    ) {
        let now = Instant::now();
        let patience = advertised.map_or(DEFAULT_IDLE, |said| said.saturating_sub(SWEEP).min(MAX_IDLE));
        let until = (now + patience).min(connection.opened() + MAX_AGE);
        if until <= now || !connection.is_ready() {
            return;
        }
        let mut idle = origin.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.max_idle_per_origin {
            idle.push(Idle { connection, until });
            drop(idle);
            self.keep_swept();
        }
    }

    /// Connections that wait.
    pub(crate) fn idle_connections(&self) -> usize {
        self.living().iter().map(|origin| origin.idle_connections()).sum()
    }

    fn living(&self) -> Vec<Arc<Origin>> {
        self.lock().values().cloned().collect()
    }

    /// Starts the one task that closes what nobody asked for; it ends when nothing waits any more.
    fn keep_swept(self: &Arc<Self>) {
        if self.sweeping.load(Ordering::Acquire) || self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                let Some(pool) = pool.upgrade() else { return };
                let now = Instant::now();
                let mut left = false;
                for origin in pool.living() {
                    left |= origin.sweep(now);
                }
                if !left {
                    pool.sweeping.store(false, Ordering::Release);
                    // Something may have been given back between the look and the store.
                    if pool.idle_connections() == 0 || pool.sweeping.swap(true, Ordering::AcqRel) {
                        return;
                    }
                }
            }
        });
    }
}
