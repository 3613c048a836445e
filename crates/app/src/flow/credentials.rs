//! A password to choose, and a code that proves an address.

use std::time::Duration;

use hookwright_model::Entropy;
use hookwright_model::client_address::counted_address;
use hookwright_model::flow::{
    EMAIL_CODE_LIFETIME, EMAIL_CODE_PAUSE, EMAIL_CODE_TRIES, EMAIL_CODES_PER_ADDRESS, EMAIL_CODES_PER_FLOW,
    EMAIL_CODES_PER_NETWORK, EMAIL_CODES_WINDOW, RefusalStatus, Stage,
};
use hookwright_model::id::{UserId, mint_uuid};
use hookwright_model::password::check_password;
use hookwright_model::registration::{Message, MessageKind};
use hookwright_model::system_log::LogEvent;
use hookwright_model::user::{User, UserStatus, folded_login};
use hookwright_model::{Timestamp, flow::FlowState};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;
use subtle::ConstantTimeEq;

use super::run::{Next, Run};
use crate::Error;
use crate::events::{self, user_actor, user_target};
use crate::guessing::forgotten_guesses;
use crate::mail::{queued, verification};
use crate::opaque::{hex, sha256};

/// How long one mail waits for another to the same user.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many digits a code has that proves an address.
const EMAIL_CODE_DIGITS: u32 = 6;

/// The field that passwords stand in, as IDX names it.
pub(super) const PASSCODE: &str = "credentials.passcode";

