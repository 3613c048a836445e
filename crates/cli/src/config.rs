//! The settings of `serve`: compiled defaults, then one TOML file, then the environment, then flags.
//!
//! An unknown key of the file is an error that names key and line.

mod check;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use hookwright_engine::{EgressProxy, ProxyTarget};
use hookwright_model::address::{AddressPolicy, Network};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::logging::LogFormat;

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    On,
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
    #[arg(long, env = "HOOKWRIGHT_LISTEN", value_parser = read_address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Address for /metrics and /readyz without a token, which no proxy may lead to [default: none, they need a token]
    #[arg(long, env = "HOOKWRIGHT_METRICS_LISTEN", value_parser = read_address)]
    pub(crate) metrics_listen: Option<SocketAddr>,
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
    /// A proxy with TLS stands in front: needed to listen beyond this machine, unless --public-url is an https:// one
    #[arg(long, env = "HOOKWRIGHT_BEHIND_PROXY", num_args = 0..=1, default_missing_value = "true", value_parser = read_flag)]
    pub(crate) behind_proxy: Option<bool>,
    /// A bootstrap SSWS token, stored hashed; better given by the environment, since flags show in `ps`
    #[arg(long, env = "HOOKWRIGHT_API_TOKEN", hide_env_values = true)]
    pub(crate) api_token: Option<SecretString>,
    /// Login and email address of the first administrator, who is made with the org [default: one that no mail reaches]
    #[arg(long, env = "HOOKWRIGHT_ADMIN_LOGIN")]
    pub(crate) admin_login: Option<String>,
    /// Whether Okta's rate limits hold [default: on, with --development off]
    #[arg(long, env = "HOOKWRIGHT_RATE_LIMITS")]
    pub(crate) rate_limits: Option<Switch>,
    /// Forms of sign-up that one client network may send within an hour; 0 for any number [default: 60, with rate limits off 0]
    #[arg(long, env = "HOOKWRIGHT_SIGN_UPS_PER_HOUR")]
    pub(crate) sign_ups_per_hour: Option<u32>,
    /// Client connections at once [default: 4096]
    #[arg(long, env = "HOOKWRIGHT_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<usize>,
    /// The same from one address that is no trusted proxy [default: 256]
    #[arg(long, env = "HOOKWRIGHT_MAX_CONNECTIONS_PER_ADDRESS")]
    pub(crate) max_connections_per_address: Option<usize>,
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
    /// Networks that hooks may be sent to besides public addresses, such as 10.20.0.0/16,10.30.40.50 [default: none]
    #[arg(long, env = "HOOKWRIGHT_ALLOWED_NETWORKS", value_delimiter = ',')]
    pub(crate) allowed_networks: Option<Vec<String>>,
    /// Host names that hooks may be sent to whatever their addresses, such as hooks.internal.example [default: none]
    #[arg(long, env = "HOOKWRIGHT_ALLOWED_HOSTS", value_delimiter = ',')]
    pub(crate) allowed_hosts: Option<Vec<String>>,
    /// Proxy that hooks are called through, http://user:password@host:3128; loopback is called directly [default: none]
    #[arg(long, env = "HOOKWRIGHT_EGRESS_PROXY", hide_env_values = true)]
    pub(crate) egress_proxy: Option<SecretString>,
    /// Whether that proxy gets names, and judges where they lead, or addresses that were judged here [default: off]
    #[arg(long, env = "HOOKWRIGHT_EGRESS_PROXY_RESOLVES")]
    pub(crate) egress_proxy_resolves: Option<Switch>,
    /// Networks of the proxies in front, whose X-Forwarded-For tells the client's address [default: none]
    #[arg(long, env = "HOOKWRIGHT_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Option<Vec<String>>,
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

