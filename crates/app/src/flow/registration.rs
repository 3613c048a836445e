//! Signing up: the form is checked, the hook speaks, and one write lets the person go on or shows why not.

use hookwright_contract::registration::failure_text;
use hookwright_contract::request::RegistrationKind;
use hookwright_model::enrollment_policy::EnrollmentRule;
use hookwright_model::flow::{RefusalStatus, Stage};
use hookwright_model::password::check_password;
use hookwright_model::registration::{
    Decision, FormField, Message, MessageKind, Refusal, Submission, read_form, refusal_for_taken, sign_up_fields,
};
use hookwright_model::shown::Shown;
use hookwright_store::Conflict;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::hook::sign_up_request;
use super::run::{Next, Run};
use crate::Error;
use crate::events::unknown_actor;

/// The longest value that is shown again, in characters.
const MAX_KEPT_CHARACTERS: usize = 4_096;

/// What somebody reads whose network sent too many forms.
const TOO_MANY: &str = "Too many people signed up from here. Please try again in an hour.";

impl Run<'_> {
    /// "Sign up".
    pub(super) async fn start_sign_up(&mut self) -> Result<(), Error> {
        match self.org.open_rule() {
            Some(_) => self.go(Stage::SignUp).await,
            None => self.refuse(RefusalStatus::Wrong, vec![closed()], Map::new()).await,
        }
    }

    /// The sign-up form.
    pub(super) async fn sign_up(
        &mut self,
        given: Map<String, Value>,
        password: Option<SecretString>,
    ) -> Result<(), Error> {
        let Some(rule) = self.org.open_rule().cloned() else {
            let state = self.flow.state.at(Stage::Identify);
            return self.finish(Next::new(state.refused(RefusalStatus::Wrong, vec![closed()], Map::new()))).await;
        };
        let fields = sign_up_fields(&rule, &self.org.schema);
        let values = kept(&fields, &given);
        let read = read_form(&fields, &self.org.schema, &given, true);
        let password = match check_form_password(&rule, password, &read) {
            Ok(password) => password,
            Err(message) => {
                let mut messages = read.err().unwrap_or_default();
                messages.push(message);
                return self.refuse(RefusalStatus::Wrong, messages, values).await;
            }
        };
        let submitted = match read {
            Ok(submitted) => submitted,
            Err(messages) => return self.refuse(RefusalStatus::Wrong, messages, values).await,
        };
        let (schema, none) = (self.org.schema.clone(), Map::new());
        let submission = Submission {
            kind: RegistrationKind::SelfService,
            schema: &schema,
            fields: &fields,
            existing: &none,
            submitted: &submitted,
        };
        let Some(counted) = self.app.begin_sign_up(&self.origin).await? else {
            let message = Message::banner(MessageKind::TooMany, TOO_MANY);
            return self.refuse(RefusalStatus::TooMany, vec![message], values).await;
        };
        if let Some(attribute) = self.taken(&submitted).await? {
            let noted = counted.noted().into_iter().collect();
            return self.refuse_form(refusal_for_taken(&submission, &attribute), values, noted).await;
        }
        let password = match password {
            Some(password) => Some(self.app.hash_password(password).await?),
            None => None,
        };
        let login = submitted.get("login").and_then(Value::as_str).unwrap_or_default();
        let asked = self.ask(rule.registration_hook(), || sign_up_request(&submitted), unknown_actor(login)).await?;
        let Some(mut asked) = asked else { return Ok(()) };
        asked.note(counted.noted());
        let decision = asked.decide(&submission);
        let effect = decision.effect(submission.kind);
        match decision {
            Decision::Refuse(refusal) => self.refuse_form(refusal, values, asked.record(effect)).await,
            Decision::Admit(admission) => {
                let refused = self.admit(&rule, admission, password, &asked).await?;
                let refusal = match refused {
                    None => return Ok(()),
                    Some(Conflict::LoginTaken) => refusal_for_taken(&submission, "login"),
                    Some(Conflict::UniqueTaken { attribute }) => refusal_for_taken(&submission, &attribute),
                    Some(conflict) => failed(submission.kind, &format!("{conflict}")),
                };
                let effect = Decision::Refuse(refusal.clone()).effect(submission.kind);
                self.refuse_form(refusal, values, asked.record(effect)).await
            }
        }
    }

    /// Which unique attribute somebody else has a value of, as far as can be told before the hook is asked. The index decides
    /// again when the user is written.
    pub(super) async fn taken(&self, submitted: &Map<String, Value>) -> Result<Option<String>, Error> {
        let store = &self.app.inner.store;
        if let Some(login) = submitted.get("login").and_then(Value::as_str)
            && store.user_by_login(login).await?.is_some()
        {
            return Ok(Some("login".to_owned()));
        }
        for value in self.org.schema.unique_values(submitted) {
            if store.user_by_unique_value(&value).await?.is_some() {
                return Ok(Some(value.attribute));
            }
        }
        Ok(None)
    }
}

/// The password of a form that asks for one.
fn check_form_password(
    rule: &EnrollmentRule,
    password: Option<SecretString>,
    read: &Result<Map<String, Value>, Vec<Message>>,
) -> Result<Option<SecretString>, Message> {
    if !rule.enroll_password_on_form {
        return Ok(None);
    }
    let password = password.unwrap_or_default();
    let login = read.as_ref().ok().and_then(|profile| profile.get("login")).and_then(Value::as_str).unwrap_or_default();
    match check_password(password.expose_secret(), login) {
        Ok(()) => Ok(Some(password)),
        Err(text) => Err(Message::at("credentials.passcode", MessageKind::Password, text)),
    }
}

/// What was filled in, as the form shows it again: the form's own fields, nothing endless.
pub(super) fn kept(fields: &[FormField], given: &Map<String, Value>) -> Map<String, Value> {
    let of_form = fields.iter().filter_map(|field| given.get_key_value(&field.name));
    let sane = of_form.filter(|(_, value)| value.to_string().chars().count() <= MAX_KEPT_CHARACTERS);
    sane.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The refusal after something changed while the hook thought.
pub(super) fn failed(kind: RegistrationKind, reason: &str) -> Refusal {
    let message = Message::banner(MessageKind::HookDefault, failure_text(kind));
    Refusal { messages: vec![message], reason: Shown::own(format!("something changed meanwhile: {reason}")) }
}

pub(super) fn closed() -> Message {
    Message::banner(MessageKind::SignUpClosed, "You can't sign up here. Please contact your administrator.")
}
