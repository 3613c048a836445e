//! What may be asked of the System Log, read from the query's parameters.

use std::time::Duration;

use hookwright_model::scim_filter::Filter;
use hookwright_model::system_log::{INLINE_HOOK_EXECUTED, INLINE_HOOK_RESPONSE_PROCESSED, Keywords, read_filter};
use hookwright_model::{Timestamp, Violations};
use hookwright_store::Direction;
use serde_json::Value;

use super::LogQuery;
use super::cursor::{Cursor, From, Place, Window};
use crate::Error;

/// The most events of one page.
const MAX_LIMIT: usize = 1000;

/// How many events a page has if nothing is said.
const DEFAULT_LIMIT: usize = 100;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far back a request looks that doesn't say so: seven days.
const DEFAULT_SPAN: Duration = DAY.saturating_mul(7);

/// How far nodes' clocks may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// How far back a request may ask: 180 days.
const MAX_AGE: Duration = DAY.saturating_mul(180);

/// A request that makes sense.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) start: Start,
    pub(super) wanted: Wanted,
    pub(super) limit: usize,
}

/// Which of the two kinds of request it is, and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Polling(Place),
    Bounded(Window),
}

/// What an event must be like.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) filter: Option<Filter>,
    pub(super) keywords: Keywords,
}

impl Wanted {
    /// Whether every event will do, so that none has to be looked into.
    pub(super) fn is_all(&self) -> bool {
        self.filter.is_none() && self.keywords.is_empty()
    }

    /// Whether the event of a call can be wanted at all. Calls are many; a question about changes need not look at them.
    pub(super) fn includes_calls(&self) -> bool {
        let is_possible = |filter: &Filter, event_type: &str| {
            let known = serde_json::json!({"eventType": event_type});
            filter.foretell(&known, |attribute| attribute.segments() == ["eventType"]) != Some(false)
        };
        self.filter.as_ref().is_none_or(|filter| {
            [INLINE_HOOK_EXECUTED, INLINE_HOOK_RESPONSE_PROCESSED].iter().any(|kind| is_possible(filter, kind))
        })
    }

    pub(super) fn matches(&self, event: &Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(event)) && self.keywords.match_event(event)
    }
}

impl Request {
    pub(super) fn read(query: &LogQuery, now: Timestamp) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let since = read_time("since", query.since.as_deref(), &mut violations);
        let until = read_time("until", query.until.as_deref(), &mut violations);
        let direction = read_sort_order(query.sort_order.as_deref(), &mut violations);
        let limit = read_limit(query.limit.as_deref(), &mut violations);
        let after = given(query.after.as_deref());
        if after.is_some() && given(query.since.as_deref()).is_some() {
            violations.add("after", "This parameter can't be combined with 'since'; follow the next link as it is.");
        }
        let keywords = Keywords::parse(query.q.as_deref().unwrap_or_default()).unwrap_or_else(|wrong| {
            wrong.iter().for_each(|violation| violations.add(&violation.field, &violation.message));
            Keywords::default()
        });
        violations.into_result().map_err(Error::InvalidQuery)?;

        if since.is_some_and(|since| since < now.minus(MAX_AGE)) {
            return Err(Error::SinceTooOld);
        }
        let filter = given(query.filter.as_deref()).map(read_filter).transpose().map_err(Error::InvalidLogFilter)?;
        let start = match after {
            Some(cursor) => resume(cursor, until, direction)?,
            None if until.is_none() && direction == Direction::Forward => {
                let from = From::Time(since.unwrap_or_else(|| now.minus(DEFAULT_SPAN)));
                Start::Polling(Place { from, begun: None })
            }
            None => {
                // "Until now" includes what was published in this very millisecond. Behind the present there is nothing
                // but what nodes whose clocks go before ours have written.
                let until = until.unwrap_or_else(|| now.plus(Duration::from_millis(1))).min(now.plus(CLOCK_SKEW));
                let since = since.unwrap_or_else(|| until.minus(DEFAULT_SPAN));
                Start::Bounded(Window { since, until, direction, after: None })
            }
        };
        Ok(Self { start, wanted: Wanted { filter, keywords }, limit })
    }
}

