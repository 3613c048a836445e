//! `hookwright demo`

use clap::Args;

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) async fn run(_: Arguments) -> anyhow::Result<()> {
    Ok(())
}
