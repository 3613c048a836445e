//! Sign-in flows: sign in, sign up, complete a profile. One state machine for the hosted pages and for IDX.
//!
//! A flow lives in the database under the SHA-256 of its state handle, so that a restart or another node goes on with it.
//! Each input moves it by one write that is all or nothing: user, group, execution, events and the flow itself. Nothing is
//! open while a hook is asked; what was read before is looked at again when its answer is acted on. Inputs of one flow take
//! turns, and the flow's revision decides between nodes, so that a form that was sent twice does its work once.

mod credentials;
mod hook;
mod progressive;
mod registration;
mod run;
mod sign_in;
mod view;

use std::time::Duration;

use hookwright_engine::run_to_end;
use hookwright_model::Timestamp;
use hookwright_model::flow::{ClientBinding, FLOW_LIFETIME, Flow, FlowCode, FlowState, Input};
use hookwright_model::id::{AppId, mint_event_id};
use hookwright_store::{Change, CommitError, Conflict, FlowChange};
use secrecy::{ExposeSecret, SecretString};

use crate::opaque::{derived, mint, sha256};
use crate::sessions::SignedIn;
use crate::{App, Error, RequestOrigin};
use run::{Org, Run};

pub use view::FlowView;

/// How long an input waits for the one before it: longer than a hook may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// The longest text that could be a state handle.
const MAX_HANDLE_BYTES: usize = 128;

/// What a flow is for.
#[derive(Debug, Clone, Default)]
pub struct FlowStart {
    /// The app that is signed in to; the built-in dashboard if it is none.
    pub application: Option<AppId>,
    /// The OAuth client that waits for the end.
    pub client: Option<ClientBinding>,
    /// Somebody who is signed in already.
    pub signed_in: Option<SignedIn>,
}

/// A flow that just began; the only time that its handles are known.
#[derive(Debug)]
pub struct StartedFlow {
    /// What a client that drives the flow itself is given first (`interaction_handle`).
    pub interaction_handle: SecretString,
    /// What names the flow in each request.
    pub state_handle: SecretString,
    /// When the flow ends, whatever happens.
    pub expires: Timestamp,
}

/// The state handle of the flow with this interaction handle: who has the one may ask for the other, again and again.
#[must_use]
pub fn state_handle_of(interaction_handle: &str) -> SecretString {
    derived("state handle", &[interaction_handle])
}

/// What a flow is stored under.
fn flow_id(state_handle: &str) -> [u8; 32] {
    sha256(&[b"flow", state_handle.as_bytes()])
}

/// The code at the end of a flow. It follows from the state handle, so that whoever has that can be told again.
fn code_of(state_handle: &str, attempt: &str) -> SecretString {
    derived("flow code", &[state_handle, attempt])
}

pub(crate) fn code_hash(code: &str) -> [u8; 32] {
    sha256(&[b"code", code.as_bytes()])
}

impl App {
    /// Begins a flow. For somebody who is signed in already it may be at its end at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such app or nobody can sign in to it.
    pub async fn start_flow(&self, start: FlowStart, origin: &RequestOrigin) -> Result<StartedFlow, Error> {
        let interaction_handle = mint(self.entropy());
        let state_handle = state_handle_of(interaction_handle.expose_secret());
        let expires = self.begin_flow(&state_handle, start, origin).await?;
        Ok(StartedFlow { interaction_handle, state_handle, expires })
    }

    /// Begins a flow under a state handle that a browser was given before.
    ///
    /// # Errors
    /// [`Error::NotFound`] as for [`App::start_flow`].
    pub async fn begin_flow(
        &self,
        state_handle: &SecretString,
        start: FlowStart,
        origin: &RequestOrigin,
    ) -> Result<Timestamp, Error> {
        let now = self.now();
        let application = self.flow_application(start.application.as_ref()).await?;
        let flow = Flow {
            id: flow_id(state_handle.expose_secret()),
            attempt: mint_event_id(self.entropy()),
            application,
            state: FlowState::beginning(start.client),
            created: now,
            expires: now.plus(FLOW_LIFETIME),
            revision: 1,
        };
        let (expires, insert) = (flow.expires, Change::Flow(FlowChange::Insert(Box::new(flow.clone()))));
        match self.inner.store.commit(vec![insert]).await {
            // Two requests of one browser began it at once.
            Ok(()) | Err(CommitError::Conflict(Conflict::AlreadyThere)) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(signed_in) = start.signed_in {
            let org = Org::read(self, &flow).await?;
            let mut run = Run::new(self, flow, org, state_handle.clone(), origin.clone());
            run.resume(signed_in).await?;
        }
        Ok(expires)
    }

    /// Where a flow stands; `None` if it is unknown or over.
    ///
    /// # Errors
    /// The store's.
    pub async fn flow(&self, state_handle: &str) -> Result<Option<FlowView>, Error> {
        match self.living_flow(state_handle).await? {
            Some(flow) => self.view(flow, state_handle).await,
            None => Ok(None),
        }
    }

    /// What the beginning of a flow looks like before there is one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such app or nobody can sign in to it.
    pub async fn flow_beginning(&self, application: Option<&AppId>) -> Result<FlowView, Error> {
        let now = self.now();
        let flow = Flow {
            id: [0; 32],
            attempt: String::new(),
            application: self.flow_application(application).await?,
            state: FlowState::beginning(None),
            created: now,
            expires: now.plus(FLOW_LIFETIME),
            revision: 0,
        };
        let view = self.view(flow, "").await?;
        view.ok_or_else(|| Error::Internal("the beginning of a flow is about nobody".to_owned()))
    }

    /// Ends a flow; says nothing if there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_flow(&self, state_handle: &str) -> Result<(), Error> {
        Ok(self.inner.store.commit(vec![Change::Flow(FlowChange::Delete(flow_id(state_handle)))]).await?)
    }

