//! The table: one row for each figure that was measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Figure, Reading, Verdict};
use crate::summary::Summary;

/// The figures of a set of runs.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
    lag_ms: Option<f64>,
}

/// When the client itself was later than this at the p99, its own delays stand in the latencies, in milliseconds.
const MOST_LAG_MS: f64 = 0.2;

#[derive(Debug)]
struct Row {
    cells: [String; 5],
    verdict: Option<Verdict>,
    failed: u64,
}

impl Table {
    /// Judges the runs; the n-th run with a tag belongs to the n-th round. Figures without any run are left out.
    #[must_use]
    pub fn new(figures: &[Figure], runs: &[Summary]) -> Self {
        let mut by_tag: BTreeMap<&str, Vec<&Summary>> = BTreeMap::new();
        for run in runs {
            by_tag.entry(&run.tag).or_default().push(run);
        }
        let lags: Vec<f64> = runs.iter().filter_map(|run| run.metrics.get("lag_p99_ms").copied()).collect();
        Self { rows: figures.iter().filter_map(|figure| row(figure, &by_tag)).collect(), lag_ms: median(&lags) }
    }

    /// Whether no goal is missed and no request failed.
    #[must_use]
    pub fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.failed == 0 && row.verdict != Some(Verdict::Missed))
    }
}

/// The value in the middle; of an even number the mean of the two.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

type Runs<'a> = BTreeMap<&'a str, Vec<&'a Summary>>;

fn row(figure: &Figure, runs: &Runs<'_>) -> Option<Row> {
    let ours = read(figure.hookwright, runs);
    let baseline = figure.baseline.map(|(name, reading)| (name, read(reading, runs)));
    if ours.is_empty() {
        return None;
    }
    let ratios: Vec<f64> = baseline
        .iter()
        // What a baseline adds can come out as nothing or less on a noisy machine; no ratio can be taken of that.
        .flat_map(|(_, values)| ours.iter().zip(values).filter(|(_, other)| **other > 0.0))
        .map(|(own, other)| own / other)
        .collect();
    let (value, ratio) = (median(&ours)?, median(&ratios));

    let judged_value = figure.value_goal.map(|goal| goal.judge(value));
    // A baseline that was not measured leaves the ratio open rather than missed.
    let judged_ratio = figure.ratio_goal.and_then(|goal| Some(goal.judge(ratio?)));
    let verdict = judged_value.into_iter().chain(judged_ratio).min();
    let goals = [figure.value_goal.map(|goal| goal.describe("")), figure.ratio_goal.map(|goal| goal.describe(" ×"))];
    let goals = goals.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let baseline_cell = baseline
        .and_then(|(name, values)| Some(format!("{} ({name})", number(median(&values)?, figure.digits))))
        .unwrap_or_else(|| "–".to_owned());
    Some(Row {
        cells: [
            figure.name.to_owned(),
            baseline_cell,
            number(value, figure.digits),
            ratio.map_or_else(|| "–".to_owned(), |ratio| spread(ratio, &ratios)),
            if goals.is_empty() { "–".to_owned() } else { goals },
        ],
        verdict,
        failed: failures(figure, runs),
    })
}

/// The value of each round.
fn read(reading: Reading, runs: &Runs<'_>) -> Vec<f64> {
    let metric = |tag: &str, name: &str| -> Vec<f64> {
        runs.get(tag).into_iter().flatten().filter_map(|run| run.metrics.get(name).copied()).collect()
    };
    let values = metric(reading.tag, reading.metric);
    match reading.minus {
        None => values.iter().map(|value| value * reading.scale).collect(),
        Some((tag, name)) => {
            values.iter().zip(metric(tag, name)).map(|(value, less)| (value - less) * reading.scale).collect()
        }
    }
}

/// Requests that failed in any run of the groups that the figure rests on: a fast refusal is no good figure, and a
/// figure beside calls that were refused says nothing either.
fn failures(figure: &Figure, runs: &Runs<'_>) -> u64 {
    let readings = figure.baseline.map(|(_, reading)| reading).into_iter().chain([figure.hookwright]);
    let groups: BTreeSet<&str> = readings.map(|reading| group(reading.tag)).collect();
    let failed = runs.iter().filter(|(tag, _)| groups.contains(group(tag))).flat_map(|(_, runs)| runs);
    failed.map(|run| run.failed()).sum()
}

/// The part of a tag before the slash.
fn group(tag: &str) -> &str {
    tag.split('/').next().unwrap_or(tag)
}

fn spread(ratio: f64, ratios: &[f64]) -> String {
    let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if ratios.len() < 2 { format!("{ratio:.2}") } else { format!("{ratio:.2} ({lowest:.2}–{highest:.2})") }
}

