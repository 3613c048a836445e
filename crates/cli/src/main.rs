//! `hookwright`: the org, the external service and the bench, in one binary.

mod backup;
mod config;
mod demo;
mod json_line;
mod key;
mod keyring;
mod log;
mod log_writer;
mod logging;
mod responder;
mod serve;
mod system;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Inline hooks without Okta's cloud: an org that calls them, a service that answers them.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an org and a sample external service, and play the guide's scenarios
    Demo(demo::Arguments),
    /// Run an org
    Serve(Box<serve::Arguments>),
    /// Run an external service: the guide's three endpoints, and rules from a file
    Responder(responder::Arguments),
    /// Create, list and revoke API tokens
    Token(token::Arguments),
    /// Make, list and change the keys that seal secrets
    Key(key::Arguments),
    /// Check that the System Log and the executions are what was written
    Log(log::Arguments),
    /// Copy the database to a file, also beside a running serve
    Backup(backup::BackupArguments),
    /// Put a backup in the place of the database, which is kept under another name
    Restore(backup::RestoreArguments),
    /// Bring the database to this release's schema, and make the org if there is none
    Migrate(serve::MigrateArguments),
}

fn main() -> ExitCode {
    system::forbid_core_dumps();
    // The allocator asks for huge pages, of which each thread touches a few: measured, half of the resident memory. A system
    // that can't turn them off only costs that.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let arguments = Arguments::parse();
    let mut builder = match arguments.command {
        Command::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        // `serve` and `responder` answer requests on threads of their own; what else there is to do needs no second one,
        // nor its memory.
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error)),
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Responder(arguments) => responder::run(arguments).await,
            Command::Token(arguments) => token::run(arguments).await,
            Command::Key(arguments) => key::run(arguments).await,
            Command::Log(arguments) => return log::run(arguments).await,
            Command::Backup(arguments) => backup::back_up(arguments).await,
            Command::Restore(arguments) => backup::put_back(arguments).await,
            Command::Migrate(arguments) => serve::migrate(arguments).await,
        }
        .map(|()| ExitCode::SUCCESS)
    });
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a command that failed")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("hookwright: {}", in_full(error));
    ExitCode::FAILURE
}

/// An error and what caused it, each said once: some libraries say the cause themselves.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow::anyhow!("not found").context("cannot read x: not found").context("the rules can't be used");
        assert_eq!(in_full(&error), "the rules can't be used: cannot read x: not found");
        assert_eq!(in_full(&anyhow::anyhow!("alone")), "alone");
    }
}
