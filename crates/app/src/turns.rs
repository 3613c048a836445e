//! One at a time for each key, in this process; no key waits for another.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// So many keys are remembered before those are dropped that nobody waits for.
const SWEEP_AT: usize = 1024;

/// Who is doing something with which key now.
///
/// A key is known by its hash alone. Should two ever share one, they wait for each other, and that is all.
#[derive(Default)]
pub(crate) struct Turns {
    seats: StdMutex<HashMap<u64, Weak<Mutex<()>>>>,
    hasher: RandomState,
}

/// A turn; it ends when the last clone of it is dropped.
#[derive(Clone)]
pub(crate) struct Turn {
    _guard: Arc<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn with this key; `None` if that takes too long.
    pub(crate) async fn take<K: Hash + ?Sized>(&self, key: &K, patience: Duration) -> Option<Turn> {
        let seat = self.seat(key);
        Some(Turn::of(timeout(patience, seat.lock_owned()).await.ok()?))
    }

    /// The turn with this key, if nobody has it now.
    pub(crate) fn take_at_once<K: Hash + ?Sized>(&self, key: &K) -> Option<Turn> {
        self.seat(key).try_lock_owned().ok().map(Turn::of)
    }

    fn seat<K: Hash + ?Sized>(&self, key: &K) -> Arc<Mutex<()>> {
        let key = self.hasher.hash_one(key);
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&key).and_then(Weak::upgrade) {
            return seat;
        }
        if seats.len() >= SWEEP_AT && seats.len().is_power_of_two() {
            seats.retain(|_, seat| seat.strong_count() > 0);
        }
        let seat = Arc::default();
        seats.insert(key, Arc::downgrade(&seat));
        seat
    }
}

impl Turn {
    fn of(guard: OwnedMutexGuard<()>) -> Self {
        Self { _guard: Arc::new(guard) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_same_key_waits_and_another_does_not() {
        let turns = Turns::default();
        let first = turns.take("a", Duration::ZERO).await.unwrap();
        assert!(turns.take("a", SECOND).await.is_none() && turns.take_at_once("a").is_none());
        assert!(turns.take("b", SECOND).await.is_some() && turns.take_at_once("b").is_some());
        drop(first);
        assert!(turns.take("a", SECOND).await.is_some() && turns.take_at_once("a").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_lasts_as_long_as_anybody_holds_it() {
        let turns = Turns::default();
        let turn = turns.take("a", SECOND).await.unwrap();
        let held = turn.clone();
        drop(turn);
        assert!(turns.take("a", SECOND).await.is_none());
        drop(held);
        assert!(turns.take("a", SECOND).await.is_some());
    }

    #[tokio::test]
    async fn keys_that_nobody_holds_are_forgotten() {
        let turns = Turns::default();
        for number in 0..5_000_u32 {
            turns.take(&number, SECOND).await.unwrap();
        }
        assert!(turns.seats.lock().unwrap().len() <= 2 * SWEEP_AT);
    }
}
