//! A clock that leaps only while everybody waits for the network.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{spawn_blocking, yield_now};

/// How far the clock moves at once. Small, so that what happens meanwhile is seen before it moves again.
const LEAP: Duration = Duration::from_millis(10);
/// How far it moves at once while somebody works, and how long that takes.
const STEP: Duration = Duration::from_millis(1);
/// How often other tasks get their turn between two leaps.
const TURNS: usize = 8;

/// Says how tokio's paused clock moves where some of the work takes real time. Cheap to clone.
///
/// While one of the actors works, the clock keeps pace with real time. While all of them wait for the network, it leaps.
#[derive(Debug, Clone, Default)]
pub struct Time(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    actors: usize,
    waiting: usize,
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
        self.state().actors += 1;
        Counted { time: self.clone(), actor: true }
    }

    /// One of the actors waits for the network, until the guard is dropped.
    #[must_use]
    pub fn wait(&self) -> Counted {
        self.state().waiting += 1;
        Counted { time: self.clone(), actor: false }
    }

    /// Moves the clock as long as `work` lasts, and tells `moved` each time. Needs a runtime whose clock is paused.
    pub async fn drive<T>(&self, moved: impl Fn(Duration), work: impl Future<Output = T>) -> T {
        let (release, released) = std::sync::mpsc::channel::<()>();
        // As long as this runs, tokio does not move the clock by itself.
        let hold = spawn_blocking(move || released.recv());
        let moving = async {
            loop {
                let everybody_waits = {
                    let state = self.state();
                    state.waiting >= state.actors
                };
                let by = if everybody_waits { LEAP } else { STEP };
                if !everybody_waits {
                    // A failed wait only makes the clock faster.
                    let _ = spawn_blocking(|| std::thread::sleep(STEP)).await;
                }
                tokio::time::advance(by).await;
                moved(by);
                for _ in 0..TURNS {
                    yield_now().await;
                }
            }
        };
        let result = tokio::select! {
            result = work => result,
            () = moving => unreachable!("the clock moves for ever"),
        };
        drop(release);
        // It ends with an error by design: its channel is closed.
        let _ = hold.await;
        result
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.time.state();
        if self.actor {
            state.actors -= 1;
        } else {
            state.waiting -= 1;
        }
    }
}
