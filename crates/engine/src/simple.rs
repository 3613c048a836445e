//! The plainest way to make a call: one attempt on a new connection.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hookwright_contract::MAX_REPLY_BYTES;
use hookwright_model::execution::Attempt;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;

use crate::outcome::{TlsFailure, TooLarge, Unreachable};
use crate::prepared::PreparedHook;
use crate::{Answer, CallFailure, Inner};

pub(crate) fn tls_config(extra: &[CertificateDer<'static>]) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

pub(crate) async fn call(inner: &Inner, hook: &PreparedHook, body: Bytes) -> (Attempt, Result<Answer, CallFailure>) {
    let started = Instant::now();
    let timeout = hook.settings.timeout;
    let result = match tokio::time::timeout(timeout, exchange(inner, hook, body)).await {
        Ok(result) => result,
        Err(_) => Err(CallFailure::TimedOut(timeout)),
    };
    let attempt = Attempt {
        started_after_us: 0,
        duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        status: match &result {
            Ok(answer) => Some(answer.status),
            Err(CallFailure::WrongStatus(status)) => Some(*status),
            Err(_) => None,
        },
        content_type: None,
        reused_connection: false,
        peer: None,
        failure: result.as_ref().err().map(ToString::to_string),
        body: result.as_ref().map(|answer| answer.body.clone()).unwrap_or_default(),
    };
    (attempt, result)
}

async fn exchange(inner: &Inner, hook: &PreparedHook, body: Bytes) -> Result<Answer, CallFailure> {
    let unreachable = || CallFailure::Unreachable(Unreachable::NoConnection);
    inner.options.policy.judge_url(&hook.url).map_err(|_| CallFailure::AddressRefused)?;
    let host = hook.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = hook.url.port_or_known_default().unwrap_or(443);
    let mut addresses = tokio::net::lookup_host((host, port)).await.map_err(|_| unreachable())?;
    let address = addresses.find(|address| inner.options.policy.permits(address.ip()));
    let address = address.ok_or(CallFailure::AddressRefused)?;
    #[expect(clippy::disallowed_methods, reason = "this crate is the one that may; the address was judged above")]
    let stream = TcpStream::connect(address).await.map_err(|_| unreachable())?;
    stream.set_nodelay(true).map_err(|_| unreachable())?;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = hook.target.clone();
    *request.headers_mut() = hook.headers.clone();
    if hook.url.scheme() == "http" {
        return send(TokioIo::new(stream), request, hook).await;
    }
    let tls = |failure| CallFailure::Unreachable(Unreachable::Tls(failure));
    let name = ServerName::try_from(host.to_owned()).map_err(|_| tls(TlsFailure::WrongName))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&inner.tls));
    let stream = connector.connect(name, stream).await.map_err(|_| tls(TlsFailure::Handshake))?;
    send(TokioIo::new(stream), request, hook).await
}

async fn send<T>(stream: T, request: Request<Full<Bytes>>, hook: &PreparedHook) -> Result<Answer, CallFailure>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let closed = |_| CallFailure::Unreachable(Unreachable::Closed);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(closed)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(closed)?;
        let status = response.status().as_u16();
        if !hook.hook_type.accepts_status(status) {
            return Err(CallFailure::WrongStatus(status));
        }
        let too_large = |_| CallFailure::AnswerTooLarge(TooLarge::Body);
        let body = Limited::new(response.into_body(), MAX_REPLY_BYTES).collect().await.map_err(too_large)?;
        Ok(Answer { status, body: body.to_bytes() })
    };
    tokio::pin!(exchange, connection);
    loop {
        tokio::select! {
            result = &mut exchange => return result,
            _ = &mut connection => return exchange.await,
        }
    }
}
