//! Who gets the places of a hook when there are few: nobody may take so many that others find none.
//!
//! Calls are never queued and never cut off, so a place that was given is gone until its call ends. What keeps room for others
//! is how it is given: a network of visitors may take another place only while it has fewer than a part of those that are
//! *free*. The more networks ask, the fewer are free, and the fewer each of them gets (dynamic thresholds, as in the buffers of
//! switches: Choudhury and Hahne, 1998). A network that has no place may take the last one.

use std::net::IpAddr;

/// A network may have as many places as one of these parts of the free ones.
const PARTS: usize = 7;

/// As many places a network may have beside any number of others, as long as a quarter is free.
const AT_LEAST: usize = 2;

/// On whose behalf a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Visitors of one network, whom nobody knows.
    Network(IpAddr),
    /// An administrator, by a number that tells them apart. They may have all places while nobody else has one, and else
    /// an equal part.
    Administrator(u64),
}

/// How many places each asker has.
#[derive(Debug, Default)]
pub(crate) struct Shares(Vec<(Asker, usize)>);

impl Shares {
    /// The asker has another place, if it may: `used` of the `limit` places are taken.
    pub(crate) fn take(&mut self, asker: Asker, used: usize, limit: usize) -> bool {
        let own = self.of(asker);
        if !may_take(asker, own, used, limit, self.0.len() + usize::from(own == 0)) {
            return false;
        }
        match self.0.iter_mut().find(|(other, _)| *other == asker) {
            Some((_, count)) => *count += 1,
            None => self.0.push((asker, 1)),
        }
        true
    }

    /// How many places the asker has.
    pub(crate) fn of(&self, asker: Asker) -> usize {
        self.0.iter().find(|(other, _)| *other == asker).map_or(0, |(_, count)| *count)
    }

    /// The asker gives one place back.
    pub(crate) fn give_back(&mut self, asker: Asker) {
        if let Some(index) = self.0.iter().position(|(other, _)| *other == asker)
            && let Some((_, count)) = self.0.get_mut(index)
        {
            *count -= 1;
            if *count == 0 {
                self.0.swap_remove(index);
            }
        }
    }
}

/// Whether an asker with `own` places may take another one, beside as many `askers`, itself among them.
fn may_take(asker: Asker, own: usize, used: usize, limit: usize, askers: usize) -> bool {
    let free = limit.saturating_sub(used);
    if free == 0 || own == 0 {
        return free > 0;
    }
    match asker {
        Asker::Network(_) => own * PARTS < free || (own < AT_LEAST && free > limit / 4),
        Asker::Administrator(_) => own < limit.div_ceil(askers.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 32;

    fn network(number: u32) -> Asker {
        Asker::Network(IpAddr::V4(number.into()))
    }

    /// A gate as the rule sees it.
    #[derive(Default)]
    struct Gate {
        shares: Shares,
        used: usize,
    }

    impl Gate {
        fn take(&mut self, asker: Asker, limit: usize) -> bool {
            let taken = self.shares.take(asker, self.used, limit);
            self.used += usize::from(taken);
            taken
        }

        fn give_back(&mut self, asker: Asker) {
            self.shares.give_back(asker);
            self.used -= 1;
        }

        /// Each of them takes what it gets, in turns.
        fn attacked_by(networks: u32) -> Self {
            let mut gate = Self::default();
            for _ in 0..LIMIT {
                for number in 0..networks {
                    gate.take(network(number), LIMIT);
                }
            }
            gate
        }
    }

    #[test]
    fn networks_that_take_all_they_get_leave_places_for_others() {
        let free: Vec<usize> = [1, 2, 4, 8, 16].map(|networks| LIMIT - Gate::attacked_by(networks).used).to_vec();
        assert_eq!(free, [28, 24, 20, 14, 7]);
        // One network after the other, the first ones take no more.
        let mut gate = Gate::default();
        for number in 0..8 {
            while gate.take(network(number), LIMIT) {}
        }
        assert_eq!(LIMIT - gate.used, 9);
    }

    #[test]
    fn two_networks_that_take_all_they_get_refuse_none_of_24_others() {
        let mut gate = Gate::attacked_by(2);
        assert!((0..24).all(|number| gate.take(network(100 + number), LIMIT)));
        assert!(!gate.take(network(200), LIMIT), "full is full");
        // What an attacker gives back goes to somebody else.
        gate.give_back(network(0));
        assert!(!gate.take(network(0), LIMIT) && gate.take(network(200), LIMIT));
    }

    #[test]
    fn hooks_with_few_places_are_shared_too() {
        for (limit, most) in [(1, 1), (2, 2), (3, 2), (4, 2), (8, 2), (16, 2), (32, 4), (64, 8), (256, 32)] {
            let mut gate = Gate::default();
            while gate.take(network(1), limit) {}
            assert_eq!(gate.used, most, "{limit}");
        }
    }

    #[test]
    fn an_administrator_has_all_places_alone_and_half_beside_another() {
        let mut gate = Gate::default();
        while gate.take(Asker::Administrator(1), LIMIT) {}
        assert_eq!(gate.used, LIMIT);
        gate.give_back(Asker::Administrator(1));
        assert!(gate.take(network(1), LIMIT));
        gate.give_back(Asker::Administrator(1));
        assert!(!gate.take(Asker::Administrator(1), LIMIT));
        assert!(gate.take(Asker::Administrator(2), LIMIT));
    }

    proptest! {
        #[test]
        fn whatever_others_do_a_newcomer_gets_a_free_place_and_no_place_is_given_twice(
            limit in 1_usize..40,
            steps in prop::collection::vec((0_u32..12, any::<bool>()), 1..300),
        ) {
            let (mut gate, mut held) = (Gate::default(), Vec::new());
            for (number, arrives) in steps {
                let asker = if number < 10 { network(number) } else { Asker::Administrator(number.into()) };
                if arrives {
                    let (own, used) = (gate.shares.of(asker), gate.used);
                    let taken = gate.take(asker, limit);
                    prop_assert!(own > 0 || taken == (used < limit));
                    if taken {
                        held.push(asker);
                    }
                } else if let Some(index) = held.iter().position(|other| *other == asker) {
                    gate.give_back(held.swap_remove(index));
                }
                prop_assert!(gate.used <= limit && gate.used == held.len());
                prop_assert_eq!(gate.shares.0.iter().map(|(_, count)| count).sum::<usize>(), held.len());
            }
        }

        #[test]
        fn up_to_eight_attackers_refuse_no_honest_network_while_a_quarter_would_be_enough_for_them(
            attackers in 1_u32..=8,
            steps in prop::collection::vec((any::<u16>(), 0_u8..10), 1..400),
        ) {
            let (mut gate, mut honest) = (Gate::default(), Vec::new());
            let mut next = 1000;
            for (chance, what) in steps {
                let attacker = network(u32::from(chance) % attackers);
                match what {
                    // Attackers ask all the time, and their calls end now and then.
                    0..=5 => drop(gate.take(attacker, LIMIT)),
                    6 if gate.shares.of(attacker) > 0 => gate.give_back(attacker),
                    7 | 8 if honest.len() < LIMIT / 4 => {
                        next += 1;
                        prop_assert!(gate.take(network(next), LIMIT), "refused with {} in use", gate.used);
                        honest.push(network(next));
                    }
                    9 if !honest.is_empty() => gate.give_back(honest.swap_remove(usize::from(chance) % honest.len())),
                    _ => {}
                }
            }
        }
    }
}