/// Reads the address of a listener.
pub(crate) fn read_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080".to_owned())
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
            metrics_listen,
            public_url,
            data_dir,
            database_url,
            key_file,
            keys,
            key_command,
            development,
            behind_proxy,
            api_token,
            admin_login,
            rate_limits,
            sign_ups_per_hour,
            max_connections,
            max_connections_per_address,
            max_calls,
            max_calls_per_hook,
            inline_hook_limit,
            secret_display,
            ca_file,
            allowed_networks,
            allowed_hosts,
            egress_proxy,
            egress_proxy_resolves,
            trusted_proxies,
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
        // The library's own text quotes the line, which may hold a secret.
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
            anyhow!("line {line}, column {column}: {}", error.message())
        })
    }

    /// Whether `http` and loopback are open to hooks.
    pub(crate) fn is_development(&self) -> bool {
        self.development.unwrap_or(false)
    }

    /// The folder of the SQLite file and generated keys.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("hookwright-data"))
    }

    /// Where hooks may be sent.
    ///
    /// # Errors
    /// An entry that is no network or no host name.
    pub(crate) fn address_policy(&self) -> anyhow::Result<AddressPolicy> {
        let hosts = self.allowed_hosts.iter().flatten().map(|name| name.trim().to_ascii_lowercase());
        let allowed_hosts: Vec<String> = hosts.collect();
        if let Some(wrong) = allowed_hosts.iter().find(|name| !is_host_name(name)) {
            bail!("allowed_hosts: {wrong:?} is no host name");
        }
        let allowed_networks = networks("allowed_networks", self.allowed_networks.as_deref())?;
        Ok(AddressPolicy { development: self.is_development(), allowed_networks, allowed_hosts })
    }

    /// The proxies whose word about clients counts.
    ///
    /// # Errors
    /// An entry that is no network.
    pub(crate) fn trusted_proxies(&self) -> anyhow::Result<Vec<Network>> {
        networks("trusted_proxies", self.trusted_proxies.as_deref())
    }

    /// The proxy that hooks are called through.
    ///
    /// # Errors
    /// It is named by something else than a URL of a proxy.
    pub(crate) fn egress_proxy(&self) -> anyhow::Result<Option<EgressProxy>> {
        let target = match self.egress_proxy_resolves {
            Some(Switch::On) => ProxyTarget::Name,
            Some(Switch::Off) | None => ProxyTarget::JudgedAddress,
        };
        let proxy = self.egress_proxy.as_ref().map(|url| EgressProxy::parse(url.expose_secret(), target));
        proxy.transpose().context("egress_proxy can't be used")
    }

    /// The database.
    pub(crate) fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data_dir().join("hookwright.db").display()))
    }
}

fn networks(key: &str, texts: Option<&[String]>) -> anyhow::Result<Vec<Network>> {
    let read = |text: &String| text.trim().parse().with_context(|| format!("{key}: {text:?} can't be used"));
    texts.unwrap_or_default().iter().map(read).collect()
}

fn is_host_name(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name.bytes().all(of_name) && name.parse::<IpAddr>().is_err()
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
    fn lists_of_networks_and_hosts_are_read_and_each_wrong_entry_is_named() {
        let layer = Layer::from_toml(
            "allowed_networks = [\"10.20.0.0/16\", \"fd12::/32\"]\nallowed_hosts = [\"Hooks.Internal.example\"]\n\
             trusted_proxies = [\"10.0.0.1\"]\negress_proxy = \"http://user:s3cret@proxy.example\"\n",
        )
        .unwrap();
        let policy = layer.address_policy().unwrap();
        assert_eq!(policy.allowed_hosts, ["hooks.internal.example"]);
        assert!(policy.permits("10.20.1.2".parse().unwrap()) && !policy.permits("10.21.1.2".parse().unwrap()));
        assert_eq!(layer.trusted_proxies().unwrap().len(), 1);
        assert_eq!(layer.egress_proxy().unwrap().unwrap().to_string(), "proxy.example:3128");
        for (key, text, shown) in [
            ("allowed_networks", "[\"10.20.30.40/16\"]", "did you mean 10.20.0.0/16"),
            ("allowed_hosts", "[\"10.1.2.3\"]", "no host name"),
            ("trusted_proxies", "[\"everybody\"]", "everybody"),
            ("egress_proxy", "\"socks5://u:s3cret@proxy\"", "expected the proxy's URL"),
        ] {
            let layer = Layer::from_toml(&format!("{key} = {text}")).unwrap();
            let results =
                [layer.address_policy().map(drop), layer.trusted_proxies().map(drop), layer.egress_proxy().map(drop)];
            let error = format!("{:#}", results.into_iter().find_map(Result::err).unwrap());
            assert!(error.contains(key) && error.contains(shown) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_fault_of_the_file_is_told_with_its_place_and_without_the_line() {
        for (text, place) in [
            ("max_calls = 7\nsmtp_url = \"smtps://u:s3cret@h\n", "line 2, column"),
            ("api_token = \"s3cret\" x\n", "line 1, column"),
            ("egress_proxy = [\"http://u:s3cret@h\"]\n", "line 1, column 16"),
        ] {
            let error = format!("{:#}", Layer::from_toml(text).unwrap_err());
            assert!(error.contains(place) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = format!("{:#}", Layer::from_toml("max_calls = 7\nmax_cals = 8\n").unwrap_err());
        assert!(error.contains("max_cals") && error.contains("line 2"), "{error}");
    }
}
