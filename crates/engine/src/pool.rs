//! Connections that wait for the next call, by the place they lead to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::connection::Connection;

/// How long a connection waits if the service doesn't say how long it would. Common servers close theirs after 5 s; a request
/// that meets the closing may not be sent again, so we are earlier.
const DEFAULT_IDLE: Duration = Duration::from_secs(4);
/// How long a connection waits at most, whatever the service says.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// How long a connection is used at most, so that a changed name is followed.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How often connections are looked over that nobody asked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Where connections lead to: one scheme, host and port.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Any URL of the place; its path does not count.
    pub(crate) url: Url,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    until: Instant,
}

impl Origin {
    fn new(url: Url) -> Self {
        Self { url, idle: Mutex::default() }
    }

    /// A connection that can be used at once, the one used last first.
    pub(crate) fn take(&self) -> Option<Box<Connection>> {
        let now = Instant::now();
        loop {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
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
}

type OriginKey = (String, String, u16);

impl Pool {
    pub(crate) fn new(max_idle_per_origin: usize) -> Arc<Self> {
        Arc::new(Self { origins: Mutex::default(), max_idle_per_origin, sweeping: AtomicBool::new(false) })
    }

    /// The place that a URL leads to; the same for all hooks that go there.
    pub(crate) fn origin(&self, url: &Url) -> Arc<Origin> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let key = (url.scheme().to_owned(), host, url.port_or_known_default().unwrap_or(0));
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = origins.get(&key) {
            return Arc::clone(origin);
        }
        origins.retain(|_, origin| origin.is_wanted());
        let origin = Arc::new(Origin::new(url.clone()));
        origins.insert(key, Arc::clone(&origin));
        origin
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
        let origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.values().cloned().collect()
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
