//! What hyper answers by itself, before there is a request: a head that is no HTTP (400), or too large (414, 431). It has no
//! body and none of our headers, and hyper has no setting for it; so it is recognised where it is written, and replaced.

use axum::http::{HeaderMap, StatusCode};

/// A head of ours is longer than this, in bytes: that alone tells most writes apart.
const LONGEST: usize = 200;

/// The status of hyper's own refusal, if that is what these bytes are.
pub(crate) fn status(bytes: &[u8]) -> Option<StatusCode> {
    if bytes.len() > LONGEST || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let (line, fields) = text.split_once("\r\n")?;
    let mut words = line.strip_prefix("HTTP/1.")?.split(' ');
    let status: StatusCode = words.nth(1)?.parse().ok()?;
    let refused = [StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE];
    let own = ["content-length", "connection", "date"];
    let mut names = fields.trim_end().split("\r\n").map(|field| field.split(':').next().unwrap_or_default());
    (refused.contains(&status) && fields.contains("content-length: 0\r\n") && names.all(|name| own.contains(&name)))
        .then_some(status)
}

/// A whole answer that ends the connection.
pub(crate) fn written(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_refusal_is_taken_for_one() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                    date: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\n";
        assert_eq!(status(bare.as_bytes()), Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        for other in [
            "",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nx-okta-request-id: r\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\n\r\nHello",
            "{\"a\":\"HTTP/1.1 400 Bad Request\"}\r\n\r\n",
        ] {
            assert_eq!(status(other.as_bytes()), None, "{other}");
        }
    }
}
