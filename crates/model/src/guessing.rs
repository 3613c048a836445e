//! How long whoever guesses passwords has to wait, and what locks an account.
//!
//! A wrong password is counted in several ways, and each count has its own rule ([`Counted`]):
//!
//! * For the name *and the network* it came from (an IPv4 address, a /64 of IPv6) the waits grow from 1 to 10 seconds. A
//!   stranger slows down himself, and nobody elsewhere.
//! * For the name *and the site* around that network (a /24 of IPv4, a /48 of IPv6: what one customer of a hoster has) the wait
//!   is an hour from the twentieth failure on, and what fails after it counts no longer against the account. This is what keeps a
//!   single stranger from locking an account: within any day he brings at most 40 failures to its count (20, and 20 more if his
//!   day ends within the account's), of the 100 that lock it, however many addresses he has in that site. What he may try himself is
//!   44 passwords in a day at the most.
//! * For the *account*, over all networks: 100 failures lock it for a day, so that guessers who share the work have no more tries
//!   than that either. Three sites at least have to take part. The lock is the user's status LOCKED_OUT, which administrators see
//!   and lift.
//! * A *device* that the user signed in with before is counted for itself alone, by the waits of a network and a day from its
//!   hundredth failure on. No failure from elsewhere touches it, and no lock of the account.
//!
//! A try that comes too early proves nothing and counts nothing: else a wait could be kept up for ever from anywhere.

use std::time::Duration;

use crate::Timestamp;

/// So many failures within [`FORGETTING`] lock an account, or a device that keeps failing.
pub const FAILURES_TO_LOCK: i64 = 100;

/// How long an account stays locked, unless an administrator or a new password lifts it.
pub const LOCK: Duration = Duration::from_secs(24 * 60 * 60);

/// After so many failures from one site each further one waits for an hour, and counts against the account no longer.
pub const FAILURES_PER_SITE: i64 = 20;

/// How long a site waits after each failure from its twentieth on.
const SITE_WAIT: Duration = Duration::from_secs(60 * 60);

/// So long after the first failure the count begins again.
pub const FORGETTING: Duration = Duration::from_secs(24 * 60 * 60);

/// The most failures of one address in a minute, whatever the names.
const FAILURES_PER_ADDRESS: i64 = 10;

/// The window in which the failures of an address are counted.
pub const ADDRESS_WINDOW: Duration = Duration::from_secs(60);

/// How far the clocks of two nodes may be apart. What lies further ahead was noted by a clock that was wrong, and delays nobody.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// What failures are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A name and the network of whoever tries.
    Network,
    /// A name and the site around the network.
    Site,
    /// A name, from everywhere but known devices.
    Account,
    /// A device that the user signed in with before.
    Device,
}

/// The failures so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// When the first of them was.
    pub first: Timestamp,
    /// When the last of them was.
    pub last: Timestamp,
}

impl Counted {
    /// How long must pass after so many failures.
    #[must_use]
    pub const fn wait(self, count: i64) -> Duration {
        match (self, count) {
            (Self::Account | Self::Device, FAILURES_TO_LOCK..) => LOCK,
            (Self::Site, FAILURES_PER_SITE..) => SITE_WAIT,
            (Self::Account | Self::Site, _) | (_, i64::MIN..=0) => Duration::ZERO,
            (_, 1) => Duration::from_secs(1),
            (_, 2) => Duration::from_secs(3),
            (_, 3) => Duration::from_secs(5),
            (_, 4..) => Duration::from_secs(10),
        }
    }
}

impl Failures {
    /// Whether a password may be tried now.
    #[must_use]
    pub fn may_try(self, counted: Counted, now: Timestamp) -> bool {
        !is_within(self.last, counted.wait(self.count), now)
    }

    /// The failures after one more. The store does the same in one statement.
    #[must_use]
    pub fn noted(self, now: Timestamp) -> Self {
        let begins_again = self.count == 0 || self.first < now.minus(FORGETTING);
        let first = if begins_again || self.first > now { now } else { self.first };
        Self { count: if begins_again { 1 } else { self.count.saturating_add(1) }, first, last: now }
    }

    /// Whether an address has failed too often; how long until it may try again.
    #[must_use]
    pub fn address_wait(self, now: Timestamp) -> Option<Duration> {
        self.wait_within(FAILURES_PER_ADDRESS, ADDRESS_WINDOW, now)
    }

    /// The same for things that are counted as failures are: how long until there may be another one, if there were so many
    /// since the first within this window.
    #[must_use]
    pub fn wait_within(self, most: i64, window: Duration, now: Timestamp) -> Option<Duration> {
        (self.count >= most && is_within(self.first, window, now)).then(|| self.first.plus(window).since(now))
    }
}

/// Whether less than this time has passed since. A clock that was set back a little opens nothing.
pub(crate) fn is_within(since: Timestamp, duration: Duration, now: Timestamp) -> bool {
    now < since.plus(duration) && since <= now.plus(CLOCK_SKEW)
}

/// The failures of one name, as somebody sees them who tries it now from an unknown device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guesses {
    /// From the same network.
    pub network: Failures,
    /// From the same site.
    pub site: Failures,
    /// From everywhere.
    pub account: Failures,
}

impl Guesses {
    /// Whether a password may be tried now.
    #[must_use]
    pub fn may_try(&self, now: Timestamp) -> bool {
        self.network.may_try(Counted::Network, now)
            && self.site.may_try(Counted::Site, now)
            && self.account.may_try(Counted::Account, now)
    }

    /// Whether a failure now counts against the account.
    #[must_use]
    pub fn counts_against_account(&self, now: Timestamp) -> bool {
        self.site.noted(now).count <= FAILURES_PER_SITE
    }

    /// What they are after a failure.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> Self {
        let account = if self.counts_against_account(now) { self.account.noted(now) } else { self.account };
        Self { network: self.network.noted(now), site: self.site.noted(now), account }
    }

    /// Whether the account is locked against unknown devices.
    #[must_use]
    pub fn is_locked(&self, now: Timestamp) -> bool {
        !self.account.may_try(Counted::Account, now)
    }
}

#[cfg(test)]
mod tests;
