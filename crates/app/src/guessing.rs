//! Trying passwords: counted, slowed down, and telling nothing about who exists.

use std::time::Duration;

use hookwright_model::guessing::{ADDRESS_WINDOW, FORGETTING, LONG_WAIT};
use hookwright_model::system_log::{LogEvent, Outcome, Severity};
use hookwright_model::user::{User, UserStatus, folded_login};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};

use crate::events::{SESSION_STARTED, unknown_actor, user_actor, user_target};
use crate::opaque::sha256;
use crate::passwords::Verified;
use crate::{App, Error, RequestOrigin};

/// How long a browser that somebody signed in with is known.
pub(crate) const BROWSER_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long one try waits for others with the same name.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody who knows a name and perhaps its password.
pub(crate) struct Guess<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) password: SecretString,
    /// The secret of the browser.
    pub(crate) device: Option<&'a SecretString>,
    pub(crate) origin: &'a RequestOrigin,
}

/// Somebody whose password was right.
pub(crate) struct Proven {
    pub(crate) user: User,
    /// The key of the failures that are to be forgotten.
    pub(crate) key: [u8; 32],
    /// Whether the password should be hashed anew.
    pub(crate) outdated: bool,
}

impl App {
    /// Whether the password is the one of the user with this name. `None` says nothing about why not, and takes as long for a
    /// name that nobody has.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if the address failed too often or too many passwords are being compared.
    pub(crate) async fn prove(&self, guess: &Guess<'_>, user: Option<User>) -> Result<Option<Proven>, Error> {
        let now = self.now();
        let address = self.address_key(guess.origin);
        if let Some(key) = &address
            && let Some(wait) = self.inner.store.sign_in_failures(key).await?.address_wait(now)
        {
            return Err(Error::TooBusy { retry_after: wait });
        }
        let key = self.account_key(guess, user.as_ref()).await?;
        // Tries with one name take turns, so that many at once can't all come before the first failure is noted.
        let turn = self.inner.turns.take(&key, PATIENCE).await.ok_or(Error::TooBusy { retry_after: PATIENCE })?;
        let may_try = self.inner.store.sign_in_failures(&key).await?.may_try(now);
        let stored = user.as_ref().filter(|user| may_try && may_sign_in(user)).and_then(|user| user.password.clone());
        let verified = self.inner.passwords.verify(guess.password.clone(), stored).await?;
        let user = match (verified, user) {
            (Verified::Right { outdated }, Some(user)) => return Ok(Some(Proven { user, key, outdated })),
            (_, user) => user,
        };
        let mut changes = Vec::new();
        let note = |key, window: Duration, lifetime: Duration| {
            let (since, expires) = (now.minus(window), now.plus(lifetime));
            Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires })
        };
        // A try that came too early proves nothing and costs nothing: else anybody could keep a name locked for ever.
        if may_try {
            changes.push(note(key, FORGETTING, FORGETTING + LONG_WAIT));
            changes.push(Change::AppendEvents(vec![self.failed_sign_in(user.as_ref(), guess.origin)]));
        }
        if let Some(key) = address {
            changes.push(note(key, ADDRESS_WINDOW, ADDRESS_WINDOW));
        }
        if !changes.is_empty() {
            self.inner.store.commit(changes).await?;
        }
        drop(turn);
        Ok(None)
    }

    /// The event of a wrong password. A name that nobody has is left out: it may be a password in the wrong field.
    fn failed_sign_in(&self, user: Option<&User>, origin: &RequestOrigin) -> LogEvent {
        let actor = user.map_or_else(|| unknown_actor(""), user_actor);
        let mut event = self.flow_event(SESSION_STARTED, actor, origin, user.map(user_target).into_iter().collect());
        event.severity = Severity::Warn;
        event.outcome = Outcome { result: "FAILURE".into(), reason: Some("INVALID_CREDENTIALS".to_owned()) };
        event
    }

    /// What an address's failures are counted under, where limits are on. A subscriber of IPv6 has more addresses than anybody
    /// could try, and counts once.
    fn address_key(&self, origin: &RequestOrigin) -> Option<[u8; 32]> {
        let counted = self.limited_network(origin)?.to_string();
        Some(sha256(&[b"address", counted.as_bytes()]))
    }

    /// What the failures are counted under: the name alone, or the name and the browser that somebody signed in with before.
    async fn account_key(&self, guess: &Guess<'_>, user: Option<&User>) -> Result<[u8; 32], Error> {
        let name = folded_login(guess.identifier);
        if let (Some(device), Some(user)) = (guess.device, user) {
            let sha256_of_device = device_hash(device);
            if self.inner.store.is_known_browser(&sha256_of_device, &user.id, self.now()).await? {
                return Ok(sha256(&[b"browser", name.as_bytes(), &sha256_of_device]));
            }
        }
        Ok(sha256(&[b"name", name.as_bytes()]))
    }
}

/// Whether the state of the account lets anybody prove who they are. A PROVISIONED user with a password has an address to
/// confirm.
pub(crate) const fn may_sign_in(user: &User) -> bool {
    matches!(user.status, UserStatus::Active | UserStatus::PasswordExpired | UserStatus::Provisioned)
}

pub(crate) fn device_hash(device: &SecretString) -> [u8; 32] {
    sha256(&[b"device", device.expose_secret().as_bytes()])
}
