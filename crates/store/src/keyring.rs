//! The keys that seal secrets, and where they come from: a file, a value, or the output of a command. Never the database.
//!
//! A keyring's text has one key a line, 32 bytes in base64; lines that start with `#` are remarks. The first key seals what
//! is new, all of them open what is there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwright_model::Entropy;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::private_file;
use crate::seal::{self, KEY_LEN, Place, RowError, SealError, SealingKey};

const REMARK: &str = "# Hookwright's keys: the first one seals new secrets, all of them open old ones.\n\
    # Without this file the secrets in the database are lost: keep a copy, and keep it away from the database.\n";

/// How long a command may take to print a keyring.
const COMMAND_TIME: Duration = Duration::from_secs(30);

/// The keys that seal secrets; cheap to clone. Prints the names of the keys only.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<[SealingKey]>,
    file: Option<Arc<Path>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(|key| key.id().to_string())).finish()
    }
}

/// Why keys could not be had; each prints as a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The file is gone although the database has sealed secrets.
    #[error(
        "the keys of this database are missing: put the keyring back at {}; without it the stored secrets can't be opened",
        _0.display()
    )]
    Missing(PathBuf),
    /// Others than the owner can read the file.
    #[error(
        "the keyring {} can be read by others (mode {mode:03o}): make it private with `chmod 600`, and consider its keys known",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file can't be read or written.
    #[error("the keyring {} can't be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The text is no keyring.
    #[error("{origin} is not a keyring: {reason}")]
    Malformed {
        /// Where the text came from.
        origin: String,
        /// What is wrong with it; never shows a key.
        reason: String,
    },
    /// The command that prints the keyring failed.
    #[error("the keyring command {program} failed: {reason}")]
    Command {
        /// The command's name.
        program: String,
        /// Why; never shows what it printed.
        reason: String,
    },
    /// The keyring lacks keys that the database uses.
    #[error(
        "the keyring doesn't fit the database: secrets are sealed with key {}, which it lacks; give it the keyring that this database was used with",
        .0.join(" and key ")
    )]
    Lacks(Vec<String>),
    /// A key has the right name and does not open what it should.
    #[error("the database's own check of key {0} can't be opened: the database was changed, or damaged")]
    Broken(String),
}

impl Keyring {
    /// Reads the keyring of this file. Makes one, with mode 0600 in a folder with mode 0700, if there is none and the
    /// database is new too (see [`crate::Store::is_new`]).
    ///
    /// # Errors
    /// See [`KeyringError`]; a file that others can read is refused.
    pub fn open_or_create(path: &Path, entropy: &dyn Entropy, database_is_new: bool) -> Result<Self, KeyringError> {
        match Self::open(path) {
            Err(KeyringError::Missing(_)) if database_is_new => {}
            opened => return opened,
        }
        let fresh = Self::in_memory(entropy);
        let failed = |error: std::io::Error| KeyringError::File { path: path.into(), reason: error.to_string() };
        match private_file::create(path, fresh.to_text().as_bytes()) {
            // Another process was faster; its keys count.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::open(path),
            Err(error) => Err(failed(error)),
            Ok(()) => Ok(Self { file: Some(path.into()), ..fresh }),
        }
    }

