//! Passwords: hashed and compared with argon2id, a bounded number at once.
//!
//! Each hash takes a core and 19 MiB for some tens of milliseconds. So as many run at once as there are cores, at a low
//! priority, few wait, and whoever comes later is told to come again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD;
use hookwright_model::Entropy;
use hookwright_model::password::could_be_password;
use hookwright_model::user::PasswordHash;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::{App, Error};

/// Memory in KiB, passes, lanes: at least what OWASP's "Password Storage" cheat sheet asks for.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A stored hash that costs more than this is not run: it is not ours, and whoever could write it could stop the org with it.
const CEILING: (u32, u32, u32) = (262_144, 10, 4);

/// The most that run at once, however many cores there are.
const MOST_AT_ONCE: usize = 8;

/// The most that wait.
const MOST_WAITING: usize = 64;

/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far hashing stands back: about a tenth of the weight of a usual thread.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Whether a password is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It is.
    Right {
        /// Whether its hash should be made anew, since it cost less than hashes do now.
        outdated: bool,
    },
    /// It is not, or there is none.
    Wrong,
}

/// The one place where passwords are hashed.
pub(crate) struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
    /// Compared where there is no user or no password, so that this takes as long as a wrong password.
    decoy: String,
}

impl Passwords {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (memory, passes, lanes) = COST;
        let (salt, hash): ([u8; 16], [u8; 32]) = (entropy.bytes(), entropy.bytes());
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        let decoy = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}");
        Self {
            at_once: Arc::new(Semaphore::new(cores.clamp(1, MOST_AT_ONCE))),
            waiting: AtomicUsize::new(0),
            most_waiting: MOST_WAITING,
            patience: PATIENCE,
            decoy,
        }
    }

    /// Hashes a password that may be stored.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if too many are being hashed.
    pub(crate) async fn hash(&self, password: SecretString, entropy: &dyn Entropy) -> Result<PasswordHash, Error> {
        let salt: [u8; 16] = entropy.bytes();
        let work = move || hash_now(password.expose_secret().as_bytes(), &salt);
        self.run(work).await?.map(PasswordHash::from_phc)
    }

    /// Compares a password with a stored hash. Takes as long without one.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if too many are being hashed.
    pub(crate) async fn verify(&self, password: SecretString, stored: Option<PasswordHash>) -> Result<Verified, Error> {
        if !could_be_password(password.expose_secret()) {
            return Ok(Verified::Wrong);
        }
        let decoy = self.decoy.clone();
        let work = move || {
            let known = stored.as_ref().and_then(|stored| affordable(stored.expose_phc()));
            let (phc, is_real) = match &known {
                Some(phc) => (phc.clone(), true),
                None => match Phc::new(&decoy) {
                    Ok(phc) => (phc, false),
                    Err(_) => return Verified::Wrong,
                },
            };
            let matches = Argon2::default().verify_password(password.expose_secret().as_bytes(), &phc).is_ok();
            if matches && is_real { Verified::Right { outdated: is_outdated(&phc) } } else { Verified::Wrong }
        };
        self.run(work).await
    }

    /// Runs work on a thread of its own; its permit is given back when the work ends, not when its caller goes away.
    ///
    /// Not on tokio's blocking threads: this one stands behind everything else that wants a core, and a thread that stood
    /// back can't come forward again. A flood of sign-ins then takes what calls of hooks leave, and no more.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let permit = self.permit().await?;
        let (sender, result) = oneshot::channel();
        let hashing = move || {
            stand_back();
            // Whoever asked may have gone away.
            let _ = sender.send(work());
            drop(permit);
        };
        let thread = std::thread::Builder::new().name("password".to_owned()).spawn(hashing);
        thread.map_err(|error| Error::Unavailable(format!("no thread to hash a password: {error}")))?;
        result.await.map_err(|_| Error::Internal("hashing a password ended badly".to_owned()))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.at_once).try_acquire_owned() {
            return Ok(permit);
        }
        let _seat = Seat::take(&self.waiting, self.most_waiting).ok_or(TOO_BUSY)?;
        match timeout(self.patience, Arc::clone(&self.at_once).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(TOO_BUSY),
        }
    }
}

impl App {
    /// Hashes a password that may be stored.
    ///
    /// # Errors
    /// [`Error::TooBusy`] if too many are being hashed.
    pub(crate) async fn hash_password(&self, password: SecretString) -> Result<PasswordHash, Error> {
        self.inner.passwords.hash(password, self.entropy()).await
    }
}

const TOO_BUSY: Error = Error::TooBusy { retry_after: PATIENCE };

/// A place among those who wait.
struct Seat<'a>(&'a AtomicUsize);

