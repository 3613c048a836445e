//! Recovery: a new password for somebody who forgot theirs, and an end of the lock, with a code that is mailed.
//!
//! Whoever asks learns nothing about who exists: names that nobody has go the same way, are counted the same way and are
//! answered the same way, and nothing that a step shows comes from the account. Asking for a code changes nothing for the
//! owner; only the new password does.

use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::client_address::counted_address;
use hookwright_model::flow::{
    EMAIL_AUTHENTICATOR, EMAIL_CODE_LIFETIME, EMAIL_CODE_PAUSE, EMAIL_CODE_TRIES, EMAIL_CODES_PER_ADDRESS,
    EMAIL_CODES_PER_FLOW, EMAIL_CODES_WINDOW, FlowState, Input, Mailed, RECOVERIES_PER_HOUR, RECOVERIES_PER_MINUTE,
    RECOVERY_CODE_DIGITS, RECOVERY_CODES_PER_NAME, RecoveryPurpose, RefusalStatus, Stage,
};
use hookwright_model::id::{UserId, mint_uuid};
use hookwright_model::password::check_password;
use hookwright_model::profile::MISSING;
use hookwright_model::registration::{Message, MessageKind};
use hookwright_model::user::{User, UserStatus, folded_login};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;
use subtle::ConstantTimeEq;

use super::credentials::{PASSCODE, activate, mails_key, mint_code};
use super::run::{Next, Run};
use super::sign_in::{name_of, typed_name};
use crate::Error;
use crate::events::{self, system_actor, user_target};
use crate::guessing::forgotten_guesses;
use crate::mail::{queued, recovery};
use crate::opaque::sha256;

/// How long one mail waits for another to the same user.
const PATIENCE: Duration = Duration::from_secs(2);

const MINUTE: Duration = Duration::from_secs(60);

