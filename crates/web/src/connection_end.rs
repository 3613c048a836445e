//! How a connection ends: without losing the last answer, and without waiting for ever for somebody to take it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

use crate::bare_refusal;

/// How long what a client still sends is thrown away.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// How much of it at most, in bytes.
const LINGER_BYTES: usize = 8 * 1024 * 1024;

/// Closes a connection whose request may not have been read to its end. A socket closed with unread bytes sends a reset, which
/// can destroy the answer before the client has read it (RFC 9112 section 9.6).
pub(crate) async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let throw_away = async {
        let mut scratch = [0; 4096];
        let mut left = LINGER_BYTES;
        while let Ok(read @ 1..) = stream.read(&mut scratch).await {
            left = left.saturating_sub(read);
            if left == 0 {
                return;
            }
        }
    };
    // Whoever still sends after this time does not want the answer.
    let _ = timeout(LINGER_TIME, throw_away).await;
}

/// Makes a whole answer in place of a refusal that has a status and nothing else.
type Refuse<'a> = &'a (dyn Fn(StatusCode) -> Vec<u8> + Sync);

/// A stream that gives up on a client who takes nothing of what waits for it, and on which the HTTP library's own refusals
/// become ours.
pub(crate) struct PatientStream<'a> {
    stream: &'a mut TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    refuse: Refuse<'a>,
    /// What is still to be written in place of the library's own refusal.
    refusal: Option<Vec<u8>>,
}

impl<'a> PatientStream<'a> {
    pub(crate) fn new(stream: &'a mut TcpStream, patience: Duration, refuse: Refuse<'a>) -> Self {
        Self { stream, patience, waiting: None, refuse, refusal: None }
    }

    fn poll_plain_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        // The wait starts when a write can't go on, and ends when one can.
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for PatientStream<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(context, buffer)
    }
}

// Not vectored: hyper then copies head and body into one plain write, and a small copy costs less than a gathered write.
impl AsyncWrite for PatientStream<'_> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut rest = match (self.refusal.take(), bare_refusal::status(bytes)) {
            (Some(rest), _) => rest,
            (None, Some(status)) => (self.refuse)(status),
            (None, None) => return self.poll_plain_write(context, bytes),
        };
        // All of it goes out for the one write that it stands for.
        while !rest.is_empty() {
            match self.poll_plain_write(context, &rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => drop(rest.drain(..written.min(rest.len()))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some(rest);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }
}
