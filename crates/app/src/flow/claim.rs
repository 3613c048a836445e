//! One form that reaches two nodes: one of them claims it and asks the hook, the other waits and shows what came of it.
//!
//! Within a process inputs take turns, which costs nothing. Between nodes the flow's row is claimed, and only for inputs that
//! call a hook: all others are decided by the flow's revision alone.

use std::time::Duration;

use hookwright_engine::CallSettings;
use hookwright_model::flow::Flow;
use hookwright_store::{Claim, is_claimed};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use super::run::Run;
use crate::{App, Error};

/// How often the flow is looked at while another node works on it: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(320));

/// What a claim lasts beyond the longest that the call may take: for what is written after it.
const MARGIN: Duration = Duration::from_secs(5);

/// How often a claim is tried for. More often than twice is needed only if nodes die one after the other.
const MOST_TRIES: u32 = 4;

impl App {
    /// The flow, when no other node works on its next input, and the revision it had if that was waited for.
    pub(super) async fn free_flow(&self, state_handle: &str) -> Result<Option<(Flow, Option<i64>)>, Error> {
        let (begun, mut pause, mut seen) = (Instant::now(), PAUSES.0, None);
        loop {
            let Some((flow, claimed_until)) = self.living_flow_with_claim(state_handle).await? else { return Ok(None) };
            let has_moved = seen.is_some_and(|revision| revision != flow.revision);
            if has_moved || !is_claimed(claimed_until, self.now()) {
                return Ok(Some((flow, seen)));
            }
            seen = Some(flow.revision);
            if begun.elapsed() >= PATIENCE {
                return Err(Error::TooBusy { retry_after: PATIENCE });
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

impl Run<'_> {
    /// Claims this input before a hook with these settings is called; `false` if another node has done its work meanwhile, and
    /// the flow is as that one left it.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if another node is at it for longer than a call should take.
    pub(super) async fn claim(&mut self, call: &CallSettings) -> Result<bool, Error> {
        if !self.app.inner.store.may_have_other_nodes() {
            return Ok(true);
        }
        let lease = call.timeout * if call.retry { 2 } else { 1 } + MARGIN;
        for _ in 0..MOST_TRIES {
            let claim = Claim { token: self.next_attempt.clone(), now: self.app.now(), lease };
            if self.app.inner.store.claim_flow(&self.flow, &claim).await? {
                self.has_claim = true;
                return Ok(true);
            }
            // The other node may have given the flow another state handle: then it is not found by ours.
            let free = self.app.free_flow(self.handle.expose_secret()).await?;
            if free.is_none_or(|(flow, _)| flow.revision != self.flow.revision) {
                self.reread().await?;
                return Ok(false);
            }
        }
        Err(Error::TooBusy { retry_after: PATIENCE })
    }
}
