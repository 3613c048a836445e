//! The figures that Hookwright is held to, and how a table is made of runs.
//!
//! Both sides of a figure are measured in every round, one after the other, so that whatever slows the machine slows
//! both. A ratio is therefore taken within each round, and the median of the rounds is what counts.

mod catalogue;
mod table;

pub use catalogue::CATALOGUE;
pub use table::{Table, median};

/// A figure, what it is compared with and what it should be.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What is measured, with its unit.
    pub name: &'static str,
    /// Whom Hookwright is compared with.
    pub baseline: Option<(&'static str, Reading)>,
    /// Hookwright's own value.
    pub hookwright: Reading,
    /// Digits shown after the decimal point.
    pub digits: usize,
    /// What Hookwright's own value should be.
    pub value_goal: Option<Goal>,
    /// What Hookwright's value should be as a multiple of the baseline's.
    pub ratio_goal: Option<Goal>,
}

/// How a value is read from the runs of a round.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Which runs.
    pub tag: &'static str,
    /// Which of their metrics.
    pub metric: &'static str,
    /// Tag and metric that are subtracted, for what is *added* to something.
    pub minus: Option<(&'static str, &'static str)>,
    /// What the result is multiplied with, for another unit.
    pub scale: f64,
}

/// A bound, and a better one that is the ambition.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// More is better.
    AtLeast {
        /// What must be.
        limit: f64,
        /// What is aimed at.
        aim: Option<f64>,
    },
    /// Less is better.
    AtMost {
        /// What must be.
        limit: f64,
        /// What is aimed at.
        aim: Option<f64>,
    },
}

/// How a value stands to a goal, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The goal is missed.
    Missed,
    /// The goal is met, the aim is not, or there is none.
    Met,
    /// The aim is reached too.
    Aimed,
}

impl Reading {
    /// A metric as it was measured.
    #[must_use]
    pub const fn of(tag: &'static str, metric: &'static str) -> Self {
        Self { tag, metric, minus: None, scale: 1.0 }
    }

    /// How much more it is than another.
    #[must_use]
    pub const fn above(self, tag: &'static str, metric: &'static str) -> Self {
        Self { minus: Some((tag, metric)), ..self }
    }

    /// The same in another unit.
    #[must_use]
    pub const fn times(self, scale: f64) -> Self {
        Self { scale, ..self }
    }
}

impl Goal {
    /// How `value` stands to the goal.
    #[must_use]
    pub fn judge(self, value: f64) -> Verdict {
        let (met, aimed) = match self {
            Self::AtLeast { limit, aim } => (value >= limit, aim.is_some_and(|aim| value >= aim)),
            Self::AtMost { limit, aim } => (value <= limit, aim.is_some_and(|aim| value <= aim)),
        };
        match (met, aimed) {
            (false, _) => Verdict::Missed,
            (true, false) => Verdict::Met,
            (true, true) => Verdict::Aimed,
        }
    }

    /// The goal in a cell of the table; `unit` follows each number.
    #[must_use]
    pub fn describe(self, unit: &str) -> String {
        let (sign, limit, aim) = match self {
            Self::AtLeast { limit, aim } => ("≥", limit, aim),
            Self::AtMost { limit, aim } => ("≤", limit, aim),
        };
        let aim = aim.map(|aim| format!(" (aim {aim}{unit})")).unwrap_or_default();
        format!("{sign} {limit}{unit}{aim}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_missed_met_or_surpassed() {
        let more = Goal::AtLeast { limit: 0.6, aim: Some(1.0) };
        assert_eq!([0.59, 0.6, 1.0].map(|value| more.judge(value)), [Verdict::Missed, Verdict::Met, Verdict::Aimed]);
        let less = Goal::AtMost { limit: 60.0, aim: None };
        assert_eq!([61.0, 60.0, 1.0].map(|value| less.judge(value)), [Verdict::Missed, Verdict::Met, Verdict::Met]);
        assert_eq!(Goal::AtLeast { limit: 0.6, aim: None }.judge(f64::NAN), Verdict::Missed);
    }

    #[test]
    fn a_goal_reads_as_in_the_table() {
        assert_eq!(Goal::AtLeast { limit: 0.6, aim: Some(1.0) }.describe(" ×"), "≥ 0.6 × (aim 1 ×)");
        assert_eq!(Goal::AtMost { limit: 50.0, aim: None }.describe(""), "≤ 50");
    }
}
