//! Closing a connection whose request was not read to its end.
//!
//! A socket closed with unread bytes sends a reset, which can destroy the answer before the caller has read it. So
//! the sending side is closed first and what still comes is thrown away for a short while (RFC 9112, section 9.6).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long to go on reading.
const LINGER_TIME: Duration = Duration::from_secs(1);
/// How much to throw away at most, in bytes.
const LINGER_BYTES: usize = 8 * 1024 * 1024;

/// A TCP stream that lingers when it is shut down, if it was told to.
pub(crate) struct LingeringStream {
    stream: TcpStream,
    linger: Arc<AtomicBool>,
    closing: Option<Closing>,
}

struct Closing {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl LingeringStream {
    /// `linger` is looked at when the stream is shut down.
    pub(crate) fn new(stream: TcpStream, linger: Arc<AtomicBool>) -> Self {
        Self { stream, linger, closing: None }
    }

    fn poll_throw_away(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let closing =
            self.closing.get_or_insert_with(|| Closing { until: Box::pin(sleep(LINGER_TIME)), left: LINGER_BYTES });
        let mut scratch = [0; 8 * 1024];
        loop {
            if closing.left == 0 || closing.until.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut piece = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece));
            if read.is_err() || piece.filled().is_empty() {
                return Poll::Ready(());
            }
            closing.left = closing.left.saturating_sub(piece.filled().len());
        }
    }
}

impl AsyncRead for LingeringStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

// Not vectored: hyper then copies head and body into one plain write, and a small copy costs less than a gathered write.
impl AsyncWrite for LingeringStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        if self.linger.load(Ordering::Relaxed) {
            ready!(self.poll_throw_away(context));
        }
        Poll::Ready(Ok(()))
    }
}