/// A number with a comma between thousands.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.map_or_else(|| format!("{sign}{grouped}"), |fraction| format!("{sign}{grouped}.{fraction}"))
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| figure | baseline | hookwright | ratio | goal | met? |")?;
        writeln!(formatter, "|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let met = match (row.failed, row.verdict) {
                (0, Some(Verdict::Aimed)) => "yes, the aim too".to_owned(),
                (0, Some(Verdict::Met)) => "yes".to_owned(),
                (0, Some(Verdict::Missed)) => "**no**".to_owned(),
                (0, None) => "–".to_owned(),
                (failed, _) => format!("**no**: {failed} requests failed"),
            };
            writeln!(formatter, "| {} | {met} |", row.cells.join(" | "))?;
        }
        if let Some(lag) = self.lag_ms.filter(|lag| *lag > MOST_LAG_MS) {
            let warning = "The machine was busy: the client itself was late by";
            writeln!(formatter, "\n{warning} {lag:.3} ms at the p99, so the latencies mean little.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Goal;

    const FIGURE: Figure = Figure {
        name: "speed",
        baseline: Some(("nginx", Reading::of("execute/nginx", "requests_per_s"))),
        hookwright: Reading::of("execute/hookwright", "requests_per_s"),
        digits: 0,
        value_goal: None,
        ratio_goal: Some(Goal::AtLeast { limit: 0.6, aim: Some(1.0) }),
    };

    fn runs(tag: &str, values: &[f64]) -> Vec<Summary> {
        let run = |value: &f64| {
            let mut summary = Summary::new(tag);
            summary.set("requests_per_s", *value);
            summary.statuses.insert(200, 10);
            summary
        };
        values.iter().map(run).collect()
    }

    fn table(nginx: &[f64], hookwright: &[f64]) -> Table {
        Table::new(&[FIGURE], &[runs("execute/nginx", nginx), runs("execute/hookwright", hookwright)].concat())
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_their_median_is_judged() {
        // The machine was twice as slow in the second round; the ratio does not mind.
        let table = table(&[40_000.0, 20_000.0, 40_000.0], &[32_000.0, 16_000.0, 20_000.0]);
        assert_eq!(
            table.to_string().lines().last().unwrap(),
            "| speed | 40,000 (nginx) | 20,000 | 0.80 (0.50–0.80) | ≥ 0.6 × (aim 1 ×) | yes |"
        );
        assert!(table.all_met());
    }

    #[test]
    fn a_missed_goal_is_said_loudly() {
        let table = table(&[40_000.0], &[20_000.0]);
        assert!(table.to_string().ends_with("| 0.50 | ≥ 0.6 × (aim 1 ×) | **no** |\n"), "{table}");
        assert!(!table.all_met());
    }

    #[test]
    fn a_run_with_failed_requests_meets_nothing() {
        let mut all = [runs("execute/nginx", &[10.0]), runs("execute/hookwright", &[90.0])].concat();
        all[1].statuses.insert(503, 7);
        let table = Table::new(&[FIGURE], &all);
        assert!(table.to_string().contains("**no**: 7 requests failed"), "{table}");
        assert!(!table.all_met());
    }

    #[test]
    fn calls_that_failed_beside_the_figure_spoil_it_too() {
        let mut all = [runs("execute/nginx", &[10.0]), runs("execute/hookwright", &[9.0])].concat();
        all.push(Summary { errors: 3, ..Summary::new("execute/calls") });
        all.push(Summary { errors: 5, ..Summary::new("latency/direct") });
        assert!(Table::new(&[FIGURE], &all).to_string().contains("**no**: 3 requests failed"));
    }

    #[test]
    fn figures_without_a_run_are_left_out_and_a_missing_baseline_leaves_the_ratio_open() {
        assert_eq!(table(&[], &[]).to_string().lines().count(), 2);
        assert!(table(&[], &[5.0]).to_string().contains("| speed | – | 5 | – |"));
    }

    #[test]
    fn a_busy_machine_is_named_below_the_table() {
        let mut all = [runs("execute/nginx", &[10.0]), runs("execute/hookwright", &[9.0])].concat();
        all[0].set("lag_p99_ms", 0.05);
        all[1].set("lag_p99_ms", 0.07);
        assert!(!Table::new(&[FIGURE], &all).to_string().contains("busy"));
        all[0].set("lag_p99_ms", 4.0);
        assert!(Table::new(&[FIGURE], &all).to_string().ends_with("so the latencies mean little.\n"));
    }

    #[test]
    fn no_ratio_is_taken_of_a_baseline_that_is_nothing_or_less() {
        let row = table(&[-1.0, 2.0, 0.0], &[8.0, 3.0, 8.0]).to_string();
        assert!(row.contains("| 1.50 |"), "{row}");
    }

    #[test]
    fn what_is_added_is_a_difference_within_the_round() {
        let added = Figure {
            hookwright: Reading::of("execute/hookwright", "requests_per_s")
                .above("execute/nginx", "requests_per_s")
                .times(10.0),
            baseline: None,
            value_goal: Some(Goal::AtMost { limit: 20.0, aim: None }),
            ratio_goal: None,
            ..FIGURE
        };
        let all = [runs("execute/nginx", &[1.0, 5.0, 1.0]), runs("execute/hookwright", &[3.0, 7.0, 9.0])].concat();
        assert!(Table::new(&[added], &all).to_string().contains("| – | 20 | – | ≤ 20 | yes |"));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(-1234.5, 1), "-1,234.5");
        assert_eq!(number(0.123, 3), "0.123");
    }
}
