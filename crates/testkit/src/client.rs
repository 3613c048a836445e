//! A small HTTP client that sends exactly what a test says, and gives back exactly what came.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::canaries;

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends requests to one server, each over its own connection.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request {
    client: Client,
    builder: http::request::Builder,
    body: Bytes,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client without credentials.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// This client with an API token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The API token it uses, if any.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The server's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A bare connection, for what no HTTP library would send.
    ///
    /// # Panics
    /// The server takes no connections.
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    pub async fn connect(&self) -> TcpStream {
        #[expect(clippy::disallowed_methods, reason = "the tests' own client")]
        let stream = TcpStream::connect(self.address).await.expect("the server takes connections");
        stream.set_nodelay(true).expect("a connection has its options");
        stream
    }

    /// Sends these bytes over a connection of their own and gives back all that comes until the server closes it. Whether the
    /// server takes all the bytes does not matter.
    ///
    /// # Panics
    /// The server keeps the connection open.
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    pub async fn speak(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let (mut reader, mut writer) = self.connect().await.into_split();
        let bytes = bytes.as_ref().to_vec();
        let writing = tokio::spawn(async move {
            // The server may have closed its side already, which is for the test to judge by the answer.
            let _ = writer.write_all(&bytes).await;
            writer
        });
        let mut answer = Vec::new();
        let reading = async {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut piece).await {
                answer.extend_from_slice(piece.get(..read).unwrap_or_default());
            }
        };
        timeout(PATIENCE, reading).await.expect("the server closes the connection");
        writing.abort();
        answer
    }

    /// As [`Self::speak`], for one answer in the form of HTTP.
    ///
    /// # Panics
    /// What came is no answer.
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    pub async fn ask(&self, bytes: impl AsRef<[u8]>) -> Answer {
        Answer::parse(&self.speak(bytes).await).expect("an HTTP answer")
    }

    /// A request with the client's credentials.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        let mut builder = http::Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, format!("SSWS {token}"));
        }
        Request { client: self.clone(), builder, body: Bytes::new() }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    /// `POST` with a JSON body
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// `POST` without a body
    pub async fn post_empty(&self, path: &str) -> Answer {
        self.request(Method::POST, path).send().await
    }

    /// `PUT` with a JSON body
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).send().await
    }
}

impl Request {
    /// Adds a header; the same name may be added twice.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header(CONTENT_TYPE.as_str(), "application/json").body(body.to_string())
    }

    /// Sets any body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// No answer comes: in a test that is a failure.
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    pub async fn send(self) -> Answer {
        let stream = self.client.connect().await;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection speaks HTTP");
        let connection = tokio::spawn(connection);
        let canaries = canaries::at(self.client.address);
        let (head, ()) = self.builder.body(()).expect("a well-formed request").into_parts();
        if let Some(canaries) = &canaries {
            canaries.note_request(&head, &self.body);
        }
        let what = format!("{} {}", head.method, head.uri);
        let request = hyper::Request::from_parts(head, Full::new(self.body));
        let response = timeout(PATIENCE, sender.send_request(request)).await.expect("an answer in time");
        let (parts, body) = response.expect("the server answers").into_parts();
        let body = timeout(PATIENCE, body.collect()).await.expect("an answer in time");
        let body = body.expect("the answer is whole").to_bytes();
        connection.abort();
        if let Some(canaries) = &canaries {
            canaries.note_answer(&what, &parts.headers, &body);
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// Reads an answer from the bytes of a connection that was closed behind it; bytes behind its body are left out.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..head_end)?).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).ok()?, value.trim().parse().ok()?);
        }
        let body = bytes.get(head_end + 4..)?;
        let length = headers.get(hyper::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let body = Bytes::copy_from_slice(length.map_or(Some(body), |length: usize| body.get(..length))?);
        Some(Self { status, headers, body })
    }

    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and `errorCode` of a refusal.
    #[must_use]
    pub fn refusal(&self) -> (u16, String) {
        let json = self.json();
        let code = json.get("errorCode").and_then(Value::as_str).unwrap_or_default();
        (self.status.as_u16(), code.to_owned())
    }

    /// The texts of the `errorCauses`.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let json = self.json();
        let causes = json.get("errorCauses").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |cause: &Value| cause.get("errorSummary").and_then(Value::as_str).unwrap_or_default().to_owned();
        causes.iter().map(text).collect()
    }
}
