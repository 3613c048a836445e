//! How many calls of a hook may begin within a second: exactly, in any second, and without a queue.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// What the limit is counted over.
const WINDOW: Duration = Duration::from_secs(1);

/// When the calls of the last second began.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    begun: VecDeque<Instant>,
}

impl Rate {
    /// Counts a call that begins now, if fewer than `limit` began within the second before.
    pub(crate) fn admit(&mut self, limit: NonZeroU32, now: Instant) -> bool {
        while self.begun.front().is_some_and(|begun| now.saturating_duration_since(*begun) >= WINDOW) {
            self.begun.pop_front();
        }
        let room = u32::try_from(self.begun.len()).is_ok_and(|count| count < limit.get());
        if room {
            self.begun.push_back(now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_finds_room_again_a_second_after_the_first() {
        let (start, limit) = (Instant::now(), NonZeroU32::new(2).unwrap());
        let mut rate = Rate::default();
        let mut at = |millis| rate.admit(limit, start + Duration::from_millis(millis));
        assert!(at(0) && at(600));
        assert!(!at(601) && !at(999));
        assert!(at(1000));
        assert!(!at(1599));
        assert!(at(1600));
    }

    #[test]
    fn a_lower_limit_holds_for_calls_that_were_counted_before() {
        let start = Instant::now();
        let mut rate = Rate::default();
        for _ in 0..5 {
            assert!(rate.admit(NonZeroU32::new(5).unwrap(), start));
        }
        assert!(!rate.admit(NonZeroU32::new(3).unwrap(), start + Duration::from_millis(999)));
        assert!(rate.admit(NonZeroU32::new(3).unwrap(), start + Duration::from_millis(1000)));
    }

    proptest! {
        #[test]
        fn no_second_holds_more_calls_than_the_limit(
            limit in 1_u32..6,
            pauses in prop::collection::vec(0_u64..700, 1..60),
        ) {
            let (start, limit) = (Instant::now(), NonZeroU32::new(limit).unwrap());
            let (mut rate, mut now, mut begun) = (Rate::default(), 0, Vec::new());
            for pause in pauses {
                now += pause;
                let recent = begun.iter().filter(|begun| now - **begun < 1000).count();
                let admitted = rate.admit(limit, start + Duration::from_millis(now));
                prop_assert_eq!(admitted, recent < limit.get() as usize);
                if admitted {
                    begun.push(now);
                }
            }
        }
    }
}
