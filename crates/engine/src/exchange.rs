//! One request and its answer, up to the last byte: to a hook's service, or to the authorization server in front of it.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::MAX_REPLY_BYTES;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Incoming};

use crate::Inner;
use crate::classify::{Failed, Reach};
use crate::coding::Coding;
use crate::connection::Connection;
use crate::outcome::{Answer, BadBody, CallFailure, TlsFailure, TooLarge, Unreachable};
use crate::pool::Origin;
use crate::progress::{Progress, Stage};
use crate::tls;

/// What may come in after the head: the largest body in chunks of a few bytes each, with their framing.
const BODY_ALLOWANCE: u64 = 8 * MAX_REPLY_BYTES as u64;
/// How much of the body of an answer that isn't success is kept for the record.
const MAX_REFUSED_BODY: usize = 16 * 1024;
/// How long we wait for it.
const REFUSED_BODY_TIME: Duration = Duration::from_millis(250);
/// The longest `Content-Type` that is recorded.
const MAX_CONTENT_TYPE: usize = 256;

/// A request ready to be sent: everything but the connection.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) origin: &'a Origin,
    /// The request target in origin form.
    pub(crate) target: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// Fields of this request alone, which stand over the others.
    pub(crate) over: &'a HeaderMap,
    pub(crate) body: Bytes,
}

impl Outgoing<'_> {
    /// Sends the request over a waiting connection or a new one and reads the head of the answer.
    ///
    /// A waiting connection that dies before a byte of the request was written is replaced; that is no second request.
    async fn head(
        &self,
        engine: &Inner,
        progress: &mut Progress,
    ) -> Result<(Box<Connection>, Response<Incoming>), Failed> {
        loop {
            let waiting = self.origin.take();
            let reused = waiting.is_some();
            let mut connection = match waiting {
                Some(connection) => connection,
                // Boxed, so that a call over a waiting connection doesn't carry what only a new one needs.
                None => Box::new(Box::pin(engine.connector.connect(self.origin, progress)).await?),
            };
            progress.reused_connection = reused;
            progress.peer = Some(connection.peer().to_owned());
            progress.stage = Stage::Head;
            let (sent, received) = (connection.meter().sent(), connection.meter().received());
            let error = match connection.send(self.request()).await {
                Ok(response) => return Ok((connection, response)),
                Err(error) => error,
            };
            let meter = connection.meter();
            let reach = match (meter.sent() > sent, meter.received() > received) {
                (false, _) if reused => continue,
                (false, _) => Reach::Unsent,
                (true, false) if reused => Reach::LostOnReused,
                (true, _) => Reach::Sent,
            };
            let failure = head_failure(&error, meter.is_exhausted());
            return Err(Failed { reach, detail: format!("{failure} ({})", chain(&error)), failure });
        }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        let headers = request.headers_mut();
        *headers = self.headers.clone();
        for (name, value) in self.over {
            headers.insert(name.clone(), value.clone());
        }
        request
    }

    /// Sends the request and reads the answer. Where its status is not success, its body is read for the record only, and not
    /// waited for long. The connection is kept if it can carry another request.
    pub(crate) async fn exchange(
        &self,
        engine: &Inner,
        is_success: impl Fn(u16) -> bool,
        progress: &mut Progress,
    ) -> Result<Answer, Failed> {
        let (mut connection, response) = self.head(engine, progress).await?;
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        let success = is_success(status);
        progress.stage = Stage::Body;
        progress.status = Some((status, success));
        progress.content_type = content_type(&head.headers);
        let patience = keep_alive_timeout(&head.headers);
        connection.allow(BODY_ALLOWANCE);
        if !success {
            let reading = collect(&mut connection, &mut body, &mut progress.body, MAX_REFUSED_BODY);
            if let Ok(Ok(())) = tokio::time::timeout(REFUSED_BODY_TIME, reading).await {
                engine.pool.give_back(self.origin, connection, patience);
            }
            return Err(Failed::sent(CallFailure::WrongStatus(status)));
        }
        let coding = Coding::of(&head.headers).map_err(Failed::sent)?;
        let length = content_length(&head.headers);
        if length.is_some_and(|length| length > MAX_REPLY_BYTES as u64) {
            return Err(Failed::sent(CallFailure::AnswerTooLarge(TooLarge::Body)));
        }
        progress.body.reserve_exact(length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
        collect(&mut connection, &mut body, &mut progress.body, MAX_REPLY_BYTES).await?;
        let body = Bytes::from(std::mem::take(&mut progress.body));
        engine.pool.give_back(self.origin, connection, patience);
        Ok(Answer { status, body: coding.undo(body).map_err(Failed::sent)? })
    }
}

/// Reads a body to its end, at most `limit` bytes of it.
async fn collect(
    connection: &mut Connection,
    body: &mut Incoming,
    into: &mut Vec<u8>,
    limit: usize,
) -> Result<(), Failed> {
    while !body.is_end_stream() {
        let Some(frame) = connection.frame(body).await else { break };
        let frame = frame.map_err(|error| body_failure(&error, connection.meter().is_exhausted()))?;
        let Ok(data) = frame.into_data() else { continue };
        let room = limit - into.len();
        into.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return Err(Failed::sent(CallFailure::AnswerTooLarge(TooLarge::Body)));
        }
    }
    Ok(())
}

/// What went wrong before the head was complete.
fn head_failure(error: &hyper::Error, exhausted: bool) -> CallFailure {
    if exhausted || error.is_parse_too_large() {
        return CallFailure::AnswerTooLarge(TooLarge::Head);
    }
    if error.is_parse() {
        return CallFailure::BadBody(BadBody::NotHttp);
    }
    // Under TLS 1.3 a service says only after our handshake that it doesn't accept our certificate.
    let tls = io_error(error).and_then(tls::failure).filter(|failure| *failure == TlsFailure::OwnCertificate);
    CallFailure::Unreachable(tls.map_or(Unreachable::Closed, Unreachable::Tls))
}

fn io_error(error: &hyper::Error) -> Option<&std::io::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// What went wrong in the body.
fn body_failure(error: &hyper::Error, exhausted: bool) -> Failed {
    let kind = io_error(error).map(std::io::Error::kind);
    let failure = match kind {
        _ if exhausted => CallFailure::AnswerTooLarge(TooLarge::Body),
        Some(ErrorKind::InvalidData | ErrorKind::InvalidInput) => CallFailure::BadBody(BadBody::NotHttp),
        _ => CallFailure::Unreachable(Unreachable::Closed),
    };
    Failed { detail: format!("{failure} ({})", chain(error)), ..Failed::sent(failure) }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.get(..MAX_CONTENT_TYPE).unwrap_or(text).to_owned())
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How long the service says that it leaves an idle connection open (`Keep-Alive: timeout=5`).
fn keep_alive_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("keep-alive")?.to_str().ok()?;
    let seconds = text.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    seconds.parse().ok().map(Duration::from_secs)
}
