//! Every figure, in the order of the table. The tags are those that `scripts/bench` gives to its runs.

use super::{Figure, Goal, Reading};

const RATE: &str = "requests_per_s";
const CPU: &str = "cpu_us_a_request";

/// Kibibytes a call, from megabytes of a thousand calls.
const KIB_A_CALL: f64 = 1e6 / 1024.0 / 1000.0;

const fn at_least(limit: f64, aim: f64) -> Option<Goal> {
    Some(Goal::AtLeast { limit, aim: Some(aim) })
}

const fn at_most(limit: f64, aim: f64) -> Option<Goal> {
    Some(Goal::AtMost { limit, aim: Some(aim) })
}

/// A figure where both sides are the same metric of two targets.
const fn compared(
    name: &'static str,
    metric: &'static str,
    baseline: (&'static str, &'static str),
    hookwright: &'static str,
    ratio_goal: Option<Goal>,
) -> Figure {
    Figure {
        name,
        baseline: Some((baseline.0, Reading::of(baseline.1, metric))),
        hookwright: Reading::of(hookwright, metric),
        digits: 0,
        value_goal: None,
        ratio_goal,
    }
}

/// What a server between client and service adds to a quantile of the latency at 500 requests a second.
const fn added(name: &'static str, metric: &'static str, limit_ms: f64) -> Figure {
    Figure {
        name,
        baseline: Some(("nginx", Reading::of("latency/nginx", metric).above("latency/direct", metric))),
        hookwright: Reading::of("latency/hookwright", metric).above("latency/direct", metric),
        digits: 3,
        value_goal: Some(Goal::AtMost { limit: limit_ms, aim: None }),
        ratio_goal: at_most(1.5, 0.8),
    }
}

/// A figure that is compared with nothing.
const fn alone(
    name: &'static str,
    metric: &'static str,
    hookwright: &'static str,
    digits: usize,
    value_goal: Option<Goal>,
) -> Figure {
    Figure { name, baseline: None, hookwright: Reading::of(hookwright, metric), digits, value_goal, ratio_goal: None }
}

