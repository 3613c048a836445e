//! Whether a call may be made now: a limit of calls at once for each hook and one for all; where a hook is set so, a limit of
//! calls a second and a circuit breaker.
//!
//! There is no queue. A call that finds no room fails at once, so that one slow service can't hold the callers of others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::Instant;

use crate::breaker::{Breaker, BreakerRule, CircuitState, Pass};
use crate::call_settings::CallSettings;
use crate::outcome::{CallFailure, CapacityScope};
use crate::rate::Rate;
use crate::sharing::{Asker, Shares};

/// Counts the calls of one hook, or of all. What a hook is not set to is neither kept nor locked.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    under_way: AtomicUsize,
    shares: Mutex<Shares>,
    rate: Mutex<Rate>,
    circuit: Mutex<Option<Breaker>>,
}

impl Gate {
    /// Calls under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// How the hook's circuit stands, if it has one.
    fn circuit_state(&self, now: Instant) -> Option<CircuitState> {
        lock(&self.circuit).as_ref().map(|breaker| breaker.state(now))
    }

    fn enter(self: &Arc<Self>, limit: usize) -> Option<Place> {
        let count = |count| (count < limit).then_some(count + 1);
        let entered = self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        entered.ok().map(|_| Place { gate: Arc::clone(self), asker: None })
    }

    /// As [`Self::enter`], with the places shared among those who ask.
    fn enter_for(self: &Arc<Self>, asker: Asker, limit: usize) -> Result<Place, CapacityScope> {
        let mut shares = lock(&self.shares);
        if !shares.take(asker, self.under_way(), limit) {
            return Err(if self.under_way() < limit { CapacityScope::Share } else { CapacityScope::Hook });
        }
        match self.enter(limit) {
            Some(mut place) => {
                place.asker = Some(asker);
                Ok(place)
            }
            None => {
                shares.give_back(asker);
                Err(CapacityScope::Hook)
            }
        }
    }

