//! Fetching the authorization server's keys over HTTPS.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::uri::Scheme;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::KeySource;

/// The largest JWK set that is read, in bytes.
const MAX_SET: usize = 256 * 1024;

/// The URL can't be fetched from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keys' URL {0:?} is not https, nor http to this machine")]
pub struct BadKeyUrl(String);

/// Where the keys are.
pub(super) struct KeyUrl {
    uri: Uri,
    tls: Option<TlsConnector>,
}

impl KeyUrl {
    pub(super) fn parse(text: &str) -> Result<Self, BadKeyUrl> {
        let bad = || BadKeyUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => Some(connector().ok_or_else(bad)?),
            Some(scheme) if *scheme == Scheme::HTTP && matches!(host, "127.0.0.1" | "[::1]" | "localhost") => None,
            _ => return Err(bad()),
        };
        Ok(Self { uri, tls })
    }

    async fn get(&self) -> Result<Bytes, String> {
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        #[expect(
            clippy::disallowed_methods,
            reason = "the service's own call, to an address that its author wrote down"
        )]
        let stream = TcpStream::connect((name.as_str(), port)).await.map_err(|error| error.to_string())?;
        match &self.tls {
            None => self.ask(stream).await,
            Some(connector) => {
                let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
                let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
                self.ask(stream).await
            }
        }
    }

    async fn ask(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Bytes, String> {
        let broken = |error: hyper::Error| error.to_string();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let authority = self.uri.authority().map_or("", http::uri::Authority::as_str);
        let path = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = Request::get(path).header(HOST, authority).header(ACCEPT, "application/json");
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            if response.status() != http::StatusCode::OK {
                return Err(format!("the server answered with status {}", response.status().as_u16()));
            }
            let body = Limited::new(response.into_body(), MAX_SET).collect().await;
            body.map(|body| body.to_bytes()).map_err(|error| error.to_string())
        };
        // The connection lives as long as the question: when one of them ends, both do.
        tokio::select! {
            biased;
            answer = answer => answer,
            ended = connection => Err(ended.map_or_else(broken, |()| "the connection was closed".to_owned())),
        }
    }
}

impl KeySource for KeyUrl {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send + '_>> {
        Box::pin(self.get())
    }
}

/// TLS with Mozilla's roots.
fn connector() -> Option<TlsConnector> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for good in ["https://example.okta.com/oauth2/v1/keys", "http://127.0.0.1:8080/keys", "http://localhost/"] {
            assert!(KeyUrl::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/keys", "http://example.okta.com/keys", "ftp://127.0.0.1/keys", "http://127.0.0.1.nip.io/"] {
            assert!(KeyUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
