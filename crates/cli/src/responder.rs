//! `hookwright responder`: the external service.

use clap::Args;

/// Flags of `responder`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) async fn run(_: Arguments) -> anyhow::Result<()> {
    Ok(())
}
