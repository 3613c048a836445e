//! Who is connected: how many in all and from each address, and who goes when the house is full.
//!
//! When there is no place left, the connection that was idle the longest makes room for the newcomer, so that nobody can keep
//! others out by holding connections open. Requests under way are never cut off.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookwright_model::address::Network;
use hookwright_model::client_address::counted_address;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Stands for the time since when a connection is idle while it is not.
const BUSY: u64 = u64::MAX;

/// All connections of a server.
pub(crate) struct Connections {
    most: usize,
    most_per_address: usize,
    /// Proxies in front, which speak for many.
    proxies: Vec<Network>,
    began: Instant,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    next: u64,
    all: HashMap<u64, Arc<Member>>,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection.
struct Member {
    /// What it is counted under, unless it comes from a proxy.
    address: Option<IpAddr>,
    /// When its last request ended, in microseconds since the server began; at first, when it was accepted.
    idle_since: AtomicU64,
    told_to_leave: Notify,
}

/// A place among the connections; given back when dropped.
pub(crate) struct Seat {
    connections: Arc<Connections>,
    number: u64,
    member: Arc<Member>,
}

impl Connections {
    /// Nobody yet.
    pub(crate) fn new(most: usize, most_per_address: usize, proxies: Vec<Network>) -> Self {
        Self { most, most_per_address, proxies, began: Instant::now(), members: Mutex::default() }
    }

    /// A place for a newcomer; `None` if there is none and no idle connection that could go.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let is_proxy = self.proxies.iter().any(|network| network.contains(peer));
        let address = (!is_proxy).then(|| counted_address(peer));
        let mut members = self.lock();
        if let Some(address) = address
            && members.by_address.get(&address).is_some_and(|count| *count >= self.most_per_address)
        {
            members.dismiss_longest_idle(|member| member.address == Some(address))?;
        }
        if members.all.len() >= self.most {
            members.dismiss_longest_idle(|_| true)?;
        }
        let idle_since = AtomicU64::new(self.now());
        let member = Arc::new(Member { address, idle_since, told_to_leave: Notify::new() });
        let number = members.next;
        members.next += 1;
        members.all.insert(number, Arc::clone(&member));
        if let Some(address) = address {
            *members.by_address.entry(address).or_default() += 1;
        }
        Some(Seat { connections: Arc::clone(self), number, member })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(BUSY - 1)
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    /// Tells the one that was idle the longest to leave. Its place is free at once.
    fn dismiss_longest_idle(&mut self, may_go: impl Fn(&Member) -> bool) -> Option<()> {
        let idle = self.all.iter().filter(|(_, member)| may_go(member));
        let idle = idle.map(|(number, member)| (member.idle_since.load(Ordering::Relaxed), *number));
        let (_, number) = idle.filter(|(since, _)| *since != BUSY).min()?;
        let member = self.remove(number)?;
        member.told_to_leave.notify_one();
        Some(())
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Member>> {
        let member = self.all.remove(&number)?;
        if let Some(address) = member.address
            && let Some(count) = self.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(member)
    }
}

impl Seat {
    /// A request has begun.
    pub(crate) fn is_busy(&self) {
        self.member.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// Its answer is ready.
    pub(crate) fn is_idle(&self) {
        self.member.idle_since.store(self.connections.now(), Ordering::Relaxed);
    }

    /// Ends when somebody else needs the place.
    pub(crate) async fn dismissed(&self) {
        self.member.told_to_leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn is_dismissed(seat: &Seat) -> bool {
        seat.dismissed().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_one_goes_for_a_newcomer_and_busy_ones_stay() {
        let house = Arc::new(Connections::new(3, 2, Vec::new()));
        let mut seats = Vec::new();
        for number in 0..3 {
            seats.push(house.enter(address(&format!("192.0.2.{number}"))).unwrap());
            tokio::time::advance(std::time::Duration::from_millis(10)).await;
        }
        seats[0].is_busy();
        let newcomer = house.enter(address("192.0.2.9")).unwrap();
        assert_eq!(seats.iter().map(is_dismissed).collect::<Vec<_>>(), [false, true, false]);
        seats[0].is_idle();
        newcomer.is_busy();
        let another = house.enter(address("192.0.2.10")).unwrap();
        assert!(is_dismissed(&seats[2]) && !is_dismissed(&seats[0]));
        seats[0].is_busy();
        another.is_busy();
        assert!(house.enter(address("192.0.2.11")).is_none(), "nobody is idle");
        drop(seats);
        assert_eq!(house.lock().all.len(), 2);
        drop((newcomer, another));
        assert!(house.lock().all.is_empty() && house.lock().by_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_makes_room_for_itself_and_proxies_are_not_counted() {
        let proxies = vec!["198.51.100.0/24".parse().unwrap()];
        let house = Arc::new(Connections::new(100, 2, proxies));
        let other = house.enter(address("192.0.2.1")).unwrap();
        let network = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|it| house.enter(address(it)).unwrap());
        assert!(is_dismissed(&network[0]) && !is_dismissed(&network[1]) && !is_dismissed(&other));
        let proxied: Vec<Seat> = (0..50).map(|_| house.enter(address("198.51.100.7")).unwrap()).collect();
        assert!(!proxied.iter().any(is_dismissed));
        network[1].is_busy();
        network[2].is_busy();
        assert!(house.enter(address("2001:db8::4")).is_none());
    }
}
