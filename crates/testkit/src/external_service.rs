//! A scriptable external service: a real server on loopback that answers as it is told, however wrong, and remembers the wire.
//!
//! It speaks raw bytes, not through an HTTP library, so that it can break every rule of HTTP and shows what was really sent.

mod reply;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Authority, Identity};

pub use reply::Reply;
use reply::{Step, Then};

/// A running external service; it stops when dropped.
pub struct ExternalService {
    address: SocketAddr,
    base: String,
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

/// One request as it was seen on the wire.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// The method.
    pub method: String,
    /// The request target, such as `/hook?a=b`.
    pub target: String,
    /// The head with its last empty line, byte for byte.
    pub head: Bytes,
    /// The fields in their order; names as sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Which connection brought it, counted from 0.
    pub connection: usize,
}

impl SeenRequest {
    /// The value of the only field of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
    seen: Mutex<Vec<SeenRequest>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    accept_delay: Mutex<Duration>,
}

impl ExternalService {
    /// Starts a service that speaks plain HTTP on loopback and answers everything with 204.
    ///
    /// # Panics
    /// There is no port left.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Starts a service that speaks HTTPS on loopback with this certificate.
    ///
    /// # Panics
    /// There is no port left.
    pub async fn start_tls(identity: &Identity) -> Self {
        Self::listen(Some(identity.server_config(None))).await
    }

    /// Starts an HTTPS service that talks only to clients with a certificate of this authority.
    ///
    /// # Panics
    /// There is no port left.
    pub async fn start_mutual_tls(identity: &Identity, clients: &Authority) -> Self {
        Self::listen(Some(identity.server_config(Some(clients)))).await
    }

    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    async fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("an ephemeral port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let script = Arc::new(Script::default());
        let serving = tokio::spawn(serve(listener, tls.map(TlsAcceptor::from), Arc::clone(&script)));
        Self { address, base: format!("{scheme}://{address}"), script, serving }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The URL of a path under another host name; the name must lead here.
    #[must_use]
    pub fn url_at(&self, host: &str, path: &str) -> String {
        let scheme = self.base.split(':').next().unwrap_or_default();
        format!("{scheme}://{host}:{}{path}", self.address.port())
    }

    /// Answers the requests to a path in this order; the last answer is given again and again.
    pub fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock_replies().insert(path.to_owned(), replies.into_iter().collect());
    }

    /// Waits so long before it looks at a new connection.
    pub fn accept_after(&self, delay: Duration) {
        *self.script.accept_delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.script.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the requests so far, for runs that would fill the memory with them.
    pub fn forget_requests(&self) {
        self.script.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.script.open.load(Ordering::SeqCst)
    }
}

impl Drop for ExternalService {
    fn drop(&mut self) {
        // The connections' tasks belong to the accepting one and end with it.
        self.serving.abort();
    }
}

impl Script {
    fn lock_replies(&self) -> std::sync::MutexGuard<'_, HashMap<String, VecDeque<Reply>>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_reply(&self, target: &str) -> Reply {
        let path = target.split('?').next().unwrap_or_default();
        let mut replies = self.lock_replies();
        let Some(queue) = replies.get_mut(path) else { return Reply::answer(204, &[], "") };
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }.unwrap_or_default()
    }
}

/// Counts a connection as open as long as it lives.
struct Open(Arc<Script>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let number = script.connections.fetch_add(1, Ordering::SeqCst);
        script.open.fetch_add(1, Ordering::SeqCst);
        let (open, tls) = (Open(Arc::clone(&script)), tls.clone());
        connections.spawn(async move {
            let delay = *open.0.accept_delay.lock().unwrap_or_else(PoisonError::into_inner);
            tokio::time::sleep(delay).await;
            // Answers are written in pieces on purpose; none of them should wait for another.
            let _ = stream.set_nodelay(true);
            match tls {
                None => talk(stream, &open.0, number).await,
                Some(acceptor) => {
                    // A client that refuses our certificate is what some tests are about.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        talk(stream, &open.0, number).await;
                    }
                }
            }
        });
    }
}

/// Serves one connection until either side closes it.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script, connection: usize) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer, connection).await {
        let reply = script.next_reply(&request.target);
        script.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        for step in reply.steps {
            if perform(step, &mut stream).await.is_err() {
                return;
            }
        }
        match reply.then {
            Then::KeepAlive => {}
            Then::Close => {
                let _ = stream.shutdown().await;
                return;
            }
            Then::Drop => return,
            Then::Hang => {
                // Until the other side closes.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
                return;
            }
        }
    }
    if !buffer.is_empty() {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
    }
}

async fn perform(step: Step, stream: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
    match step {
        Step::Send(bytes) => stream.write_all(&bytes).await?,
        Step::Wait(delay) => tokio::time::sleep(delay).await,
        Step::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
        }
        Step::Endless(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
    }
    stream.flush().await
}

/// Reads one request; `None` when the other side closes or sends what is no request.
async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<SeenRequest> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(stream, buffer).await?;
        if !buffer.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
    };
    let head = Bytes::copy_from_slice(buffer.get(..end)?);
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    while buffer.len() < end + length {
        read_some(stream, buffer).await?;
    }
    let body = Bytes::copy_from_slice(buffer.get(end..end + length)?);
    buffer.drain(..end + length);
    Some(SeenRequest { method, target, head, headers, body, connection })
}

async fn read_some(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}
