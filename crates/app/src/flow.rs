//! Sign-in flows: sign in, sign up, complete a profile. One state machine for the hosted pages and for IDX.
//!
//! A flow lives in the database under the SHA-256 of its state handle, so that a restart or another node goes on with it.
//! Each input moves it by one write that is all or nothing: user, group, execution, events and the flow itself. Nothing is
//! open while a hook is asked; what was read before is looked at again when its answer is acted on. Inputs of one flow take
//! turns, and between nodes a claim and the flow's revision decide, so that a form that was sent twice does its work once.

mod claim;
mod credentials;
mod handles;
mod hook;
mod links;
mod newcomer;
mod progressive;
mod recovery;
mod registration;
mod run;
mod sign_in;
mod typed;
mod view;

use std::time::Duration;

use hookwright_engine::run_to_end;
use hookwright_model::Timestamp;
use hookwright_model::client_address::counted_address;
use hookwright_model::flow::{
    ClientBinding, FLOW_LIFETIME, Flow, FlowCode, FlowState, Input, OPEN_FLOWS_PAUSE, OPEN_FLOWS_PER_NETWORK, Visitor,
};
use hookwright_model::id::{AppId, mint_event_id};
use hookwright_store::{Change, CommitError, Conflict, FlowChange};
use secrecy::{ExposeSecret, SecretString};

use crate::opaque::{derived, mint, sha256};
use crate::sessions::{NewSession, SignedIn};
use crate::{App, Error, RequestOrigin};
use handles::{first_of, handle_hash};
use run::{Org, Run};

pub(crate) use credentials::mails_key;
pub use handles::WentOn;
pub(crate) use links::link_hash;
pub use view::FlowView;

/// How long an input waits for the one before it: longer than a hook may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a flow is for.
#[derive(Debug, Clone, Default)]
pub struct FlowStart {
    /// The app that is signed in to; the built-in dashboard if it is none.
    pub application: Option<AppId>,
    /// The OAuth client that waits for the end.
    pub client: Option<ClientBinding>,
    /// The visitor whom it forwards.
    pub visitor: Visitor,
    /// Somebody who is signed in already.
    pub signed_in: Option<SignedIn>,
    /// Whether a client that proved itself with its secret begins it, for a visitor of its own: it is not counted.
    pub is_vouched_for: bool,
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

/// A form of the hosted pages, as far as it says which page it came from.
#[derive(Debug, Clone)]
pub struct SentForm {
    /// The state of the flow that the page showed; nothing where it showed a flow that was not there yet.
    pub attempt: Option<String>,
    /// The page's token: see [`App::mint_form_token`].
    pub token: String,
}

/// What an input led to.
#[derive(Debug)]
pub enum Advanced {
    /// The flow stands here now.
    Here(Box<Arrival>),
    /// Another input was faster and raised the rights: the flow is opened by another state handle.
    WentOn(WentOn),
    /// There is no such flow, or its time is over.
    Gone,
}

/// Where a flow stands after an input.
#[derive(Debug)]
pub struct Arrival {
    /// What is to be shown.
    pub view: FlowView,
    /// The state handle that opens the flow from now on: a fresh one if the input raised the rights.
    pub state_handle: SecretString,
    /// The session of whoever came to the end with this input by the hosted pages.
    pub session: Option<NewSession>,
    /// The secret by which the device is known again, if the person just proved who they are with one that was not known yet.
    pub new_device: Option<SecretString>,
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
    /// [`Error::NotFound`] if there is no such app or nobody can sign in to it, [`Error::TooBusy`] if too many flows of the client's
    /// network are open.
    pub async fn start_flow(&self, start: FlowStart, origin: &RequestOrigin) -> Result<StartedFlow, Error> {
        let interaction_handle = mint(self.entropy());
        let first = first_of(interaction_handle.expose_secret());
        let (expires, state_handle) = self.begin(first, start, origin).await?;
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
        Ok(self.begin(state_handle.clone(), start, origin).await?.0)
    }

