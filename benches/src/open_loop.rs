//! Open loop: requests leave at a constant rate, whether earlier ones are answered or not. Measures latency.
//!
//! A latency counts from the moment at which the request *should* have left, so that a server that stalls is
//! charged for all the requests that it held up, not only for one. Each connection has a blocking thread of its own:
//! the timers of an async runtime are a millisecond coarse, several times what is to be measured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use crate::summary::Summary;
use crate::tally::Tally;
use crate::wire::{Answer, AnswerReader, Request};

/// The kernel may wake a sleeper this much late; the rest of the wait is spun.
const WAKE_SLACK: Duration = Duration::from_micros(80);

/// How an open loop runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Requests a second over all connections.
    pub rate: f64,
    /// Connections, taking turns. As many requests may be late at once.
    pub connections: u32,
    /// Time before the measuring begins.
    pub warm_up: Duration,
    /// Time that is measured.
    pub measured: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// Runs an open loop.
///
/// # Errors
///
/// When the plan has no rate or no connection; a request that fails is counted instead.
pub fn run(tag: &str, plan: &Plan, request: &Request) -> anyhow::Result<Summary> {
    ensure!(plan.rate > 0.0 && plan.connections > 0, "an open loop needs a rate and a connection");
    let interval = Duration::from_secs_f64(1.0 / plan.rate);
    // Time for all threads to be there before the first request is due.
    let start = Instant::now() + Duration::from_millis(50);
    let workers: Vec<_> = (0..plan.connections)
        .map(|turn| {
            let schedule = Schedule {
                first: start + interval * turn,
                period: interval * plan.connections,
                measure_from: start + plan.warm_up,
                stop_at: start + plan.warm_up + plan.measured,
                timeout: plan.timeout,
            };
            let mut request = request.clone();
            request.stamp(u64::from(turn));
            thread::spawn(move || run_connection(&schedule, &request))
        })
        .collect();
    let mut total = Tally::new()?;
    for worker in workers {
        total.merge(worker.join().map_err(|_| anyhow!("a client thread panicked"))??)?;
    }
    Ok(Summary::of_tally(tag, &total, plan.measured))
}

/// When one connection sends.
struct Schedule {
    first: Instant,
    period: Duration,
    measure_from: Instant,
    stop_at: Instant,
    timeout: Duration,
}

fn run_connection(schedule: &Schedule, request: &Request) -> anyhow::Result<Tally> {
    let mut tally = Tally::new()?;
    let mut connection = None;
    let mut due = schedule.first;
    while due < schedule.stop_at {
        if connection.is_none() {
            connection = Connection::open(request, schedule.timeout).map_err(|error| tally.error(&error)).ok();
        }
        sleep_until(due);
        let measured = due >= schedule.measure_from;
        if let Some(open) = &mut connection {
            let lag = due.elapsed();
            match open.exchange(request) {
                Ok(answer) => {
                    if measured {
                        tally.lag(lag);
                        tally.answer(answer.status, due.elapsed(), true);
                    }
                    if answer.closes {
                        connection = None;
                    }
                }
                Err(error) => {
                    tally.error(&error);
                    connection = None;
                }
            }
        }
        due += schedule.period;
    }
    Ok(tally)
}

fn sleep_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if left > WAKE_SLACK {
        thread::sleep(left - WAKE_SLACK);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

struct Connection {
    stream: TcpStream,
    reader: AnswerReader,
}

impl Connection {
    fn open(request: &Request, timeout: Duration) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&request.address(), timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, reader: AnswerReader::default() })
    }

    fn exchange(&mut self, request: &Request) -> std::io::Result<Answer> {
        self.stream.write_all(request.bytes())?;
        loop {
            let count = self.stream.read(self.reader.space())?;
            if let Some(answer) = self.reader.advance(count)? {
                return Ok(answer);
            }
        }
    }
}
