//! Makes the table of figures from runs, one line of JSON each, read from a file.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use hookwright_benches::figures::{CATALOGUE, Table};
use hookwright_benches::summary::Summary;

#[derive(Parser)]
#[command(about = "Prints the table of Hookwright's figures as Markdown")]
struct Arguments {
    /// Exit with status 1 when a goal is missed or a request failed
    #[arg(long)]
    strict: bool,
    /// The runs
    runs: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.runs).with_context(|| arguments.runs.display().to_string())?;
    let runs = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect::<Result<Vec<Summary>, _>>()
        .context("a line is no run")?;
    let table = Table::new(CATALOGUE, &runs);
    write!(std::io::stdout().lock(), "{table}")?;
    Ok(if arguments.strict && !table.all_met() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
