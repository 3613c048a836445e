//! In flight: so many requests at once, one on each connection, and the wait for all of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::closed_loop::{Connection, exchange};
use crate::summary::Summary;
use crate::tally::Tally;
use crate::wire::Request;

/// Connections are opened in groups of this size, so that the server's backlog is not the thing measured.
const OPENED_AT_ONCE: usize = 64;

/// Opens `connections`, then sends on all of them and waits up to `timeout` for the answers.
///
/// # Errors
///
/// When a connection cannot be opened; a request that fails is counted instead.
pub fn run(tag: &str, connections: usize, timeout: Duration, request: &Request) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut opened = Vec::with_capacity(connections);
        while opened.len() < connections {
            let mut group = JoinSet::new();
            for _ in 0..OPENED_AT_ONCE.min(connections - opened.len()) {
                let request = request.clone();
                group.spawn(async move { tokio::time::timeout(timeout, Connection::open(&request)).await });
            }
            while let Some(connection) = group.join_next().await {
                opened.push(connection?.context("connecting took too long")??);
            }
        }
        send_all(tag, opened, timeout, request).await
    })
}

async fn send_all(tag: &str, opened: Vec<Connection>, timeout: Duration, request: &Request) -> anyhow::Result<Summary> {
    let tally = Arc::new(Mutex::new(Tally::new()?));
    let ready = Arc::new(Barrier::new(opened.len()));
    let started_at = Instant::now();
    let mut requests = JoinSet::new();
    for (number, mut connection) in (0..).zip(opened) {
        let (tally, ready, mut request) = (Arc::clone(&tally), Arc::clone(&ready), request.clone());
        requests.spawn(async move {
            request.stamp(number);
            ready.wait().await;
            let sent_at = Instant::now();
            let result = tokio::time::timeout(timeout, exchange(&mut connection, &request)).await;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(Ok(answer)) => tally.answer(answer.status, sent_at.elapsed(), true),
                Ok(Err(error)) => tally.error(&error),
                Err(_) => tally.error(&"no answer in time"),
            }
        });
    }
    while requests.join_next().await.is_some() {}
    let tally = Arc::try_unwrap(tally).map_err(|_| anyhow!("a request outlived the run"))?;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Summary::of_tally(tag, &tally, started_at.elapsed()))
}