impl<'a> Seat<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let taken =
            waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < most).then_some(count + 1));
        taken.is_ok().then(|| Self(waiting))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Lowers the priority of this thread; on Linux niceness is a thread's own (sched(7)).
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "passwords are hashed at the usual priority");
    }
}

fn hash_now(password: &[u8], salt: &[u8]) -> Result<String, Error> {
    let (memory, passes, lanes) = COST;
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("a password can't be hashed: {error}"));
    let params = Params::new(memory, passes, lanes, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password_with_salt(password, salt).map_err(|error| failed(&error))?.to_string())
}

/// The hash, if it is one of ours and running it costs no more than the ceiling.
fn affordable(phc: &str) -> Option<Phc> {
    let phc = Phc::new(phc).ok()?;
    let params = Params::try_from(&phc).ok()?;
    let (memory, passes, lanes) = CEILING;
    (params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes).then_some(phc)
}

fn is_outdated(phc: &Phc) -> bool {
    let (memory, passes, lanes) = COST;
    Params::try_from(phc)
        .map_or(true, |params| params.m_cost() < memory || params.t_cost() < passes || params.p_cost() < lanes)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_is_told_from_wrong_ones() {
        let passwords = Passwords::new(&Fixed);
        let hash = passwords.hash(secret("correct horse"), &Fixed).await.unwrap();
        assert!(hash.expose_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose_phc());
        let verify =
            async |password: &str, hash: Option<PasswordHash>| passwords.verify(secret(password), hash).await.unwrap();
        assert_eq!(verify("correct horse", Some(hash.clone())).await, Verified::Right { outdated: false });
        for wrong in ["", "correct hors", "Correct horse", &"x".repeat(1_000_000)] {
            assert_eq!(verify(wrong, Some(hash.clone())).await, Verified::Wrong);
        }
        assert_eq!(verify("", None).await, Verified::Wrong);
        assert_eq!(verify("correct horse", None).await, Verified::Wrong);
        assert!(affordable(&passwords.decoy).is_some(), "the decoy costs what a hash costs");
    }

    #[tokio::test]
    async fn a_cheaper_hash_is_outdated_and_a_ruinous_one_is_not_run() {
        let passwords = Passwords::new(&Fixed);
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let phc = cheap.hash_password_with_salt(b"correct horse", &[1; 16]).unwrap().to_string();
        let verified = passwords.verify(secret("correct horse"), Some(PasswordHash::from_phc(phc.clone()))).await;
        assert_eq!(verified.unwrap(), Verified::Right { outdated: true });
        for ruinous in [phc.replace("m=64", "m=4000000"), phc.replace("t=1", "t=1000000"), "nonsense".to_owned()] {
            let verified = passwords.verify(secret("correct horse"), Some(PasswordHash::from_phc(ruinous))).await;
            assert_eq!(verified.unwrap(), Verified::Wrong);
        }
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_costs_a_hash_too() {
        let full = Passwords { at_once: Arc::new(Semaphore::new(0)), most_waiting: 0, ..Passwords::new(&Fixed) };
        let phc = Passwords::new(&Fixed).hash(secret("correct horse"), &Fixed).await.unwrap();
        for stored in [None, Some(phc)] {
            let verified = full.verify(secret("a password"), stored).await;
            assert!(matches!(verified, Err(Error::TooBusy { .. })), "both stand in the same queue");
        }
        assert_eq!(full.waiting.load(Ordering::Acquire), 0, "whoever is refused takes no seat and gives none back");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_stands_back_and_nothing_else_does() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let hashing = Passwords::new(&Fixed).run(niceness).await.unwrap();
        assert_eq!((hashing, niceness()), ((before + NICENESS).min(19), before));
    }

    #[tokio::test]
    async fn work_beyond_the_bound_waits_a_little_and_is_then_refused() {
        let passwords = Passwords {
            at_once: Arc::new(Semaphore::new(1)),
            most_waiting: 1,
            patience: Duration::from_millis(50),
            ..Passwords::new(&Fixed)
        };
        let (go, gate) = mpsc::channel::<()>();
        let passwords = Arc::new(passwords);
        let first = {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.run(move || gate.recv()).await })
        };
        while passwords.at_once.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiter = {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.run(|| ()).await })
        };
        while passwords.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(passwords.run(|| ()).await, Err(Error::TooBusy { .. })), "one waits already");
        assert!(matches!(waiter.await.unwrap(), Err(Error::TooBusy { .. })), "it waited too long");
        // Whoever asked has gone away; the permit is still with the work.
        first.abort();
        assert_eq!(passwords.at_once.available_permits(), 0);
        go.send(()).unwrap();
        while passwords.at_once.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(passwords.run(|| ()).await.is_ok());
    }
}
