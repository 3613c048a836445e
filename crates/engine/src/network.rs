//! Where sockets come from: the operating system, or a network that a simulation makes up.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Opens connections to addresses that were judged before. The one seam between the engine and the outside, so that a
/// simulation can delay, lose and cut what passes.
pub trait Network: Send + Sync + 'static {
    /// A connection to this address. Dropping the future gives up the attempt.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Socket>>;
}

/// TCP, as the operating system has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNetwork;

impl Network for SystemNetwork {
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Socket>> {
        async move {
            #[expect(clippy::disallowed_methods, reason = "the one place that may: the address was judged just before")]
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Socket(Kind::Tcp(stream)))
        }
        .boxed()
    }
}

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for T {}

/// An open connection, without TLS.
#[derive(Debug)]
pub struct Socket(Kind);

/// TCP is not boxed: each byte of each call passes through here.
enum Kind {
    Tcp(TcpStream),
    Other(Box<dyn Duplex>),
}

impl Socket {
    /// A connection of another kind than TCP.
    #[must_use]
    pub fn new(stream: impl Duplex) -> Self {
        Self(Kind::Other(Box::new(stream)))
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp(_) => "Tcp",
            Self::Other(_) => "Other",
        })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Other(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(context, buffer),
            Kind::Other(stream) => Pin::new(stream).poll_write(context, buffer),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Kind::Other(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Other(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
