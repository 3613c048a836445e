//! A caller that speaks raw HTTP/1.1, so that a test can also break its rules, and a service to call.

use std::net::SocketAddr;

use hookwright_responder::{Lanes, Responder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A published example of a request.
macro_rules! request {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/tests/fixtures/requests/", $name, ".json"))
    };
}
pub(crate) use request;

/// A responder that serves until it is stopped or dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(responder: Responder) -> Self {
        Self::start_in(Lanes::default(), responder).await
    }

    /// Serves in these lanes, or in the test's own runtime if there are none.
    pub(crate) async fn start_in(lanes: Lanes, responder: Responder) -> Self {
        let bound = responder.bind("127.0.0.1:0").await.unwrap();
        let address = bound.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            bound.serve_in(&lanes, stopped).await;
        });
        Self { address, stop, task }
    }

    /// Tells the service to stop; the handle ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.task
    }

    pub(crate) async fn connect(&self) -> Caller {
        Caller::connect(self.address).await
    }

    /// One POST on a connection of its own.
    pub(crate) async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Received {
        self.connect().await.post(path, "", body).await
    }

    /// One request without a body on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Received {
        let mut caller = self.connect().await;
        caller.write(format!("{method} {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        caller.receive(method == "HEAD").await
    }
}

/// One connection.
pub(crate) struct Caller {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One response.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Received {
    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// Asserts an error object and gives its summary and the location of its first cause.
    pub(crate) fn problem(&self) -> (String, Option<String>) {
        assert_eq!(self.header("content-type"), ["application/json"]);
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let summary = body["errorSummary"].as_str().unwrap().to_owned();
        (summary, body["errorCauses"][0]["location"].as_str().map(str::to_owned))
    }
}

impl Caller {
    #[expect(clippy::disallowed_methods, reason = "the ban protects the engine; a test may open a socket")]
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// One POST with further header lines, each ended by CR LF.
    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Received {
        let body = body.as_ref();
        let length = body.len();
        self.write(format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n{headers}\r\n")).await;
        // A service that refuses early may close before it has read everything.
        let _ = self.stream.write_all(body).await;
        self.receive(false).await
    }

    pub(crate) async fn receive(&mut self, head_only: bool) -> Received {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more().await > 0, "closed without a response, after {:?}", self.unread);
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut received = Received { status, head, body: String::new() };
        let length = match received.header("content-length").first() {
            Some(length) if !head_only => length.parse().unwrap(),
            _ => 0,
        };
        while self.unread.len() < length {
            assert!(self.more().await > 0, "closed in the middle of a body");
        }
        received.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        received
    }

    /// Whether the service has closed the connection and sent nothing more.
    pub(crate) async fn closed(&mut self) -> bool {
        self.unread.is_empty() && self.more().await == 0
    }

    async fn more(&mut self) -> usize {
        let mut piece = [0; 4096];
        // A reset is an end as well.
        let count = self.stream.read(&mut piece).await.unwrap_or(0);
        self.unread.extend_from_slice(&piece[..count]);
        count
    }
}
