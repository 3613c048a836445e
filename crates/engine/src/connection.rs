//! One HTTP/1.1 connection, driven by whoever is using it: no task of its own, and nothing runs on it while it is idle.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::wire::{Meter, Stream, Wire};

/// The largest head, and with it the connection's buffer.
const MAX_HEAD: usize = 64 * 1024;
/// What may come in until the answer's head is complete: 1xx answers, the head, and what follows it in the same read.
const HEAD_ALLOWANCE: u64 = 2 * MAX_HEAD as u64;

/// A connection to an external service.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<Wire>, Full<Bytes>>,
    meter: Arc<Meter>,
    peer: Box<str>,
    opened: Instant,
    /// The thread that opened it; where threads have runtimes of their own, the one that hears of its bytes.
    home: ThreadId,
    /// Whether the driver has ended; it must not be polled again.
    ended: bool,
}

impl Connection {
    /// Speaks HTTP over a stream. Nothing is sent yet.
    pub(crate) async fn open(stream: Stream, peer: Box<str>) -> hyper::Result<Self> {
        let (wire, meter) = Wire::new(stream);
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
        let (sender, driver) = builder.handshake(TokioIo::new(wire)).await?;
        Ok(Self { sender, driver, meter, peer, opened: Instant::now(), home: thread::current().id(), ended: false })
    }

    /// The address of the other side.
    pub(crate) fn peer(&self) -> &str {
        &self.peer
    }

    /// When the connection was opened.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// The thread that opened it.
    pub(crate) fn home(&self) -> ThreadId {
        self.home
    }

    /// What has passed over it.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Sends a request and reads the head of its answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.meter.allow(HEAD_ALLOWANCE);
        let mut answer = pin!(self.sender.send_request(request));
        let (driver, ended) = (&mut self.driver, &mut self.ended);
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut unheard()) {
                return Poll::Ready(answer);
            }
            drive(driver, ended, context);
            answer.as_mut().poll(&mut unheard())
        })
        .await
    }

    /// Lets `bytes` more come in.
    pub(crate) fn allow(&self, bytes: u64) {
        self.meter.allow(bytes);
    }

    /// The next piece of an answer's body.
    pub(crate) async fn frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        poll_fn(|context| {
            if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(&mut unheard()) {
                return Poll::Ready(frame);
            }
            drive(&mut self.driver, &mut self.ended, context);
            Pin::new(&mut *body).poll_frame(&mut unheard())
        })
        .await
    }

    /// Whether another request can be sent: the last answer was read to its end, nothing came after it, and the other side has
    /// neither asked to close nor closed, as far as the runtime has noticed.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.meter.allow(HEAD_ALLOWANCE);
        drive(&mut self.driver, &mut self.ended, &mut unheard());
        !self.ended && self.sender.is_ready()
    }
}

/// For what only the driver makes ready. Both are polled at each wake-up, the driver between two turns of the other; if one
/// woke the task for the other, everything above would be polled once more for nothing.
fn unheard() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn drive(driver: &mut http1::Connection<TokioIo<Wire>, Full<Bytes>>, ended: &mut bool, context: &mut Context<'_>) {
    // An error of the driver reaches whoever waits for the answer or its body.
    if !*ended && Pin::new(driver).poll(context).is_ready() {
        *ended = true;
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}
