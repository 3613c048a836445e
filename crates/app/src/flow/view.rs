//! Where a flow stands, for whoever shows it.

use std::sync::Arc;

use hookwright_model::Timestamp;
use hookwright_model::application::Application;
use hookwright_model::flow::{ClientBinding, Flow, RefusalStatus, Stage, Step, covered};
use hookwright_model::registration::{Message, missing_fields, sign_up_fields};
use hookwright_model::user::{User, UserStatus};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::code_of;
use super::run::Org;
use crate::{App, Error};

/// What is to be shown of a flow.
#[derive(Debug, Clone)]
pub struct FlowView {
    /// The step.
    pub step: Step,
    /// What is to be said about the last input.
    pub messages: Vec<Message>,
    /// What was filled in last, if it was refused.
    pub values: Map<String, Value>,
    /// How the last input was refused, if it was.
    pub refusal: Option<RefusalStatus>,
    /// What a form carries along.
    pub attempt: String,
    /// When the flow ends.
    pub expires: Timestamp,
    /// The app that is signed in to.
    pub application: Arc<Application>,
    /// Whether somebody who can't sign in gets help by mail.
    pub can_recover: bool,
    /// The OAuth client that waits.
    pub client: Option<ClientBinding>,
    /// What the client gets, at the end.
    pub code: Option<SecretString>,
}

impl App {
    /// Whether nothing is left to do in a flow: somebody is signed in, and the client that waited has had its code.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_over(&self, view: &FlowView) -> Result<bool, Error> {
        match (&view.step, &view.code) {
            (Step::Done { .. }, None) => Ok(true),
            (Step::Done { .. }, Some(code)) => Ok(self.flow_code(code.expose_secret()).await?.is_none()),
            _ => Ok(false),
        }
    }

    /// `None` if the user that the flow is about is gone.
    pub(super) async fn view(&self, flow: Flow, state_handle: &str) -> Result<Option<FlowView>, Error> {
        let org = Org::read(self, &flow).await?;
        let is_done = matches!(flow.state.stage, Stage::Done { .. });
        let newcomer = flow.state.newcomer.as_ref().map(|newcomer| newcomer.as_user(self.now()));
        let user = match flow.state.stage.user() {
            Some(_) if newcomer.is_some() => newcomer,
            Some(id) => match self.inner.store.user(id.as_str()).await? {
                // What came to its end with a proof that counts no longer is over.
                Some(user) if is_done && user.proof_epoch != flow.state.proof_epoch => return Ok(None),
                Some(user) => Some(user),
                None => return Ok(None),
            },
            None => None,
        };
        let sign_up = org.open_rule().is_some();
        let login = user.as_ref().map(|user| user.login().to_owned()).unwrap_or_default();
        let mut code = None;
        let step = match flow.state.stage {
            Stage::Identify => Step::Identify { sign_up },
            Stage::Password { identifier } => Step::Password { identifier, sign_up },
            Stage::SignUp => match org.policy.active_rule() {
                Some(rule) => {
                    Step::SignUp { fields: sign_up_fields(rule, &org.schema), password: rule.enroll_password_on_form }
                }
                None => Step::Identify { sign_up },
            },
            Stage::SetPassword { is_new, .. } => Step::SetPassword { identifier: login, is_new },
            Stage::EmailCode { .. } => {
                Step::EmailCode { address: covered(user.as_ref().map(User::email).unwrap_or_default()) }
            }
            Stage::Recovery { purpose } => Step::Recovery { purpose },
            Stage::RecoveryChoice { identifier } => Step::RecoveryChoice { identifier, sign_up },
            Stage::RecoveryCode { purpose, identifier, .. } => Step::RecoveryCode { purpose, identifier },
            Stage::ResetPassword { user: id, .. } => {
                let is_first = user.as_ref().is_some_and(|user| user.status == UserStatus::Provisioned);
                Step::ResetPassword { user: id, identifier: login, is_first }
            }
            Stage::Unlocked { identifier } => Step::Unlocked { identifier },
            Stage::Progressive { .. } => {
                let rule = org.policy.active_rule().filter(|rule| rule.progressive_profiling);
                let fields = rule.zip(user.as_ref()).map(|(rule, user)| missing_fields(rule, &org.schema, user));
                let fields = fields.unwrap_or_default();
                let may_skip = !fields.iter().any(|field| field.required);
                Step::Progressive { identifier: login, fields, may_skip }
            }
            Stage::Done { user, .. } => {
                code = flow.state.client.as_ref().map(|_| code_of(state_handle, &flow.attempt));
                Step::Done { user, identifier: login }
            }
        };
        Ok(Some(FlowView {
            step,
            messages: flow.state.messages,
            values: flow.state.values,
            refusal: flow.state.refusal,
            attempt: flow.attempt,
            expires: flow.expires,
            application: org.application,
            can_recover: self.can_mail(),
            client: flow.state.client,
            code,
        }))
    }
}
