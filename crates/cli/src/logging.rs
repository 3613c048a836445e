//! Where log lines go and in which form.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

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

/// Sends log lines to stderr. A second call in one process changes nothing.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        // The builder itself looks at NO_COLOR only.
        LogFormat::Text if !std::io::stderr().is_terminal() => builder.with_target(false).with_ansi(false).try_init(),
        LogFormat::Text => builder.with_target(false).try_init(),
    };
    Ok(())
}
