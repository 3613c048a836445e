//! The accept loop: connections with time-outs and limits, and a graceful end.
//!
//! Our own, since `axum::serve` sets no timer, and a client that never finishes its request would stay for ever.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hookwright_app::App;
use hookwright_lanes::{Lanes, Place};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::connection_end::{PatientStream, linger};
use crate::connections::{Connections, Seat};
use crate::context::Arrival;
use crate::{front_door, router};

/// What clients may ask of the server's patience and memory.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Connections at once. Where there is no place left, the one that was idle the longest goes for a newcomer.
    pub connections: usize,
    /// The same from one address, or one network of IPv6, that is no trusted proxy.
    pub connections_per_peer: usize,
    /// How long the first head may take, counted from the accept.
    pub first_head: Duration,
    /// How long a connection may be idle between two requests, or take for the head of a later one.
    pub idle: Duration,
    /// How long a body may take to arrive.
    pub body: Duration,
    /// How long a client may take none of an answer that waits for it.
    pub stalled_answer: Duration,
    /// How long calls under way may take to end after the shutdown began.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_peer: 256,
            first_head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            body: Duration::from_secs(15),
            stalled_answer: Duration::from_secs(30),
            drain: Duration::from_secs(8),
        }
    }
}

/// How long a connection may still bring its first request when the server stops.
const LAST_MOMENT: Duration = Duration::from_millis(100);
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A bound server that knows its address.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: ServerLimits,
    router: fn(App) -> Router,
}

impl Server {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(address: SocketAddr, limits: ServerLimits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, limits, router: router::router })
    }

    /// Answers `/healthz`, `/readyz` and `/metrics` only, and those to everybody: for an address that nobody else can reach.
    #[must_use]
    pub fn for_operators(self) -> Self {
        Self { router: router::operators, ..self }
    }

    /// The address that was really bound.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves on the caller's runtime until `shutdown` ends; then takes no more connections and lets requests under way end
    /// within the drain time.
    pub async fn serve(self, app: App, shutdown: impl Future<Output = ()>) {
        self.serve_in(&Lanes::default(), app, shutdown).await;
    }

    /// As [`Server::serve`], with each connection in one of the lanes. They must live as long as the app: calls whose clients
    /// hung up end there.
    pub async fn serve_in(self, lanes: &Lanes, app: App, shutdown: impl Future<Output = ()>) {
        let router = (self.router)(app.clone());
        let (stop, stopping) = watch::channel(false);
        let proxies = app.settings().trusted_proxies.clone();
        let connections = Connections::new(self.limits.connections, self.limits.connections_per_peer, proxies);
        let shared =
            Arc::new(Shared { app, router, limits: self.limits, connections: Arc::new(connections), stopping });
        let tracker = TaskTracker::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Dropped, the stream is closed.
                    let Some(seat) = shared.connections.enter(peer.ip()) else { continue };
                    let (shared, guest) = (Arc::clone(&shared), Guest { peer: peer.ip(), seat });
                    match lanes.quietest() {
                        Some((lane, place)) => tracker.spawn_on(shared.connection_of_lane(stream, guest, place), lane),
                        None => tracker.spawn(shared.connection(stream, guest)),
                    };
                }
                Err(error) => {
                    // Out of file descriptors, mostly: wait for some to be closed instead of spinning.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        drop(self.listener);
        stop.send_replace(true);
        tracker.close();
        if tokio::time::timeout(self.limits.drain, tracker.wait()).await.is_err() {
            tracing::warn!("some requests were still under way when the drain time ended");
        }
    }
}

struct Shared {
    app: App,
    router: Router,
    limits: ServerLimits,
    connections: Arc<Connections>,
    stopping: watch::Receiver<bool>,
}

/// Who is at the other end of a connection.
struct Guest {
    peer: IpAddr,
    seat: Seat,
}

impl Shared {
    /// Moves the connection to the runtime that this runs in: whoever accepted it may live in another.
    async fn connection_of_lane(self: Arc<Self>, stream: TcpStream, guest: Guest, place: Place) {
        match place.admit(stream) {
            Ok(stream) => self.connection(stream, guest).await,
            Err(error) => tracing::warn!(%error, "a connection could not be moved to its thread"),
        }
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream, guest: Guest) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        if self.converse(&mut stream, &guest).await {
            Box::pin(linger(stream)).await;
        }
    }

    /// Answers the requests of one connection; whether it came to its end in good order.
    async fn converse(&self, stream: &mut TcpStream, Guest { peer, seat }: &Guest) -> bool {
        let first_head_seen = AtomicBool::new(false);
        let arrival = Arrival { peer: Some(*peer), claimed: None, body_patience: self.limits.body };
        let service = service_fn(|request: hyper::Request<Incoming>| {
            first_head_seen.store(true, Ordering::Relaxed);
            seat.is_busy();
            async move {
                let answered = front_door::answer(&self.app, &self.router, request.map(Body::new), arrival).await;
                seat.is_idle();
                answered
            }
        });
        let refuse = |status| front_door::refusal_without_request(&self.app, status, arrival);
        let stream = PatientStream::new(stream, self.limits.stalled_answer, &refuse);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.idle)
            // Exact, while the buffer's own limit may be overshot by a read. The most fields are hyper's default of 100: asking
            // for them by name would cost an allocation a request.
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(MAX_HEAD_BYTES)
            .keep_alive(true)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut stopping = self.stopping.clone();
        let mut patience = pin!(tokio::time::sleep(self.limits.first_head));
        // Once a head is there, nothing waits for the first, and each of the many wake-ups of a connection asks no timer more.
        let overdue = poll_fn(|context| match first_head_seen.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => patience.as_mut().poll(context),
        });
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = &result {
                    tracing::debug!(%error, %peer, "a connection ended early");
                }
                true
            }
            () = stopped(&mut stopping, seat) => {
                connection.as_mut().graceful_shutdown();
                // Where nothing was asked yet, only what is just arriving gets its answer.
                let ended = tokio::time::timeout(LAST_MOMENT, connection.as_mut()).await.is_ok();
                if !ended && !first_head_seen.load(Ordering::Relaxed) {
                    return false;
                }
                if !ended {
                    // Nothing else can happen to this connection but its end.
                    let _ = connection.await;
                }
                true
            }
            () = overdue => false,
        }
    }
}

/// Ends when the server begins to stop, or is gone, or when somebody else needs the place.
async fn stopped(stopping: &mut watch::Receiver<bool>, seat: &Seat) {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = seat.dismissed() => {}
    }
}
