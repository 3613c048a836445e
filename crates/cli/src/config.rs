//! The settings of `serve`: compiled defaults, then one TOML file, then the environment, then flags.
//!
//! An unknown key of the file is an error that names key and line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use secrecy::SecretString;
use serde::Deserialize;

use crate::logging::LogFormat;

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How a kept `authScheme` value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretDisplay {
    /// As `******`.
    Mask,
    /// Not at all, as Okta does today.
    Omit,
}

/// Every setting as a flag, an environment variable and a key of the file; none has a value here if it was not given.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layer {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "HOOKWRIGHT_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Base of links, issuer and cookies [default: from the listen address]
    #[arg(long, env = "HOOKWRIGHT_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Folder of the SQLite file and generated keys [default: ./hookwright-data]
    #[arg(long, env = "HOOKWRIGHT_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// sqlite://... or postgres://... [default: SQLite in the data folder]
    #[arg(long, env = "HOOKWRIGHT_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// File of the keys that seal secrets [default: hookwright.key in the data folder]
    #[arg(long, env = "HOOKWRIGHT_KEY_FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The keys themselves, in place of a file; better given by the environment, since flags show in `ps`
    #[arg(long, env = "HOOKWRIGHT_KEYS", hide_env_values = true)]
    pub(crate) keys: Option<SecretString>,
    /// Command that prints the keys, in place of a file; run without a shell
    #[arg(long, env = "HOOKWRIGHT_KEY_COMMAND")]
    pub(crate) key_command: Option<String>,
    /// Allow http:// and loopback hook URIs, nothing else private
    #[arg(long, env = "HOOKWRIGHT_DEVELOPMENT", num_args = 0..=1, default_missing_value = "true", value_parser = read_flag)]
    pub(crate) development: Option<bool>,
    /// A bootstrap SSWS token, stored hashed; better given by the environment, since flags show in `ps`
    #[arg(long, env = "HOOKWRIGHT_API_TOKEN", hide_env_values = true)]
    pub(crate) api_token: Option<SecretString>,
    /// Whether Okta's rate limits hold [default: on, with --development off]
    #[arg(long, env = "HOOKWRIGHT_RATE_LIMITS")]
    pub(crate) rate_limits: Option<Switch>,
    /// Hook calls under way at once over all hooks [default: 256]
    #[arg(long, env = "HOOKWRIGHT_MAX_CALLS")]
    pub(crate) max_calls: Option<usize>,
    /// Hook calls under way at once of one hook [default: 32]
    #[arg(long, env = "HOOKWRIGHT_MAX_CALLS_PER_HOOK")]
    pub(crate) max_calls_per_hook: Option<usize>,
    /// The most inline hooks of all types together [default: 100]
    #[arg(long, env = "HOOKWRIGHT_INLINE_HOOK_LIMIT")]
    pub(crate) inline_hook_limit: Option<u64>,
    /// How a kept secret is shown [default: mask]
    #[arg(long, env = "HOOKWRIGHT_SECRET_DISPLAY")]
    pub(crate) secret_display: Option<SecretDisplay>,
    /// PEM file of certificate authorities that are trusted besides Mozilla's
    #[arg(long, env = "HOOKWRIGHT_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether successful hook calls make System Log events too [default: on]
    #[arg(long, env = "HOOKWRIGHT_LOG_SUCCESSFUL_CALLS")]
    pub(crate) log_successful_calls: Option<Switch>,
    /// Days that executions and System Log events are kept [default: 90]
    #[arg(long, env = "HOOKWRIGHT_RETENTION_DAYS")]
    pub(crate) retention_days: Option<u32>,
    /// Megabytes of executions and System Log events that are kept [default: 4096]
    #[arg(long, env = "HOOKWRIGHT_RETENTION_MB")]
    pub(crate) retention_mb: Option<u64>,
    /// Mail server, smtps://user:password@host or smtp://host?tls=required; without it mails stay in the outbox
    #[arg(long, env = "HOOKWRIGHT_SMTP_URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<SecretString>,
    /// Sender of mails, such as "Example <no-reply@example.com>" [default: no-reply at the public URL's host]
    #[arg(long, env = "HOOKWRIGHT_MAIL_FROM")]
    pub(crate) mail_from: Option<String>,
    /// Form of log lines [default: json]
    #[arg(long, env = "HOOKWRIGHT_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Which log lines, such as `info,hookwright_engine=debug` [default: info]
    #[arg(long, env = "HOOKWRIGHT_LOG")]
    pub(crate) log: Option<String>,
}

fn read_flag(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "on" => Ok(true),
        "0" | "false" | "off" | "" => Ok(false),
        _ => Err("expected 1 or 0".to_owned()),
    }
}

/// Takes what `upper` says, else what `lower` says, for each setting.
macro_rules! layered {
    ($upper:ident, $lower:ident, $($field:ident),* $(,)?) => {
        Layer { $($field: $upper.$field.or($lower.$field)),* }
    };
}

impl Layer {
    /// These settings over those of a file.
    ///
    /// # Errors
    /// The file can't be read, isn't TOML, or has an unknown key.
    pub(crate) fn over_file(self, file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(self) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the configuration file {} can't be read", path.display()))?;
        let lower = Self::from_toml(&text)
            .with_context(|| format!("the configuration file {} can't be used", path.display()))?;
        let upper = self;
        Ok(layered!(
            upper,
            lower,
            listen,
            public_url,
            data_dir,
            database_url,
            key_file,
            keys,
            key_command,
            development,
            api_token,
            rate_limits,
            max_calls,
            max_calls_per_hook,
            inline_hook_limit,
            secret_display,
            ca_file,
            log_successful_calls,
            retention_days,
            retention_mb,
            smtp_url,
            mail_from,
            log_format,
            log,
        ))
    }

    fn from_toml(text: &str) -> anyhow::Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Whether `http` and loopback are open to hooks.
    pub(crate) fn is_development(&self) -> bool {
        self.development.unwrap_or(false)
    }

    /// The folder of the SQLite file and generated keys.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("hookwright-data"))
    }

    /// The database.
    pub(crate) fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data_dir().join("hookwright.db").display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hookwright.toml");
        std::fs::write(&path, "max_calls = 7\nlisten = \"127.0.0.1:9\"\nrate_limits = \"off\"\n").unwrap();
        let flags = Layer { max_calls: Some(8), ..Layer::default() };
        let settings = flags.over_file(Some(&path)).unwrap();
        assert_eq!(settings.max_calls, Some(8));
        assert_eq!(settings.listen.unwrap().port(), 9);
        assert_eq!(settings.rate_limits, Some(Switch::Off));
        assert_eq!(settings.max_calls_per_hook, None);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = format!("{:#}", Layer::from_toml("max_calls = 7\nmax_cals = 8\n").unwrap_err());
        assert!(error.contains("max_cals") && error.contains("line 2"), "{error}");
    }
}
