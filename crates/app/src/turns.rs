//! One writer of a thing at a time, in this process.
//!
//! The revision in the database decides between writers, also those of other nodes; taking turns here only spares them losing
//! against each other again and again.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// Things share so many seats; two that share one wait for each other, which costs a commit's time.
const SEATS: usize = 64;

/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who may write what now.
pub(crate) struct Turns {
    seats: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { seats: (0..SEATS).map(|_| Arc::default()).collect(), hasher: RandomState::new() }
    }
}

/// A turn; it ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not looked at")] Arc<OwnedMutexGuard<()>>);

impl Turns {
    /// Waits for the turn to write the thing with this key; `None` if that takes too long.
    pub(crate) async fn take(&self, key: &str) -> Option<Turn> {
        let seat = self.hasher.hash_one(key) % SEATS as u64;
        let seat = self.seats.get(usize::try_from(seat).ok()?)?;
        let guard = timeout(PATIENCE, Arc::clone(seat).lock_owned()).await.ok()?;
        Some(Turn(Arc::new(guard)))
    }
}
