//! Refused API tokens in the System Log: one event a minute and network at most, however many are tried, and never while
//! somebody waits for an answer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::api_token::{ApiToken, TokenOwner};
use hookwright_model::client_address::counted_address;
use hookwright_model::system_log::{LogEvent, Outcome, Severity, Target};
use hookwright_store::Change;
use serde_json::Value;

use crate::events::{self, owner_actor, token_target, unknown_actor};
use crate::{App, RequestOrigin};

/// How long after an event of a network the next one may come.
const WINDOW: Duration = Duration::from_secs(60);

/// How many networks are told apart. Those beyond share one tally, so that a flood from everywhere makes no more events, and takes
/// no more memory, than this.
const MAX_NETWORKS: usize = 256;

/// Why a token was refused; never the token.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// In words, for the log.
    reason: &'static str,
    /// The token, where it is one that the org knows.
    target: Option<Target>,
    /// Whose it is.
    owner: Option<TokenOwner>,
}

impl Refusal {
    /// Nothing that the org knows.
    pub(crate) const fn unknown(reason: &'static str) -> Self {
        Self { reason, target: None, owner: None }
    }

    /// A token of somebody's.
    pub(crate) fn of(reason: &'static str, token: &ApiToken, owner: &TokenOwner) -> Self {
        Self { reason, target: Some(token_target(token)), owner: Some(owner.clone()) }
    }
}

/// Refusals that are to be told together.
struct Report {
    refusal: Refusal,
    origin: RequestOrigin,
    count: u64,
}

/// What is known of one network.
struct Tally {
    /// When its last event was made.
    told: Timestamp,
    /// The last refusal since, and how many there were.
    untold: Option<Report>,
}

/// Refusals by network.
#[derive(Default)]
pub(crate) struct RefusedTokens(Mutex<HashMap<Option<IpAddr>, Tally>>);

impl RefusedTokens {
    /// Counts a refusal; tells what has to be logged now.
    fn note(&self, refusal: Refusal, origin: RequestOrigin, now: Timestamp) -> Option<Report> {
        let mut tallies = self.tallies();
        let mut network = origin.ip_address.map(counted_address);
        if tallies.len() >= MAX_NETWORKS && !tallies.contains_key(&network) {
            network = None;
        }
        let Some(tally) = tallies.get_mut(&network) else {
            tallies.insert(network, Tally { told: now, untold: None });
            return Some(Report { refusal, origin, count: 1 });
        };
        let before = tally.untold.take().map_or(0, |report| report.count);
        let report = Report { refusal, origin, count: before + 1 };
        if is_over(tally.told, now) {
            tally.told = now;
            return Some(report);
        }
        tally.untold = Some(report);
        None
    }

    /// What nobody was told of yet, of networks whose minute is over, or of all; networks that are quiet are forgotten.
    fn sweep(&self, now: Timestamp, all: bool) -> Vec<Report> {
        let mut reports = Vec::new();
        self.tallies().retain(|_, tally| {
            if !all && !is_over(tally.told, now) {
                return true;
            }
            let Some(report) = tally.untold.take() else { return false };
            reports.push(report);
            tally.told = now;
            true
        });
        reports
    }

    fn tallies(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the minute after an event is over; so is one from before the clock was set back.
fn is_over(told: Timestamp, now: Timestamp) -> bool {
    now < told || now >= told.plus(WINDOW)
}

impl App {
    /// Notes that a token was refused. The event is written beside the request.
    pub(crate) fn note_refused_token(&self, refusal: Refusal, origin: RequestOrigin) {
        let report = self.inner.refused_tokens.note(refusal, origin, self.now());
        self.log_refused_tokens(report.into_iter().collect());
    }

    /// Logs the refusals of the last minutes that no event tells of yet; `serve` does this every minute.
    pub fn sweep_refused_tokens(&self) {
        self.log_refused_tokens(self.inner.refused_tokens.sweep(self.now(), false));
    }

    /// Logs all refusals that no event tells of yet: the org ends.
    pub(crate) fn tell_all_refused_tokens(&self) {
        self.log_refused_tokens(self.inner.refused_tokens.sweep(self.now(), true));
    }

    fn log_refused_tokens(&self, reports: Vec<Report>) {
        if reports.is_empty() {
            return;
        }
        let events = reports.into_iter().map(|report| self.refused_event(report)).collect();
        let app = self.clone();
        self.inner.calls.spawn(async move {
            if let Err(error) = app.inner.store.commit(vec![Change::AppendEvents(events)]).await {
                tracing::warn!(%error, "refused API tokens could not be logged");
            }
        });
    }

    fn refused_event(&self, report: Report) -> LogEvent {
        let Report { refusal, origin, count } = report;
        let actor = refusal.owner.as_ref().map_or_else(|| unknown_actor(""), owner_actor);
        let targets = refusal.target.into_iter().collect();
        let mut event = self.flow_event(events::API_TOKEN_REFUSED, actor, &origin, targets);
        event.severity = Severity::Warn;
        event.outcome = Outcome { result: "FAILURE".into(), reason: Some(refusal.reason.into()) };
        event.debug_data.insert("count".to_owned(), Value::from(count));
        event
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(number: u32) -> RequestOrigin {
        RequestOrigin { ip_address: Some(Ipv4Addr::from(number).into()), ..RequestOrigin::default() }
    }

    fn counts(reports: impl IntoIterator<Item = Report>) -> Vec<u64> {
        reports.into_iter().map(|report| report.count).collect()
    }

    #[test]
    fn the_first_refusal_is_told_at_once_and_the_rest_of_its_minute_together() {
        let refused = RefusedTokens::default();
        let note = |network, at| refused.note(Refusal::unknown("unknown"), from(network), Timestamp::from_millis(at));
        assert_eq!(counts(note(1, 0)), [1]);
        for at in 1..100 {
            assert!(note(1, at).is_none());
        }
        assert_eq!(counts(note(2, 100)), [1], "another network has its own minute");
        assert_eq!(counts(note(1, 60_000)), [100]);
        assert!(note(1, 60_001).is_none());
        assert!(counts(refused.sweep(Timestamp::from_millis(119_999), false)).is_empty());
        assert_eq!(counts(refused.sweep(Timestamp::from_millis(120_000), false)), [1]);
        assert!(counts(refused.sweep(Timestamp::from_millis(180_000), true)).is_empty());
        assert!(refused.tallies().is_empty());
    }

    #[test]
    fn a_flood_from_everywhere_makes_no_more_events_than_there_are_networks_told_apart() {
        let refused = RefusedTokens::default();
        let now = Timestamp::from_millis(0);
        let note = |network| refused.note(Refusal::unknown("unknown"), from(network), now);
        let told: u64 = (0..100_000).filter_map(note).map(|report| report.count).sum();
        assert_eq!(told, MAX_NETWORKS as u64 + 1);
        assert_eq!(refused.tallies().len(), MAX_NETWORKS + 1);
        let untold: u64 = counts(refused.sweep(now, true)).into_iter().sum();
        assert_eq!(told + untold, 100_000);
    }
}