/// Goes on where the cursor's page ended. The order must still be the same; `until` may only narrow the window.
fn resume(cursor: &str, until: Option<Timestamp>, direction: Direction) -> Result<Start, Error> {
    match cursor.parse::<Cursor>() {
        Ok(Cursor::Polling(place)) if until.is_none() && direction == Direction::Forward => Ok(Start::Polling(place)),
        Ok(Cursor::Bounded(window)) if window.direction == direction => {
            let until = until.map_or(window.until, |until| until.min(window.until));
            Ok(Start::Bounded(Window { until, ..window }))
        }
        _ => Err(Error::BadCursor),
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn read_time(name: &'static str, text: Option<&str>, violations: &mut Violations) -> Option<Timestamp> {
    let text = given(text)?;
    let time = Timestamp::parse(text);
    if time.is_none() {
        let rule = "The date format in your query is not recognized. Please enter dates using ISO8601 string format.";
        violations.add(name, rule);
    }
    time
}

fn read_sort_order(text: Option<&str>, violations: &mut Violations) -> Direction {
    match given(text) {
        None => Direction::Forward,
        Some(text) if text.eq_ignore_ascii_case("ASCENDING") => Direction::Forward,
        Some(text) if text.eq_ignore_ascii_case("DESCENDING") => Direction::Backward,
        Some(_) => {
            violations.add("sortOrder", "The parameter must be ASCENDING or DESCENDING.");
            Direction::Forward
        }
    }
}

fn read_limit(text: Option<&str>, violations: &mut Violations) -> usize {
    let Some(text) = given(text) else { return DEFAULT_LIMIT };
    match text.parse() {
        Ok(limit @ 0..=MAX_LIMIT) => limit,
        _ => {
            violations.add("limit", format!("The parameter must be a number from 0 to {MAX_LIMIT}."));
            DEFAULT_LIMIT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn query(parameters: &[(&str, &str)]) -> LogQuery {
        let get = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        LogQuery {
            since: get("since"),
            until: get("until"),
            filter: get("filter"),
            q: get("q"),
            limit: get("limit"),
            sort_order: get("sortOrder"),
            after: get("after"),
        }
    }

    fn start(parameters: &[(&str, &str)]) -> Start {
        Request::read(&query(parameters), NOW).unwrap().start
    }

    fn refusal(parameters: &[(&str, &str)]) -> Error {
        Request::read(&query(parameters), NOW).unwrap_err()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn without_until_an_ascending_request_polls() {
        let week_ago = Place { from: From::Time(NOW.minus(DEFAULT_SPAN)), begun: None };
        assert_eq!(start(&[]), Start::Polling(week_ago));
        assert_eq!(start(&[("until", ""), ("sortOrder", "ascending")]), Start::Polling(week_ago));
        let from = From::Time(at("2023-11-01T00:00:00Z"));
        assert_eq!(start(&[("since", "2023-11-01")]), Start::Polling(Place { from, begun: None }));
    }

    #[test]
    fn any_other_request_is_bounded() {
        let window = |since: Timestamp, until: Timestamp, direction| {
            Start::Bounded(Window { since, until, direction, after: None })
        };
        let until = at("2023-11-05T00:00:00Z");
        assert_eq!(start(&[("until", "2023-11-05")]), window(until.minus(DEFAULT_SPAN), until, Direction::Forward));
        let now = NOW.plus(Duration::from_millis(1));
        assert_eq!(start(&[("sortOrder", "DESCENDING")]), window(now.minus(DEFAULT_SPAN), now, Direction::Backward));
        let since = at("2023-11-01T00:00:00Z");
        let soon = NOW.plus(CLOCK_SKEW);
        assert_eq!(start(&[("since", "2023-11-01"), ("until", "2999-12-31")]), window(since, soon, Direction::Forward));
        assert_eq!(
            start(&[("since", "2023-11-01T00:00:00Z"), ("until", "2023-11-05T00:00:00Z"), ("sortOrder", "DESCENDING")]),
            window(since, until, Direction::Backward)
        );
    }

    #[test]
    fn a_cursor_resumes_only_the_kind_of_request_that_gave_it() {
        let bounded = "a.0.1000.5.1-0.0";
        let window = |until| {
            let Ok(Cursor::Bounded(window)) = bounded.parse() else { panic!("a bounded cursor") };
            Start::Bounded(Window { until: Timestamp::from_millis(until), ..window })
        };
        assert_eq!(start(&[("after", bounded)]), window(1000));
        assert_eq!(start(&[("after", bounded), ("until", "1970-01-01T00:00:00.500Z")]), window(500));
        assert_eq!(start(&[("after", bounded), ("until", "2023-11-05")]), window(1000));
        for parameters in [
            [("after", bounded), ("sortOrder", "DESCENDING")],
            [("after", "d.0.1000.5.1-0.0"), ("q", "x")],
            [("after", "p.1-0"), ("sortOrder", "DESCENDING")],
            [("after", "p.1-0"), ("until", "2023-11-05")],
            [("after", "349996bd-5091-45dc-a39f-d357867a30d7"), ("q", "x")],
        ] {
            assert!(matches!(refusal(&parameters), Error::BadCursor), "{parameters:?}");
        }
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let Error::InvalidQuery(violations) = refusal(&[
            ("since", "yesterday"),
            ("until", "05/11/2023"),
            ("limit", "1001"),
            ("sortOrder", "UP"),
            ("after", "p.1-0"),
            ("q", "a b c d e f g h i j k"),
        ]) else {
            panic!("another error")
        };
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["since", "until", "sortOrder", "limit", "after", "q"]);
        for limit in ["-1", "1.0", "ten", "18446744073709551616"] {
            assert!(matches!(refusal(&[("limit", limit)]), Error::InvalidQuery(_)), "{limit}");
        }
        for limit in ["0", "1000"] {
            assert_eq!(Request::read(&query(&[("limit", limit)]), NOW).unwrap().limit.to_string(), limit);
        }
    }

    #[test]
    fn a_question_about_changes_alone_does_not_look_at_calls() {
        let includes_calls =
            |filter: &str| Request::read(&query(&[("filter", filter)]), NOW).unwrap().wanted.includes_calls();
        for filter in
            ["", r#"eventType eq "inline_hook.executed""#, r#"target.id eq "cal1""#, r#"eventType ew "processed""#]
        {
            assert!(includes_calls(filter), "{filter}");
        }
        for filter in [r#"eventType eq "inline_hook.created" and target.id eq "cal1""#, r#"eventType sw "user.""#] {
            assert!(!includes_calls(filter), "{filter}");
        }
    }

    #[test]
    fn since_may_be_180_days_old_but_no_older() {
        let oldest = NOW.minus(MAX_AGE).to_string();
        assert!(matches!(start(&[("since", &oldest)]), Start::Polling(_)));
        let older = NOW.minus(MAX_AGE).minus(Duration::from_millis(1)).to_string();
        assert!(matches!(refusal(&[("since", &older)]), Error::SinceTooOld));
        assert!(matches!(refusal(&[("since", &older), ("until", "2023-11-05")]), Error::SinceTooOld));
    }
}
