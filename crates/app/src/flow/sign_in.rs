//! Name and password, and what comes after somebody proved who they are.

use hookwright_model::Timestamp;
use hookwright_model::flow::{CODE_LIFETIME, FlowCode, RefusalStatus, Stage};
use hookwright_model::profile::MISSING;
use hookwright_model::registration::{Message, MessageKind, missing_fields};
use hookwright_model::user::{User, UserStatus, folded_login};
use hookwright_model::user_schema::UniqueValue;
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::run::{Next, Run};
use super::{code_hash, code_of};
use crate::Error;
use crate::events::{self, user_actor, user_target};
use crate::guessing::{Device, Guess, Proven, device_hash, visitor_device_hash};
use crate::opaque::hex;

/// The longest name that anybody can have, in bytes; nothing longer is looked up.
const MAX_IDENTIFIER_BYTES: usize = 1024;

impl Run<'_> {
    /// A name, perhaps with a password.
    pub(super) async fn identify(
        &mut self,
        identifier: String,
        password: Option<SecretString>,
        device: Option<SecretString>,
    ) -> Result<(), Error> {
        let lacking = |field: &str| Message::at(field, MessageKind::Blank, MISSING);
        let Some(identifier) = name_of(&identifier) else {
            return self.refuse(RefusalStatus::Wrong, vec![lacking("identifier")], Map::new()).await;
        };
        match password {
            Some(password) if password.expose_secret().is_empty() => {
                let values = typed_name(&identifier);
                self.refuse(RefusalStatus::Wrong, vec![lacking("credentials.passcode")], values).await
            }
            Some(password) => self.prove(identifier, password, device).await,
            None => self.go(Stage::Password { identifier }).await,
        }
    }

    /// A password for a name.
    pub(super) async fn prove(
        &mut self,
        identifier: String,
        password: SecretString,
        device: Option<SecretString>,
    ) -> Result<(), Error> {
        // Before the password is read: one that is set while this one is compared makes the proof worthless.
        let began = self.app.now();
        let user = self.user_named(&identifier).await?;
        let guess = Guess {
            identifier: &identifier,
            password: password.clone(),
            device: self.device(device.as_ref()),
            origin: &self.origin,
        };
        let Some(proven) = self.app.prove(&guess, user).await? else {
            // The same for a name that nobody has, a wrong password, and an account that is locked or switched off.
            let message = Message::banner(MessageKind::SignIn, "Unable to sign in");
            return self.refuse(RefusalStatus::Unproven, vec![message], typed_name(&identifier)).await;
        };
        let Proven { mut user, mut changes, new_device, outdated } = proven;
        self.new_device = new_device;
        if outdated {
            // The same password at today's cost; when it was set stays as it was.
            user.password = Some(self.app.hash_password(password).await?);
            changes.push(Change::UpdateUser(Box::new(user.clone())));
            user.revision += 1;
        }
        let next = self.after_authentication(&user, began, changes).await?;
        self.finish(next).await?;
        self.app.send_mails_soon();
        Ok(())
    }

    /// The device, by its own secret or by what the client calls it that forwards its visitor.
    fn device(&self, secret: Option<&SecretString>) -> Option<Device> {
        let own = || secret.map(|secret| Device { sha256: device_hash(secret), is_vouched_for: false });
        let forwarded = self.flow.state.visitor.device_sha256.as_ref();
        let forwarded = forwarded.map(|text| Device { sha256: visitor_device_hash(text), is_vouched_for: true });
        forwarded.or_else(own)
    }

    /// Where somebody goes who proved who they are at that time.
    pub(super) async fn after_authentication(
        &self,
        user: &User,
        authenticated: Timestamp,
        changes: Vec<Change>,
    ) -> Result<Next, Error> {
        let next = match user.status {
            UserStatus::Provisioned => self.mail_code(user, changes).await?,
            UserStatus::PasswordExpired => {
                let stage = Stage::SetPassword { user: user.id.clone(), is_new: false };
                Next { changes, ..Next::new(self.flow.state.at(stage)) }
            }
            _ => self.profile_or_end(user, authenticated, changes),
        };
        Ok(Next { state: next.state.proven_at(authenticated, user.proof_epoch), ..next })
    }

    /// The form for what the profile lacks, or else the end.
    fn profile_or_end(&self, user: &User, authenticated: Timestamp, changes: Vec<Change>) -> Next {
        let rule = self.org.policy.active_rule().filter(|rule| rule.progressive_profiling);
        let missing = rule.map(|rule| missing_fields(rule, &self.org.schema, user)).unwrap_or_default();
        if missing.is_empty() {
            return self.done(user, authenticated, changes);
        }
        Next { changes, ..Next::new(self.flow.state.at(Stage::Progressive { user: user.id.clone() })) }
    }

    /// The end: the user is signed in, and the client that waits gets a code.
    pub(super) fn done(&self, user: &User, authenticated: Timestamp, mut changes: Vec<Change>) -> Next {
        let now = self.app.now();
        let mut code_sha256 = None;
        if let Some(client) = &self.flow.state.client {
            let code = code_of(self.next_handle().expose_secret(), &self.next_attempt);
            let sha256 = code_hash(code.expose_secret());
            code_sha256 = Some(hex(&sha256));
            changes.push(Change::Flow(FlowChange::InsertCode(Box::new(FlowCode {
                sha256,
                application: self.flow.application.clone(),
                user: user.id.clone(),
                client: client.clone(),
                authenticated,
                expires: now.plus(CODE_LIFETIME),
                taken: None,
            }))));
        }
        // A client that leads the person has its own idea of a session.
        let session = self.form.is_some().then(|| self.app.new_session(&user.id, authenticated));
        let session = session.map(|(session, change)| {
            changes.push(change);
            session
        });
        changes.push(Change::NoteSignIn { id: user.id.clone(), proof_epoch: user.proof_epoch, at: now });
        let mut event =
            self.app.flow_event(events::SESSION_STARTED, user_actor(user), &self.origin, vec![user_target(user)]);
        event.debug_data.insert("applicationId".to_owned(), json!(self.flow.application.as_str()));
        changes.push(Change::AppendEvents(vec![event]));
        let stage = Stage::Done { user: user.id.clone(), authenticated_ms: authenticated.as_millis(), code_sha256 };
        Next { changes, session, ..Next::new(self.flow.state.at(stage)) }
    }

    /// The user who signs in with this name.
    pub(super) async fn user_named(&self, identifier: &str) -> Result<Option<User>, Error> {
        let store = &self.app.inner.store;
        let by_email = self.org.policy.rule.allowed_identifiers.iter().any(|allowed| allowed == "email");
        if let Some(user) = store.user_by_login(identifier).await? {
            return Ok(Some(user));
        }
        match UniqueValue::of("email", &Value::from(identifier)) {
            Some(email) if by_email && !folded_login(identifier).is_empty() => {
                Ok(store.user_by_unique_value(&email).await?)
            }
            _ => Ok(None),
        }
    }
}

/// What was entered as a name, if it could be one.
pub(super) fn name_of(entered: &str) -> Option<String> {
    let name = entered.trim();
    let could_be = !name.is_empty() && name.len() <= MAX_IDENTIFIER_BYTES && !name.contains('\0');
    could_be.then(|| name.to_owned())
}

/// The name as the form shows it again.
pub(super) fn typed_name(identifier: &str) -> Map<String, Value> {
    std::iter::once(("identifier".to_owned(), Value::String(identifier.to_owned()))).collect()
}
