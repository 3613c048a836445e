//! Requests as finished bytes, and just enough of HTTP/1.1 to know where an answer ends.
//!
//! Client, server and external service share the machine, so each microsecond spent here dilutes the difference
//! between two servers. A request is laid out once and only its unique number is stamped in place; of an answer only
//! the head is parsed, and the body is counted, not kept. Answers must carry a `Content-Length`.

use std::io;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use url::Url;

/// In a body, the place that [`Request::stamp`] fills with a number of the same width.
pub const UNIQUE_MARKER: &str = "__UNIQUE_NUMBER_";

/// Room for the part of an answer that is read at once.
const READ_BYTES: usize = 128 * 1024;
const MOST_HEADERS: usize = 64;

/// A request laid out for the wire, and where it goes.
#[derive(Debug, Clone)]
pub struct Request {
    address: SocketAddr,
    bytes: Vec<u8>,
    unique_at: Option<usize>,
}

impl Request {
    /// Lays out a request to an `http` URL whose host is an IP address, the only kind measured here.
    ///
    /// # Errors
    ///
    /// When the URL is of another kind or the body carries [`UNIQUE_MARKER`] more than once.
    pub fn new(method: &str, url: &Url, headers: &[(String, String)], body: &[u8]) -> anyhow::Result<Self> {
        if url.scheme() != "http" {
            bail!("{url}: only http:// is measured here");
        }
        let host = url.host_str().context("the URL needs a host")?;
        let port = url.port_or_known_default().context("the URL needs a port")?;
        let address =
            format!("{host}:{port}").parse().with_context(|| format!("{url}: the host must be an address"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut bytes = format!("{method} {}{query} HTTP/1.1\r\nHost: {host}:{port}\r\n", url.path()).into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !body.is_empty() || method != "GET" {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        let head_length = bytes.len();
        bytes.extend_from_slice(body);
        let mut places = body
            .windows(UNIQUE_MARKER.len())
            .enumerate()
            .filter_map(|(at, window)| (window == UNIQUE_MARKER.as_bytes()).then_some(head_length + at));
        let unique_at = places.next();
        if places.next().is_some() {
            bail!("the body carries {UNIQUE_MARKER} more than once");
        }
        Ok(Self { address, bytes, unique_at })
    }

    /// Where the request is sent.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request as it is written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether each sending needs its own number.
    #[must_use]
    pub fn is_stamped(&self) -> bool {
        self.unique_at.is_some()
    }

    /// Writes `number` over the marker, zero-padded to its width, so that the length of the body stays.
    pub fn stamp(&mut self, number: u64) {
        let Some(start) = self.unique_at else { return };
        let Some(place) = self.bytes.get_mut(start..start + UNIQUE_MARKER.len()) else { return };
        let mut rest = number;
        for digit in place.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }
}

/// A whole answer, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Whether the server closes the connection after it.
    pub closes: bool,
}

/// Reads one answer after the other from a connection that has at most one request under way.
#[derive(Debug)]
pub struct AnswerReader {
    buffer: Vec<u8>,
    /// Bytes of the head that stand in the buffer, while the head is incomplete.
    filled: usize,
    /// The answer whose body is being skipped, and how much of it is still to come.
    pending: Option<(Answer, usize)>,
}

impl Default for AnswerReader {
    fn default() -> Self {
        Self { buffer: vec![0; READ_BYTES], filled: 0, pending: None }
    }
}

impl AnswerReader {
    /// Where the next bytes are to be read to; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        let start = if self.pending.is_some() { 0 } else { self.filled };
        self.buffer.get_mut(start..).unwrap_or_default()
    }

    /// Takes note of `count` bytes read into [`Self::space`]; the answer, when it is complete.
    ///
    /// # Errors
    ///
    /// When the connection ended (`count` is 0), or what came is not one answer with a known length.
    pub fn advance(&mut self, count: usize) -> io::Result<Option<Answer>> {
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((answer, missing)) = self.pending {
            return self.skip(answer, missing, count);
        }
        self.filled += count;
        let received = self.buffer.get(..self.filled).unwrap_or_default();
        let Some((answer, length)) = parse_head(received)? else {
            if self.filled == self.buffer.len() {
                return Err(invalid("the head of the answer is too large"));
            }
            return Ok(None);
        };
        let received = self.filled;
        self.filled = 0;
        self.skip(answer, length, received)
    }

    fn skip(&mut self, answer: Answer, missing: usize, count: usize) -> io::Result<Option<Answer>> {
        let missing = missing.checked_sub(count).ok_or_else(|| invalid("more came than one answer"))?;
        self.pending = (missing > 0).then_some((answer, missing));
        Ok((missing == 0).then_some(answer))
    }
}

/// The answer and its length with its body, once the head is whole.
fn parse_head(received: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(received).map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(head_length) = parsed else { return Ok(None) };
    let status = head.code.unwrap_or_default();
    let mut closes = false;
    let mut body_length = matches!(status, 204 | 304).then_some(0);
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse::<usize>().ok());
            body_length = Some(length.ok_or_else(|| invalid("Content-Length is not a number"))?);
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let body_length = body_length.ok_or_else(|| invalid("the answer has no Content-Length"))?;
    Ok(Some((Answer { status, closes }, head_length + body_length)))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(body: &str) -> anyhow::Result<Request> {
        let url = Url::parse("http://127.0.0.1:8080/path?delay_ms=5").unwrap();
        Request::new("POST", &url, &[("Accept".into(), "*/*".into())], body.as_bytes())
    }

