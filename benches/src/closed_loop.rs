//! Closed loop: each connection sends its next request when the last one is answered. Measures throughput.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process;
use crate::summary::Summary;
use crate::tally::Tally;
use crate::wire::{Answer, AnswerReader, Request};

/// After so many connections in a row that could not be opened, a loop gives up.
const MOST_REFUSALS: u32 = 20;

/// How a closed loop runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Connections, each with one request under way.
    pub connections: usize,
    /// Threads they are spread over.
    pub threads: usize,
    /// Time before the measuring begins.
    pub warm_up: Duration,
    /// Time that is measured.
    pub measured: Duration,
    /// How long requests under way at the end may still take.
    pub grace: Duration,
    /// Stop after so many requests, warm-up included.
    pub most_requests: Option<u64>,
    /// The first number stamped into a request.
    pub unique_from: u64,
    /// Processes whose CPU time is taken over the measured time.
    pub watched: Vec<u32>,
}

/// What all connections of a run share.
struct Run {
    plan: Plan,
    next_number: AtomicU64,
    measure_from: Instant,
    stop_at: Instant,
}

/// Runs a closed loop.
///
/// # Errors
///
/// When no connection could be opened at all or a watched process is gone; a request that fails is counted instead.
pub fn run(tag: &str, plan: Plan, request: &Request) -> anyhow::Result<Summary> {
    let measure_from = Instant::now() + plan.warm_up;
    let stop_at = measure_from + plan.measured;
    let threads = plan.threads.clamp(1, plan.connections.max(1));
    let run = Arc::new(Run { next_number: AtomicU64::new(0), measure_from, stop_at, plan });
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let (run, request) = (Arc::clone(&run), request.clone());
            let connections = (run.plan.connections + thread) / threads;
            thread::spawn(move || run_thread(&run, &request, connections))
        })
        .collect();

    thread::sleep(run.plan.warm_up);
    let cpu_before = process::cpu_time(&run.plan.watched)?;
    wait_until(stop_at, || workers.iter().all(thread::JoinHandle::is_finished));
    let cpu_used = process::cpu_time(&run.plan.watched)?.saturating_sub(cpu_before);
    let measured = Instant::now().min(stop_at).saturating_duration_since(measure_from);

    let mut total = Tally::new()?;
    for worker in workers {
        total.merge(worker.join().map_err(|_| anyhow!("a client thread panicked"))??)?;
    }
    if total.statuses.is_empty() && total.errors > 0 {
        return Err(anyhow!("{tag}: {}", total.first_error.unwrap_or_default())).context("no request was answered");
    }
    let mut summary = Summary::of_tally(tag, &total, measured);
    if !run.plan.watched.is_empty() {
        summary.set_cpu_time(cpu_used);
    }
    Ok(summary)
}

/// Sleeps to the end of the run, or shorter when all requests that were asked for are answered.
fn wait_until(end: Instant, finished: impl Fn() -> bool) {
    while !finished() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(Duration::from_millis(20)));
    }
}

fn run_thread(run: &Arc<Run>, request: &Request, connections: usize) -> anyhow::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = Arc::new(Mutex::new(Tally::new()?));
    runtime.block_on(async {
        let mut loops = JoinSet::new();
        for _ in 0..connections {
            loops.spawn(run_connection(Arc::clone(run), request.clone(), Arc::clone(&tally)));
        }
        let end = tokio::time::Instant::from_std(run.stop_at + run.plan.grace);
        while let Ok(Some(_)) = tokio::time::timeout_at(end, loops.join_next()).await {}
        for _ in 0..loops.len() {
            lock(&tally).error(&"no answer within the time of grace");
        }
    });
    drop(runtime);
    let tally = Arc::try_unwrap(tally).map_err(|_| anyhow!("a connection outlived its thread"))?;
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn run_connection(run: Arc<Run>, mut request: Request, tally: Arc<Mutex<Tally>>) {
    let mut connection = None;
    let mut refusals = 0;
    let mut sent_at = Instant::now();
    while sent_at < run.stop_at {
        let number = run.next_number.fetch_add(1, Ordering::Relaxed);
        if run.plan.most_requests.is_some_and(|most| number >= most) {
            break;
        }
        request.stamp(run.plan.unique_from + number);
        let result = match &mut connection {
            Some(connection) => exchange(connection, &request).await,
            None => match Connection::open(&request).await {
                Ok(opened) => {
                    sent_at = Instant::now();
                    exchange(connection.insert(opened), &request).await
                }
                Err(error) => Err(error),
            },
        };
        let done_at = Instant::now();
        match result {
            Ok(answer) => {
                refusals = 0;
                if answer.closes {
                    connection = None;
                }
                let within = done_at >= run.measure_from && done_at <= run.stop_at;
                if done_at >= run.measure_from {
                    lock(&tally).answer(answer.status, done_at - sent_at, within);
                }
            }
            Err(error) => {
                connection = None;
                lock(&tally).error(&error);
                refusals += 1;
                if refusals >= MOST_REFUSALS {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        sent_at = done_at;
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection without a request under way.
pub(crate) struct Connection {
    stream: TcpStream,
    reader: AnswerReader,
}

impl Connection {
    /// Connects to where the request goes.
    pub(crate) async fn open(request: &Request) -> std::io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "a load generator connects to the server it measures")]
        let stream = TcpStream::connect(request.address()).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, reader: AnswerReader::default() })
    }
}

/// Sends a request and waits for its whole answer.
pub(crate) async fn exchange(connection: &mut Connection, request: &Request) -> std::io::Result<Answer> {
    connection.stream.write_all(request.bytes()).await?;
    loop {
        let count = connection.stream.read(connection.reader.space()).await?;
        if let Some(answer) = connection.reader.advance(count)? {
            return Ok(answer);
        }
    }
}
