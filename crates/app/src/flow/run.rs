//! One input of one flow: what is read for it, and the one write that it ends with.

use std::sync::Arc;
use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, EnrollmentRule};
use hookwright_model::execution::Execution;
use hookwright_model::flow::{Flow, FlowState, Input, RefusalStatus, Stage};
use hookwright_model::id::{UserId, mint_event_id};
use hookwright_model::registration::{Message, MessageKind, Refusal};
use hookwright_model::user::User;
use hookwright_model::user_schema::UserSchema;
use hookwright_store::{Change, CommitError, Conflict, Expected, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::SentForm;
use super::handles::{handle_hash, risen};
use super::typed;
use crate::opaque::mint;
use crate::sessions::{NewSession, SignedIn};
use crate::turns::Turn;
use crate::{App, Error, RequestOrigin};

/// What the record of a call says of whose answer nothing was made.
const NO_EFFECT: &str = "flow UNCHANGED: what the answer led to was not written";

/// What a flow goes by, as it is now.
pub(super) struct Org {
    pub(super) application: Arc<Application>,
    pub(super) policy: Arc<EnrollmentPolicy>,
    pub(super) schema: Arc<UserSchema>,
}

/// One input being worked on.
pub(super) struct Run<'a> {
    pub(super) app: &'a App,
    pub(super) flow: Flow,
    pub(super) org: Org,
    /// What opens the flow, also after a rise that this input made.
    pub(super) handle: SecretString,
    pub(super) origin: RequestOrigin,
    /// The form that brought the input, if it came by the hosted pages.
    pub(super) form: Option<SentForm>,
    /// The session that began with this input.
    pub(super) session: Option<NewSession>,
    /// The secret of a device that became known with this input.
    pub(super) new_device: Option<SecretString>,
    /// What the next handle is made of, should this input raise the rights.
    rise: SecretString,
    /// Names the state that this input leads to.
    pub(super) next_attempt: String,
    /// Whether other nodes are kept from working on this input.
    pub(super) has_claim: bool,
    /// The record of a call that was made, until it is written.
    pub(super) unwritten: Option<Execution>,
    /// Whether a commit was sent of which nobody knows what became.
    is_uncertain: bool,
}

/// What an input leads to.
pub(super) struct Next {
    pub(super) state: FlowState,
    pub(super) changes: Vec<Change>,
    pub(super) expected: Expected,
    /// Held until it is written: mails for one user are counted one after the other.
    pub(super) mailing: Option<Turn>,
    /// The session that begins with it.
    pub(super) session: Option<NewSession>,
}

impl Next {
    pub(super) fn new(state: FlowState) -> Self {
        Self { state, changes: Vec::new(), expected: Expected::default(), mailing: None, session: None }
    }
}

impl Org {
    pub(super) async fn read(app: &App, flow: &Flow) -> Result<Self, Error> {
        // At most a second old, and only what other nodes wrote: the commit of a user fails if policy or schema are others by then.
        let gone = || Error::not_found(&flow.application);
        let application = app.cached_application(&flow.application).await?.ok_or_else(gone)?;
        let policy = app.cached_policy(&application.policy_id).await?;
        let policy = policy.ok_or_else(|| Error::not_found(&application.policy_id))?;
        let schema = app.cached_schema().await?;
        Ok(Self { application, policy, schema })
    }

