//! The network and the services at its other end.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hookwright_engine::{Network, Socket};
use rand::RngExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::time::{Counted, Time};
use super::{Fate, chance};

/// How long a connection waits whose first packet was lost.
const LOST: Duration = Duration::from_secs(60);

/// One request as a service saw it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Who was asked.
    pub service: SocketAddr,
    /// The body.
    pub body: Bytes,
    /// What became of it.
    pub fate: Fate,
    /// Whether all bytes of the answer were handed to the network.
    pub answered: bool,
    /// When it came, since the network began.
    pub at: Duration,
}

type Answering = dyn Fn(&[u8]) -> String + Send + Sync;
type Naming = dyn Fn(&[u8]) -> String + Send + Sync;

/// A network whose faults follow from a seed. Cheap to clone.
#[derive(Clone)]
pub struct SimulatedNetwork(Arc<Inner>);

struct Inner {
    seed: u64,
    began: Instant,
    time: Time,
    /// What a service answers to a body.
    answer: Box<Answering>,
    /// What a request is about: its fate follows from that and from how often it was seen, not from the order of requests.
    subject: Box<Naming>,
    up: watch::Sender<bool>,
    healed: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: u64,
    seen: HashMap<String, u64>,
    exchanges: Vec<Exchange>,
}

impl SimulatedNetwork {
    /// A network with one kind of service at every address: it answers what `answer` says of a body, and a request is about
    /// what `subject` says. Services go down and come back as the seed says. Must be called from within a runtime.
    #[must_use]
    pub fn new(
        seed: u64,
        time: Time,
        answer: impl Fn(&[u8]) -> String + Send + Sync + 'static,
        subject: impl Fn(&[u8]) -> String + Send + Sync + 'static,
    ) -> Self {
        let network = Self(Arc::new(Inner {
            seed,
            began: Instant::now(),
            time,
            answer: Box::new(answer),
            subject: Box::new(subject),
            up: watch::Sender::new(true),
            healed: watch::Sender::new(false),
            state: Mutex::default(),
        }));
        tokio::spawn(network.clone().restart());
        network
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        self.0.healed.send_replace(true);
        self.0.up.send_replace(true);
    }

    /// What services were asked so far, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state().exchanges.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_healed(&self) -> bool {
        *self.0.healed.borrow()
    }

    /// Takes the services down now and then: their connections end, and new ones are refused until they are back.
    async fn restart(self) {
        let mut chance = chance(self.0.seed, "restarts");
        let mut healed = self.0.healed.subscribe();
        for _ in 0..chance.random_range(0..4_u32) {
            let after = Duration::from_millis(chance.random_range(200..15_000));
            let down = Duration::from_millis(chance.random_range(50..4_000));
            tokio::select! {
                () = sleep(after) => {}
                _ = healed.wait_for(|healed| *healed) => return,
            }
            self.0.up.send_replace(false);
            tokio::select! {
                () = sleep(down) => {}
                _ = healed.wait_for(|healed| *healed) => {}
            }
            self.0.up.send_replace(true);
        }
    }

    async fn open(&self, address: SocketAddr) -> io::Result<Socket> {
        let _waiting = self.0.time.wait();
        let number = {
            let mut state = self.state();
            state.connections += 1;
            state.connections
        };
        let mut chance = chance(self.0.seed, ("connection", number));
        let (latency, lost) = (chance.random_range(1..40), chance.random_ratio(3, 100) && !self.is_healed());
        sleep(if lost { LOST } else { Duration::from_millis(latency) }).await;
        if lost {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if !*self.0.up.borrow() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = duplex(64 * 1024);
        let underway = Underway::default();
        tokio::spawn(self.clone().serve(address, far, underway.clone()));
        Ok(Socket::new(Near { stream: near, underway, time: self.0.time.clone() }))
    }

    /// One connection of a service, to its end.
    async fn serve(self, address: SocketAddr, mut stream: DuplexStream, underway: Underway) {
        let mut up = self.0.up.subscribe();
        tokio::select! {
            _ = up.wait_for(|up| !up) => {}
            () = self.answer_all(address, &mut stream, &underway) => {}
        }
        underway.end();
    }

    async fn answer_all(&self, address: SocketAddr, stream: &mut DuplexStream, underway: &Underway) {
        while let Some(body) = read_request(stream).await {
            let subject = (self.0.subject)(&body);
            let (index, mut chance) = {
                let mut state = self.state();
                let seen = state.seen.entry(subject.clone()).or_default();
                *seen += 1;
                let chance = chance(self.0.seed, (&subject, *seen));
                let (fate, at) = (Fate::Lose, self.0.began.elapsed());
                state.exchanges.push(Exchange { service: address, body: body.clone(), fate, answered: false, at });
                (state.exchanges.len() - 1, chance)
            };
            let fate = if self.is_healed() { Fate::Answer(Duration::from_millis(5)) } else { Fate::draw(&mut chance) };
            self.note(index, |exchange| exchange.fate = fate);
            let goes_on = deliver(stream, fate, &(self.0.answer)(&body)).await;
            if goes_on {
                self.note(index, |exchange| exchange.answered = true);
            }
            underway.end();
            if !goes_on {
                return;
            }
        }
    }

    fn note(&self, index: usize, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.state().exchanges.get_mut(index) {
            change(exchange);
        }
    }
}

impl Network for SimulatedNetwork {
    fn connect(&self, address: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Socket>> + Send + '_>> {
        Box::pin(self.open(address))
    }
}

/// Sends what the fate says; false if the connection ends with it.
async fn deliver(stream: &mut DuplexStream, fate: Fate, body: &str) -> bool {
    let length = body.len();
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    match fate {
        Fate::Answer(after) => {
            sleep(after).await;
            stream.write_all(whole.as_bytes()).await.is_ok()
        }
        Fate::Drip(pause) => {
            for piece in whole.as_bytes().chunks(24) {
                sleep(pause).await;
                if stream.write_all(piece).await.is_err() {
                    return false;
                }
            }
            true
        }
        Fate::Status(status) => {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.is_ok()
        }
        Fate::Lose => {
            // Until the other side gives up.
            let _ = stream.read_u8().await;
            false
        }
        Fate::Cut(after) => {
            sleep(after).await;
            false
        }
        Fate::CutWithin => {
            let part = whole.as_bytes().get(..whole.len() - 5).unwrap_or_default();
            // The other side may be gone already.
            let _ = stream.write_all(part).await;
            false
        }
        Fate::Garbage => {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
            false
        }
    }
}

/// The body of the next request; `None` at the end of the connection.
async fn read_request(stream: &mut DuplexStream) -> Option<Bytes> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body.into())
}

/// Whether a request is under way on a connection: its caller waits for the network then.
#[derive(Debug, Clone, Default)]
struct Underway(Arc<Mutex<Option<Counted>>>);

impl Underway {
    fn begin(&self, time: &Time) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() {
            *waiting = Some(time.wait());
        }
    }

    fn end(&self) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(waiting);
    }
}

/// The engine's end of a connection.
struct Near {
    stream: DuplexStream,
    underway: Underway,
    time: Time,
}

impl Drop for Near {
    fn drop(&mut self) {
        self.underway.end();
    }
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Near {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.underway.begin(&self.time);
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
