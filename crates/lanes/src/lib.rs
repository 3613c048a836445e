//! Threads that each answer the requests of their own connections, from the first byte to the last.
//!
//! In a runtime that shares its work, one thread is woken to read a request and often another to go on with it; with requests
//! that take microseconds, that waking costs as much as the work. A lane has its own runtime, so that nothing of a request
//! changes the thread: not the connection of the client, not the one to the external service. What computes for long (hashing
//! a password, making a key) is sent to other threads by whoever does it.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The lanes of a server. When they are dropped, their threads end and with them whatever still runs there.
#[derive(Debug, Default)]
pub struct Lanes(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    /// Dropped with the lane, which ends its thread.
    _end: oneshot::Sender<()>,
}

/// A connection's place in a lane, given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Lanes {
    /// Starts a lane for each core that the process may use.
    ///
    /// # Errors
    /// The system's, such as too many threads.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        (0..count).map(Lane::start).collect::<io::Result<_>>().map(Self)
    }

    /// The runtime of the lane with the fewest connections, and a place in it; none if there are no lanes.
    #[must_use]
    pub fn quietest(&self) -> Option<(&Handle, Place)> {
        let lane = self.0.iter().min_by_key(|lane| lane.connections.load(Ordering::Relaxed))?;
        lane.connections.fetch_add(1, Ordering::Relaxed);
        Some((&lane.runtime, Place(Arc::clone(&lane.connections))))
    }
}

impl Lane {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
            // An error is how it is told to end: the other side is gone.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, connections: Arc::default(), _end: end })
    }
}

impl Place {
    /// Moves a connection to the runtime that this is called in, which must be the lane's.
    ///
    /// # Errors
    /// The system's, if the connection can't be watched from there.
    pub fn admit(&self, stream: TcpStream) -> io::Result<TcpStream> {
        stream.into_std().and_then(TcpStream::from_std)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_spread_and_a_lane_works_beside_the_runtime_that_started_it() {
        let lanes = Lanes((0..2).map(Lane::start).collect::<io::Result<_>>().unwrap());
        let (first, first_place) = lanes.quietest().unwrap();
        let (second, _second_place) = lanes.quietest().unwrap();
        let name = |lane: &Handle| lane.spawn(async { thread::current().name().map(str::to_owned) });
        assert_eq!(name(first).await.unwrap().as_deref(), Some("lane-0"));
        assert_eq!(name(second).await.unwrap().as_deref(), Some("lane-1"));
        drop(first_place);
        let (third, _place) = lanes.quietest().unwrap();
        assert_eq!(third.id(), first.id());
    }
}
