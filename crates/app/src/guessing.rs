//! Trying passwords: counted, slowed down, and telling nothing about who exists. What counts for what, and how long it delays, is
//! in [`hookwright_model::guessing`].

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::client_address::{counted_address, site_of};
use hookwright_model::guessing::{ADDRESS_WINDOW, Counted, FORGETTING, Guesses, LOCK};
use hookwright_model::id::{AppId, UserId};
use hookwright_model::system_log::{LogEvent, Outcome, Severity};
use hookwright_model::user::{User, UserStatus, folded_login};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};

use crate::events::{SESSION_STARTED, unknown_actor, user_actor, user_target};
use crate::opaque::{hex, mint, sha256};
use crate::passwords::Verified;
use crate::{App, Error, RequestOrigin};

/// How long a device that somebody signed in with is known.
const DEVICE_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long one try waits for others from the same network with the same name.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody who knows a name and perhaps its password.
pub(crate) struct Guess<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) password: SecretString,
    /// The device, if it has a secret.
    pub(crate) device: Option<Device>,
    pub(crate) origin: &'a RequestOrigin,
}

/// What is kept of a device's secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Device {
    pub(crate) sha256: [u8; 32],
    /// Whether a client that proved itself has made the secret; if not, only we can have.
    pub(crate) is_vouched_for: bool,
}

/// Somebody whose password was right.
pub(crate) struct Proven {
    pub(crate) user: User,
    /// What is to be forgotten and remembered of it.
    pub(crate) changes: Vec<Change>,
    /// The secret that the device gets to keep, if it is a new one.
    pub(crate) new_device: Option<SecretString>,
    /// Whether the password should be hashed anew.
    pub(crate) outdated: bool,
}

/// Under which keys a try is counted.
enum Keys {
    /// By a device that the user signed in with before, and by that alone.
    Known { device: [u8; 32] },
    /// By where it came from, and by the name.
    Unknown { network: [u8; 32], site: [u8; 32], account: [u8; 32] },
}

/// A try with what is known of it before the password is looked at.
struct Try {
    subject: [u8; 32],
    keys: Keys,
    /// `None` for a known device.
    guesses: Option<Guesses>,
    may_try: bool,
}

impl App {
    /// Whether the password is the one of the user with this name. `None` says nothing about why not, and takes as long for a
    /// name that nobody has.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if the address failed too often or too many passwords are being compared.
    pub(crate) async fn prove(&self, guess: &Guess<'_>, user: Option<User>) -> Result<Option<Proven>, Error> {
        let owners = match &guess.device {
            Some(device) => self.inner.store.users_of_device(&device.sha256, self.now()).await?,
            None => Vec::new(),
        };
        let known = user.as_ref().is_some_and(|user| owners.contains(&user.id));
        let address = self.address_key(guess.origin);
        if let Some(key) = address.as_ref().filter(|_| !known)
            && let Some(wait) = self.inner.store.sign_in_failures(key).await?.address_wait(self.now())
        {
            return Err(Error::TooBusy { retry_after: wait });
        }
        let (subject, keys) = keys_of(guess, user.as_ref(), known);
        // Tries from one network with one name take turns, so that many at once can't all come before the first failure is noted.
        let turn = match &keys {
            Keys::Known { device } => device,
            Keys::Unknown { network, .. } => network,
        };
        let turn = self.inner.turns.take(turn, PATIENCE).await.ok_or(Error::TooBusy { retry_after: PATIENCE })?;
        let tried = self.judge_try(subject, keys).await?;
        let user = match user {
            Some(user) => Some(self.with_lock_of_now(user, &tried, guess.origin).await?),
            None => None,
        };
        let allowed = |user: &&User| tried.may_try && may_sign_in(user, known);
        let stored = user.as_ref().filter(allowed).and_then(|user| user.password.clone());
        let verified = self.inner.passwords.verify(guess.password.clone(), stored).await?;
        let user = match (verified, user) {
            (Verified::Right { outdated }, Some(user)) => {
                let (changes, new_device) = self.after_success(guess.device, &user, &tried, !owners.is_empty());
                return Ok(Some(Proven { user, changes, new_device, outdated }));
            }
            (_, user) => user,
        };
        self.note_failure(guess, user.as_ref(), &tried, address).await?;
        drop(turn);
        Ok(None)
    }

    async fn judge_try(&self, subject: [u8; 32], keys: Keys) -> Result<Try, Error> {
        let (store, now) = (&self.inner.store, self.now());
        let (guesses, may_try) = match &keys {
            Keys::Known { device } => (None, store.sign_in_failures(device).await?.may_try(Counted::Device, now)),
            Keys::Unknown { network, site, account } => {
                let guesses = Guesses {
                    network: store.sign_in_failures(network).await?,
                    site: store.sign_in_failures(site).await?,
                    account: store.sign_in_failures(account).await?,
                };
                (Some(guesses), guesses.may_try(now))
            }
        };
        Ok(Try { subject, keys, guesses, may_try })
    }

    /// The user with the lock that there must be now: one whose time is over is lifted, and one that another node should have
    /// set is set.
    async fn with_lock_of_now(&self, user: User, tried: &Try, origin: &RequestOrigin) -> Result<User, Error> {
        let now = self.now();
        if user.is_lock_over(now) {
            return self.unlock_by_time(&user).await;
        }
        let is_locked = tried.guesses.is_some_and(|guesses| guesses.is_locked(now));
        if is_locked && user.status == UserStatus::Active {
            return self.lock_user(&user, origin).await;
        }
        Ok(user)
    }