impl Run<'_> {
    /// Does what the input asks for, if it belongs to a step of a recovery.
    pub(super) async fn recover(&mut self, stage: Stage, input: Input) -> Result<(), Error> {
        match (stage, input) {
            // Nobody who is half way in starts over by these.
            (stage, Input::Recover) if stage.user().is_none() => {
                let name = match stage {
                    Stage::Password { identifier }
                    | Stage::RecoveryChoice { identifier }
                    | Stage::RecoveryCode { purpose: RecoveryPurpose::Password, identifier, .. } => Some(identifier),
                    _ => None,
                };
                self.start_recovery(RecoveryPurpose::Password, name).await
            }
            (stage, Input::Unlock) if stage.user().is_none() => {
                self.start_recovery(RecoveryPurpose::Unlock, None).await
            }
            (
                Stage::Recovery { .. } | Stage::RecoveryChoice { .. } | Stage::RecoveryCode { .. },
                Input::SelectIdentify,
            ) => self.go(Stage::Identify).await,
            (Stage::Recovery { purpose }, Input::Identify { identifier, .. }) => {
                self.recover_by_name(purpose, &identifier).await
            }
            (stage @ (Stage::Recovery { .. } | Stage::RecoveryChoice { .. }), Input::Choose { authenticator, .. })
                if authenticator != EMAIL_AUTHENTICATOR =>
            {
                let message = Message::at("authenticator", MessageKind::Invalid, "This authenticator is not on offer.");
                let next =
                    Next::new(self.flow.state.at(stage).refused(RefusalStatus::Wrong, vec![message], Map::new()));
                self.finish(next).await
            }
            (Stage::Recovery { purpose: RecoveryPurpose::Unlock }, Input::Choose { identifier, .. }) => {
                self.recover_by_name(RecoveryPurpose::Unlock, &identifier.unwrap_or_default()).await
            }
            (Stage::RecoveryChoice { identifier }, Input::Choose { .. }) => {
                self.mail_recovery_code(RecoveryPurpose::Password, identifier).await
            }
            (stage @ Stage::RecoveryCode { .. }, Input::Choose { .. }) => self.recovery_code_again(stage, false).await,
            (stage @ Stage::RecoveryCode { .. }, Input::ResendCode) => self.recovery_code_again(stage, true).await,
            (stage @ Stage::RecoveryCode { .. }, Input::EmailCode(code)) => {
                self.check_recovery_code(stage, &code).await
            }
            (Stage::ResetPassword { user, link_sha256 }, Input::Password { password, .. }) => {
                self.reset_password(&user, link_sha256, password).await
            }
            _ => Ok(()),
        }
    }

    /// "Forgot password?", "Unlock account?"
    async fn start_recovery(&mut self, purpose: RecoveryPurpose, name: Option<String>) -> Result<(), Error> {
        if !self.app.can_mail() {
            let text = "Recovery is not available here. Please contact your administrator.";
            let message = Message::banner(MessageKind::RecoveryClosed, text);
            return self.refuse(RefusalStatus::Wrong, vec![message], Map::new()).await;
        }
        self.go(match name {
            // The pages ask for the name again, where it can be corrected; a client that leads asks for the proof next.
            Some(identifier) if self.form.is_none() => Stage::RecoveryChoice { identifier },
            _ => Stage::Recovery { purpose },
        })
        .await
    }

    /// The name. A client that leads the person lets them choose the one proof that there is; the pages spare them that.
    async fn recover_by_name(&mut self, purpose: RecoveryPurpose, entered: &str) -> Result<(), Error> {
        let Some(identifier) = name_of(entered) else {
            let message = Message::at("identifier", MessageKind::Blank, MISSING);
            return self.refuse(RefusalStatus::Wrong, vec![message], Map::new()).await;
        };
        match purpose {
            RecoveryPurpose::Password if self.form.is_none() => self.go(Stage::RecoveryChoice { identifier }).await,
            _ => self.mail_recovery_code(purpose, identifier).await,
        }
    }

    /// Another code, unless the last one is too young.
    async fn recovery_code_again(&mut self, stage: Stage, asked_for: bool) -> Result<(), Error> {
        let Stage::RecoveryCode { purpose, identifier, sent_ms, .. } = &stage else { return Ok(()) };
        if self.app.now().since(Timestamp::from_millis(*sent_ms)) >= EMAIL_CODE_PAUSE {
            return self.mail_recovery_code(*purpose, identifier.clone()).await;
        }
        // Whoever chooses the same proof once more stays where they are.
        if !asked_for {
            return self.go(stage).await;
        }
        let text = "Please wait a moment before you ask for another code.";
        self.refuse(RefusalStatus::TooMany, vec![Message::banner(MessageKind::TooMany, text)], Map::new()).await
    }

    /// The step at which a code is entered, with the mail that brings it if the name is somebody's who may have one.
    async fn mail_recovery_code(&mut self, purpose: RecoveryPurpose, identifier: String) -> Result<(), Error> {
        let (now, store) = (self.app.now(), &self.app.inner.store);
        let mut changes = Vec::new();
        changes.extend(self.network_limit("recoveries a minute", RECOVERIES_PER_MINUTE, MINUTE).await?);
        changes.extend(self.network_limit("recoveries", RECOVERIES_PER_HOUR, EMAIL_CODES_WINDOW).await?);
        let name_key = self.name_key(&identifier);
        let asked = store.sign_in_failures(&name_key).await?;
        if self.flow.state.mails >= EMAIL_CODES_PER_FLOW
            || asked.wait_within(RECOVERY_CODES_PER_NAME, EMAIL_CODES_WINDOW, now).is_some()
        {
            let text = "Too many codes were asked for. Please try again in an hour.";
            let message = Message::banner(MessageKind::TooMany, text);
            return self.refuse(RefusalStatus::TooMany, vec![message], typed_name(&identifier)).await;
        }
        let user = self.user_named(&identifier).await?.filter(|user| may_recover(user, purpose));
        // Counted for a name that nobody has as well, so that both cost the same.
        let mails_key = mails_key(user.as_ref().map_or(&identifier, User::email));
        let turn = self.app.inner.turns.take(&mails_key, PATIENCE).await;
        let turn = turn.ok_or(Error::TooBusy { retry_after: PATIENCE })?;
        let sent = store.sign_in_failures(&mails_key).await?;
        // Others may have used up the mails of this hour: whoever reads none asks again later. Saying so would say who exists.
        let is_free = sent.wait_within(EMAIL_CODES_PER_ADDRESS, EMAIL_CODES_WINDOW, now).is_none();
        changes.extend([name_key, mails_key].map(|key| counted(key, EMAIL_CODES_WINDOW, now)));
        let code = mint_code(self.app.entropy(), RECOVERY_CODE_DIGITS);
        let code_sha256 = self.code_sha256(&code);
        let mailed = user.filter(|_| is_free).map(|user| {
            let mail = recovery(mint_uuid(self.app.entropy()), user.email(), purpose, &code, now);
            changes.push(queued(mail, now));
            let kind = match purpose {
                RecoveryPurpose::Password => events::RECOVERY_MAILED,
                RecoveryPurpose::Unlock => events::UNLOCK_MAILED,
            };
            let event = self.app.flow_event(kind, system_actor(), &self.origin, vec![user_target(&user)]);
            changes.push(Change::AppendEvents(vec![event]));
            Mailed { proof_epoch: user.proof_epoch, user: user.id, code_sha256 }
        });
        let stage = Stage::RecoveryCode { purpose, identifier, mailed, sent_ms: now.as_millis(), failures: 0 };
        let state = FlowState { mails: self.flow.state.mails + 1, ..self.flow.state.at(stage) };
        self.finish(Next { changes, mailing: Some(turn), ..Next::new(state) }).await?;
        self.app.send_mails_soon();
        Ok(())
    }

    /// A code that was entered.
    async fn check_recovery_code(&mut self, stage: Stage, entered: &SecretString) -> Result<(), Error> {
        let Stage::RecoveryCode { purpose, identifier, mailed, sent_ms, failures } = stage else { return Ok(()) };
        let now = self.app.now();
        let counted = self.network_limit("recovery codes", RECOVERIES_PER_MINUTE, MINUTE).await?;
        let entered: String = entered.expose_secret().chars().filter(|letter| !letter.is_whitespace()).collect();
        let is_fresh = now < Timestamp::from_millis(sent_ms).plus(EMAIL_CODE_LIFETIME) && failures < EMAIL_CODE_TRIES;
        let entered = self.code_sha256(&entered);
        let expected = mailed.as_ref().map_or("", |mailed| &mailed.code_sha256);
        let matches = bool::from(entered.as_bytes().ct_eq(expected.as_bytes()));
        let Some(mailed) = mailed.clone().filter(|_| is_fresh && matches) else {
            let message = if is_fresh {
                Message::at(PASSCODE, MessageKind::RecoveryCode, "Invalid code. Try again.")
            } else {
                let text = "The code is no longer valid. Please ask for a new one.";
                Message::at(PASSCODE, MessageKind::Code, text)
            };
            let failures = failures.saturating_add(1);
            let stage = Stage::RecoveryCode { purpose, identifier, mailed, sent_ms, failures };
            let state = self.flow.state.at(stage).refused(RefusalStatus::Unproven, vec![message], Map::new());
            return self.finish(Next { changes: counted.into_iter().collect(), ..Next::new(state) }).await;
        };
        let user = self.app.inner.store.user(mailed.user.as_str()).await?;
        let Some(user) = user.filter(|user| user.proof_epoch == mailed.proof_epoch) else {
            return self.begin_again().await;
        };
        let changes = self.mails_keys(user.email()).map(|key| Change::Flow(FlowChange::ForgetFailures(key))).to_vec();
        match purpose {
            RecoveryPurpose::Password if may_recover(&user, purpose) => {
                let stage = Stage::ResetPassword { user: user.id.clone(), link_sha256: None };
                let state = self.flow.state.at(stage).proven_at(now, user.proof_epoch);
                self.finish(Next { changes, ..Next::new(state) }).await
            }
            RecoveryPurpose::Password => self.begin_again().await,
            RecoveryPurpose::Unlock => self.unlock(user, identifier, changes).await,
        }
    }

    /// Takes the lock away, if it is there still.
    async fn unlock(&mut self, user: User, identifier: String, mut changes: Vec<Change>) -> Result<(), Error> {
        if user.status == UserStatus::LockedOut {
            let unlocked = user.with_status(UserStatus::Active, self.app.now());
            changes.push(Change::AppendEvents(vec![self.user_event(events::USER_UNLOCKED, &unlocked)]));
            changes.push(Change::UpdateUser(Box::new(unlocked)));
        }
        changes.push(forgotten_guesses(&user.id));
        let state = self.flow.state.at(Stage::Unlocked { identifier });
        match self.commit(Next { changes, ..Next::new(state) }).await? {
            Ok(()) => Ok(()),
            Err(_) if self.was_moved().await? => self.reread().await,
            Err(_) => self.begin_again().await,
        }
    }

    /// Sets the new password, and ends everything that rested on the one of before.
    async fn reset_password(
        &mut self,
        user: &UserId,
        link_sha256: Option<[u8; 32]>,
        password: SecretString,
    ) -> Result<(), Error> {
        let may = |user: &User| {
            let by_link =
                matches!(user.status, UserStatus::Recovery | UserStatus::Provisioned) && link_sha256.is_some();
            by_link || may_recover(user, RecoveryPurpose::Password)
        };
        let Some(user) = self.user(user).await?.filter(may) else { return self.begin_again().await };
        if let Err(text) = check_password(password.expose_secret(), user.login()) {
            let message = Message::at(PASSCODE, MessageKind::NewPassword, text);
            return self.refuse(RefusalStatus::Wrong, vec![message], Map::new()).await;
        }
        let hash = self.app.hash_password(password).await?;
        let now = self.app.now();
        let mut changed = user.with_password(hash, now);
        let first = match user.status {
            UserStatus::Provisioned => events::USER_ACTIVATED,
            _ => events::PASSWORD_RESET,
        };
        let mut events = vec![self.user_event(events::PASSWORD_SET, &changed), self.user_event(first, &changed)];
        match user.status {
            UserStatus::Active => {}
            UserStatus::Provisioned => activate(&mut changed, now),
            status => {
                if status == UserStatus::LockedOut {
                    events.push(self.user_event(events::USER_UNLOCKED, &changed));
                }
                changed = changed.with_status(UserStatus::Active, now);
            }
        }
        // The code came by mail.
        changed.email_verified |= link_sha256.is_none();
        let mut changes = vec![Change::UpdateUser(Box::new(changed.clone())), Change::AppendEvents(events)];
        changes.extend(self.app.end_of_access(&changed.id));
        changes.push(forgotten_guesses(&changed.id));
        changes.extend(link_sha256.map(|sha256| Change::Flow(FlowChange::TakeLink { sha256, now })));
        changed.revision += 1;
        let next = self.after_authentication(&changed, now, changes).await?;
        match self.commit(next).await? {
            Ok(()) => Ok(()),
            Err(_) if self.was_moved().await? => self.reread().await,
            // The link is used, or the account has gone on.
            Err(_) => self.begin_again().await,
        }
    }

    /// One more of something that a client network may do only so often; counts nothing where limits are off.
    async fn network_limit(&self, what: &str, most: i64, window: Duration) -> Result<Option<Change>, Error> {
        let Some(address) = self.origin.ip_address.filter(|_| self.app.settings().rate_limits) else { return Ok(None) };
        let key = sha256(&[b"recovery limit", what.as_bytes(), counted_address(address).to_string().as_bytes()]);
        let now = self.app.now();
        match self.app.inner.store.sign_in_failures(&key).await?.wait_within(most, window, now) {
            Some(retry_after) => Err(Error::TooBusy { retry_after }),
            None => Ok(Some(counted(key, window, now))),
        }
    }

    /// What the codes are counted under that one client network asks for in one name.
    fn name_key(&self, identifier: &str) -> [u8; 32] {
        let network = self.origin.ip_address.map(|address| counted_address(address).to_string()).unwrap_or_default();
        sha256(&[b"recovery of", folded_login(identifier).as_bytes(), network.as_bytes()])
    }
}

fn counted(key: [u8; 32], window: Duration, now: Timestamp) -> Change {
    let (since, expires) = (now.minus(window), now.plus(window));
    Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires })
}

/// Whether the state of the account lets its owner help themselves. Whoever an administrator has reset or switched off goes by
/// the administrator.
fn may_recover(user: &User, purpose: RecoveryPurpose) -> bool {
    let status = match purpose {
        RecoveryPurpose::Password => {
            matches!(user.status, UserStatus::Active | UserStatus::PasswordExpired | UserStatus::LockedOut)
        }
        RecoveryPurpose::Unlock => user.status == UserStatus::LockedOut,
    };
    status && !user.email().is_empty()
}
