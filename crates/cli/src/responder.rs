//! `hookwright responder`: the external service. The guide's three endpoints, and rules from a file.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use hookwright_lanes::Lanes;
use hookwright_responder::rules::Rules;
use hookwright_responder::sample::{self, Matching};
use secrecy::{ExposeSecret, SecretString};

use crate::config::read_address;
use crate::logging::{self, LogFormat};
use crate::system::termination;

/// The credentials of Okta's guide, known to everybody.
const GUIDE_CREDENTIALS: &str = "admin:supersecret";

/// Flags of `responder`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "HOOKWRIGHT_RESPONDER_LISTEN", default_value = "127.0.0.1:8081", value_parser = read_address)]
    listen: SocketAddr,
    /// Who may call, as user:password; better given by the environment, since flags show in `ps` [default: the guide's]
    #[arg(long, env = "HOOKWRIGHT_RESPONDER_BASIC_AUTH", hide_env_values = true)]
    basic_auth: Option<SecretString>,
    /// TOML file of rules; an endpoint of the file stands in for the guide's at the same path
    #[arg(long, env = "HOOKWRIGHT_RESPONDER_RULES")]
    rules: Option<PathBuf>,
    /// How the guide's endpoints look at addresses and employee numbers
    #[arg(long = "match", value_enum, default_value_t = Match::Strict)]
    matching: Match,
    /// Form of log lines
    #[arg(long, env = "HOOKWRIGHT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
    /// Which log lines; `info` has one for each decision
    #[arg(long, env = "HOOKWRIGHT_LOG", default_value = "info")]
    log: String,
}

/// How closely the guide's endpoints look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Match {
    /// As the guide's prose: the domain is okta.com or below it, an employee number is four digits
    Strict,
    /// As the guide's code: the domain has okta.com in it, an employee number is any four characters
    Contains,
}

/// Runs the service until it is told to stop.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let on_command_line = std::env::args().any(|argument| argument.starts_with("--basic-auth"));
    let _log = logging::start(arguments.log_format, &arguments.log)?;
    if on_command_line {
        tracing::warn!("--basic-auth shows in the list of processes; HOOKWRIGHT_RESPONDER_BASIC_AUTH does not");
    }
    let credentials = arguments.basic_auth.unwrap_or_else(|| {
        tracing::warn!("the credentials are those of Okta's guide, which everybody knows; set --basic-auth");
        SecretString::from(GUIDE_CREDENTIALS)
    });
    let (user, password) = read_credentials(&credentials)?;
    let matching = match arguments.matching {
        Match::Strict => Matching::Strict,
        Match::Contains => {
            tracing::warn!("--match contains lets addresses such as somebody@okta.com.example.net in");
            Matching::Contains
        }
    };
    let mut responder = sample::responder(matching).basic_auth(user, password);
    if let Some(path) = &arguments.rules {
        let rules = Rules::read(path).with_context(|| format!("the rules file {} can't be used", path.display()))?;
        tracing::info!(paths = ?rules.paths().collect::<Vec<_>>(), "rules were read");
        responder = responder.rules(rules);
    }
    let service = responder
        .bind(arguments.listen)
        .await
        .with_context(|| format!("the address {} can't be used", arguments.listen))?;
    let lanes = Lanes::start().context("can't start the threads that answer requests")?;
    let told_to_stop = termination();
    announce(service.local_addr());
    service.serve_in(&lanes, told_to_stop).await;
    Ok(())
}

/// User and password; only the password may hold a colon (RFC 7617, section 2).
fn read_credentials(credentials: &SecretString) -> anyhow::Result<(&str, &str)> {
    let parts = credentials.expose_secret().split_once(':');
    let parts = parts.filter(|(user, password)| !user.is_empty() && !password.is_empty());
    parts.context("--basic-auth must be user:password, neither of them empty")
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
fn announce(address: SocketAddr) {
    println!("listening on http://{address}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        assert_eq!(read_credentials(&"admin:super:secret".into()).unwrap(), ("admin", "super:secret"));
    }

    #[test]
    fn credentials_without_a_user_or_a_password_are_refused_without_being_shown() {
        for text in ["supersecret", ":supersecret", "admin:", ""] {
            let error = read_credentials(&text.into()).unwrap_err().to_string();
            assert!(!error.contains("supersecret"), "{error}");
        }
    }
}