    /// Begins a flow; gives when it ends, and the state handle that opens it.
    async fn begin(
        &self,
        state_handle: SecretString,
        start: FlowStart,
        origin: &RequestOrigin,
    ) -> Result<(Timestamp, SecretString), Error> {
        let now = self.now();
        let application = self.flow_application(start.application.as_ref()).await?;
        let id = handle_hash(state_handle.expose_secret());
        let flow = Flow {
            id,
            handle: id,
            previous: None,
            attempt: mint_event_id(self.entropy()),
            application,
            state: FlowState { visitor: start.visitor, ..FlowState::beginning(start.client) },
            created: now,
            expires: now.plus(FLOW_LIFETIME),
            revision: 1,
        };
        let expires = flow.expires;
        let network = self.network_key(origin).filter(|_| !start.is_vouched_for && start.signed_in.is_none());
        let insert = match network {
            Some(network) => {
                FlowChange::InsertWithin { flow: Box::new(flow.clone()), network, most: OPEN_FLOWS_PER_NETWORK }
            }
            None => FlowChange::Insert(Box::new(flow.clone())),
        };
        match self.inner.store.commit(vec![Change::Flow(insert)]).await {
            Err(CommitError::Conflict(Conflict::LimitReached)) => {
                return Err(Error::TooBusy { retry_after: OPEN_FLOWS_PAUSE });
            }
            // Two requests of one browser began it at once.
            Ok(()) | Err(CommitError::Conflict(Conflict::AlreadyThere)) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(signed_in) = start.signed_in else { return Ok((expires, state_handle)) };
        let org = Org::read(self, &flow).await?;
        let mut run = Run::new(self, flow, org, state_handle, origin.clone());
        run.resume(signed_in).await?;
        Ok((expires, run.handle))
    }

    /// What the open flows of a client's network are counted under, where limits are on.
    fn network_key(&self, origin: &RequestOrigin) -> Option<[u8; 32]> {
        let address = origin.ip_address.filter(|_| self.settings().rate_limits)?;
        Some(sha256(&[b"open flows", counted_address(address).to_string().as_bytes()]))
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
            handle: [0; 32],
            previous: None,
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
        Ok(self.inner.store.commit(vec![Change::Flow(FlowChange::Delete(handle_hash(state_handle)))]).await?)
    }

    /// Gives a flow its next input and says where it stands then.
    ///
    /// An input that was made for an earlier state, as `form` tells, does nothing. An input that does not belong to the step
    /// where the flow is does nothing either. Runs to its end also if the caller goes away.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if the input before this one is still under way, or too many passwords are being compared.
    pub async fn advance_flow(
        &self,
        state_handle: &SecretString,
        form: Option<SentForm>,
        input: Input,
        origin: &RequestOrigin,
    ) -> Result<Advanced, Error> {
        let (app, under_way) = (self.clone(), self.inner.calls.token());
        let (handle, origin) = (state_handle.clone(), origin.clone());
        run_to_end(async move {
            let result = app.advance(handle, form, input, origin).await;
            drop(under_way);
            result
        })
        .await
    }

    async fn advance(
        self,
        handle: SecretString,
        form: Option<SentForm>,
        input: Input,
        origin: RequestOrigin,
    ) -> Result<Advanced, Error> {
        // A flow has one handle at a time: whoever comes with the one of before finds nothing after the turn.
        let key = handle_hash(handle.expose_secret());
        let (turn, waited_from) = match self.inner.turns.take_at_once(&key) {
            Some(turn) => (turn, None),
            None => {
                let seen = self.living_flow(handle.expose_secret()).await?;
                let turn = self.inner.turns.take(&key, PATIENCE).await;
                (turn.ok_or(Error::TooBusy { retry_after: PATIENCE })?, seen.map(|seen| seen.revision))
            }
        };
        let Some((flow, claimed_from)) = self.free_flow(handle.expose_secret()).await? else {
            return self.advanced_before(&handle, form.as_ref()).await;
        };
        // Whoever waited for another input, here or at another node, was shown the state before it.
        let made_for = form.as_ref().and_then(|form| form.attempt.as_ref());
        let is_current = waited_from.or(claimed_from).is_none_or(|revision| revision == flow.revision)
            && made_for.is_none_or(|attempt| *attempt == flow.attempt);
        let org = Org::read(&self, &flow).await?;
        let mut run = Run::new(&self, flow, org, handle, origin);
        run.form = form;
        if is_current {
            let done = run.step(input).await;
            run.settle().await;
            done?;
        }
        drop(turn);
        if run.went_on() {
            return self.advanced_before(&run.handle, run.form.as_ref()).await;
        }
        let view = self.view(run.flow, run.handle.expose_secret()).await?;
        let arrival = view.map(|view| Arrival {
            view,
            state_handle: run.handle,
            session: run.session,
            new_device: run.new_device,
        });
        Ok(arrival.map_or(Advanced::Gone, |arrival| Advanced::Here(Box::new(arrival))))
    }

    /// What an input comes to whose state handle opens nothing.
    async fn advanced_before(&self, handle: &SecretString, form: Option<&SentForm>) -> Result<Advanced, Error> {
        let went_on = self.flow_went_on(handle, form.map(|form| form.token.as_str())).await?;
        Ok(went_on.map_or(Advanced::Gone, Advanced::WentOn))
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
        Ok(self.known_code(code).await?.filter(|found| found.taken.is_none()))
    }

    /// The same also if it was used, as long as its time is not over.
    pub(crate) async fn known_code(&self, code: &str) -> Result<Option<FlowCode>, Error> {
        let found = self.inner.store.flow_code(&code_hash(code)).await?;
        if found.as_ref().is_some_and(|found| self.now() >= found.expires) {
            self.drop_what_is_over().await?;
            return Ok(None);
        }
        Ok(found)
    }

    /// Removes what is over: flows, codes, sessions, failures, mails, locks of accounts. Of several nodes one does it, at most once in `every`.
    ///
    /// # Errors
    /// The store's.
    pub async fn drop_expired(&self, every: Duration) -> Result<(), Error> {
        if !self.inner.store.take_lease("expired", self.now(), every).await? {
            return Ok(());
        }
        self.drop_what_is_over().await?;
        self.lift_locks().await
    }

    /// Removes what is over, at once: whenever something is seen whose time is over, so that a clock that is set back afterwards
    /// brings nothing to life that was over before.
    pub(crate) async fn drop_what_is_over(&self) -> Result<(), Error> {
        Ok(self.inner.store.commit(vec![Change::Flow(FlowChange::DropExpired(self.now()))]).await?)
    }
}
