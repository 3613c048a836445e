//! What Hookwright is held against: a bare axum server, and the raw database committing row by row.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use hookwright_benches::{service, sqlite_rows};

/// Connections that may wait to be accepted. With the usual 128, a thousand calls at once lose some of their first
/// packets, which come again a second later; the service would then be what is measured.
const BACKLOG: u32 = 4096;

#[derive(Parser)]
#[command(about = "Baselines for Hookwright's figures")]
struct Arguments {
    #[command(subcommand)]
    baseline: Baseline,
}

#[derive(Subcommand)]
enum Baseline {
    /// A bare axum server: the sample endpoint, a slow one, fixed bytes; prints its address
    Serve {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// What `/one` answers
        #[arg(long)]
        one: Option<PathBuf>,
        /// What `/list` answers
        #[arg(long)]
        list: Option<PathBuf>,
    },
    /// Inserts rows into a new SQLite database, each with a durable commit of its own
    Sqlite {
        #[arg(long)]
        tag: String,
        /// An empty folder on the disk to be measured
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        seconds: f64,
        /// What stands in each row
        #[arg(long)]
        body: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().baseline {
        Baseline::Serve { listen, one, list } => serve(listen, one, list).await,
        Baseline::Sqlite { tag, folder, seconds, body } => {
            let body = std::fs::read_to_string(&body).with_context(|| body.display().to_string())?;
            sqlite_rows::run(&tag, &folder, Duration::try_from_secs_f64(seconds)?, &body)?.print()
        }
    }
}

async fn serve(listen: SocketAddr, one: Option<PathBuf>, list: Option<PathBuf>) -> anyhow::Result<()> {
    let read = |path: Option<PathBuf>| match path {
        Some(path) => std::fs::read(&path).with_context(|| path.display().to_string()),
        None => Ok(Vec::new()),
    };
    let fixed = service::Fixed { one: read(one)?.into(), list: read(list)?.into() };
    let socket = if listen.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    socket.bind(listen)?;
    let listener = socket.listen(BACKLOG)?;
    writeln!(std::io::stdout().lock(), "listening on http://{}", listener.local_addr()?)?;
    // As a listener is set in practice: without it, Nagle's algorithm may hold the second half of an answer back.
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, service::router(fixed)).await.context("serving")
}
