//! Okta's rate limits: so many calls a minute of each kind of path, counted per API token, or per address for those without.
//!
//! Each node counts in memory. Where there are several, a node tells the others of each count that has come to a twentieth of
//! its limit, and again with each further twentieth at once, or else after a tenth of a second. What it tells is the whole of
//! its count, so that a word that is lost is made good by the next. A caller who goes to several nodes therefore gets at most a
//! twentieth of the limit more for each further node, and what comes in while the word is on its way.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hookwright_model::Timestamp;
use tokio::sync::Notify;

/// A window is a minute, as Okta's are.
const WINDOW_SECONDS: i64 = 60;

/// How many callers are told apart within a minute. Those beyond are counted as one, so that a flood from everywhere takes no
/// more memory than this.
const MAX_COUNTS: usize = 65_536;

/// A node tells the others of this part of a limit at once.
const SHARES: u32 = 20;

/// Kinds of paths that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// `/api/v1/inlineHooks`.
    InlineHooks,
    /// `/api/v1/logs`.
    Logs,
    /// Everything else.
    Other,
}

impl RateClass {
    /// Calls a minute and token, as live orgs announce them.
    #[must_use]
    pub const fn limit(self) -> u32 {
        match self {
            Self::InlineHooks | Self::Other => 1000,
            Self::Logs => 120,
        }
    }

    /// How the nodes call it among themselves.
    const fn word(self) -> &'static str {
        match self {
            Self::InlineHooks => "hooks",
            Self::Logs => "logs",
            Self::Other => "other",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::InlineHooks, Self::Logs, Self::Other].into_iter().find(|class| class.word() == word)
    }

    const fn share(self) -> u32 {
        self.limit() / SHARES
    }
}

/// What the `X-Rate-Limit-*` headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// Calls a minute.
    pub limit: u32,
    /// Calls that are left in this minute.
    pub remaining: u32,
    /// When the minute ends, in seconds since the epoch.
    pub reset: i64,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

/// Counts calls per token and kind of path.
pub struct RateLimits {
    enforced: bool,
    windows: Mutex<Windows>,
    /// Whether there are other nodes to tell.
    is_shared: AtomicBool,
    /// There is something to tell at once.
    hurry: Arc<Notify>,
}

/// Who calls what.
type Key = (Box<str>, RateClass);

#[derive(Default)]
struct Windows {
    minute: i64,
    counts: HashMap<Key, Count>,
    /// What the other nodes are to be told of; each once.
    untold: Vec<Key>,
}

#[derive(Default)]
struct Count {
    /// Calls here.
    own: u32,
    /// How many of them the other nodes were told of.
    told: u32,
    /// Whether it stands in the list of what is to be told.
    is_listed: bool,
    /// Calls at other nodes, as far as they have told.
    others: Vec<(Box<str>, u32)>,
}

impl Count {
    fn total(&self) -> u32 {
        self.others.iter().fold(self.own, |total, (_, calls)| total.saturating_add(*calls))
    }

    /// Whether others are to be told, and are not about to be. Beyond the limit there is nothing more to tell.
    fn is_news(&self, class: RateClass) -> bool {
        self.own >= class.share().max(1) && self.own > self.told && self.told <= class.limit() && !self.is_listed
    }
}

impl Windows {
    /// Begins the minute that it is now, if it is another.
    fn at(&mut self, now: Timestamp) {
        let minute = now.as_millis().div_euclid(WINDOW_SECONDS * 1000);
        if self.minute != minute {
            self.minute = minute;
            self.counts.clear();
            self.untold.clear();
        }
    }

    /// The key that this caller is counted under: callers beyond the room there is are counted as one.
    fn key(&self, who: &str, class: RateClass) -> Key {
        let key = (who.into(), class);
        if self.counts.len() < MAX_COUNTS || self.counts.contains_key(&key) { key } else { (Box::default(), class) }
    }
}