    /// The rule, if people may sign up now.
    pub(super) fn open_rule(&self) -> Option<&EnrollmentRule> {
        self.policy.active_rule().filter(|rule| rule.allows_registration())
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(app: &'a App, flow: Flow, org: Org, handle: SecretString, mut origin: RequestOrigin) -> Self {
        // A visitor is where the client said, and not where the client is.
        origin.ip_address = flow.state.visitor.address.or(origin.ip_address);
        let (next_attempt, rise) = (mint_event_id(app.entropy()), mint(app.entropy()));
        Self {
            app,
            flow,
            org,
            handle,
            origin,
            form: None,
            session: None,
            new_device: None,
            rise,
            next_attempt,
            has_claim: false,
            unwritten: None,
            is_uncertain: false,
        }
    }

    /// The state handle after this input, should it raise the rights.
    pub(super) fn next_handle(&self) -> SecretString {
        let page = self.form.as_ref().map_or("", |form| &form.token);
        risen(&self.handle, self.rise.expose_secret(), page)
    }

    /// Whether somebody else raised the rights meanwhile, so that our state handle opens nothing any longer.
    pub(super) fn went_on(&self) -> bool {
        self.flow.handle != handle_hash(self.handle.expose_secret())
    }

    /// Ends the work on an input, whatever came of it: a call that was made is recorded, and no other node is kept waiting.
    pub(super) async fn settle(&mut self) {
        if let Some(mut execution) = self.unwritten.take() {
            execution.summary.effect = Some(NO_EFFECT.into());
            let app = self.app.clone();
            match self.is_uncertain {
                false => app.inner.store.record(execution).await,
                // The flow's own commit may have kept it.
                true => drop(self.app.inner.calls.spawn(async move { app.record_unless_kept(execution).await })),
            }
        }
        if self.has_claim
            && let Err(error) = self.app.inner.store.release_flow(&self.flow.id, &self.next_attempt).await
        {
            tracing::warn!(%error, "a claim on a flow could not be given up; it ends by itself");
        }
    }

    /// Does what the input asks for, if it belongs to the step where the flow is.
    pub(super) async fn step(&mut self, input: Input) -> Result<(), Error> {
        match (self.flow.state.stage.clone(), input) {
            (Stage::Done { .. }, _) => Ok(()),
            (_, Input::Cancel) | (Stage::Identify | Stage::Password { .. } | Stage::SignUp, Input::SelectIdentify) => {
                self.go(Stage::Identify).await
            }
            (
                Stage::Identify | Stage::Password { .. } | Stage::RecoveryChoice { .. },
                Input::Identify { identifier, password, device },
            ) => self.identify(identifier, password, device).await,
            // Whoever is shown the choice of a proof still may know the password.
            (
                Stage::Password { identifier } | Stage::RecoveryChoice { identifier },
                Input::Password { password, device },
            ) => self.prove(identifier, password, device).await,
            // auth-js asks for the form again before each try: it begins anew, without what was said about the last one.
            (Stage::Identify | Stage::Password { .. } | Stage::SignUp, Input::StartSignUp) => {
                self.start_sign_up().await
            }
            (Stage::SignUp, Input::SignUp { profile, password }) => self.sign_up(profile, password).await,
            (Stage::SetPassword { user, is_new }, Input::Password { password, .. }) => {
                self.set_password(&user, is_new, password).await
            }
            (stage @ Stage::EmailCode { .. }, Input::EmailCode(code)) => self.check_email_code(stage, &code).await,
            (Stage::EmailCode { user, sent_ms, .. }, Input::ResendCode) => self.resend_code(&user, sent_ms).await,
            (Stage::Progressive { user }, Input::Progressive { profile }) => {
                self.complete_profile(&user, profile).await
            }
            (Stage::Progressive { user }, Input::Skip) => self.skip_profile(&user).await,
            (stage, input) => self.recover(stage, input).await,
        }
    }

    /// Goes on with somebody who is signed in already.
    pub(super) async fn resume(&mut self, signed_in: SignedIn) -> Result<(), Error> {
        let next = self.after_authentication(&signed_in.user, signed_in.session.created, Vec::new()).await?;
        self.finish(next).await
    }

    pub(super) async fn go(&mut self, stage: Stage) -> Result<(), Error> {
        let next = Next::new(self.flow.state.at(stage));
        self.finish(next).await
    }

    /// Back to the beginning, since what the flow knew is so no longer.
    pub(super) async fn begin_again(&mut self) -> Result<(), Error> {
        let text = "Your session has expired. Please try to sign in again.";
        let message = Message::banner(MessageKind::Expired, text);
        let state = self.flow.state.at(Stage::Identify);
        let next = Next::new(state.refused(RefusalStatus::Wrong, vec![message], Map::new()));
        self.finish(next).await
    }

    /// The same step with a text.
    pub(super) async fn refuse(
        &mut self,
        status: RefusalStatus,
        messages: Vec<Message>,
        values: Map<String, Value>,
    ) -> Result<(), Error> {
        let next = Next::new(self.flow.state.refused(status, messages, values));
        self.finish(next).await
    }

    /// The same form with the words of a decision, and the record of the call that led to it.
    pub(super) async fn refuse_form(
        &mut self,
        refusal: Refusal,
        values: Map<String, Value>,
        record: Vec<Change>,
    ) -> Result<(), Error> {
        let mut next = Next::new(self.flow.state.refused(RefusalStatus::Wrong, refusal.messages, values));
        next.changes = record;
        self.finish(next).await
    }

    /// Writes what the input leads to. Somebody else may have moved the flow meanwhile: then theirs stands, and nothing of
    /// this is written but the record of a call that was made.
    pub(super) async fn finish(&mut self, next: Next) -> Result<(), Error> {
        match self.commit(next).await? {
            Ok(()) => Ok(()),
            Err(Conflict::Stale) => self.reread().await,
            Err(conflict) => Err(Error::Internal(format!("a flow could not be written: {conflict}"))),
        }
    }

    /// Writes what the input leads to; the conflict is the caller's to judge.
    pub(super) async fn commit(&mut self, next: Next) -> Result<Result<(), Conflict>, Error> {
        let mut flow = Flow { attempt: self.next_attempt.clone(), state: next.state, ..self.flow.clone() };
        let mut handle = self.handle.clone();
        if self.flow.state.stage.rises_to(&flow.state.stage) {
            handle = self.next_handle();
            flow.previous = Some(flow.handle);
            flow.handle = handle_hash(handle.expose_secret());
            flow.state = flow.state.risen(self.rise.expose_secret().to_owned());
        }
        let is_over = matches!(flow.state.stage, Stage::Done { .. });
        let kept = typed::sealed(flow.clone(), handle.expose_secret())?;
        let update = FlowChange::Update { flow: Box::new(kept), expected: next.expected, is_over };
        let mut changes = vec![Change::Flow(update)];
        changes.extend(next.changes);
        let has_record = changes.iter().any(|change| matches!(change, Change::AppendExecution(_)));
        let written = self.app.inner.store.commit(changes).await;
        drop(next.mailing);
        match written {
            Ok(()) => {}
            Err(CommitError::Conflict(conflict)) => return Ok(Err(conflict)),
            Err(CommitError::OutcomeUnknown(error)) => {
                // Looked up, never repeated: the attempt tells whether it was written.
                self.is_uncertain = true;
                let stored = self.app.inner.store.flow_with_id(&self.flow.id).await?;
                if stored.is_none_or(|stored| stored.attempt != self.next_attempt) {
                    return Err(CommitError::OutcomeUnknown(error).into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.has_claim = false;
        if has_record {
            self.unwritten = None;
        }
        self.flow = Flow { revision: self.flow.revision + 1, ..flow };
        (self.handle, self.session) = (handle, next.session);
        Ok(Ok(()))
    }

    /// The flow as it is stored now.
    pub(super) async fn reread(&mut self) -> Result<(), Error> {
        if let Some(flow) = self.app.inner.store.flow_with_id(&self.flow.id).await? {
            // Where it went on under another handle, it can't be read, and is not shown.
            self.flow = if flow.handle == self.flow.handle {
                typed::opened(flow, self.handle.expose_secret()).ok_or_else(unreadable)?
            } else {
                flow
            };
        }
        Ok(())
    }

    /// Whether somebody else has moved the flow since it was read.
    pub(super) async fn was_moved(&self) -> Result<bool, Error> {
        let stored = self.app.inner.store.flow_with_id(&self.flow.id).await?;
        Ok(stored.is_none_or(|stored| stored.revision != self.flow.revision))
    }

    /// When the person proved who they are; `now` in a flow that began without a proof.
    pub(super) fn proven(&self, now: Timestamp) -> Timestamp {
        self.flow.state.proven().unwrap_or(now)
    }

    /// The user that the flow is about; nobody if another password was set since they proved who they are, or what they proved
    /// was ended otherwise.
    pub(super) async fn user(&self, user: &UserId) -> Result<Option<User>, Error> {
        let proven = self.flow.state.proven();
        let still = |user: &User| {
            user.proof_epoch == self.flow.state.proof_epoch
                && user.password_changed.is_none_or(|changed| proven.is_some_and(|at| changed <= at))
        };
        Ok(self.app.inner.store.user(user.as_str()).await?.filter(still))
    }
}

fn unreadable() -> Error {
    Error::Internal("a flow can't be read with its own state handle".to_owned())
}

/// How often, and how far apart, a database that is away is asked whether it kept a record.
const ASKING: (u32, Duration) = (60, Duration::from_secs(1));

impl App {
    /// Records a call whose record may be kept already.
    async fn record_unless_kept(&self, execution: Execution) {
        for _ in 0..ASKING.0 {
            match self.inner.store.execution(&execution.id).await {
                Ok(Some(_)) => return,
                Ok(None) => break,
                Err(_) => tokio::time::sleep(ASKING.1).await,
            }
        }
        self.inner.store.record(execution).await;
    }
}