    #[test]
    fn a_request_is_laid_out_with_host_headers_and_length() {
        let request = request("{}").unwrap();
        assert_eq!(
            std::str::from_utf8(request.bytes()).unwrap(),
            "POST /path?delay_ms=5 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}"
        );
        assert_eq!(request.address(), "127.0.0.1:8080".parse().unwrap());
        assert!(!request.is_stamped());
    }

    #[test]
    fn a_stamp_keeps_the_length_of_the_body() {
        let mut request = request(&format!("{{\"name\":\"{UNIQUE_MARKER}\"}}")).unwrap();
        let length = request.bytes().len();
        request.stamp(42);
        assert_eq!(request.bytes().len(), length);
        assert!(request.bytes().ends_with(b"{\"name\":\"0000000000000042\"}"));
        request.stamp(43);
        assert!(request.bytes().ends_with(b"{\"name\":\"0000000000000043\"}"));
    }

    #[test]
    fn two_markers_and_names_as_hosts_are_refused() {
        assert!(request(&UNIQUE_MARKER.repeat(2)).is_err());
        let url = Url::parse("http://localhost:80/").unwrap();
        assert!(Request::new("GET", &url, &[], b"").is_err());
    }

    proptest! {
        #[test]
        fn an_answer_ends_where_its_length_says_however_it_is_cut(
            body_length in 0_usize..300_000, cuts in proptest::collection::vec(1_usize..90_000, 1..20)
        ) {
            let mut wire = format!("HTTP/1.1 201 Created\r\ncontent-length: {body_length}\r\n\r\n").into_bytes();
            wire.extend(std::iter::repeat_n(b'x', body_length));
            let mut reader = AnswerReader::default();
            let mut rest = wire.as_slice();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let space = reader.space();
                let count = cuts.next().unwrap().min(rest.len()).min(space.len());
                space[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                let answer = reader.advance(count).unwrap();
                prop_assert_eq!(answer.is_some(), rest.is_empty());
                if let Some(answer) = answer {
                    prop_assert_eq!(answer, Answer { status: 201, closes: false });
                }
            }
        }
    }

    fn read(text: &str) -> io::Result<Option<Answer>> {
        let mut reader = AnswerReader::default();
        reader.space()[..text.len()].copy_from_slice(text.as_bytes());
        reader.advance(text.len())
    }

    #[test]
    fn a_closing_answer_is_seen_and_a_204_needs_no_length() {
        let answer = read("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        assert_eq!(answer, Some(Answer { status: 204, closes: true }));
    }

    #[test]
    fn what_is_not_one_answer_of_known_length_is_an_error() {
        assert!(read("HTTP/1.1 200 OK\r\n\r\nbody").is_err());
        assert!(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab").is_err());
        assert!(read("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").is_err());
        assert!(read("SSH-2.0-OpenSSH\r\n").is_err());
        assert!(AnswerReader::default().advance(0).is_err());
    }
}
