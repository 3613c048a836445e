//! The lock of an account: set by guesses, lifted by time, by administrators and by new passwords.

use hookwright_model::guessing::FAILURES_PER_SITE;
use hookwright_model::system_log::{Outcome, Severity};
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, CommitError, Conflict};

use crate::events::{self, operator_event, user_actor, user_target};
use crate::guessing::{forgotten_guesses, subject_of};
use crate::{App, Caller, Error, RequestOrigin};

impl App {
    /// Locks a user who is ACTIVE; gives the user as stored then.
    pub(crate) async fn lock_user(&self, user: &User, origin: &RequestOrigin) -> Result<User, Error> {
        let is_due = |user: &User| user.status == UserStatus::Active;
        let write = |user: &User| {
            let locked = user.with_status(UserStatus::LockedOut, self.now());
            let mut event = self.flow_event(events::USER_LOCKED, user_actor(user), origin, vec![user_target(user)]);
            event.severity = Severity::Debug;
            event.outcome = Outcome { result: "FAILURE".into(), reason: Some("LOCKED_OUT".to_owned()) };
            let changes = vec![Change::UpdateUser(Box::new(locked.clone())), Change::AppendEvents(vec![event])];
            (locked, changes)
        };
        self.move_user(user.clone(), is_due, write).await
    }

    /// Lifts a lock whose time is over; gives the user as stored then.
    pub(crate) async fn unlock_by_time(&self, user: &User) -> Result<User, Error> {
        let is_due = |user: &User| user.is_lock_over(self.now());
        let write = |user: &User| {
            let now = self.now();
            let unlocked = user.with_status(UserStatus::Active, now);
            let event = operator_event(events::USER_UNLOCKED, user_target(user), now, self.entropy());
            let changes = vec![
                Change::UpdateUser(Box::new(unlocked.clone())),
                forgotten_guesses(&user.id),
                Change::AppendEvents(vec![event]),
            ];
            (unlocked, changes)
        };
        self.move_user(user.clone(), is_due, write).await
    }

    /// Lifts the locks whose time is over, so that it is seen also where nobody signs in.
    ///
    /// # Errors
    /// The store's.
    pub async fn lift_locks(&self) -> Result<(), Error> {
        let now = self.now();
        for user in self.inner.store.locked_users().await? {
            if user.is_lock_over(now) {
                self.unlock_by_time(&user).await?;
            }
        }
        Ok(())
    }

    /// Lets a user in whom failures keep out although the account itself is not locked: whoever tries from the same site waits for
    /// an hour.
    pub(crate) async fn forgive_guesses(&self, caller: &Caller, user: &User) -> Result<(), Error> {
        let now = self.now();
        if self.inner.store.most_guesses(&subject_of(&user.id)).await? < FAILURES_PER_SITE {
            return Err(Error::NotLockedOut);
        }
        let event = self.event(events::USER_UNLOCKED, caller, user_target(user), now);
        let changes = vec![forgotten_guesses(&user.id), Change::AppendEvents(vec![event])];
        Ok(self.commit(changes, |_| ()).await?)
    }

    /// Writes a change of a user, from what is stored now should it have changed meanwhile; nothing where it is not due any
    /// longer.
    async fn move_user(
        &self,
        mut user: User,
        is_due: impl Fn(&User) -> bool,
        write: impl Fn(&User) -> (User, Vec<Change>),
    ) -> Result<User, Error> {
        let id = user.id.clone();
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            if !is_due(&user) {
                return Ok(user);
            }
            let (moved, changes) = write(&user);
            match self.inner.store.commit(changes).await {
                Ok(()) => return Ok(User { revision: moved.revision + 1, ..moved }),
                Err(CommitError::Conflict(Conflict::Stale)) => {
                    let stored = self.inner.store.user(id.as_str()).await?;
                    user = stored.ok_or_else(|| Error::not_found(&id))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
