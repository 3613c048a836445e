//! A tunnel through an egress proxy (RFC 9110 section 9.3.6), for networks whose only way out it is.
//!
//! The proxy is named in the configuration, never taken from the environment. TLS runs through the tunnel, so the proxy sees the
//! target's address and nothing of the call.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::{Host, Url};

use crate::network::Socket;

/// The longest answer of a proxy, in bytes.
const MAX_ANSWER: usize = 8 * 1024;

/// Who decides where the proxy may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyTarget {
    /// We resolve the name, judge its addresses and give the proxy one that passed.
    JudgedAddress,
    /// The proxy gets the name, resolves it and judges where it leads. Literal addresses are judged by us all the same.
    Name,
}

/// The proxy that all calls go through, except those to loopback.
#[derive(Clone)]
pub struct EgressProxy {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) target: ProxyTarget,
    authorization: Option<SecretString>,
}

/// Why a text does not name a proxy; the text is not repeated, as it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the proxy's URL, such as http://proxy.example:3128 or http://user:password@proxy.example:3128")]
pub struct EgressProxyError;

impl EgressProxy {
    /// Reads `http://[user:password@]host[:port]`; the port is 3128 unless it is given.
    ///
    /// # Errors
    /// It is not such a URL.
    pub fn parse(text: &str, target: ProxyTarget) -> Result<Self, EgressProxyError> {
        let url = Url::parse(text).map_err(|_| EgressProxyError)?;
        let bare = url.query().is_none() && url.fragment().is_none() && matches!(url.path(), "" | "/");
        if url.scheme() != "http" || !bare {
            return Err(EgressProxyError);
        }
        let host = url.host().ok_or(EgressProxyError)?.to_owned();
        let decoded = |text: &str| percent_decoded(text).ok_or(EgressProxyError);
        let authorization = if url.username().is_empty() && url.password().is_none() {
            None
        } else {
            let credentials = format!("{}:{}", decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
            Some(SecretString::from(format!("Basic {}", STANDARD.encode(credentials))))
        };
        // The parser hides a port that is the scheme's own, which for a proxy is as good as any other.
        let port = if text.trim_end_matches('/').ends_with(":80") { 80 } else { url.port().unwrap_or(3128) };
        Ok(Self { host, port, target, authorization })
    }

    /// Asks the proxy for a tunnel to `target`, which is `host:port`.
    ///
    /// # Errors
    /// The proxy answers something else than success, or not at all.
    pub(crate) async fn tunnel(&self, stream: &mut Socket, target: &str) -> io::Result<()> {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str("Proxy-Authorization: ");
            request.push_str(authorization.expose_secret());
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") {
            // Byte by byte, once a connection: whatever follows the head belongs to the tunnel.
            answer.push(stream.read_u8().await?);
            if answer.len() > MAX_ANSWER {
                return Err(io::Error::other("the proxy's answer is too long"));
            }
        }
        let status = std::str::from_utf8(&answer)
            .ok()
            .filter(|answer| answer.starts_with("HTTP/1."))
            .and_then(|answer| answer.split(' ').nth(1)?.parse::<u16>().ok());
        match status {
            Some(200..=299) => Ok(()),
            Some(status) => Err(io::Error::other(format!("the proxy answered with status {status}"))),
            None => Err(io::Error::other("the proxy's answer is not HTTP")),
        }
    }
}

impl fmt::Debug for EgressProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EgressProxy({self}, {:?})", self.target)
    }
}

impl fmt::Display for EgressProxy {
    /// Host and port, without credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EgressProxy, EgressProxyError> {
        EgressProxy::parse(text, ProxyTarget::JudgedAddress)
    }

    #[test]
    fn a_proxy_is_read_from_its_url() {
        for (text, shown) in [
            ("http://proxy.example:8080", "proxy.example:8080"),
            ("http://proxy.example/", "proxy.example:3128"),
            ("http://proxy.example:80/", "proxy.example:80"),
            ("http://10.0.0.9:3128", "10.0.0.9:3128"),
            ("http://[fd00::9]", "[fd00::9]:3128"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "",
            "proxy:3128",
            "https://proxy:3128",
            "socks5://proxy",
            "http://proxy/path",
            "http://proxy/?q",
            "http://p%zz:x@y",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let proxy = parse("http://us%65r:p%40ss@proxy.example:3128").unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap().expose_secret(), "Basic dXNlcjpwQHNz");
        assert!(!format!("{proxy} {proxy:?}").contains("dXNl"));
        let error = parse("http://user:s3cret@proxy/path").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }
}
