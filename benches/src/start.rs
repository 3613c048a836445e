//! Start to ready: the time from starting a server to its first 200 at `/readyz`.
//!
//! The server must print `listening on http://ADDR` on stdout, and must end by itself when its stdout is closed or
//! it is asked to (SIGTERM).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::summary::Summary;

/// No server measured here needs longer to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);
const LISTENING: &str = "listening on http://";

/// Starts the server `runs` times, one after the other; the median is the metric `start_ms`.
///
/// # Errors
///
/// When the server does not start, does not get ready or does not stop within twenty seconds.
pub fn run(tag: &str, runs: usize, command_line: &[String]) -> anyhow::Result<Summary> {
    ensure!(runs > 0, "at least one start is needed");
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        times.push(start_once(command_line)?);
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let mut summary = Summary::new(tag);
    summary.set("start_ms", median.as_secs_f64() * 1000.0);
    summary.set("slowest_start_ms", times.last().copied().unwrap_or_default().as_secs_f64() * 1000.0);
    Ok(summary)
}

fn start_once(command_line: &[String]) -> anyhow::Result<Duration> {
    let (program, arguments) = command_line.split_first().context("no command to start")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started_at = Instant::now();
    let mut child = command.spawn().with_context(|| program.clone())?;
    let ready = wait_for_readiness(&mut child).map(|()| started_at.elapsed());
    stop(&mut child)?;
    ready.with_context(|| format!("starting {program}"))
}

fn wait_for_readiness(child: &mut Child) -> anyhow::Result<()> {
    let stdout = child.stdout.take().context("stdout is piped")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Reads on after the address, so that the server can go on writing.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix(LISTENING) {
                drop(sender.send(address.trim().to_owned()));
            }
        }
    });
    let address: SocketAddr = receiver.recv_timeout(PATIENCE).context("no line with its address")?.parse()?;
    let give_up_at = Instant::now() + PATIENCE;
    while !answers_readiness(address) {
        ensure!(Instant::now() < give_up_at, "not ready in time");
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

fn answers_readiness(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
        let mut status_line = [0; 12];
        stream.read_exact(&mut status_line)?;
        Ok(status_line.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// Asks the server to end, as an operator would, and waits for it.
fn stop(child: &mut Child) -> anyhow::Result<()> {
    // The standard library can only kill; a killed server would have its database to recover at the next start.
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().context("kill")?;
    let give_up_at = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() >= give_up_at {
            child.kill()?;
            child.wait()?;
            bail!("the server did not end when asked to");
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_never_listens_is_an_error_and_not_a_figure() {
        let error = run("start/none", 1, &["true".to_owned()]).unwrap_err();
        assert!(format!("{error:#}").contains("no line with its address"), "{error:#}");
    }

    #[test]
    fn no_command_and_no_runs_are_errors() {
        assert!(run("start/none", 1, &[]).is_err());
        assert!(run("start/none", 0, &["true".to_owned()]).is_err());
    }
}
