//! State handles: what opens a flow. A fresh one with each rise in rights, so that a handle that somebody noted or planted before
//! a person proved who they are is worth nothing afterwards.
//!
//! Only the answer to the input that made the rise brings the fresh handle. There are two more ways to it, neither of them for
//! those who know no more than the handle of before: the client that leads the person has the interaction handle, and a browser
//! that sends a form twice shows the same page, of which each has a secret of its own.

use hookwright_model::Timestamp;
use hookwright_model::flow::Flow;
use secrecy::{ExposeSecret, SecretString};

use super::typed;
use crate::opaque::{derived, sha256};
use crate::{App, Error, FlowView};

/// The longest text that could be a state handle.
const MAX_HANDLE_BYTES: usize = 128;

/// The first state handle of the flow with this interaction handle.
pub(super) fn first_of(interaction_handle: &str) -> SecretString {
    derived("state handle", &[interaction_handle])
}

/// The state handle after a rise: of the one before, of what is random and kept in the flow, and of the page that made the rise.
/// None of the three helps without the others.
pub(super) fn risen(before: &SecretString, rise: &str, page: &str) -> SecretString {
    derived("risen state handle", &[before.expose_secret(), rise, page])
}

/// What is kept of a state handle.
pub(super) fn handle_hash(state_handle: &str) -> [u8; 32] {
    sha256(&[b"flow", state_handle.as_bytes()])
}

impl App {
    /// Where the flow with this interaction handle stands, with the state handle that opens it now; `None` if it is unknown or
    /// over. Its client may ask again and again.
    ///
    /// # Errors
    /// The store's.
    pub async fn flow_of_interaction(
        &self,
        interaction_handle: &str,
    ) -> Result<Option<(SecretString, FlowView)>, Error> {
        let first = first_of(interaction_handle);
        let id = handle_hash(first.expose_secret());
        let Some(flow) = self.alive(self.inner.store.flow_with_id(&id).await?).await? else { return Ok(None) };
        let handle = flow.state.rises.iter().fold(first, |handle, rise| risen(&handle, rise, ""));
        if handle_hash(handle.expose_secret()) != flow.handle {
            return Ok(None);
        }
        let Some(flow) = typed::opened(flow, handle.expose_secret()) else { return Ok(None) };
        let view = self.view(flow, handle.expose_secret()).await?;
        Ok(view.map(|view| (handle, view)))
    }

    /// The flow that this state handle opens.
    pub(super) async fn living_flow(&self, state_handle: &str) -> Result<Option<Flow>, Error> {
        Ok(self.living_flow_with_claim(state_handle).await?.map(|(flow, _)| flow))
    }

    /// The flow that this state handle opens, and until when its next input is claimed.
    pub(super) async fn living_flow_with_claim(&self, state_handle: &str) -> Result<Option<(Flow, Timestamp)>, Error> {
        if state_handle.is_empty() || state_handle.len() > MAX_HANDLE_BYTES {
            return Ok(None);
        }
        let found = self.inner.store.flow_with_claim(&handle_hash(state_handle)).await?;
        let Some((flow, until)) = found else { return Ok(None) };
        let flow = self.alive(Some(flow)).await?.and_then(|flow| typed::opened(flow, state_handle));
        Ok(flow.map(|flow| (flow, until)))
    }

    /// Where a flow went that this state handle opened before; `None` if there is none. The handle of now is for the page alone
    /// that made the rise.
    ///
    /// # Errors
    /// The store's.
    pub async fn flow_went_on(&self, state_handle: &SecretString, page: Option<&str>) -> Result<Option<WentOn>, Error> {
        let flow = self.inner.store.flow_that_moved_on(&handle_hash(state_handle.expose_secret())).await?;
        let Some(flow) = self.alive(flow).await? else { return Ok(None) };
        let next = flow.state.rises.last().zip(page).map(|(rise, page)| risen(state_handle, rise, page));
        Ok(Some(WentOn(next.filter(|next| handle_hash(next.expose_secret()) == flow.handle))))
    }

    /// The flow, if its time is not over.
    async fn alive(&self, flow: Option<Flow>) -> Result<Option<Flow>, Error> {
        if flow.as_ref().is_some_and(|flow| self.now() >= flow.expires) {
            self.drop_what_is_over().await?;
            return Ok(None);
        }
        Ok(flow)
    }
}

/// A flow is opened by another state handle by now: here it is, if whoever asks may know it.
#[derive(Debug)]
pub struct WentOn(pub Option<SecretString>);
