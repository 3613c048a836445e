//! The accept loop: HTTP/1.1 with keep-alive over plain TCP, a time limit for request heads, a clean stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hookwright_lanes::{Lanes, Place};
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Responder;
use crate::linger::LingeringStream;
use crate::service::ResponderService;

/// The largest request head.
const MAX_HEAD: usize = 64 * 1024;
/// How long requests under way may take after the service was told to stop.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Pause after the listener failed, for instance because the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be bound: taken, not ours, or not allowed.
    #[error("cannot listen: {0}")]
    Bind(#[source] io::Error),
    /// The signals that stop a service cannot be watched.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
}

/// A service whose port is open. It answers once it is served.
pub struct BoundResponder {
    listener: TcpListener,
    address: SocketAddr,
    service: ResponderService,
    head_time: Duration,
}

impl BoundResponder {
    pub(crate) async fn bind(responder: Responder, address: impl ToSocketAddrs) -> Result<Self, ServeError> {
        let listener = TcpListener::bind(address).await.map_err(ServeError::Bind)?;
        let address = listener.local_addr().map_err(ServeError::Bind)?;
        if responder.guard.is_open() {
            tracing::warn!(%address, "anybody may call this service: it asks for no credentials");
        }
        let head_time = responder.head_time;
        Ok(Self { listener, address, service: responder.into_service(), head_time })
    }

    /// The address that was bound, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process is told to stop (Ctrl-C or SIGTERM), then lets running requests end.
    ///
    /// # Errors
    /// [`ServeError`] if signals cannot be watched.
    pub async fn serve(self) -> Result<(), ServeError> {
        let stop = stop_signal().map_err(ServeError::Signals)?;
        self.serve_until(stop).await;
        Ok(())
    }

    /// Serves until `shutdown` is ready, then takes no new connection, lets running requests end for at most five
    /// seconds, and returns. Dropping the future ends everything at once.
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>) {
        self.serve_in(&Lanes::default(), shutdown).await;
    }

    /// As [`serve_until`](Self::serve_until), with each connection in one of the lanes: with handlers that take
    /// microseconds, a tenth more requests. One that blocks its thread holds up all connections of its lane.
    pub async fn serve_in(self, lanes: &Lanes, shutdown: impl Future<Output = ()>) {
        let Self { listener, address, service, head_time } = self;
        tracing::info!(%address, "listening");
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (service, stopping) = (service.clone(), stopping.clone());
                        match lanes.quietest() {
                            Some((lane, place)) => {
                                let connection = serve_connection_of_lane(place, stream, service, head_time, stopping);
                                connections.spawn_on(connection, lane)
                            }
                            None => connections.spawn(serve_connection(stream, service, head_time, stopping)),
                        };
                        while connections.try_join_next().is_some() {}
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        // Every connection waits for this end of the channel to go.
        drop(stop);
        let drained = timeout(DRAIN_TIME, async { while connections.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(requests = connections.len(), "gave up waiting for requests under way");
        }
        tracing::info!("stopped");
    }
}

async fn serve_connection_of_lane(
    place: Place,
    stream: TcpStream,
    service: ResponderService,
    head_time: Duration,
    stopping: watch::Receiver<()>,
) {
    match place.admit(stream) {
        Ok(stream) => serve_connection(stream, service, head_time, stopping).await,
        Err(error) => tracing::warn!(%error, "a connection could not be moved to its thread"),
    }
}

async fn serve_connection(
    stream: TcpStream,
    service: ResponderService,
    head_time: Duration,
    mut stopping: watch::Receiver<()>,
) {
    // Answers are one small write each; without this they may wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the caller left before its first request");
        return;
    }
    let linger = Arc::new(AtomicBool::new(false));
    let stream = TokioIo::new(LingeringStream::new(stream, Arc::clone(&linger)));
    let answer = service_fn(|request| {
        let (service, linger) = (&service, &linger);
        async move {
            let response = service.respond(request).await;
            if response.headers().contains_key(CONNECTION) {
                linger.store(true, Ordering::Relaxed);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_time)
            .max_buf_size(MAX_HEAD)
            .serve_connection(stream, answer)
    );
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
