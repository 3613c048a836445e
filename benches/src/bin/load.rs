//! The load generator: closed loop, open loop, requests in flight, start to ready, memory. One line of JSON a run.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use hookwright_benches::summary::Summary;
use hookwright_benches::visitors::{self, Walk};
use hookwright_benches::wire::Request;
use hookwright_benches::{closed_loop, in_flight, open_loop, process, start};
use url::Url;

#[derive(Parser)]
#[command(about = "Measures an HTTP/1.1 server on loopback; prints one line of JSON")]
struct Arguments {
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Subcommand)]
enum Measurement {
    /// Throughput: each connection sends again as soon as it is answered
    Closed {
        #[command(flatten)]
        target: Target,
        #[arg(long, default_value_t = 32)]
        connections: usize,
        #[arg(long, default_value_t = 1)]
        threads: usize,
        #[arg(long, default_value_t = 0.3)]
        warm_up: f64,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// How long requests under way at the end may still take
        #[arg(long, default_value_t = 10.0)]
        grace: f64,
        /// Stop after so many requests, warm-up included
        #[arg(long)]
        requests: Option<u64>,
        /// First of the numbers that fill `__UNIQUE_NUMBER_` in the body
        #[arg(long, default_value_t = 0)]
        unique_from: u64,
        /// Process whose CPU time is shared out among the requests; several are added up
        #[arg(long, value_delimiter = ',')]
        watch: Vec<u32>,
    },
    /// Latency: requests leave at a constant rate, and each is timed from when it should have left
    Open {
        #[command(flatten)]
        target: Target,
        #[arg(long, default_value_t = 500.0)]
        rate: f64,
        #[arg(long, default_value_t = 16)]
        connections: u32,
        #[arg(long, default_value_t = 0.3)]
        warm_up: f64,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        #[arg(long, default_value_t = 10.0)]
        timeout: f64,
    },
    /// So many requests at once, one on each connection
    InFlight {
        #[command(flatten)]
        target: Target,
        #[arg(long, default_value_t = 1000)]
        connections: usize,
        #[arg(long, default_value_t = 15.0)]
        timeout: f64,
    },
    /// Browsers that walk through the sign-in pages
    Visitors {
        /// What is measured and on whom, as FIGURE/TARGET
        #[arg(long)]
        tag: String,
        /// The sign-in page of an app
        #[arg(long)]
        url: Url,
        #[arg(long, value_enum)]
        walk: WalkName,
        #[arg(long, default_value_t = 16)]
        browsers: u32,
        /// Walks a second, all browsers together; as many as go through if it is not said
        #[arg(long)]
        rate: Option<f64>,
        #[arg(long, default_value_t = 0.3)]
        warm_up: f64,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Process whose CPU time is shared out among the walks; several are added up
        #[arg(long, value_delimiter = ',')]
        watch: Vec<u32>,
    },
    /// Time from starting a server to its first 200 at /readyz
    Start {
        #[arg(long)]
        tag: String,
        #[arg(long, default_value_t = 3)]
        runs: usize,
        #[arg(last = true, required = true)]
        command_line: Vec<String>,
    },
    /// Resident memory of processes, now and at most
    Memory {
        #[arg(long)]
        tag: String,
        #[arg(required = true)]
        pids: Vec<u32>,
    },
    /// A loopback port that is free now, for servers that cannot choose one themselves
    FreePort,
}

#[derive(Clone, Copy, ValueEnum)]
enum WalkName {
    /// From the first page to the user
    SignUp,
    /// The same and a password
    SignUpWithPassword,
    /// Wrong passwords for names that nobody has
    Guess,
}

impl WalkName {
    const fn walk(self) -> Walk {
        match self {
            Self::SignUp => Walk::SignUp { with_password: false },
            Self::SignUpWithPassword => Walk::SignUp { with_password: true },
            Self::Guess => Walk::Guess,
        }
    }
}

#[derive(Args)]
struct Target {
    /// What is measured and on whom, as FIGURE/TARGET
    #[arg(long)]
    tag: String,
    #[arg(long)]
    url: Url,
    #[arg(long, default_value = "GET")]
    method: String,
    /// `Name: value`; may be repeated
    #[arg(long, value_parser = parse_header)]
    header: Vec<(String, String)>,
    /// File with the body
    #[arg(long)]
    body: Option<PathBuf>,
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Target {
    fn request(&self) -> anyhow::Result<Request> {
        let body = match &self.body {
            Some(path) => std::fs::read(path).with_context(|| path.display().to_string())?,
            None => Vec::new(),
        };
        Request::new(&self.method, &self.url, &self.header, &body)
    }
}

fn main() -> anyhow::Result<()> {
    let seconds = Duration::try_from_secs_f64;
    let summary = match Arguments::parse().measurement {
        Measurement::Closed {
            target,
            connections,
            threads,
            warm_up,
            seconds: measured,
            grace,
            requests,
            unique_from,
            watch,
        } => {
            let plan = closed_loop::Plan {
                connections,
                threads,
                warm_up: seconds(warm_up)?,
                measured: seconds(measured)?,
                grace: seconds(grace)?,
                most_requests: requests,
                unique_from,
                watched: watch,
            };
            closed_loop::run(&target.tag, plan, &target.request()?)?
        }
        Measurement::Open { target, rate, connections, warm_up, seconds: measured, timeout } => {
            let plan = open_loop::Plan {
                rate,
                connections,
                warm_up: seconds(warm_up)?,
                measured: seconds(measured)?,
                timeout: seconds(timeout)?,
            };
            open_loop::run(&target.tag, &plan, &target.request()?)?
        }
        Measurement::InFlight { target, connections, timeout } => {
            in_flight::run(&target.tag, connections, seconds(timeout)?, &target.request()?)?
        }
        Measurement::Visitors { tag, url, walk, browsers, rate, warm_up, seconds: measured, watch } => {
            let (warm_up, measured) = (seconds(warm_up)?, seconds(measured)?);
            let plan = visitors::Plan { walk: walk.walk(), browsers, rate, warm_up, measured, watched: watch };
            visitors::run(&tag, plan, &url)?
        }
        Measurement::Start { tag, runs, command_line } => start::run(&tag, runs, &command_line)?,
        Measurement::Memory { tag, pids } => {
            let mut summary = Summary::new(&tag);
            summary.set_memory(process::memory(&pids)?);
            summary
        }
        Measurement::FreePort => return print_free_port(),
    };
    summary.print()
}

fn print_free_port() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout().lock(), "{}", listener.local_addr()?.port()).context("stdout")
}
