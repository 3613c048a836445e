//! What the external service does when it is asked: a list of steps, so that each fault can be written down.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How one request is answered, byte by byte.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub(super) steps: Vec<Step>,
    pub(super) then: Then,
}

/// One thing that a service does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Writes bytes.
    Send(Bytes),
    /// Does nothing for a while.
    Wait(Duration),
    /// Writes bytes one by one with a pause after each.
    Drip(Bytes, Duration),
    /// Writes the same bytes until the other side has enough.
    Endless(Bytes),
}

/// What follows the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Then {
    /// Waits for the next request on the connection.
    #[default]
    KeepAlive,
    /// Closes the connection.
    Close,
    /// Closes the socket without a word of goodbye, under TLS too.
    Drop,
    /// Keeps the connection open and reads nothing.
    Hang,
}

impl Reply {
    /// A well-formed JSON answer.
    #[must_use]
    pub fn json(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::answer(status, &[("Content-Type", "application/json")], body)
    }

    /// A well-formed answer with these fields; `Content-Length` is added.
    #[must_use]
    pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = head(status, headers);
        if status != 204 && status != 304 {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Self::raw(bytes)
    }

    /// An answer in chunks of `size` bytes.
    ///
    /// # Panics
    /// `size` is 0.
    #[must_use]
    pub fn chunked(status: u16, headers: &[(&str, &str)], body: &[u8], size: usize) -> Self {
        let mut bytes = head(status, headers);
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in body.chunks(size) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        Self::raw(bytes)
    }

    /// A JSON answer that claims another length than it has.
    #[must_use]
    pub fn lying_about_its_length(body: &str, claimed: usize) -> Self {
        let mut bytes = head(200, &[("Content-Type", "application/json")]);
        bytes.extend_from_slice(format!("Content-Length: {claimed}\r\n\r\n{body}").as_bytes());
        Self::raw(bytes)
    }

    /// An answer that inflates to `size` zero bytes.
    ///
    /// # Panics
    /// There is no memory for it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    pub fn gzip_bomb(size: usize) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![0; 1 << 20];
        let mut left = size;
        while left > 0 {
            let part = block.get(..left.min(block.len())).unwrap_or_default();
            encoder.write_all(part).expect("a vector takes everything");
            left -= part.len();
        }
        let body = encoder.finish().expect("a vector takes everything");
        Self::answer(200, &[("Content-Encoding", "gzip"), ("Content-Type", "application/json")], body)
    }

    /// These bytes, whatever they are.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { steps: vec![Step::Send(bytes.into())], then: Then::KeepAlive }
    }

    /// Nothing at all, and the connection stays open.
    #[must_use]
    pub fn hang() -> Self {
        Self { steps: Vec::new(), then: Then::Hang }
    }

    /// Nothing at all, and the connection is closed.
    #[must_use]
    pub fn close() -> Self {
        Self { steps: Vec::new(), then: Then::Close }
    }

    /// A head without an end: fields follow upon fields.
    #[must_use]
    pub fn endless_head() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\n").then_endlessly(format!("X-Filler: {}\r\n", "x".repeat(1000)))
    }

    /// A body in chunks that never ends.
    #[must_use]
    pub fn endless_body() -> Self {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        Self::raw(head).then_endlessly(format!("400\r\n{}\r\n", "x".repeat(0x400)))
    }

    /// One `100 Continue` after the other.
    #[must_use]
    pub fn endless_informational() -> Self {
        Self { steps: vec![Step::Endless(Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n"))], then: Then::Close }
    }

    /// Waits before the first byte.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.steps.insert(0, Step::Wait(delay));
        self
    }

    /// Goes on with these bytes.
    #[must_use]
    pub fn then_send(mut self, bytes: impl Into<Bytes>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    /// Goes on with these bytes, one by one.
    #[must_use]
    pub fn then_drip(mut self, bytes: impl Into<Bytes>, pause: Duration) -> Self {
        self.steps.push(Step::Drip(bytes.into(), pause));
        self
    }

    /// Goes on with these bytes for ever.
    #[must_use]
    pub fn then_endlessly(mut self, bytes: impl Into<Bytes>) -> Self {
        self.steps.push(Step::Endless(bytes.into()));
        self
    }

    /// Closes the connection afterwards.
    #[must_use]
    pub fn then_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// Closes the socket afterwards without TLS's closing alert, as somebody does who cuts an answer short.
    #[must_use]
    pub fn then_drop(mut self) -> Self {
        self.then = Then::Drop;
        self
    }

    /// Leaves the connection open afterwards and does nothing more.
    #[must_use]
    pub fn then_hang(mut self) -> Self {
        self.then = Then::Hang;
        self
    }

    /// The same bytes, one by one.
    #[must_use]
    pub fn dripped(mut self, pause: Duration) -> Self {
        for step in &mut self.steps {
            if let Step::Send(bytes) = step {
                *step = Step::Drip(std::mem::take(bytes), pause);
            }
        }
        self
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}