impl RateLimits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced, windows: Mutex::default(), is_shared: AtomicBool::new(false), hurry: Arc::default() }
    }

    /// Counts one call and says how many are left. Nothing is counted, and all are left, where limits are off.
    pub fn count(&self, token_id: &str, class: RateClass, now: Timestamp) -> RateState {
        let limit = class.limit();
        let minute = now.as_millis().div_euclid(WINDOW_SECONDS * 1000);
        let reset = (minute + 1) * WINDOW_SECONDS;
        if !self.enforced {
            return RateState { limit, remaining: limit, reset, exceeded: false };
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.at(now);
        let key = windows.key(token_id, class);
        let Windows { counts, untold, .. } = &mut *windows;
        let Some(count) = counts.get_mut(&key) else {
            counts.insert(key, Count { own: 1, ..Count::default() });
            return RateState { limit, remaining: limit.saturating_sub(1), reset, exceeded: limit == 0 };
        };
        count.own = count.own.saturating_add(1);
        let total = count.total();
        if self.is_shared.load(Ordering::Relaxed) {
            if count.own - count.told == class.share() {
                self.hurry.notify_one();
            }
            if count.is_news(class) {
                count.is_listed = true;
                untold.push(key);
            }
        }
        RateState { limit, remaining: limit.saturating_sub(total), reset, exceeded: total > limit }
    }

    /// Wakes whoever tells the other nodes.
    pub(crate) fn hurry(&self) -> Arc<Notify> {
        Arc::clone(&self.hurry)
    }

    /// Says whether there are other nodes to tell.
    pub(crate) fn share(&self, is_shared: bool) {
        self.is_shared.store(is_shared, Ordering::Relaxed);
    }

    /// A node has come that was told nothing yet.
    pub(crate) fn tell_all(&self) {
        self.share(true);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let Windows { counts, untold, .. } = &mut *windows;
        for (key, count) in counts {
            count.told = 0;
            if count.is_news(key.1) {
                count.is_listed = true;
                untold.push(key.clone());
            }
        }
        drop(windows);
        self.hurry.notify_one();
    }

    /// What the other nodes are to be told, in texts of at most so many bytes.
    pub(crate) fn untold(&self, max_bytes: usize) -> Vec<String> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = windows.minute;
        let mut texts: Vec<String> = Vec::new();
        for key in std::mem::take(&mut windows.untold) {
            let Some(count) = windows.counts.get_mut(&key) else { continue };
            (count.told, count.is_listed) = (count.own, false);
            let (who, class) = key;
            let line = format!("{minute} {} {} {who}", class.word(), count.own);
            match texts.last_mut() {
                Some(text) if text.len() + line.len() < max_bytes => {
                    // Writing to a text can't fail.
                    let _ = write!(text, "\n{line}");
                }
                _ => texts.push(line),
            }
        }
        texts
    }

    /// What another node told. Of another minute than ours it is of no use; of the next one it will be told again.
    pub(crate) fn heard(&self, node: &str, text: &str, now: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.at(now);
        for line in text.lines() {
            let mut words = line.splitn(4, ' ');
            let minute: Option<i64> = words.next().and_then(|word| word.parse().ok());
            let class = words.next().and_then(RateClass::of);
            let calls: Option<u32> = words.next().and_then(|word| word.parse().ok());
            let (Some(minute), Some(class), Some(calls), Some(who)) = (minute, class, calls, words.next()) else {
                continue;
            };
            if windows.minute == minute {
                let key = windows.key(who, class);
                windows.counts.entry(key).or_default().set(node, calls);
            }
        }
    }
}