    fn pass_circuit(self: &Arc<Self>, rule: BreakerRule, now: Instant) -> Result<Trial, CallFailure> {
        let pass = lock(&self.circuit).get_or_insert_default().admit(now).ok_or(CallFailure::CircuitOpen)?;
        Ok(Trial { gate: Arc::clone(self), pass: Some(pass), rule })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that went through a circuit. Dropped without a word of its end, it counts as not made.
#[derive(Debug)]
struct Trial {
    gate: Arc<Gate>,
    pass: Option<Pass>,
    rule: BreakerRule,
}

impl Trial {
    fn end(mut self, failed: bool) {
        if let (Some(pass), Some(breaker)) = (self.pass.take(), lock(&self.gate.circuit).as_mut()) {
            breaker.report(pass, self.rule, failed, Instant::now());
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let (Some(pass), Some(breaker)) = (self.pass.take(), lock(&self.gate.circuit).as_mut()) {
            breaker.give_back(pass, Instant::now());
        }
    }
}

/// One place behind a gate, given back when dropped.
#[derive(Debug)]
struct Place {
    gate: Arc<Gate>,
    asker: Option<Asker>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(asker) = self.asker {
            lock(&self.gate.shares).give_back(asker);
        }
        self.gate.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to make one call; lives exactly as long as the call's work.
#[derive(Debug)]
pub(crate) struct Permit {
    _hook: Place,
    _all: Place,
    trial: Option<Trial>,
}

impl Permit {
    /// The call has ended.
    pub(crate) fn end(self, failed: bool) {
        if let Some(trial) = self.trial {
            trial.end(failed);
        }
    }
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
    pub(crate) fn gate(&self, hook_id: &str, settings: CallSettings) -> Arc<Gate> {
        let gate = self.gate_of(hook_id);
        let mut circuit = lock(&gate.circuit);
        *circuit = settings.breaker.is_some().then(|| circuit.take().unwrap_or_default());
        drop(circuit);
        gate
    }

    fn gate_of(&self, hook_id: &str) -> Arc<Gate> {
        let mut hooks = lock(&self.hooks);
        if let Some(gate) = hooks.get(hook_id).and_then(Weak::upgrade) {
            return gate;
        }
        hooks.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::default();
        hooks.insert(hook_id.into(), Arc::downgrade(&gate));
        gate
    }

    /// Room for one call of the hook, at most `default_limit` at once unless it is set otherwise. Whoever asks gets his share of
    /// it; what nobody asked for, such as a call of the org itself, takes any place.
    pub(crate) fn admit(
        &self,
        gate: &Arc<Gate>,
        (settings, default_limit): (CallSettings, usize),
        asker: Option<Asker>,
        now: Instant,
    ) -> Result<Permit, CallFailure> {
        let full = |scope, limit| CallFailure::AtCapacity { scope, limit };
        let limit = settings.max_concurrent.unwrap_or(default_limit);
        let hook = match asker {
            Some(asker) => gate.enter_for(asker, limit).map_err(|scope| full(scope, limit))?,
            None => gate.enter(limit).ok_or_else(|| full(CapacityScope::Hook, limit))?,
        };
        let all = self.all.enter(self.max_calls).ok_or_else(|| full(CapacityScope::All, self.max_calls))?;
        // The circuit comes first: calls that it stops must not use up what its probe needs.
        let trial = settings.breaker.map(|rule| gate.pass_circuit(rule, now)).transpose()?;
        if let Some(limit) = settings.max_per_second
            && !lock(&gate.rate).admit(limit, now)
        {
            return Err(CallFailure::RateLimited { limit });
        }
        Ok(Permit { _hook: hook, _all: all, trial })
    }

    /// Calls under way over all hooks.
    pub(crate) fn under_way(&self) -> usize {
        self.all.under_way()
    }

    /// Calls under way by hook id; hooks without one are left out.
    pub(crate) fn by_hook(&self) -> Vec<(String, usize)> {
        let counts = self.gates().into_iter().map(|(id, gate)| (id, gate.under_way()));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// How circuits stand by hook id; hooks without one are left out.
    pub(crate) fn circuits(&self, now: Instant) -> Vec<(String, CircuitState)> {
        self.gates().into_iter().filter_map(|(id, gate)| Some((id, gate.circuit_state(now)?))).collect()
    }

    fn gates(&self) -> Vec<(String, Arc<Gate>)> {
        let hooks = lock(&self.hooks);
        hooks.iter().filter_map(|(id, gate)| Some((id.to_string(), gate.upgrade()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use hookwright_contract::HookType;

    use super::*;

    fn settings(limit: usize) -> CallSettings {
        CallSettings { max_concurrent: Some(limit), ..CallSettings::for_type(HookType::Token) }
    }

    impl Admission {
        fn room(&self, gate: &Arc<Gate>, settings: CallSettings) -> Result<Permit, CallFailure> {
            self.admit(gate, (settings, 32), None, Instant::now())
        }
    }

    #[test]
    fn a_hook_that_is_full_leaves_room_for_others() {
        let admission = Admission::new(3);
        let (busy, quiet) = (admission.gate("cal1", settings(2)), admission.gate("cal2", settings(2)));
        let permits = [admission.room(&busy, settings(2)).unwrap(), admission.room(&busy, settings(2)).unwrap()];
        let failure = admission.room(&busy, settings(2)).unwrap_err();
        assert_eq!(failure, CallFailure::AtCapacity { scope: CapacityScope::Hook, limit: 2 });
        let last = admission.room(&quiet, settings(2)).unwrap();
        let failure = admission.room(&quiet, settings(2)).unwrap_err();
        assert_eq!(failure, CallFailure::AtCapacity { scope: CapacityScope::All, limit: 3 });
        assert_eq!((admission.under_way(), quiet.under_way()), (3, 1));
        drop((permits, last));
        assert_eq!((admission.under_way(), busy.under_way(), quiet.under_way()), (0, 0, 0));
    }

    #[test]
    fn places_are_shared_by_those_who_ask_and_given_back_with_their_calls() {
        let admission = Admission::new(64);
        let gate = admission.gate("cal1", settings(32));
        let ask = |network: u32| {
            let asker = Asker::Network(std::net::IpAddr::V4(network.into()));
            admission.admit(&gate, (settings(32), 32), Some(asker), Instant::now())
        };
        let mut permits: Vec<Permit> = (0..4).map(|_| ask(1).unwrap()).collect();
        let refused = ask(1).unwrap_err();
        assert_eq!(refused, CallFailure::AtCapacity { scope: CapacityScope::Share, limit: 32 });
        assert!(refused.to_string().contains("one client"), "{refused}");
        permits.extend((2..30).map(|network| ask(network).unwrap()));
        assert_eq!(ask(99).unwrap_err(), CallFailure::AtCapacity { scope: CapacityScope::Hook, limit: 32 });
        assert_eq!((gate.under_way(), admission.under_way()), (32, 32));
        drop(permits);
        assert_eq!((gate.under_way(), admission.under_way()), (0, 0));
        assert!((0..4).map(|_| ask(1)).collect::<Result<Vec<_>, _>>().is_ok());
    }

    #[test]
    fn a_hook_prepared_twice_has_one_gate() {
        let admission = Admission::new(8);
        let first = admission.gate("cal1", settings(1));
        let _permit = admission.room(&first, settings(1)).unwrap();
        assert!(admission.room(&admission.gate("cal1", settings(1)), settings(1)).is_err());
        assert_eq!(admission.by_hook(), [("cal1".to_owned(), 1)]);
    }

    #[test]
    fn gates_of_forgotten_hooks_are_forgotten_too() {
        let admission = Admission::new(8);
        for hook in 0..100 {
            admission.gate(&format!("cal{hook}"), settings(1));
        }
        assert!(admission.hooks.lock().unwrap().len() <= 2);
    }

    const RULE: BreakerRule = BreakerRule { failures: NonZeroU32::new(1).unwrap(), open: Duration::from_secs(3600) };

    #[test]
    fn calls_that_the_circuit_stops_count_for_no_other_limit() {
        let admission = Admission::new(8);
        let limit = NonZeroU32::new(2).unwrap();
        let settings = CallSettings { breaker: Some(RULE), max_per_second: Some(limit), ..settings(1) };
        let gate = admission.gate("cal1", settings);
        admission.room(&gate, settings).unwrap().end(true);
        for _ in 0..5 {
            assert_eq!(admission.room(&gate, settings).unwrap_err(), CallFailure::CircuitOpen);
        }
        assert_eq!((gate.under_way(), admission.under_way()), (0, 0));
        assert_eq!(admission.circuits(Instant::now()), [("cal1".to_owned(), CircuitState::Open)]);
        // An hour later, by which no other limit has room left.
        let later = Instant::now() + RULE.open;
        let probe = admission.admit(&gate, (settings, 32), None, later).unwrap();
        probe.end(false);
        assert_eq!(admission.circuits(later), [("cal1".to_owned(), CircuitState::Closed)]);
    }

    #[test]
    fn a_probe_that_another_limit_refuses_or_that_panics_does_not_keep_the_circuit_shut() {
        let admission = Admission::new(8);
        let limit = NonZeroU32::new(1).unwrap();
        let settings = CallSettings { breaker: Some(RULE), max_per_second: Some(limit), ..settings(1) };
        let gate = admission.gate("cal1", settings);
        let at = |millis| {
            admission.admit(&gate, (settings, 32), None, Instant::now() + RULE.open * 2 + Duration::from_millis(millis))
        };
        admission.room(&gate, settings).unwrap().end(true);
        drop(at(0).unwrap());
        assert_eq!(at(1).unwrap_err(), CallFailure::RateLimited { limit });
        at(2000).unwrap().end(false);
        assert_eq!(gate.circuit_state(Instant::now()), Some(CircuitState::Closed));
    }

    #[test]
    fn a_circuit_that_is_not_wanted_any_more_is_forgotten() {
        let admission = Admission::new(8);
        let with = CallSettings { breaker: Some(RULE), ..settings(1) };
        let gate = admission.gate("cal1", with);
        admission.room(&gate, with).unwrap().end(true);
        admission.gate("cal1", settings(1));
        assert!(admission.circuits(Instant::now()).is_empty());
        assert!(admission.room(&gate, settings(1)).is_ok());
    }
}
