//! How many calls run at once: a limit for each hook and one for all.
//!
//! There is no queue. A call that finds no room fails at once, so that one slow service can't hold the callers of others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::outcome::{CallFailure, CapacityScope};

/// Counts the calls under way of one hook, or of all.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicUsize);

impl Gate {
    /// Calls under way.
    pub(crate) fn under_way(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>, limit: usize) -> Option<Place> {
        let entered =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < limit).then_some(count + 1));
        entered.ok().map(|_| Place(Arc::clone(self)))
    }
}

/// One place behind a gate, given back when dropped.
#[derive(Debug)]
struct Place(Arc<Gate>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to make one call; lives exactly as long as the call's work.
#[derive(Debug)]
pub(crate) struct Permit {
    _hook: Place,
    _all: Place,
}

/// The gates of an engine.
#[derive(Debug)]
pub(crate) struct Admission {
    all: Arc<Gate>,
    max_calls: usize,
    hooks: Mutex<HashMap<Box<str>, Weak<Gate>>>,
}

impl Admission {
    pub(crate) fn new(max_calls: usize) -> Self {
        Self { all: Arc::default(), max_calls, hooks: Mutex::default() }
    }

    /// The gate of a hook. However often a hook is prepared, it has one gate as long as any of them, or a call, lives.
    pub(crate) fn gate(&self, hook_id: &str) -> Arc<Gate> {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = hooks.get(hook_id).and_then(Weak::upgrade) {
            return gate;
        }
        hooks.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::default();
        hooks.insert(hook_id.into(), Arc::downgrade(&gate));
        gate
    }

    /// Room for one call of the hook, at most `limit` at once.
    pub(crate) fn admit(&self, gate: &Arc<Gate>, limit: usize) -> Result<Permit, CallFailure> {
        let full = |scope, limit| CallFailure::AtCapacity { scope, limit };
        let hook = gate.enter(limit).ok_or_else(|| full(CapacityScope::Hook, limit))?;
        let all = self.all.enter(self.max_calls).ok_or_else(|| full(CapacityScope::All, self.max_calls))?;
        Ok(Permit { _hook: hook, _all: all })
    }

    /// Calls under way over all hooks.
    pub(crate) fn under_way(&self) -> usize {
        self.all.under_way()
    }

    /// Calls under way by hook id; hooks without one are left out.
    pub(crate) fn by_hook(&self) -> Vec<(String, usize)> {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = hooks.iter().map(|(id, gate)| (id.to_string(), gate.upgrade().map_or(0, |gate| gate.under_way())));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_is_full_leaves_room_for_others() {
        let admission = Admission::new(3);
        let (busy, quiet) = (admission.gate("cal1"), admission.gate("cal2"));
        let permits = [admission.admit(&busy, 2).unwrap(), admission.admit(&busy, 2).unwrap()];
        let failure = admission.admit(&busy, 2).unwrap_err();
        assert_eq!(failure, CallFailure::AtCapacity { scope: CapacityScope::Hook, limit: 2 });
        let last = admission.admit(&quiet, 2).unwrap();
        let failure = admission.admit(&quiet, 2).unwrap_err();
        assert_eq!(failure, CallFailure::AtCapacity { scope: CapacityScope::All, limit: 3 });
        assert_eq!((admission.under_way(), quiet.under_way()), (3, 1));
        drop((permits, last));
        assert_eq!((admission.under_way(), busy.under_way(), quiet.under_way()), (0, 0, 0));
    }

    #[test]
    fn a_hook_prepared_twice_has_one_gate() {
        let admission = Admission::new(8);
        let first = admission.gate("cal1");
        let _permit = admission.admit(&first, 1).unwrap();
        assert!(admission.admit(&admission.gate("cal1"), 1).is_err());
        assert_eq!(admission.by_hook(), [("cal1".to_owned(), 1)]);
    }

    #[test]
    fn gates_of_forgotten_hooks_are_forgotten_too() {
        let admission = Admission::new(8);
        for hook in 0..100 {
            admission.gate(&format!("cal{hook}"));
        }
        assert!(admission.hooks.lock().unwrap().len() <= 2);
    }
}
