//! One writer of a thing at a time, in this process.
//!
//! The revision in the database decides between writers, also those of other nodes; taking turns here only spares them losing
//! against each other again and again.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use hookwright_model::Entropy;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout};

/// Things share so many seats; two that share one wait for each other, which costs a commit's time.
const SEATS: usize = 64;

/// How long a writer waits for its turn, and how long it goes on losing against other nodes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause after a lost race is two to this power, in milliseconds.
const LONGEST_PAUSE: u32 = 6;

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

/// A turn; it ends when the last [`Hold`] on it is dropped.
pub(crate) struct Turn {
    hold: Hold,
    began: Instant,
    lost: u32,
}

/// Keeps a turn from ending.
pub(crate) type Hold = Arc<OwnedMutexGuard<()>>;

impl Turns {
    /// Waits for the turn to write the thing with this key; `None` if that takes too long.
    pub(crate) async fn take(&self, key: &str) -> Option<Turn> {
        let seat = self.hasher.hash_one(key) % SEATS as u64;
        let seat = self.seats.get(usize::try_from(seat).ok()?)?;
        let guard = timeout(PATIENCE, Arc::clone(seat).lock_owned()).await.ok()?;
        Some(Turn { hold: Arc::new(guard), began: Instant::now(), lost: 0 })
    }
}

impl Turn {
    /// For work that may outlive whoever took the turn.
    pub(crate) fn hold(&self) -> Hold {
        Arc::clone(&self.hold)
    }

    /// Pauses after a race that was lost against another node, longer each time and by chance, so that two nodes don't lose in
    /// step. `false` if the patience is at its end.
    pub(crate) async fn try_again_later(&mut self, entropy: &dyn Entropy) -> bool {
        if self.began.elapsed() >= PATIENCE {
            return false;
        }
        let longest = 1_000_u64 << self.lost.min(LONGEST_PAUSE);
        let chance = u64::from(u16::from_be_bytes(entropy.bytes()));
        sleep(Duration::from_micros((longest * chance) >> 16)).await;
        self.lost += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Half;
    impl Entropy for Half {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0x80);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_lasts_as_long_as_anybody_holds_it() {
        let turns = Turns::default();
        let turn = turns.take("a").await.unwrap();
        let hold = turn.hold();
        drop(turn);
        assert!(turns.take("a").await.is_none());
        drop(hold);
        assert!(turns.take("a").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_loses_waits_longer_each_time_and_gives_up_in_the_end() {
        let mut turn = Turns::default().take("a").await.unwrap();
        let mut pauses = Vec::new();
        let mut before = Instant::now();
        while turn.try_again_later(&Half).await {
            pauses.push(before.elapsed());
            before = Instant::now();
        }
        assert!(pauses[1] > pauses[0] && pauses[2] > pauses[1]);
        assert!(pauses.iter().all(|pause| *pause < Duration::from_millis(66)));
        assert!(turn.began.elapsed() >= PATIENCE && turn.began.elapsed() < PATIENCE * 2);
    }
}
