//! From the accepted sign-up form to the user: what the hook decided on waits in the flow, and one write makes the user when the
//! password is there, and the proof of the address if one is asked for. Who does not finish leaves nothing behind.

use hookwright_contract::request::RegistrationKind;
use hookwright_model::enrollment_policy::EnrollmentRule;
use hookwright_model::flow::{Newcomer, RefusalStatus, Stage};
use hookwright_model::id::UserId;
use hookwright_model::password::check_password;
use hookwright_model::registration::{Admission, Message, MessageKind, Submission, refusal_for_taken, sign_up_fields};
use hookwright_model::shown::Shown;
use hookwright_model::system_log::{LogEvent, Target};
use hookwright_model::user::{PasswordHash, User};
use hookwright_store::{Change, Conflict, Expected};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, json};

use super::credentials::PASSCODE;
use super::hook::Asked;
use super::registration::{closed, failed, kept};
use super::run::{Next, Run};
use crate::Error;
use crate::events::{self, user_actor, user_target};

impl Run<'_> {
    /// Goes on with somebody whom the form and the hook let in; gives the conflict if that can't be.
    pub(super) async fn admit(
        &mut self,
        rule: &EnrollmentRule,
        admission: Admission,
        password: Option<PasswordHash>,
        asked: &Asked,
    ) -> Result<Option<Conflict>, Error> {
        // The hook may have set another login. Only the write of the user decides, but why let somebody choose a password in vain.
        if let Some(attribute) = self.taken(&admission.profile).await? {
            return Ok(Some(Conflict::UniqueTaken { attribute }));
        }
        let newcomer = Newcomer {
            user: UserId::mint(self.app.entropy()),
            profile: admission.profile,
            policy: (self.org.policy.id.clone(), self.org.policy.revision),
            schema_revision: self.org.schema.revision,
            hook: asked.hook.clone(),
            execution: asked.execution_id(),
            warnings: admission.warnings,
            password: password.map(|hash| hash.expose_phc().to_owned()),
        };
        let (record, now) = (asked.record("registration ALLOW"), self.app.now());
        let mut next = if newcomer.password.is_none() {
            let stage = Stage::SetPassword { user: newcomer.user.clone(), is_new: true };
            Next { changes: record, ..Next::new(self.flow.state.at(stage)).about(&newcomer) }
        } else if rule.email_verification {
            self.mail_code(&newcomer.as_user(now), record).await?.about(&newcomer)
        } else {
            self.made(&newcomer, newcomer.as_user(now), record).await?
        };
        next.expected = expected(&newcomer);
        let conflict = match self.commit(next).await? {
            Ok(()) => None,
            // Another node has moved this very flow: its result stands.
            Err(Conflict::Stale) if self.was_moved().await? => {
                self.reread().await?;
                None
            }
            Err(conflict) => Some(conflict),
        };
        self.app.send_mails_soon();
        Ok(conflict)
    }

    /// The password that a newcomer chooses.
    pub(super) async fn choose_password(&mut self, newcomer: Newcomer, password: SecretString) -> Result<(), Error> {
        let now = self.app.now();
        if let Err(text) = check_password(password.expose_secret(), newcomer.as_user(now).login()) {
            let message = Message::at(PASSCODE, MessageKind::Password, text);
            return self.refuse(RefusalStatus::Wrong, vec![message], Map::new()).await;
        }
        let hash = self.app.hash_password(password).await?;
        let newcomer = Newcomer { password: Some(hash.expose_phc().to_owned()), ..newcomer };
        if !self.org.policy.active_rule().is_some_and(|rule| rule.email_verification) {
            return self.make_user(&newcomer, newcomer.as_user(now), Vec::new()).await;
        }
        let mut next = self.mail_code(&newcomer.as_user(now), Vec::new()).await?.about(&newcomer);
        next.expected = expected(&newcomer);
        match self.commit(next).await? {
            Ok(()) => self.app.send_mails_soon(),
            Err(Conflict::Stale) if self.was_moved().await? => self.reread().await?,
            Err(conflict) => return self.refuse_newcomer(&newcomer, &conflict).await,
        }
        Ok(())
    }

    /// Makes the user of a newcomer who has everything that is asked for. Whoever finished first has the name: the other one
    /// reads so at the form, and so does somebody whose policy, hook or schema is another by now.
    pub(super) async fn make_user(
        &mut self,
        newcomer: &Newcomer,
        user: User,
        changes: Vec<Change>,
    ) -> Result<(), Error> {
        if self.org.schema.revision != newcomer.schema_revision {
            return self.refuse_newcomer(newcomer, &Conflict::SchemaChanged).await;
        }
        let mut next = self.made(newcomer, user, changes).await?;
        next.expected = expected(newcomer);
        match self.commit(next).await? {
            Ok(()) => Ok(()),
            Err(Conflict::Stale) if self.was_moved().await? => self.reread().await,
            Err(conflict) => self.refuse_newcomer(newcomer, &conflict).await,
        }
    }

    /// The user with everything that belongs to it, and where they go then.
    async fn made(&self, newcomer: &Newcomer, user: User, mut changes: Vec<Change>) -> Result<Next, Error> {
        let (now, rule) = (self.app.now(), &self.org.policy.rule);
        changes.insert(0, Change::insert_user(user.clone(), &self.org.schema));
        if let Some(group) = &rule.target_group {
            changes.push(Change::AddGroupMember { group: group.clone(), user: user.id.clone() });
            changes.push(Change::TouchGroupMembership { group: group.clone(), at: now });
        }
        changes.push(Change::AppendEvents(self.creation_events(rule, &user, newcomer)));
        self.after_authentication(&user, now, changes).await
    }

    /// The form again, with the reason why there can't be a user.
    async fn refuse_newcomer(&mut self, newcomer: &Newcomer, conflict: &Conflict) -> Result<(), Error> {
        let Some(rule) = self.org.open_rule() else {
            let state = self.flow.state.at(Stage::Identify);
            return self.finish(Next::new(state.refused(RefusalStatus::Wrong, vec![closed()], Map::new()))).await;
        };
        let (schema, none) = (self.org.schema.clone(), Map::new());
        let fields = sign_up_fields(rule, &schema);
        let kind = RegistrationKind::SelfService;
        let submission =
            Submission { kind, schema: &schema, fields: &fields, existing: &none, submitted: &newcomer.profile };
        let refusal = match conflict {
            Conflict::LoginTaken => refusal_for_taken(&submission, "login"),
            Conflict::UniqueTaken { attribute } => refusal_for_taken(&submission, attribute),
            other => failed(kind, &other.to_string()),
        };
        let values = kept(&fields, &newcomer.profile);
        let state = self.flow.state.at(Stage::SignUp).refused(RefusalStatus::Wrong, refusal.messages, values);
        self.finish(Next::new(state)).await
    }

    fn creation_events(&self, rule: &EnrollmentRule, user: &User, newcomer: &Newcomer) -> Vec<LogEvent> {
        let rule_target = Target {
            id: rule.id.to_string(),
            kind: "PolicyRule".into(),
            display_name: self.org.policy.name.clone(),
            alternate_id: None,
        };
        let event = |kind, targets| {
            let mut event = self.app.flow_event(kind, user_actor(user), &self.origin, targets);
            if let Some(id) = &newcomer.execution {
                event.debug_data.insert("executionId".to_owned(), json!(id));
            }
            event
        };
        let mut created = event(events::USER_CREATED, vec![user_target(user), rule_target]);
        if !newcomer.warnings.is_empty() {
            created.debug_data.insert("warnings".to_owned(), json!(Shown::joined(&newcomer.warnings)));
        }
        let mut events = vec![created];
        if !rule.enroll_password_on_form {
            events.push(event(events::PASSWORD_SET, vec![user_target(user)]));
        }
        events.push(event(events::USER_ACTIVATED, vec![user_target(user)]));
        if let Some(group) = &rule.target_group {
            let group = Target {
                id: group.to_string(),
                kind: "UserGroup".into(),
                display_name: group.to_string(),
                alternate_id: None,
            };
            events.push(event(events::USER_JOINED_GROUP, vec![user_target(user), group]));
        }
        events
    }
}

impl Next {
    /// The same for somebody who is no user yet.
    fn about(mut self, newcomer: &Newcomer) -> Self {
        self.state.newcomer = Some(Box::new(newcomer.clone()));
        self
    }
}

/// What was so when the hook was asked, and must be so still when the user is made.
fn expected(newcomer: &Newcomer) -> Expected {
    Expected { policy: Some(newcomer.policy.clone()), hook: newcomer.hook.clone() }
}
