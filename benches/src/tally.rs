//! Counts and latencies of one run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies are kept in microseconds to three digits, up to a minute.
const LONGEST_US: u64 = 60_000_000;

/// What came back within one run.
#[derive(Debug)]
pub struct Tally {
    /// Latencies of the answers counted, in microseconds.
    pub latencies: Histogram<u64>,
    /// How late requests left against their schedule, in microseconds (constant rate only).
    pub lags: Histogram<u64>,
    /// How often each status came, answers after the end of the run included.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer: refused, cut off, unreadable or too late.
    pub errors: u64,
    /// What the first of them was.
    pub first_error: Option<String>,
}

impl Tally {
    /// Nothing counted yet.
    ///
    /// # Errors
    ///
    /// Never in practice: the bounds of the histograms are constants that the library takes.
    pub fn new() -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST_US, 3)?;
        let lags = latencies.clone();
        Ok(Self { latencies, lags, statuses: BTreeMap::new(), errors: 0, first_error: None })
    }

    /// Counts an answer; its latency only when it came `within` the measured time.
    pub fn answer(&mut self, status: u16, latency: Duration, within: bool) {
        *self.statuses.entry(status).or_default() += 1;
        if within {
            self.latencies.saturating_record(microseconds(latency));
        }
    }

    /// Counts how late a request left.
    pub fn lag(&mut self, lag: Duration) {
        self.lags.saturating_record(microseconds(lag));
    }

    /// Counts a request that got no answer.
    pub fn error(&mut self, reason: &impl ToString) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(reason.to_string());
        }
    }

    /// Adds the counts of another part of the same run.
    ///
    /// # Errors
    ///
    /// Never in practice: both histograms have the same bounds.
    pub fn merge(&mut self, other: Self) -> anyhow::Result<()> {
        self.latencies.add(other.latencies)?;
        self.lags.add(other.lags)?;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        Ok(())
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_after_the_end_count_as_statuses_only() {
        let mut tally = Tally::new().unwrap();
        tally.answer(200, Duration::from_micros(150), true);
        tally.answer(503, Duration::from_secs(3), false);
        assert_eq!(tally.latencies.len(), 1);
        assert_eq!(tally.statuses, BTreeMap::from([(200, 1), (503, 1)]));
    }

    #[test]
    fn merging_adds_and_keeps_the_first_error() {
        let mut all = Tally::new().unwrap();
        for reason in ["refused", "cut off"] {
            let mut part = Tally::new().unwrap();
            part.answer(200, Duration::from_micros(10), true);
            part.lag(Duration::from_micros(5));
            part.error(&reason);
            all.merge(part).unwrap();
        }
        assert_eq!((all.latencies.len(), all.lags.len(), all.errors), (2, 2, 2));
        assert_eq!(all.statuses, BTreeMap::from([(200, 2)]));
        assert_eq!(all.first_error.as_deref(), Some("refused"));
    }

    #[test]
    fn a_latency_beyond_a_minute_is_kept_as_the_longest() {
        let mut tally = Tally::new().unwrap();
        tally.answer(200, Duration::from_secs(3600), true);
        assert!(tally.latencies.max() >= LONGEST_US);
    }
}
