//! A clock that moves only while everybody waits for the network.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long of real time the clock is held before it may move all the same: something waits for a timer of its own.
const HOLD: Duration = Duration::from_millis(250);

/// Holds tokio's paused clock still while one of the actors does something that takes real time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Time(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    actors: usize,
    waiting: usize,
    /// Ends the blocking task during which tokio does not advance its clock.
    hold: Option<Sender<()>>,
}

/// Counts until it is dropped.
#[derive(Debug)]
pub struct Counted {
    time: Time,
    actor: bool,
}

impl Time {
    /// Somebody whose work may take real time, until the guard is dropped.
    #[must_use]
    pub fn actor(&self) -> Counted {
        self.change(|state| state.actors += 1);
        Counted { time: self.clone(), actor: true }
    }

    /// One of the actors waits for the network, until the guard is dropped.
    #[must_use]
    pub fn wait(&self) -> Counted {
        self.change(|state| state.waiting += 1);
        Counted { time: self.clone(), actor: false }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        // A new hold at each change, so that its time begins again.
        state.hold = (state.waiting < state.actors).then(|| {
            let (release, released) = channel();
            tokio::task::spawn_blocking(move || released.recv_timeout(HOLD));
            release
        });
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Without a runtime nobody waits any longer.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        self.time.change(|state| if self.actor { state.actors -= 1 } else { state.waiting -= 1 });
    }
}
