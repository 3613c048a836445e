//! How things are changed: read, decide, write, and from the start again if somebody else wrote in between.
//!
//! The revision in the database decides between writers, also those of other nodes. That writers of this process take turns
//! only spares them losing against each other again and again.

use std::time::Duration;

use hookwright_engine::run_to_end;
use hookwright_model::Entropy;
use hookwright_store::{Change, CommitError};
use tokio::time::{Instant, sleep};

use crate::turns::Turn;
use crate::{App, Error};

/// How long a writer waits for its turn, and how long it goes on losing against other nodes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause after a lost race is two to this power, in milliseconds.
const LONGEST_PAUSE: u32 = 6;

/// The tries of one change, made in one turn.
pub(crate) struct Tries<'a> {
    key: &'a str,
    entropy: &'a dyn Entropy,
    turn: Turn,
    since: Instant,
    made: u32,
}

impl Tries<'_> {
    /// Begins the next try: the first one at once, one after a race that was lost after a pause, longer each time and by
    /// chance, so that two nodes don't lose in step.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there were enough.
    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        if self.made > 0 {
            if self.since.elapsed() >= PATIENCE {
                return Err(contended(self.key));
            }
            let longest = 1_000_u64 << (self.made - 1).min(LONGEST_PAUSE);
            let chance = u64::from(u16::from_be_bytes(self.entropy.bytes()));
            sleep(Duration::from_micros((longest * chance) >> 16)).await;
        }
        self.made += 1;
        Ok(())
    }

    /// For a write that may outlive whoever took the turn.
    pub(crate) fn turn(&self) -> Turn {
        self.turn.clone()
    }
}

impl App {
    /// Waits for the turn to change the thing with this key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if that takes too long.
    pub(crate) async fn tries<'a>(&'a self, key: &'a str) -> Result<Tries<'a>, Error> {
        let turn = self.inner.turns.take(key, PATIENCE).await.ok_or_else(|| contended(key))?;
        Ok(Tries { key, entropy: self.entropy(), turn, since: Instant::now(), made: 0 })
    }

    /// Commits, and then forgets what was known before, also if the client hangs up meanwhile.
    pub(crate) async fn commit(
        &self,
        changes: Vec<Change>,
        forget: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<(), CommitError> {
        let app = self.clone();
        let under_way = self.inner.calls.token();
        run_to_end(async move {
            let result = app.inner.store.commit(changes).await;
            forget(&app);
            drop(under_way);
            result
        })
        .await
    }
}

fn contended(key: &str) -> Error {
    Error::Unavailable(format!("{key} is being changed by others"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::Turns;

    struct Half;
    impl Entropy for Half {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0x80);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_loses_waits_longer_each_time_and_gives_up_in_the_end() {
        let turn = Turns::default().take_at_once("a").unwrap();
        let mut tries = Tries { key: "a", entropy: &Half, turn, since: Instant::now(), made: 0 };
        let mut pauses = Vec::new();
        let mut before = Instant::now();
        while tries.begin().await.is_ok() {
            pauses.push(before.elapsed());
            before = Instant::now();
        }
        assert!(pauses[0].is_zero() && pauses[2] > pauses[1] && pauses[3] > pauses[2]);
        assert!(pauses.iter().all(|pause| *pause < Duration::from_millis(66)));
        assert!(tries.since.elapsed() >= PATIENCE && tries.since.elapsed() < PATIENCE * 2);
    }
}
