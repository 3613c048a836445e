//! The life cycle of users as administrators move it, up to the end.

use hookwright_model::id::UserId;
use hookwright_model::user::{Detail, LifecycleStep, UserStatus};
use hookwright_store::{Change, CommitError, Conflict, FlowChange, OAuthChange};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::events::{self, EventKind, user_target};
use crate::{App, Caller, Error};

/// What a step answers besides "done".
#[derive(Debug, Clone, PartialEq)]
pub enum LifecycleAnswer {
    /// Nothing.
    Done,
    /// The user afterwards, as the API shows it.
    User(Value),
}

impl App {
    /// Takes a step of a user's life cycle.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AlreadyActive`], [`Error::WrongUserStatus`], [`Error::NotLockedOut`].
    pub async fn step_user(
        &self,
        caller: &Caller,
        id_or_login: &str,
        step: LifecycleStep,
    ) -> Result<LifecycleAnswer, Error> {
        let stored = self.stored_user(id_or_login).await?;
        if step == LifecycleStep::Unlock && stored.status != UserStatus::LockedOut {
            self.forgive_guesses(caller, &stored).await?;
            return Ok(LifecycleAnswer::Done);
        }
        let id = stored.id;
        let user = self
            .change_user(caller, &id, |stored, _| match stored.after(step, self.now()) {
                Ok(user) => Ok((user, vec![kind_of(step)])),
                // Who is gone already stays gone; who is active already is a fault of Okta's own code.
                Err(wrong) => match (step, wrong.status) {
                    (LifecycleStep::Deactivate, UserStatus::Deprovisioned) => Ok((stored.clone(), Vec::new())),
                    (LifecycleStep::Activate, UserStatus::Active) => Err(Error::AlreadyActive),
                    (LifecycleStep::Unlock, _) => Err(Error::NotLockedOut),
                    _ => Err(Error::WrongUserStatus),
                },
            })
            .await?;
        Ok(match step {
            LifecycleStep::ExpirePassword => {
                LifecycleAnswer::User(user.to_json(&self.settings().public_url, Detail::Full))
            }
            _ => LifecycleAnswer::Done,
        })
    }

    /// What ends sessions, codes and grants of a user, with all tokens. It belongs to each write that begins a new epoch of the
    /// user's proofs; flows half way see the epoch.
    pub(crate) fn end_of_access(&self, user: &UserId) -> Vec<Change> {
        let revoked = OAuthChange::RevokeGrantsOfUser { user: user.clone(), at: self.now() };
        vec![Change::Flow(FlowChange::DeleteSessionsOfUser(user.clone())), Change::OAuth(revoked)]
    }

    /// Expires a password and sets a temporary one, which is answered and has to be changed at the next sign-in.
    ///
    /// # Errors
    /// As [`App::step_user`], and [`Error::TooBusy`].
    pub async fn expire_with_temporary_password(&self, caller: &Caller, id_or_login: &str) -> Result<Value, Error> {
        let id = self.stored_user(id_or_login).await?.id;
        let temporary = temporary_password(&self.entropy().bytes());
        let hash = self.hash_password(SecretString::from(temporary.clone())).await?;
        self.change_user(caller, &id, |stored, _| {
            let expired = stored.after(LifecycleStep::ExpirePassword, self.now());
            let expired = expired.map_err(|_| Error::WrongUserStatus)?;
            Ok((expired.with_password(hash.clone(), self.now()), vec![events::PASSWORD_EXPIRED]))
        })
        .await?;
        Ok(json!({"tempPassword": temporary}))
    }

    /// Deactivates a user, or deletes for good one who is DEPROVISIONED.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_user(&self, caller: &Caller, id_or_login: &str) -> Result<(), Error> {
        let user = self.stored_user(id_or_login).await?;
        if user.status != UserStatus::Deprovisioned {
            self.step_user(caller, user.id.as_str(), LifecycleStep::Deactivate).await?;
            return Ok(());
        }
        let mut tries = self.tries(user.id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let user = self.stored_user(user.id.as_str()).await?;
            if user.status != UserStatus::Deprovisioned {
                return Err(Error::WrongUserStatus);
            }
            let event = |kind| self.event(kind, caller, user_target(&user), now);
            let changes = vec![
                Change::DeleteUser { id: user.id.clone(), revision: user.revision },
                Change::AppendEvents(vec![event(events::USER_DELETION_BEGUN), event(events::USER_DELETED)]),
            ];
            match self.commit(changes, |_| ()).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                other => return Ok(other?),
            }
        }
    }
}

pub(super) const fn kind_of(step: LifecycleStep) -> EventKind {
    match step {
        LifecycleStep::Activate => events::USER_ACTIVATED,
        LifecycleStep::Reactivate => events::USER_REACTIVATED,
        LifecycleStep::Deactivate => events::USER_DEACTIVATED,
        LifecycleStep::Suspend => events::USER_SUSPENDED,
        LifecycleStep::Unsuspend => events::USER_UNSUSPENDED,
        LifecycleStep::Unlock => events::USER_UNLOCKED,
        LifecycleStep::ExpirePassword => events::PASSWORD_EXPIRED,
        LifecycleStep::ResetPassword => events::PASSWORD_RESET,
    }
}

/// Sixteen letters and digits that are not taken for each other: some 91 random bits.
fn temporary_password(random: &[u8; 16]) -> String {
    const ALPHABET: &[u8; 52] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXY3479";
    let letter = |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied().map_or('a', char::from);
    random.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_password_may_be_chosen() {
        for byte in [0, 1, 51, 255] {
            let password = temporary_password(&[byte; 16]);
            assert!(hookwright_model::password::check_password(&password, "a@b.co").is_ok(), "{password}");
        }
    }
}
