//! One at a time for each key, and no key waits for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// So many keys are remembered before those are dropped that nobody waits for.
const SWEEP_AT: usize = 1024;

/// Who is doing something with which key now.
#[derive(Default)]
pub(crate) struct KeyedTurns {
    seats: StdMutex<HashMap<[u8; 32], Weak<Mutex<()>>>>,
}

/// A turn; it ends when it is dropped.
pub(crate) struct KeyedTurn {
    _guard: OwnedMutexGuard<()>,
}

impl KeyedTurns {
    /// Waits for the turn with this key; `None` if that takes too long.
    pub(crate) async fn take(&self, key: &[u8; 32], patience: Duration) -> Option<KeyedTurn> {
        let seat = self.seat(key);
        Some(KeyedTurn { _guard: timeout(patience, seat.lock_owned()).await.ok()? })
    }

    fn seat(&self, key: &[u8; 32]) -> Arc<Mutex<()>> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(key).and_then(Weak::upgrade) {
            return seat;
        }
        if seats.len() >= SWEEP_AT && seats.len().is_power_of_two() {
            seats.retain(|_, seat| seat.strong_count() > 0);
        }
        let seat = Arc::default();
        seats.insert(*key, Arc::downgrade(&seat));
        seat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_key_waits_and_another_does_not() {
        let turns = KeyedTurns::default();
        let first = turns.take(&[1; 32], Duration::ZERO).await.unwrap();
        assert!(turns.take(&[1; 32], Duration::from_secs(1)).await.is_none());
        assert!(turns.take(&[2; 32], Duration::from_secs(1)).await.is_some());
        drop(first);
        assert!(turns.take(&[1; 32], Duration::from_secs(1)).await.is_some());
    }

    #[tokio::test]
    async fn keys_that_nobody_holds_are_forgotten() {
        let turns = KeyedTurns::default();
        for number in 0..5_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            turns.take(&key, Duration::from_secs(1)).await.unwrap();
        }
        assert!(turns.seats.lock().unwrap().len() <= 2 * SWEEP_AT);
    }
}
