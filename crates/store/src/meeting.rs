//! Where SQLite's writer waits for a group to come together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Where the writer waits for more commits: it is woken once there are enough, not by each.
#[derive(Default)]
pub(crate) struct Meeting {
    /// For how many the writer waits; 0 while it does something else.
    wanted: AtomicUsize,
}

impl Meeting {
    /// A commit has come, so that so many wait now.
    pub(crate) fn joined(&self, waiting: usize, writer: &Thread) {
        let wanted = self.wanted.load(Ordering::SeqCst);
        if wanted > 0 && waiting >= wanted {
            self.wanted.store(0, Ordering::SeqCst);
            writer.unpark();
        }
    }

    /// In the writer's thread: waits until so many wait, but not for long.
    pub(crate) fn wait(&self, wanted: usize, patience: Duration, waiting: impl Fn() -> usize) {
        self.wanted.store(wanted, Ordering::SeqCst);
        let begun = Instant::now();
        while waiting() < wanted
            && self.wanted.load(Ordering::SeqCst) > 0
            && let Some(left) = patience.checked_sub(begun.elapsed())
        {
            thread::park_timeout(left);
        }
        self.wanted.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// How long a thread waits for two, of whom so many are there at first, while others join.
    fn waited(there: usize, patience: Duration, others: impl FnOnce(&dyn Fn())) -> Duration {
        let (meeting, count) = (Arc::new(Meeting::default()), Arc::new(AtomicUsize::new(there)));
        let writer = thread::spawn({
            let (meeting, count) = (Arc::clone(&meeting), Arc::clone(&count));
            move || {
                let begun = Instant::now();
                meeting.wait(2, patience, || count.load(Ordering::SeqCst));
                begun.elapsed()
            }
        });
        others(&|| meeting.joined(count.fetch_add(1, Ordering::SeqCst) + 1, writer.thread()));
        writer.join().unwrap()
    }

    #[test]
    fn whoever_makes_the_group_large_enough_ends_the_wait() {
        for _ in 0..1000 {
            let waited = waited(0, PATIENCE, |join| {
                join();
                join();
            });
            assert!(waited < PATIENCE);
        }
    }

    #[test]
    fn nobody_is_waited_for_who_is_there_or_does_not_come() {
        assert!(waited(2, PATIENCE, |_| {}) < PATIENCE);
        assert!(waited(0, Duration::from_micros(100), |join| join()) < PATIENCE);
    }
}