    /// What is forgotten and remembered after the right password: the failures of this network or device, and the device. Only a
    /// secret that we made is ever known again: of one that a client made up nobody knows who else has it.
    fn after_success(
        &self,
        device: Option<Device>,
        user: &User,
        tried: &Try,
        is_ours: bool,
    ) -> (Vec<Change>, Option<SecretString>) {
        let key = match tried.keys {
            Keys::Known { device } => device,
            Keys::Unknown { network, .. } => network,
        };
        let (sha256, new_device) = match device.filter(|device| is_ours || device.is_vouched_for) {
            Some(device) => (device.sha256, None),
            None => {
                let secret = mint(self.entropy());
                (device_hash(&secret), Some(secret))
            }
        };
        let expires = self.now().plus(DEVICE_LIFETIME);
        let changes = vec![
            Change::Flow(FlowChange::ForgetFailures(key)),
            Change::Flow(FlowChange::RememberBrowser { sha256, user: user.id.clone(), expires }),
        ];
        (changes, new_device)
    }

    async fn note_failure(
        &self,
        guess: &Guess<'_>,
        user: Option<&User>,
        tried: &Try,
        address: Option<[u8; 32]>,
    ) -> Result<(), Error> {
        let now = self.now();
        let mut changes = Vec::new();
        let mut locks = false;
        // A try that came too early proves nothing and costs nothing: else anybody could keep a name locked for ever.
        if tried.may_try {
            let mut keys = Vec::new();
            match (&tried.keys, &tried.guesses) {
                (Keys::Unknown { network, site, account }, Some(guesses)) => {
                    keys.extend([*network, *site]);
                    if guesses.counts_against_account(now) {
                        keys.push(*account);
                    }
                    locks = guesses.after_failure(now).is_locked(now);
                }
                (Keys::Known { device } | Keys::Unknown { network: device, .. }, _) => keys.push(*device),
            }
            changes.extend(keys.into_iter().map(|key| note_guess(tried.subject, key, now)));
            changes.push(Change::AppendEvents(vec![self.failed_sign_in(user, guess.origin)]));
        }
        if let Some(key) = address {
            let (since, expires) = (now.minus(ADDRESS_WINDOW), now.plus(ADDRESS_WINDOW));
            changes.push(Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires }));
        }
        if !changes.is_empty() {
            self.inner.store.commit(changes).await?;
        }
        if let Some(user) = user.filter(|user| locks && user.status == UserStatus::Active) {
            self.lock_user(user, guess.origin).await?;
        }
        Ok(())
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
}

fn keys_of(guess: &Guess<'_>, user: Option<&User>, known: bool) -> ([u8; 32], Keys) {
    let subject = match user {
        Some(user) => subject_of(&user.id),
        None => sha256(&[b"name", folded_login(guess.identifier).as_bytes()]),
    };
    if let Some(device) = guess.device.filter(|_| known) {
        return (subject, Keys::Known { device: sha256(&[b"device failures", &subject, &device.sha256]) });
    }
    let address = guess.origin.ip_address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let (network, site) = (counted_address(address).to_string(), site_of(address).to_string());
    let keys = Keys::Unknown {
        network: sha256(&[b"network", &subject, network.as_bytes()]),
        site: sha256(&[b"site", &subject, site.as_bytes()]),
        account: sha256(&[b"account", &subject]),
    };
    (subject, keys)
}

/// Whose failures they are, by whatever name the user was tried.
pub(crate) fn subject_of(user: &UserId) -> [u8; 32] {
    sha256(&[b"user", user.as_str().as_bytes()])
}

/// Lets a user in whom failures of before keep out: for who was let in by an administrator, or has another password.
pub(crate) fn forgotten_guesses(user: &UserId) -> Change {
    Change::Flow(FlowChange::ForgetGuesses(subject_of(user)))
}

fn note_guess(subject: [u8; 32], key: [u8; 32], now: Timestamp) -> Change {
    let (since, expires) = (now.minus(FORGETTING), now.plus(FORGETTING + LOCK));
    Change::Flow(FlowChange::NoteGuess { subject, key, at: now, since, expires })
}

/// Whether the state of the account lets somebody prove who they are. A PROVISIONED user with a password has an address to
/// confirm. A lock is for strangers: the owner's own device is let in.
const fn may_sign_in(user: &User, known_device: bool) -> bool {
    match user.status {
        UserStatus::Active | UserStatus::PasswordExpired | UserStatus::Provisioned => true,
        UserStatus::LockedOut => known_device,
        _ => false,
    }
}

/// What is kept of a device's secret.
pub(crate) fn device_hash(device: &SecretString) -> [u8; 32] {
    sha256(&[b"device", device.expose_secret().as_bytes()])
}

/// What a client's name for the device of its visitor is kept as in the flow; no other app's counts for it.
pub(crate) fn visitor_device(application: &AppId, name: &SecretString) -> String {
    hex(&sha256(&[b"visitor", application.as_str().as_bytes(), name.expose_secret().as_bytes()]))
}

/// The same as a device is known by.
pub(crate) fn visitor_device_hash(kept: &str) -> [u8; 32] {
    sha256(&[b"visitor device", kept.as_bytes()])
}
