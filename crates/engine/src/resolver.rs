//! From names to addresses. The system's resolver is asked on a few threads of its own; tests bring one that lies.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

/// Finds the addresses of a name. It is asked for each new connection, and its answers are judged, never trusted.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, best first.
    fn resolve<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

impl<F> Resolve for F
where
    F: Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
{
    fn resolve<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        std::future::ready(self(host)).boxed()
    }
}

/// How many names the system is asked about at once. A look-up cannot be stopped: its thread stays behind when the call has
/// given up, so there must be a bound that slow names can't exceed.
const MAX_LOOKUPS: usize = 32;

/// Asks the operating system, as every other program of the machine does (`/etc/hosts`, DNS, …).
///
/// Calls that want the same name at the same time share one look-up, so that one name with slow servers holds one thread.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    under_way: Arc<Mutex<HashMap<Box<str>, WeakShared<Lookup>>>>,
    threads: Arc<Semaphore>,
}

type Lookup = BoxFuture<'static, Result<Vec<IpAddr>, Arc<io::Error>>>;

impl Default for SystemResolver {
    fn default() -> Self {
        Self { under_way: Arc::default(), threads: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl SystemResolver {
    fn join(&self, host: &str) -> Shared<Lookup> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let running = under_way.get(host).and_then(WeakShared::upgrade);
        // A look-up that is over is not an answer for later connections: each is judged on fresh addresses.
        if let Some(lookup) = running.filter(|lookup| lookup.peek().is_none()) {
            return lookup;
        }
        under_way.retain(|_, lookup| lookup.upgrade().is_some());
        let lookup = self.look_up(host.to_owned()).boxed().shared();
        if let Some(handle) = lookup.downgrade() {
            under_way.insert(host.into(), handle);
        }
        lookup
    }

    fn look_up(&self, host: String) -> impl Future<Output = Result<Vec<IpAddr>, Arc<io::Error>>> + Send + 'static {
        let threads = Arc::clone(&self.threads);
        async move {
            let place = threads.acquire_owned().await.map_err(|error| Arc::new(io::Error::other(error)))?;
            let task = tokio::task::spawn_blocking(move || {
                let addresses = (host.as_str(), 0).to_socket_addrs();
                drop(place);
                addresses.map(|addresses| addresses.map(|address| address.ip()).collect())
            });
            task.await.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Arc::new)
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let lookup = self.join(host);
        async move { lookup.await.map_err(|error| io::Error::new(error.kind(), error)) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_wanted_twice_at_once_is_looked_up_once() {
        let resolver = SystemResolver::default();
        let (first, second) = (resolver.join("localhost"), resolver.join("localhost"));
        assert!(first.ptr_eq(&second));
        assert!(first.await.unwrap().iter().all(IpAddr::is_loopback));
        assert!(!resolver.join("localhost").ptr_eq(&second), "an old answer was taken for a new one");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_an_error() {
        assert!(SystemResolver::default().resolve("does-not-exist.invalid").await.is_err());
    }
}