impl Count {
    /// Another node has counted so many. What it told before is less.
    fn set(&mut self, node: &str, calls: u32) {
        match self.others.iter_mut().find(|(other, _)| &**other == node) {
            Some((_, known)) => *known = calls.max(*known),
            None => self.others.push((node.into(), calls)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_after_the_last_is_one_too_many_until_the_next_minute() {
        let limits = RateLimits::new(true);
        let now = Timestamp::from_millis(59_999);
        for left in (0..120).rev() {
            let state = limits.count("00T1", RateClass::Logs, now);
            assert_eq!((state.remaining, state.exceeded, state.reset), (left, false, 60));
        }
        assert!(limits.count("00T1", RateClass::Logs, now).exceeded);
        assert!(!limits.count("00T2", RateClass::Logs, now).exceeded);
        assert!(!limits.count("00T1", RateClass::InlineHooks, now).exceeded);
        assert_eq!(limits.count("00T1", RateClass::Logs, Timestamp::from_millis(60_000)).remaining, 119);
    }

    #[test]
    fn a_flood_from_everywhere_is_counted_as_one_and_leaves_those_who_were_there_alone() {
        let limits = RateLimits::new(true);
        let now = Timestamp::from_millis(0);
        let count = |who: &str| limits.count(who, RateClass::Other, now);
        count("00T1");
        for number in 1..MAX_COUNTS {
            assert_eq!(count(&number.to_string()).remaining, 999);
        }
        let refused = (0..2000).filter(|number| count(&format!("late {number}")).exceeded).count();
        assert_eq!(refused, 1000);
        assert_eq!(count("00T1").remaining, 998);
        assert_eq!(limits.windows.lock().unwrap().counts.len(), MAX_COUNTS + 1);
    }

    #[test]
    fn limits_that_are_off_leave_everything() {
        let limits = RateLimits::new(false);
        for _ in 0..2000 {
            assert_eq!(limits.count("00T1", RateClass::Logs, Timestamp::from_millis(0)).remaining, 120);
        }
    }

    #[test]
    fn two_nodes_that_tell_each_other_count_as_one() {
        let (one, two) = (RateLimits::new(true), RateLimits::new(true));
        let now = Timestamp::from_millis(0);
        for (node, limits) in [("two", &one), ("one", &two)] {
            limits.heard(node, "", now);
            limits.tell_all();
        }
        let mut let_through = 0;
        for round in 0..2000 {
            let here = if round % 2 == 0 { &one } else { &two };
            let_through += u32::from(!here.count("00T1", RateClass::InlineHooks, now).exceeded);
            if round % 16 == 0 {
                one.untold(8000).iter().for_each(|text| two.heard("one", text, now));
                two.untold(8000).iter().for_each(|text| one.heard("two", text, now));
            }
        }
        // What is below a twentieth is not told at all; beyond it, what was counted since the last word.
        assert!((1000..=1050 + 16).contains(&let_through), "{let_through}");
    }

    #[test]
    fn what_is_told_is_the_whole_count_and_fits_into_the_texts() {
        let (one, two) = (RateLimits::new(true), RateLimits::new(true));
        let now = Timestamp::from_millis(61_000);
        one.tell_all();
        for number in 0..40 {
            for _ in 0..=number {
                one.count(&format!("token {number}"), RateClass::Logs, now);
            }
        }
        let texts = one.untold(200);
        assert!(texts.iter().all(|text| text.len() <= 200) && texts.len() > 1, "{texts:?}");
        texts.iter().for_each(|text| two.heard("one", text, now));
        two.heard("one", "1 logs 3 token 39\nnonsense\n0 logs 99 token 38", now);
        assert_eq!(two.count("token 39", RateClass::Logs, now).remaining, 120 - 41);
        assert_eq!(two.count("token 38", RateClass::Logs, now).remaining, 120 - 40);
        assert_eq!(two.count("token 4", RateClass::Logs, now).remaining, 119, "it is below a share");
        assert!(one.untold(200).is_empty());
        one.count("token 39", RateClass::Logs, now);
        assert_eq!(one.untold(200), ["1 logs 41 token 39"]);
        one.tell_all();
        assert_eq!(one.untold(8000).len(), 1);
    }
}
