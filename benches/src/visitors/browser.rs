//! One browser: a connection, cookies, and the page that is open.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Url, form_urlencoded};

const MOST_HEADERS: usize = 64;
const READ_BYTES: usize = 16 * 1024;

/// A browser that follows no redirect by itself.
#[derive(Debug)]
pub(super) struct Browser {
    stream: TcpStream,
    host: String,
    cookies: BTreeMap<String, String>,
    page: String,
    /// Whether the page stays although an answer brought another one.
    keeps_page: bool,
    /// What was received, from the answer before on.
    received: Vec<u8>,
}

/// The head of an answer.
struct Head {
    status: u16,
    length: usize,
    cookies: Vec<(String, String)>,
}

impl Browser {
    #[expect(clippy::disallowed_methods, reason = "a client that measures; no hook has a say in it")]
    pub(super) async fn connect(page: &Url) -> anyhow::Result<Self> {
        let host = page.host_str().context("the URL needs a host")?;
        let host = format!("{host}:{}", page.port_or_known_default().context("the URL needs a port")?);
        let stream = TcpStream::connect(&host).await?;
        stream.set_nodelay(true)?;
        let (cookies, page, received) = (BTreeMap::new(), String::new(), Vec::new());
        Ok(Self { stream, host, cookies, page, keeps_page: false, received })
    }

    /// Forgets all cookies: the next page is a stranger's.
    pub(super) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Fills in the form of the open page from now on, whatever comes.
    pub(super) fn keep_page(&mut self) {
        self.keeps_page = true;
    }

    pub(super) async fn open(&mut self, url: &Url) -> anyhow::Result<()> {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        self.open_path(&format!("{}{query}", url.path())).await
    }

    /// Opens a page of the org.
    pub(super) async fn open_path(&mut self, path: &str) -> anyhow::Result<()> {
        match self.exchange("GET", path, "").await? {
            200 => Ok(()),
            status => bail!("{path} was answered {status}"),
        }
    }

    /// Fills in a form of the open page and sends it; the status of the answer.
    pub(super) async fn send(&mut self, action: &str, fields: &[(&str, &str)]) -> anyhow::Result<u16> {
        let body = filled(&self.page, fields);
        self.exchange("POST", action, &body).await
    }

    /// The beginning of the page's text, for an error.
    pub(super) fn words(&self) -> String {
        self.page.chars().take(2_000).collect()
    }

    async fn exchange(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<u16> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n", self.host);
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        if method == "POST" {
            let length = body.len();
            request.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            request.push_str(&format!("Content-Length: {length}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.stream.write_all(request.as_bytes()).await?;
        let (head, text) = self.answer().await?;
        self.cookies.extend(head.cookies);
        if !self.keeps_page {
            self.page = text;
        }
        Ok(head.status)
    }

    async fn answer(&mut self) -> anyhow::Result<(Head, String)> {
        self.received.clear();
        loop {
            if let Some((head, start)) = parse_head(&self.received)?
                && let Some(body) = self.received.get(start..start + head.length)
            {
                return Ok((head, String::from_utf8_lossy(body).into_owned()));
            }
            self.received.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the connection ended in an answer");
            }
        }
    }
}

/// The head and where the body begins, once it is whole.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes)? else { return Ok(None) };
    let mut head = Head { status: response.code.unwrap_or_default(), length: 0, cookies: Vec::new() };
    for header in response.headers {
        let value = std::str::from_utf8(header.value)?;
        if header.name.eq_ignore_ascii_case("content-length") {
            head.length = value.parse()?;
        } else if header.name.eq_ignore_ascii_case("set-cookie") {
            let pair = value.split(';').next().and_then(|pair| pair.split_once('='));
            head.cookies.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }
    Ok(Some((head, start)))
}

/// The body of the page's form with these fields filled in.
fn filled(page: &str, fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for name in ["token", "attempt", "app"] {
        if let Some(value) = hidden(page, name) {
            form.append_pair(name, value);
        }
    }
    form.extend_pairs(fields).finish()
}

/// The value of a hidden field of the page's first form.
fn hidden<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!(r#"type="hidden" name="{name}" value=""#))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text =
            "HTTP/1.1 303 See Other\r\nSet-Cookie: a=b; Path=/\r\nset-cookie: c=d\r\nContent-Length: 3\r\n\r\nabc";
        assert!(parse_head(&text.as_bytes()[..40]).unwrap().is_none());
        let (head, start) = parse_head(text.as_bytes()).unwrap().unwrap();
        assert_eq!((head.status, head.length, &text[start..]), (303, 3, "abc"));
        assert_eq!(head.cookies, [("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())]);
    }

    #[test]
    fn a_hidden_field_is_found() {
        let page = r#"<input type="hidden" name="token" value="abc"><input type="hidden" name="token" value="no">"#;
        assert_eq!((hidden(page, "token"), hidden(page, "app")), (Some("abc"), None));
    }
}
