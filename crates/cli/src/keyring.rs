//! Where the keys that seal secrets come from: a file, a value of the environment, or the output of a command.

use std::path::PathBuf;

use anyhow::{Context, bail};
use hookwright_store::Keyring;

use crate::config::Layer;
use crate::system::SystemEntropy;

/// The one source that is configured.
pub(crate) enum Source<'s> {
    /// A file; made at the first start of a new database.
    File(PathBuf),
    /// The text itself.
    Value(&'s secrecy::SecretString),
    /// A program and its arguments.
    Command(&'s str, Vec<String>),
}

impl Layer {
    /// Where the keys come from: the file in the data folder unless something else is said.
    ///
    /// # Errors
    /// More than one place is named, or the command is empty.
    pub(crate) fn keyring_source(&self) -> anyhow::Result<Source<'_>> {
        match (&self.key_file, &self.keys, &self.key_command) {
            (None, None, None) => Ok(Source::File(self.data_dir().join("hookwright.key"))),
            (Some(file), None, None) => Ok(Source::File(file.clone())),
            (None, Some(keys), None) => Ok(Source::Value(keys)),
            (None, None, Some(command)) => {
                let mut words = command.split_whitespace();
                let program =
                    words.next().context("the key command is empty: name the program that prints the keys")?;
                Ok(Source::Command(program, words.map(str::to_owned).collect()))
            }
            _ => {
                bail!("more than one place of keys is named: keep one of --key-file, HOOKWRIGHT_KEYS and --key-command")
            }
        }
    }

    /// The keys. A file is made if it is missing and the database is new; the other sources must have keys.
    ///
    /// # Errors
    /// They can't be had; the sentence says what to do.
    pub(crate) async fn keyring(&self, database_is_new: bool) -> anyhow::Result<Keyring> {
        let keyring = match self.keyring_source()? {
            Source::File(path) => Keyring::open_or_create(&path, &SystemEntropy, database_is_new)?,
            Source::Value(keys) => Keyring::from_value(keys, "HOOKWRIGHT_KEYS")?,
            Source::Command(program, arguments) => Keyring::from_command(program, &arguments).await?,
        };
        Ok(keyring)
    }
}