    /// Gives a flow its next input and says where it stands then; `None` if it is unknown or over.
    ///
    /// `attempt` is what the form carried, if it came from a form: an input made for an earlier state does nothing. An input
    /// that does not belong to the step where the flow is does nothing either. Runs to its end also if the caller goes away.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if the input before this one is still under way, or too many passwords are being compared.
    pub async fn advance_flow(
        &self,
        state_handle: &SecretString,
        attempt: Option<&str>,
        input: Input,
        origin: &RequestOrigin,
    ) -> Result<Option<FlowView>, Error> {
        let (app, under_way) = (self.clone(), self.inner.calls.token());
        let (handle, attempt, origin) = (state_handle.clone(), attempt.map(str::to_owned), origin.clone());
        run_to_end(async move {
            let result = app.advance(handle, attempt, input, origin).await;
            drop(under_way);
            result
        })
        .await
    }

    async fn advance(
        self,
        handle: SecretString,
        attempt: Option<String>,
        input: Input,
        origin: RequestOrigin,
    ) -> Result<Option<FlowView>, Error> {
        let id = flow_id(handle.expose_secret());
        let (turn, waited_from) = match self.inner.turns.take_at_once(&id) {
            Some(turn) => (turn, None),
            None => {
                let Some(seen) = self.living_flow(handle.expose_secret()).await? else { return Ok(None) };
                let turn = self.inner.turns.take(&id, PATIENCE).await;
                (turn.ok_or(Error::TooBusy { retry_after: PATIENCE })?, Some(seen.revision))
            }
        };
        let Some(flow) = self.living_flow(handle.expose_secret()).await? else { return Ok(None) };
        // Whoever waited for another input was shown the state before it.
        let is_current = waited_from.is_none_or(|revision| revision == flow.revision)
            && attempt.is_none_or(|attempt| attempt == flow.attempt);
        let flow = if is_current {
            let org = Org::read(&self, &flow).await?;
            let mut run = Run::new(&self, flow, org, handle.clone(), origin);
            run.step(input).await?;
            run.flow
        } else {
            flow
        };
        drop(turn);
        self.view(flow, handle.expose_secret()).await
    }

    async fn living_flow(&self, state_handle: &str) -> Result<Option<Flow>, Error> {
        if state_handle.is_empty() || state_handle.len() > MAX_HANDLE_BYTES {
            return Ok(None);
        }
        let flow = self.inner.store.flow(&flow_id(state_handle)).await?;
        Ok(flow.filter(|flow| self.now() < flow.expires))
    }

    async fn flow_application(&self, id: Option<&AppId>) -> Result<AppId, Error> {
        let application = match id {
            Some(id) if id.is_plausible() => self.cached_application(id).await?,
            Some(_) => None,
            None => self.cached_dashboard().await?,
        };
        let application = application.filter(|application| application.status.is_active());
        let missing = || Error::not_found(&id.cloned().unwrap_or_else(|| AppId::from_text("dashboard")));
        application.map(|application| application.id.clone()).ok_or_else(missing)
    }

    /// What stands behind the code at the end of a flow; `None` if it is unknown, used, or too old. Using it up is the
    /// caller's: with [`FlowChange::TakeCode`] in the commit that keeps what it was exchanged for.
    ///
    /// # Errors
    /// The store's.
    pub async fn flow_code(&self, code: &str) -> Result<Option<FlowCode>, Error> {
        let found = self.inner.store.flow_code(&code_hash(code)).await?;
        Ok(found.filter(|found| self.now() < found.expires))
    }

    /// Removes what is over: flows, codes, sessions, failures, mails. Of several nodes one does it, at most once in `every`.
    ///
    /// # Errors
    /// The store's.
    pub async fn drop_expired(&self, every: Duration) -> Result<(), Error> {
        if !self.inner.store.take_lease("expired", self.now(), every).await? {
            return Ok(());
        }
        Ok(self.inner.store.commit(vec![Change::Flow(FlowChange::DropExpired(self.now()))]).await?)
    }
}
