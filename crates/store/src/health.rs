//! Whether the database gave errors that a restart does not mend: remembered from the traffic, until a check finds nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{CommitError, StoreError};

/// The least time between two checks.
const LEAST_REST: Duration = Duration::from_secs(1);

/// A check reads the whole database: it may take this part of the time.
const REST_FOR_WORK: u32 = 10;

/// What is known of a database's health.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Counts the errors, so that a check that began before the last one clears nothing.
    noted: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<String>,
    is_checking: bool,
    rest_until: Option<Instant>,
}

/// The right to check; there is one at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    noted: u64,
    since: Instant,
}

impl Health {
    /// Remembers an error if it is one of the stored data, or of what holds it.
    pub(crate) fn note(&self, error: &StoreError) {
        if !error.is_of_the_data() {
            return;
        }
        self.noted.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        if state.trouble.is_none() {
            tracing::error!(
                %error,
                "The database gives errors: /readyz answers 503 until a check finds nothing. Look at the disk; a backup is put back \
                 with `hookwright restore`."
            );
            state.trouble = Some(error.to_string());
        }
    }

    /// As [`Self::note`], of a commit.
    pub(crate) fn note_commit(&self, error: &CommitError) {
        match error {
            CommitError::Conflict(_) => {}
            CommitError::Unavailable(error) | CommitError::OutcomeUnknown(error) | CommitError::Failed(error) => {
                self.note(error);
            }
        }
    }

    /// What is wrong, if anything is.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// The right to check, unless somebody has it, or had it a moment ago.
    pub(crate) fn take_turn(&self) -> Option<Turn> {
        let mut state = self.state();
        let since = Instant::now();
        if state.is_checking || state.rest_until.is_some_and(|until| since < until) {
            return None;
        }
        state.is_checking = true;
        Some(Turn { noted: self.noted.load(Ordering::Relaxed), since })
    }

    /// Takes what a check found; `Ok` clears the memory of what was noted before it began.
    pub(crate) fn end_turn(&self, turn: Turn, found: &Result<(), StoreError>) {
        if let Err(error) = found {
            self.note(error);
        }
        let mut state = self.state();
        state.is_checking = false;
        state.rest_until = Some(Instant::now() + LEAST_REST.max(turn.since.elapsed() * REST_FOR_WORK));
        if found.is_ok() && self.noted.load(Ordering::Relaxed) == turn.noted && state.trouble.take().is_some() {
            tracing::info!("a check of the database found nothing wrong");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged() -> StoreError {
        StoreError::Damaged("page 7".to_owned())
    }

    #[test]
    fn what_a_check_did_not_see_is_not_cleared_by_it() {
        let health = Health::default();
        health.note(&StoreError::unavailable("it is busy"));
        assert_eq!(health.trouble(), None, "who is busy is well");
        health.note(&damaged());
        let turn = health.take_turn().unwrap();
        assert!(health.take_turn().is_none(), "two checks at once");
        health.note(&damaged());
        health.end_turn(turn, &Ok(()));
        assert!(health.trouble().is_some(), "the second error came while it was checked");
        assert!(health.take_turn().is_none(), "checks without rest");
    }

    #[test]
    fn a_check_that_finds_nothing_clears_what_was_before_it() {
        let health = Health::default();
        health.note_commit(&CommitError::Failed(damaged()));
        let turn = health.take_turn().unwrap();
        health.end_turn(turn, &Ok(()));
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn damage_that_only_a_check_finds_is_remembered() {
        let health = Health::default();
        let turn = health.take_turn().unwrap();
        health.end_turn(turn, &Err(damaged()));
        assert!(health.trouble().is_some_and(|trouble| trouble.contains("page 7")));
    }
}