/// The figures.
pub const CATALOGUE: &[Figure] = &[
    compared(
        "`execute`, requests a second",
        RATE,
        ("nginx", "execute/nginx"),
        "execute/hookwright",
        at_least(0.6, 1.0),
    ),
    compared("`execute`, CPU µs a request", CPU, ("nginx", "execute/nginx"), "execute/hookwright", None),
    compared(
        "`execute`, requests a second, against calling directly",
        RATE,
        ("direct", "execute/direct"),
        "execute/hookwright",
        None,
    ),
    added("`execute`, added median at 500 a second, ms", "p50_ms", 0.3),
    added("`execute`, added p99 at 500 a second, ms", "p99_ms", 0.8),
    Figure {
        digits: 3,
        ..compared(
            "`execute`, p99 ms beside a hook with 30 stuck calls",
            "p99_ms",
            ("quiet", "stuck/quiet"),
            "stuck/beside",
            at_most(1.3, 1.15),
        )
    },
    Figure {
        value_goal: Some(Goal::AtMost { limit: 90.0, aim: None }),
        digits: 1,
        ..compared(
            "peak memory with 1,000 executions in flight, MB",
            "peak_mb",
            ("nginx", "in-flight/nginx-after"),
            "in-flight/hookwright-after",
            None,
        )
    },
    Figure {
        name: "memory for each execution in flight, KiB",
        baseline: Some((
            "nginx",
            Reading::of("in-flight/nginx-after", "peak_mb")
                .above("in-flight/nginx-before", "resident_mb")
                .times(KIB_A_CALL),
        )),
        hookwright: Reading::of("in-flight/hookwright-after", "peak_mb")
            .above("in-flight/hookwright-before", "resident_mb")
            .times(KIB_A_CALL),
        digits: 1,
        value_goal: at_most(64.0, 10.0),
        ratio_goal: None,
    },
    Figure {
        digits: 1,
        ..compared(
            "slowest of 1,000 executions in flight, service of 2.9 s, ms",
            "max_ms",
            ("nginx", "in-flight/nginx"),
            "in-flight/hookwright",
            None,
        )
    },
    compared(
        "responder, requests a second, against Express",
        RATE,
        ("Express", "responder/express"),
        "responder/hookwright",
        at_least(18.0, 28.0),
    ),
    compared(
        "responder, requests a second, against bare axum",
        RATE,
        ("axum", "responder/axum"),
        "responder/hookwright",
        at_least(0.9, 1.3),
    ),
    compared("responder, CPU µs a request", CPU, ("axum", "responder/axum"), "responder/hookwright", None),
    compared("`GET` one hook, requests a second", RATE, ("axum", "get/axum"), "get/hookwright", at_least(0.5, 1.0)),
    compared("`GET` one hook, CPU µs a request", CPU, ("axum", "get/axum"), "get/hookwright", None),
    compared("list of 100, requests a second", RATE, ("axum", "list/axum"), "list/hookwright", at_least(0.5, 1.0)),
    compared(
        "create, 1 client, durable, a second",
        RATE,
        ("SQLite row by row", "create/sqlite"),
        "create/hookwright-1",
        at_least(0.4, 0.75),
    ),
    compared(
        "create, 16 clients, durable, a second",
        RATE,
        ("SQLite row by row", "create/sqlite"),
        "create/hookwright-16",
        at_least(3.0, 7.0),
    ),
    compared(
        "create, 64 clients, durable, a second",
        RATE,
        ("SQLite row by row", "create/sqlite"),
        "create/hookwright-64",
        None,
    ),
    alone("sign-ups a second without a hash, SQLite", RATE, "sign-up/sqlite", 0, at_least(500.0, 1000.0)),
    alone("sign-ups a second without a hash, PostgreSQL", RATE, "sign-up/postgres", 0, at_least(500.0, 1000.0)),
    alone("sign-ups a second with a password, SQLite", RATE, "sign-up/password", 0, None),
    alone("sign-in page, p99 in ms", "p99_ms", "sign-up/page", 2, at_most(5.0, 1.0)),
    Figure {
        baseline: Some(("quiet", Reading::of("flood/quiet", "p99_ms"))),
        ratio_goal: at_most(3.0, 2.0),
        ..alone("`execute` during 500 sign-ins a second, p99 in ms", "p99_ms", "flood/beside", 2, None)
    },
    Figure {
        value_goal: at_most(50.0, 10.0),
        digits: 1,
        ..compared(
            "start to ready on an existing database, ms",
            "start_ms",
            ("axum", "start/axum"),
            "start/hookwright",
            None,
        )
    },
    Figure {
        value_goal: at_most(25.0, 8.0),
        digits: 1,
        ..compared("idle memory, MB", "resident_mb", ("axum", "idle/axum"), "idle/hookwright", None)
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_figure_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|figure| figure.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
    }

    #[test]
    fn each_tag_is_one_that_the_script_gives() {
        let script = include_str!("../../../scripts/bench");
        for figure in CATALOGUE {
            let readings = figure.baseline.iter().map(|(_, reading)| reading).chain([&figure.hookwright]);
            for tag in readings.flat_map(|reading| [Some(reading.tag), reading.minus.map(|(tag, _)| tag)]).flatten() {
                // `-before`, `-after` and the number of clients are put together by the script.
                let (group, target) = tag.split_once('/').unwrap();
                let target = target.split('-').next().unwrap();
                assert!(script.contains(&format!("{group}/{target}")), "{tag}");
            }
        }
    }

    #[test]
    fn memory_of_a_thousand_calls_is_shared_out_in_kibibytes() {
        // 65.536 MB over a thousand calls are 64 KiB each.
        assert!((65.536 * KIB_A_CALL - 64.0).abs() < 1e-9);
    }
}
