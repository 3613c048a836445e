//! One run as a line of JSON, the form in which runs travel from `load` and `baseline` to `figures`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::process::Memory;
use crate::tally::Tally;

/// The result of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What was measured and on whom, as `figure/target`.
    pub tag: String,
    /// Metrics by name; the name ends with the unit. A metric that a run does not have is absent.
    pub metrics: BTreeMap<String, f64>,
    /// How often each status came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// What the first of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    /// A run without any metric yet.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self { tag: tag.to_owned(), ..Self::default() }
    }

    /// The counts of a run that was measured for `seconds`.
    #[must_use]
    pub fn of_tally(tag: &str, tally: &Tally, seconds: Duration) -> Self {
        let mut summary = Self::new(tag);
        let requests = as_float(tally.latencies.len());
        summary.set("requests", requests);
        summary.set("seconds", seconds.as_secs_f64());
        if seconds > Duration::ZERO {
            summary.set("requests_per_s", requests / seconds.as_secs_f64());
        }
        for (name, quantile) in [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("max_ms", 1.0)] {
            summary.set_quantile(name, &tally.latencies, quantile);
        }
        summary.set_quantile("lag_p99_ms", &tally.lags, 0.99);
        summary.statuses.clone_from(&tally.statuses);
        summary.errors = tally.errors;
        summary.first_error.clone_from(&tally.first_error);
        summary
    }

    /// Sets a metric.
    pub fn set(&mut self, name: &str, value: f64) {
        self.metrics.insert(name.to_owned(), value);
    }

    /// Sets the CPU time that a server used for each request of the run.
    pub fn set_cpu_time(&mut self, used: Duration) {
        if let Some(requests) = self.metrics.get("requests").copied().filter(|requests| *requests > 0.0) {
            self.set("cpu_us_a_request", used.as_secs_f64() * 1e6 / requests);
        }
    }

    /// Sets the memory that a server holds and held at most.
    pub fn set_memory(&mut self, memory: Memory) {
        self.set("resident_mb", megabytes(memory.resident));
        self.set("peak_mb", megabytes(memory.peak));
    }

    fn set_quantile(&mut self, name: &str, histogram: &Histogram<u64>, quantile: f64) {
        if !histogram.is_empty() {
            self.set(name, as_float(histogram.value_at_quantile(quantile)) / 1000.0);
        }
    }

    /// Requests that were not answered with a status of 200 to 299.
    #[must_use]
    pub fn failed(&self) -> u64 {
        let refused: u64 =
            self.statuses.iter().filter(|(status, _)| !(200..300).contains(*status)).map(|(_, count)| count).sum();
        refused + self.errors
    }

    /// Writes the line to stdout.
    ///
    /// # Errors
    ///
    /// When stdout is closed.
    pub fn print(&self) -> anyhow::Result<()> {
        let line = serde_json::to_string(self)?;
        writeln!(std::io::stdout().lock(), "{line}").context("stdout")
    }
}

/// Counts here stay far below the 2^53 from which a float would round them.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

fn megabytes(bytes: u64) -> f64 {
    as_float(bytes) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_rates_quantiles_and_cpu_time_a_request() {
        let mut tally = Tally::new().unwrap();
        for latency_us in 1..=1000 {
            tally.answer(200, Duration::from_micros(latency_us), true);
        }
        tally.answer(503, Duration::from_secs(1), false);
        tally.error(&"cut off");
        let mut summary = Summary::of_tally("execute/nginx", &tally, Duration::from_secs(2));
        summary.set_cpu_time(Duration::from_millis(20));
        assert_eq!(summary.metrics["requests_per_s"], 500.0);
        assert!((summary.metrics["p50_ms"] - 0.5).abs() < 0.01);
        assert!((summary.metrics["p99_ms"] - 0.99).abs() < 0.01);
        assert_eq!(summary.metrics["cpu_us_a_request"], 20.0);
        assert!(!summary.metrics.contains_key("lag_p99_ms"));
        assert_eq!(summary.failed(), 2);
    }

    #[test]
    fn a_summary_survives_its_line_of_json() {
        let mut summary = Summary::new("idle/hookwright");
        summary.set_memory(Memory { resident: 1_000_000, peak: 2_000_000 });
        let line = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&line).unwrap(), summary);
        assert_eq!(line, r#"{"tag":"idle/hookwright","metrics":{"peak_mb":2.0,"resident_mb":1.0}}"#);
    }
}
