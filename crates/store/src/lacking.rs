//! Keys that the database needs and this process lacks: another node began to seal with a key that is not in our file yet.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::database::fetch;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{RowError, SealError};
use crate::store::Store;

/// The keys of which the log was told that they are lacking.
#[derive(Default)]
pub(crate) struct Lacking(Mutex<HashSet<String>>);

impl Lacking {
    /// Tells the log once of each key that is lacking, and once that none is any longer.
    fn note(&self, ids: &[String]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if known.insert(id.clone()) {
                tracing::error!(
                    "this node lacks key {id}, which secrets are sealed with: give it the keyring of the others"
                );
            }
        }
    }

    fn note_complete(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.is_empty() {
            known.clear();
            tracing::info!("this node has all keys again");
        }
    }
}

impl Store {
    /// The names of the keys that secrets may be sealed with and that this process lacks. Reads the keyring's file again if
    /// there are any.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lacking_keys(&self) -> Result<Vec<String>, StoreError> {
        let rows = fetch!(self.database(), fetch_all, (String,), "SELECT id FROM sealing_keys ORDER BY id")?;
        let lacking = |keyring: &Keyring| -> Vec<String> {
            rows.iter().filter(|(id,)| !keyring.holds(id)).map(|(id,)| id.clone()).collect()
        };
        let keyring = self.keyring();
        let mut ids = lacking(&keyring);
        if !ids.is_empty()
            && let Some(reread) = reread(&keyring)
        {
            let still = lacking(&reread);
            if still.len() < ids.len() {
                self.set_keyring(reread);
                ids = still;
            }
        }
        match ids.is_empty() {
            true => self.lacking().note_complete(),
            false => self.lacking().note(&ids),
        }
        Ok(ids)
    }

    /// Reads a row that holds a sealed value. A key that we lack may have come into the keyring's file since we read it.
    pub(crate) fn unseal_row<T>(
        &self,
        read: impl Fn(&Keyring) -> Result<T, RowError>,
        describe: impl FnOnce(RowError) -> StoreError,
    ) -> Result<T, StoreError> {
        let keyring = self.keyring();
        match read(&keyring) {
            Ok(value) => return Ok(value),
            Err(RowError::Sealed(SealError::UnknownKey(_))) => {}
            Err(error) => return Err(describe(error)),
        }
        let reread = reread(&keyring).unwrap_or(keyring);
        match read(&reread) {
            Ok(value) => {
                self.set_keyring(reread);
                Ok(value)
            }
            Err(RowError::Sealed(SealError::UnknownKey(id))) => {
                let id = id.to_string();
                self.lacking().note(std::slice::from_ref(&id));
                Err(StoreError::LacksKey(id))
            }
            Err(error) => Err(describe(error)),
        }
    }
}

fn reread(keyring: &Keyring) -> Option<Keyring> {
    keyring.file().and_then(|file| Keyring::open(file).ok())
}
