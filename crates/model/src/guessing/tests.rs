//! Unit tests of the waits and the lock.

use proptest::prelude::*;

use super::*;

fn failures(count: i64) -> Failures {
    Failures { count, first: Timestamp::from_millis(0), last: Timestamp::from_millis(10_000) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

#[test]
fn each_count_has_its_waits() {
    let counts = [0, 1, 2, 3, 4, 19, 20, 50, 99, 100, 5_000];
    for (counted, waits) in [
        (Counted::Network, [0, 1, 3, 5, 10, 10, 10, 10, 10, 10, 10]),
        (Counted::Site, [0, 0, 0, 0, 0, 0, 3_600, 3_600, 3_600, 3_600, 3_600]),
        (Counted::Account, [0, 0, 0, 0, 0, 0, 0, 0, 0, 86_400, 86_400]),
        (Counted::Device, [0, 1, 3, 5, 10, 10, 10, 10, 10, 86_400, 86_400]),
    ] {
        assert_eq!(counts.map(|count| counted.wait(count).as_secs()), waits, "{counted:?}");
    }
}

#[test]
fn a_try_is_open_when_the_wait_is_over_and_not_before() {
    let may_try = |millis| failures(1).may_try(Counted::Network, Timestamp::from_millis(millis));
    assert!(!may_try(10_999));
    assert!(may_try(11_000));
    assert!(!may_try(0), "a clock that was set back a little opens nothing");
}

#[test]
fn a_failure_that_was_noted_with_the_clock_ahead_delays_nobody() {
    let year = 365 * 24 * 60 * 60;
    let ahead = Failures { count: 100, first: at(year), last: at(year) };
    for counted in [Counted::Network, Counted::Site, Counted::Account, Counted::Device] {
        assert!(ahead.may_try(counted, at(0)), "{counted:?}");
        // One more failure, and the wait counts from now.
        let noted = ahead.noted(at(0));
        assert_eq!((noted.count, noted.first, noted.last), (101, at(0), at(0)));
        assert!(!noted.may_try(counted, at(0)), "{counted:?}");
        let wait = i64::try_from(counted.wait(101).as_secs()).unwrap();
        assert!(noted.may_try(counted, at(wait)), "{counted:?}");
    }
    assert_eq!(ahead.address_wait(at(0)), None);
    assert_eq!(ahead.noted(at(0)).address_wait(at(0)), Some(ADDRESS_WINDOW));
}

#[test]
fn an_address_waits_for_the_end_of_its_window() {
    assert_eq!(failures(9).address_wait(Timestamp::from_millis(20_000)), None);
    assert_eq!(failures(10).address_wait(Timestamp::from_millis(20_000)), Some(Duration::from_secs(40)));
    assert_eq!(failures(10).address_wait(Timestamp::from_millis(60_000)), None);
}

#[test]
fn the_count_begins_again_after_a_day() {
    let day = 24 * 60 * 60;
    let many = Failures { count: 50, first: at(0), last: at(100) };
    assert_eq!(many.noted(at(day)).count, 51);
    assert_eq!(many.noted(at(day + 1)), Failures { count: 1, first: at(day + 1), last: at(day + 1) });
}

/// A name, and those who guess: each from a network of a site.
#[derive(Default)]
struct Attack {
    networks: std::collections::HashMap<(u8, u8), Failures>,
    sites: std::collections::HashMap<u8, Failures>,
    account: Failures,
    tries: usize,
}

impl Attack {
    fn guess(&mut self, site: u8, network: u8, now: Timestamp) {
        let seen = Guesses {
            network: self.networks.get(&(site, network)).copied().unwrap_or_default(),
            site: self.sites.get(&site).copied().unwrap_or_default(),
            account: self.account,
        };
        if !seen.may_try(now) {
            return;
        }
        let after = seen.after_failure(now);
        self.networks.insert((site, network), after.network);
        self.sites.insert(site, after.site);
        self.account = after.account;
        self.tries += 1;
    }

    fn is_locked(&self, now: Timestamp) -> bool {
        Guesses { account: self.account, ..Guesses::default() }.is_locked(now)
    }
}

proptest! {
    #[test]
    fn nobody_locks_an_account_from_one_site(tries in prop::collection::vec((any::<u8>(), 0_i64..3_700), 1..800)) {
        let (mut attack, mut now) = (Attack::default(), 0);
        for (network, pause) in tries {
            now += pause;
            attack.guess(0, network, at(now));
            prop_assert!(!attack.is_locked(at(now)), "after {} tries", attack.tries);
        }
    }

    #[test]
    fn all_guessers_together_have_few_tries(
        tries in prop::collection::vec((0_u8..12, any::<u8>(), 0_i64..120), 1..2_000),
    ) {
        let (mut attack, mut now) = (Attack::default(), 0);
        for (site, network, pause) in tries {
            now += pause;
            attack.guess(site, network, at(now));
        }
        let days = usize::try_from(now / 86_400 + 1).unwrap();
        // What counts against the account, and what each site may try by the hour beyond that.
        prop_assert!(attack.tries <= days * (100 + 12 * 24), "{} tries in {days} days", attack.tries);
    }
}

#[test]
fn many_sites_lock_an_account_and_the_lock_ends_after_a_day() {
    let mut attack = Attack::default();
    for number in 0..100_u8 {
        assert!(!attack.is_locked(at(0)), "{number}");
        attack.guess(number / 10, number, at(0));
    }
    assert!(attack.is_locked(at(0)) && attack.is_locked(at(86_399)));
    attack.guess(200, 0, at(10));
    assert_eq!(attack.tries, 100, "a try that comes too early counts nothing");
    assert!(!attack.is_locked(at(86_400)));
}
