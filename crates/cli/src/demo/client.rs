//! A small HTTP client for the demo: one connection to the org that this same process runs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Longer than the org may take for two attempts of a hook.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where an answer to `execute` names its record.
const EXECUTION_ID: &str = "x-hookwright-execution-id";

/// A connection to the org, with an API token.
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

/// What the org answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// From before the request was sent until the whole answer was there.
    pub(super) took: Duration,
}

impl Client {
    /// Connects to the org.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(super) async fn connect(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "to the org of this very process; no hook has a say in it")]
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends when the client is dropped; what goes wrong shows in the request under way.
        tokio::spawn(connection);
        let mut authorization = HeaderValue::from_str(&format!("SSWS {token}"))?;
        authorization.set_sensitive(true);
        Ok(Self { sender, host: HeaderValue::from_str(&address.to_string())?, authorization })
    }

    /// Sends a request with the API token and waits for its answer, at most ten seconds.
    ///
    /// # Errors
    /// The connection broke, or no answer came.
    pub(super) async fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let mut headers = vec![(AUTHORIZATION, self.authorization.clone())];
        if body.is_some() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        self.request(method, path, headers, body.map(Value::to_string).unwrap_or_default()).await
    }

    /// Sends a request with these headers alone, as a browser would, and waits for its answer.
    ///
    /// # Errors
    /// The connection broke, or no answer came.
    pub(super) async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: String,
    ) -> anyhow::Result<Answer> {
        let context = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let exchange = async {
            let began = Instant::now();
            self.sender.ready().await?;
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body, took: began.elapsed() })
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(anyhow::Error::from)
            .and_then(|answer: anyhow::Result<Answer>| answer)
            .with_context(|| format!("no answer to {context}"))
    }
}

impl Answer {
    /// The record of the hook call, if there was one.
    pub(super) fn execution(&self) -> Option<String> {
        self.headers.get(EXECUTION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned)
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// The org refused; its words are in the error.
    pub(super) fn success(&self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.json());
        }
        anyhow::bail!("the org answered {}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