impl Run<'_> {
    /// Sets the password of a newcomer, or of a user whose password has expired. A new user without one was made by a release
    /// that made users before they had a password.
    pub(super) async fn set_password(
        &mut self,
        user: &UserId,
        is_new: bool,
        password: SecretString,
    ) -> Result<(), Error> {
        if let Some(newcomer) = self.flow.state.newcomer.clone().filter(|_| is_new) {
            return self.choose_password(*newcomer, password).await;
        }
        let Some(user) = self.user(user).await? else { return self.begin_again().await };
        let fits = match is_new {
            true => user.password.is_none() && user.status == UserStatus::Provisioned,
            false => user.status == UserStatus::PasswordExpired,
        };
        if !fits {
            return self.begin_again().await;
        }
        if let Err(text) = check_password(password.expose_secret(), user.login()) {
            let message = Message::at(PASSCODE, MessageKind::Password, text);
            return self.refuse(RefusalStatus::Wrong, vec![message], Map::new()).await;
        }
        let now = self.app.now();
        let hash = self.app.hash_password(password).await?;
        let mut changed = user.with_password(hash, now);
        let verify = is_new && self.org.policy.active_rule().is_some_and(|rule| rule.email_verification);
        let mut events = vec![self.user_event(events::PASSWORD_SET, &changed)];
        if !verify {
            if is_new {
                events.push(self.user_event(events::USER_ACTIVATED, &changed));
            }
            activate(&mut changed, now);
        }
        let mut changes = vec![Change::UpdateUser(Box::new(changed.clone())), Change::AppendEvents(events)];
        if !is_new {
            changes.extend(self.app.end_of_access(&changed.id));
            changes.push(forgotten_guesses(&changed.id));
        }
        changed.revision += 1;
        let next = self.after_authentication(&changed, now, changes).await?;
        self.finish(next).await?;
        self.app.send_mails_soon();
        Ok(())
    }

    /// The step at which a code is entered, with the mail that brings it. Whoever had too many mails stands there without one:
    /// whoever knows the password could guess codes for ever otherwise, and fill somebody else's mailbox.
    pub(super) async fn mail_code(&self, user: &User, mut changes: Vec<Change>) -> Result<Next, Error> {
        let (now, [key, share]) = (self.app.now(), self.mails_keys(user.email()));
        let turn = self.app.inner.turns.take(&key, PATIENCE).await.ok_or(Error::TooBusy { retry_after: PATIENCE })?;
        let sent = self.app.inner.store.sign_in_failures(&key).await?;
        let sent_here = self.app.inner.store.sign_in_failures(&share).await?;
        if sent.wait_within(EMAIL_CODES_PER_ADDRESS, EMAIL_CODES_WINDOW, now).is_some()
            || sent_here.wait_within(EMAIL_CODES_PER_NETWORK, EMAIL_CODES_WINDOW, now).is_some()
        {
            let (user, code_sha256) = (user.id.clone(), String::new());
            let stage = Stage::EmailCode { user, code_sha256, sent_ms: now.as_millis(), failures: EMAIL_CODE_TRIES };
            let message =
                Message::banner(MessageKind::TooMany, "Too many codes were mailed. Please try again in an hour.");
            let state = self.flow.state.at(stage).refused(RefusalStatus::TooMany, vec![message], Map::new());
            return Ok(Next { changes, ..Next::new(state) });
        }
        let (since, expires) = (now.minus(EMAIL_CODES_WINDOW), now.plus(EMAIL_CODES_WINDOW));
        changes.extend([key, share].map(|key| Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires })));
        let code = mint_code(self.app.entropy(), EMAIL_CODE_DIGITS);
        let mail = verification(mint_uuid(self.app.entropy()), user.email(), &code, EMAIL_CODE_LIFETIME, now);
        let stage = Stage::EmailCode {
            user: user.id.clone(),
            code_sha256: self.code_sha256(&code),
            sent_ms: now.as_millis(),
            failures: 0,
        };
        changes.push(queued(mail, now));
        let state = FlowState { mails: self.flow.state.mails + 1, ..self.flow.state.at(stage) };
        Ok(Next { changes, mailing: Some(turn), ..Next::new(state) })
    }

    /// A code that was entered.
    pub(super) async fn check_email_code(&mut self, stage: Stage, code: &SecretString) -> Result<(), Error> {
        let Stage::EmailCode { user, code_sha256, sent_ms, failures } = stage else { return Ok(()) };
        let now = self.app.now();
        let newcomer = self.flow.state.newcomer.clone();
        let user = match &newcomer {
            Some(newcomer) => newcomer.as_user(now),
            None => match self.user(&user).await?.filter(|user| user.status == UserStatus::Provisioned) {
                Some(user) => user,
                None => return self.begin_again().await,
            },
        };
        let code: String = code.expose_secret().chars().filter(|letter| !letter.is_whitespace()).collect();
        let is_fresh = now < Timestamp::from_millis(sent_ms).plus(EMAIL_CODE_LIFETIME) && failures < EMAIL_CODE_TRIES;
        let matches = bool::from(self.code_sha256(&code).as_bytes().ct_eq(code_sha256.as_bytes()));
        if !(is_fresh && matches) {
            let text = if is_fresh {
                "Your code doesn't match our records. Please try again."
            } else {
                "The code is no longer valid. Please ask for a new one."
            };
            let message = Message::at(PASSCODE, MessageKind::Code, text);
            let stage = Stage::EmailCode { user: user.id, code_sha256, sent_ms, failures: failures.saturating_add(1) };
            let state = self.flow.state.at(stage).refused(RefusalStatus::Wrong, vec![message], Map::new());
            return self.finish(Next::new(state)).await;
        }
        let forgotten = self.mails_keys(user.email()).map(|key| Change::Flow(FlowChange::ForgetFailures(key)));
        if let Some(newcomer) = newcomer {
            return self.make_user(&newcomer, newcomer.as_proven_user(now), forgotten.to_vec()).await;
        }
        let mut changed = user;
        changed.email_verified = true;
        activate(&mut changed, now);
        let mut changes = vec![
            Change::UpdateUser(Box::new(changed.clone())),
            Change::AppendEvents(vec![self.user_event(events::USER_ACTIVATED, &changed)]),
        ];
        changes.extend(forgotten);
        changed.revision += 1;
        let next = self.after_authentication(&changed, self.proven(now), changes).await?;
        self.finish(next).await
    }

    /// Another mail, unless the last one is too young or there were too many.
    pub(super) async fn resend_code(&mut self, user: &UserId, sent_ms: i64) -> Result<(), Error> {
        let user = match &self.flow.state.newcomer {
            Some(newcomer) => newcomer.as_user(self.app.now()),
            None => match self.user(user).await? {
                Some(user) => user,
                None => return self.begin_again().await,
            },
        };
        let too_soon = self.app.now().since(Timestamp::from_millis(sent_ms)) < EMAIL_CODE_PAUSE;
        if self.flow.state.mails >= EMAIL_CODES_PER_FLOW || too_soon {
            let text = "Please wait a moment before you ask for another code.";
            let message = Message::banner(MessageKind::TooMany, text);
            return self.refuse(RefusalStatus::TooMany, vec![message], Map::new()).await;
        }
        let next = self.mail_code(&user, Vec::new()).await?;
        self.finish(next).await?;
        self.app.send_mails_soon();
        Ok(())
    }

    /// What the mails with codes to an address are counted under: all of them, and those that this client network brought about.
    pub(super) fn mails_keys(&self, address: &str) -> [[u8; 32]; 2] {
        let folded = folded_login(address);
        let network = self.origin.ip_address.map(|address| counted_address(address).to_string()).unwrap_or_default();
        let share = sha256(&[b"mailed code from", folded.as_bytes(), network.as_bytes()]);
        [mails_key(address), share]
    }

    pub(super) fn code_sha256(&self, code: &str) -> String {
        hex(&sha256(&[b"email code", &self.flow.id, code.as_bytes()]))
    }

    pub(super) fn user_event(&self, kind: events::EventKind, user: &User) -> LogEvent {
        self.app.flow_event(kind, user_actor(user), &self.origin, vec![user_target(user)])
    }
}

/// What all mails with codes and links to an address are counted under.
pub(crate) fn mails_key(address: &str) -> [u8; 32] {
    sha256(&[b"mailed code", folded_login(address).as_bytes()])
}

/// Lets a user in from now on.
pub(super) fn activate(user: &mut User, now: Timestamp) {
    let now = now.whole_seconds().max(user.created);
    user.status = UserStatus::Active;
    user.activated = Some(now);
    user.status_changed = Some(now);
    user.last_updated = now;
}

/// So many digits.
pub(super) fn mint_code(entropy: &dyn Entropy, digits: u32) -> String {
    let number = u64::from_be_bytes(entropy.bytes()) % 10_u64.saturating_pow(digits);
    format!("{number:0width$}", width = digits as usize)
}
