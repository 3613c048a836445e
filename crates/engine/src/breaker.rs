//! The circuit breaker of a hook: after so many failures in a row, calls fail at once, until one that tries again goes well.
//!
//! Pure: the present is passed in. What counts as a failure is for the caller to say.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRule {
    /// Failures in a row that open it.
    pub failures: NonZeroU32,
    /// How long no call is made, before one may try again.
    pub open: Duration,
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// Calls are made.
    Closed,
    /// The time is up: the next call tries whether the service is well, or is doing so now.
    HalfOpen,
    /// No call is made.
    Open,
}

/// The state of one hook's circuit.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: State,
    /// Counts the changes of state: the end of a call that began before the last change says nothing about the present.
    era: u64,
}

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One call tries.
    Probing,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// The right to make a call through the circuit; its end has to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    era: u64,
}

impl Breaker {
    /// Lets a call through, unless the circuit is open or another call is trying it.
    pub(crate) fn admit(&mut self, now: Instant) -> Option<Pass> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } if now >= until => self.turn(State::Probing),
            State::Open { .. } | State::Probing => return None,
        }
        Some(Pass { era: self.era })
    }

    /// Takes note of how a call ended.
    pub(crate) fn report(&mut self, pass: Pass, rule: BreakerRule, failed: bool, now: Instant) {
        if pass.era != self.era {
            return;
        }
        let open = State::Open { until: now + rule.open };
        match (&mut self.state, failed) {
            (State::Closed { failures }, true) => {
                *failures = failures.saturating_add(1);
                if *failures >= rule.failures.get() {
                    self.turn(open);
                }
            }
            (State::Closed { failures }, false) => *failures = 0,
            (State::Probing, true) => self.turn(open),
            (State::Probing, false) => self.turn(State::default()),
            // Nobody is let through, so nobody can come back.
            (State::Open { .. }, _) => {}
        }
    }

    /// Takes note of a call that was let through and then not made, for another reason.
    pub(crate) fn give_back(&mut self, pass: Pass, now: Instant) {
        if pass.era == self.era && matches!(self.state, State::Probing) {
            self.turn(State::Open { until: now });
        }
    }

    /// How the circuit stands.
    pub(crate) fn state(&self, now: Instant) -> CircuitState {
        match self.state {
            State::Closed { .. } => CircuitState::Closed,
            State::Probing => CircuitState::HalfOpen,
            State::Open { until } if now >= until => CircuitState::HalfOpen,
            State::Open { .. } => CircuitState::Open,
        }
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.era = self.era.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: BreakerRule = BreakerRule { failures: NonZeroU32::new(3).unwrap(), open: Duration::from_secs(10) };

    /// A circuit with the time of its test.
    struct Bench {
        breaker: Breaker,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { breaker: Breaker::default(), now: Instant::now() }
        }

        fn admit(&mut self) -> Option<Pass> {
            self.breaker.admit(self.now)
        }

        fn report(&mut self, pass: Pass, failed: bool) {
            self.breaker.report(pass, RULE, failed, self.now);
        }

        /// One call from its beginning to its end.
        fn call(&mut self, failed: bool) {
            let pass = self.admit().unwrap();
            self.report(pass, failed);
        }

        fn pass_time(&mut self, time: Duration) {
            self.now += time;
        }

        fn state(&self) -> CircuitState {
            self.breaker.state(self.now)
        }
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row_and_no_sooner() {
        let mut bench = Bench::new();
        for failed in [true, true, false, true, true] {
            bench.call(failed);
            assert_eq!(bench.state(), CircuitState::Closed);
        }
        bench.call(true);
        assert_eq!(bench.state(), CircuitState::Open);
        assert_eq!(bench.admit(), None);
        bench.pass_time(Duration::from_millis(9_999));
        assert_eq!(bench.admit(), None);
    }

    #[test]
    fn one_call_tries_again_and_its_end_decides() {
        let mut bench = Bench::new();
        (0..3).for_each(|_| bench.call(true));
        bench.pass_time(RULE.open);
        assert_eq!(bench.state(), CircuitState::HalfOpen);
        let probe = bench.admit().unwrap();
        assert_eq!(bench.admit(), None, "only one");
        bench.report(probe, true);
        assert_eq!((bench.state(), bench.admit()), (CircuitState::Open, None));
        bench.pass_time(RULE.open);
        bench.call(false);
        assert_eq!(bench.state(), CircuitState::Closed);
        bench.call(true);
        assert_eq!(bench.state(), CircuitState::Closed, "the count began anew");
    }

    #[test]
    fn calls_that_began_before_it_opened_change_nothing_when_they_end() {
        let mut bench = Bench::new();
        let late = [bench.admit().unwrap(), bench.admit().unwrap()];
        (0..3).for_each(|_| bench.call(true));
        bench.report(late[0], false);
        assert_eq!(bench.state(), CircuitState::Open);
        bench.pass_time(RULE.open);
        let probe = bench.admit().unwrap();
        bench.report(late[1], false);
        assert_eq!(bench.state(), CircuitState::HalfOpen);
        bench.report(probe, true);
        assert_eq!(bench.state(), CircuitState::Open);
    }

    #[test]
    fn a_probe_that_was_not_made_leaves_the_place_to_the_next() {
        let mut bench = Bench::new();
        (0..3).for_each(|_| bench.call(true));
        bench.pass_time(RULE.open);
        let probe = bench.admit().unwrap();
        bench.breaker.give_back(probe, bench.now);
        bench.call(false);
        assert_eq!(bench.state(), CircuitState::Closed);
    }

    proptest! {
        /// Calls begin, end well or badly, and time passes, in any order.
        #[test]
        fn whatever_happens_a_service_that_is_well_again_is_called_again(
            steps in prop::collection::vec((0_u8..5, any::<prop::sample::Index>()), 0..80),
        ) {
            let mut bench = Bench::new();
            let mut under_way = Vec::new();
            for (step, which) in steps {
                match step {
                    0 | 1 => under_way.extend(bench.admit()),
                    2 | 3 if !under_way.is_empty() => {
                        let pass = under_way.swap_remove(which.index(under_way.len()));
                        bench.report(pass, step == 2);
                    }
                    _ => bench.pass_time(Duration::from_secs(4)),
                }
                if bench.state() == CircuitState::Open {
                    prop_assert_eq!(bench.admit(), None);
                }
            }
            // All calls end; then the service is well.
            for pass in under_way {
                bench.report(pass, true);
            }
            bench.pass_time(RULE.open);
            bench.call(false);
            prop_assert_eq!(bench.state(), CircuitState::Closed);
        }
    }
}
