//! Links to a new password that administrators have made: mailed to the user, or answered to be handed over.

use hookwright_model::account_link::{AccountLink, LinkPurpose};
use hookwright_model::flow::{EMAIL_CODES_PER_ADDRESS, EMAIL_CODES_WINDOW};
use hookwright_model::id::mint_uuid;
use hookwright_model::mail;
use hookwright_model::user::{LifecycleStep, User, UserStatus};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::lifecycle::kind_of;
use crate::events::{self, user_target};
use crate::flow::{link_hash, mails_key};
use crate::mail::queued;
use crate::opaque::mint;
use crate::{App, Caller, Error};

impl App {
    /// Takes a step of a user's life cycle that leads to a new password, and mails the link to it or answers it. `activate`
    /// of a user who has a password needs no link, and mails none.
    ///
    /// # Errors
    /// As [`App::step_user`], and [`Error::TooBusy`] where the user was mailed too much within an hour.
    pub async fn step_user_with_link(
        &self,
        caller: &Caller,
        id_or_login: &str,
        step: LifecycleStep,
        send_email: bool,
    ) -> Result<Value, Error> {
        let purpose = match step {
            LifecycleStep::ResetPassword => LinkPurpose::PasswordReset,
            _ => LinkPurpose::Activation,
        };
        let user = self.stored_user(id_or_login).await?;
        let send_email = send_email && (purpose == LinkPurpose::PasswordReset || user.password.is_none());
        let counted = if send_email { Some(self.counted_mail(&user).await?) } else { None };
        let token = mint(self.entropy());
        let decide = |stored: &User| match stored.after(step, self.now()) {
            Ok(user) => Ok((user, vec![kind_of(step)])),
            Err(wrong) if step == LifecycleStep::Activate && wrong.status == UserStatus::Active => {
                Err(Error::AlreadyActive)
            }
            Err(_) => Err(Error::WrongUserStatus),
        };
        let more = |user: &User| {
            let mut changes = vec![self.link_change(user, purpose, &token)];
            if let Some(counted) = &counted {
                changes.extend([counted.clone(), self.link_mail(user, purpose, &token)]);
            }
            changes
        };
        self.change_user_and(caller, &user.id, |stored, _| decide(stored), more).await?;
        self.send_mails_soon();
        Ok(self.link_answer(purpose, &token, send_email))
    }

    /// Begins what "Forgot password?" begins, for somebody whom an administrator helps. The present password goes on until
    /// there is a new one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongUserStatus`] but for an account that could sign in, [`Error::TooBusy`].
    pub async fn forgot_password(&self, caller: &Caller, id_or_login: &str, send_email: bool) -> Result<Value, Error> {
        let user = self.stored_user(id_or_login).await?;
        if !matches!(user.status, UserStatus::Active | UserStatus::PasswordExpired | UserStatus::LockedOut) {
            return Err(Error::WrongUserStatus);
        }
        let (purpose, token) = (LinkPurpose::PasswordReset, mint(self.entropy()));
        let event = self.event(events::RECOVERY_MAILED, caller, user_target(&user), self.now());
        let mut changes = vec![self.link_change(&user, purpose, &token)];
        if send_email {
            changes.push(self.counted_mail(&user).await?);
            changes.push(self.link_mail(&user, purpose, &token));
            changes.push(Change::AppendEvents(vec![event]));
        }
        self.inner.store.commit(changes).await?;
        self.send_mails_soon();
        Ok(self.link_answer(purpose, &token, send_email))
    }

    fn link_change(&self, user: &User, purpose: LinkPurpose, token: &SecretString) -> Change {
        Change::Flow(FlowChange::InsertLink(Box::new(AccountLink {
            sha256: link_hash(token.expose_secret()),
            user: user.id.clone(),
            purpose,
            proof_epoch: user.proof_epoch,
            expires: self.now().plus(purpose.lifetime()),
        })))
    }

    fn link_mail(&self, user: &User, purpose: LinkPurpose, token: &SecretString) -> Change {
        let (now, url) = (self.now(), self.link_url(purpose, token));
        queued(mail::link(mint_uuid(self.entropy()), user.email(), purpose, &url, now), now)
    }

    /// One more mail to the user, if there may be one.
    async fn counted_mail(&self, user: &User) -> Result<Change, Error> {
        let (now, key) = (self.now(), mails_key(user.email()));
        let sent = self.inner.store.sign_in_failures(&key).await?;
        if let Some(retry_after) = sent.wait_within(EMAIL_CODES_PER_ADDRESS, EMAIL_CODES_WINDOW, now) {
            return Err(Error::TooBusy { retry_after });
        }
        let (since, expires) = (now.minus(EMAIL_CODES_WINDOW), now.plus(EMAIL_CODES_WINDOW));
        Ok(Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires }))
    }

    /// Where the link leads, in the forms of Okta's Identity Engine.
    fn link_url(&self, purpose: LinkPurpose, token: &SecretString) -> String {
        let (base, token) = (&self.settings().public_url, token.expose_secret());
        match purpose {
            LinkPurpose::Activation => format!("{base}/tokens/{token}/verify"),
            LinkPurpose::PasswordReset => format!("{base}/signin/reset-password/{token}"),
        }
    }

    fn link_answer(&self, purpose: LinkPurpose, token: &SecretString, sent: bool) -> Value {
        let url = self.link_url(purpose, token);
        match purpose {
            _ if sent => json!({}),
            LinkPurpose::Activation => json!({"activationUrl": url, "activationToken": token.expose_secret()}),
            LinkPurpose::PasswordReset => json!({"resetPasswordUrl": url}),
        }
    }
}
