//! Where log lines go and in which form.

use std::io::{self, IsTerminal};

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

use crate::json_line::JsonLine;
use crate::log_writer::{Flush, LogWriter};

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For machines: one JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// Sends log lines to stderr: those for machines many at a time, those for people at once. What it returns must be kept until
/// the last line was logged. A second call in one process changes nothing.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<Option<Flush>> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .with_context(|| format!("log: {filter:?} can't be used; expected such as info,hookwright_engine=debug"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Json => {
            let (writer, flush) = LogWriter::start(io::stderr())?;
            let _ = builder.with_writer(writer).fmt_fields(JsonFields::new()).event_format(JsonLine).try_init();
            return Ok(Some(flush));
        }
        // The builder itself looks at NO_COLOR only.
        LogFormat::Text if !io::stderr().is_terminal() => {
            let _ = builder.with_writer(io::stderr).with_target(false).with_ansi(false).try_init();
        }
        LogFormat::Text => {
            let _ = builder.with_writer(io::stderr).with_target(false).try_init();
        }
    }
    Ok(None)
}