    /// Reads the keyring of this file.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => KeyringError::Missing(path.into()),
            _ => KeyringError::File { path: path.into(), reason: error.to_string() },
        };
        if let Some(mode) = private_file::mode_open_to_others(path).map_err(failed)? {
            return Err(KeyringError::Exposed { path: path.into(), mode });
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        let keyring = Self::parse(&text, &path.display().to_string())?;
        Ok(Self { file: Some(path.into()), ..keyring })
    }

    /// Reads a keyring from a value, such as that of an environment variable. `origin` names it in errors.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn from_value(value: &SecretString, origin: &str) -> Result<Self, KeyringError> {
        Self::parse(value.expose_secret(), origin)
    }

    /// Runs a command that prints a keyring, without a shell. It gets no input and 30 seconds.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub async fn from_command(program: &str, arguments: &[String]) -> Result<Self, KeyringError> {
        let failed = |reason: String| KeyringError::Command { program: program.to_owned(), reason };
        let run = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(COMMAND_TIME, run)
            .await
            .map_err(|_| failed("it took longer than 30 seconds".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        let printed = Zeroizing::new(output.stdout);
        if !output.status.success() {
            return Err(failed(output.status.to_string()));
        }
        let text = std::str::from_utf8(&printed).map_err(|_| failed("what it prints is not text".to_owned()))?;
        Self::parse(text, &format!("the output of {program}"))
    }

    /// A keyring that lives nowhere else: for data in memory and for tests.
    #[must_use]
    pub fn in_memory(entropy: &dyn Entropy) -> Self {
        Self { keys: fresh_key(entropy).into_iter().collect(), file: None }
    }

    /// A fresh key as a line of a keyring's text.
    #[must_use]
    pub fn fresh_line(entropy: &dyn Entropy) -> SecretString {
        let bytes: Zeroizing<[u8; KEY_LEN]> = Zeroizing::new(entropy.bytes());
        SecretString::from(STANDARD.encode(bytes.as_slice()))
    }

    /// The same keys and a fresh one in front of them, which seals from now on. Save it before it is used.
    #[must_use]
    pub fn with_fresh_key(&self, entropy: &dyn Entropy) -> Self {
        let old = self.keys.iter().filter_map(|key| SealingKey::new(Zeroizing::new(*key.bytes())).ok());
        Self { keys: fresh_key(entropy).into_iter().chain(old).collect(), file: self.file.clone() }
    }

    /// Writes the keyring over this file, with mode 0600, so that a crash leaves the old or the new one.
    ///
    /// # Errors
    /// [`KeyringError::File`].
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        private_file::replace(path, self.to_text().as_bytes())
            .map_err(|error| KeyringError::File { path: path.into(), reason: error.to_string() })
    }

    /// The names of the keys; the first one seals. A name tells nothing of its key.
    pub fn key_ids(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| key.id().to_string())
    }

    /// The file that the keyring was read from.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(crate) fn sealing_key(&self) -> Result<&SealingKey, SealError> {
        self.keys.first().ok_or(SealError::Cipher)
    }

    /// The key of this name.
    pub(crate) fn key(&self, id: &[u8]) -> Option<&SealingKey> {
        self.keys.iter().find(|key| key.id_bytes() == id)
    }

    pub(crate) fn holds(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id().to_string() == id)
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealing_key()?.seal(place, secret)
    }

    pub(crate) fn unseal(&self, place: Place<'_>, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        seal::open(self.keys.iter(), place, value)
    }

    /// Opens a sealed secret that is text.
    pub(crate) fn unseal_text(&self, place: Place<'_>, value: &[u8]) -> Result<SecretString, RowError> {
        let opened = self.unseal(place, value)?;
        let text = std::str::from_utf8(&opened).map_err(|error| RowError::Damaged(format!("secret: {error}")))?;
        Ok(SecretString::from(text))
    }

    fn parse(text: &str, origin: &str) -> Result<Self, KeyringError> {
        let malformed = |reason: String| KeyringError::Malformed { origin: origin.to_owned(), reason };
        let mut keys: Vec<SealingKey> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let decoded = Zeroizing::new(STANDARD.decode(line).unwrap_or_default());
            let bytes = <[u8; KEY_LEN]>::try_from(decoded.as_slice())
                .map_err(|_| malformed(format!("line {} is not 32 bytes in base64", index + 1)))?;
            let key = SealingKey::new(Zeroizing::new(bytes)).map_err(|error| malformed(error.to_string()))?;
            if keys.iter().any(|known: &SealingKey| known.id() == key.id()) {
                return Err(malformed(format!("line {} repeats a key", index + 1)));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(malformed("it holds no key".to_owned()));
        }
        Ok(Self { keys: keys.into(), file: None })
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(REMARK.len() + self.keys.len() * 48));
        text.push_str(REMARK);
        for key in self.keys.iter() {
            text.push_str(&Zeroizing::new(STANDARD.encode(key.bytes())));
            text.push('\n');
        }
        text
    }
}

/// The keyring in use, which may be changed for another one; all copies are the same.
#[derive(Clone)]
pub(crate) struct CurrentKeyring(Arc<RwLock<Keyring>>);

impl CurrentKeyring {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(keyring)))
    }

    pub(crate) fn get(&self) -> Keyring {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keyring, read again from its file if it lacks the key of this name: another process may have put it there.
    pub(crate) fn get_with(&self, key_id: &[u8]) -> Keyring {
        let keyring = self.get();
        if keyring.key(key_id).is_some() {
            return keyring;
        }
        match keyring.file().and_then(|file| Keyring::open(file).ok()) {
            Some(reread) if reread.key(key_id).is_some() => {
                self.set(reread.clone());
                reread
            }
            _ => keyring,
        }
    }

    pub(crate) fn set(&self, keyring: Keyring) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keyring;
    }
}

/// One fresh key; the cipher takes any 32 bytes, so that there always is one.
fn fresh_key(entropy: &dyn Entropy) -> Option<SealingKey> {
    SealingKey::new(Zeroizing::new(entropy.bytes())).ok()
}
