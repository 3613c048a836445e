//! Which trace a call belongs to: the `traceparent` field of W3C Trace Context, continued in the log.
//!
//! Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use http::HeaderMap;

/// The span that log lines of a call stand in: with the trace's id, and the id that the caller's part of it has.
pub(crate) fn span(headers: &HeaderMap) -> tracing::Span {
    let value = headers.get("traceparent").and_then(|value| value.to_str().ok());
    match value.and_then(parts) {
        Some((trace_id, parent_id)) => tracing::info_span!("call", trace_id, parent_id),
        None => tracing::Span::none(),
    }
}

/// Trace id and parent id, if the field is well-formed.
fn parts(value: &str) -> Option<(&str, &str)> {
    let mut parts = value.split('-');
    let (version, trace_id, parent_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, digits: usize| is_hex(text, digits) && text.bytes().any(|byte| byte != b'0');
    let known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    (known && is_id(trace_id, 32) && is_id(parent_id, 16) && is_hex(flags, 2)).then_some((trace_id, parent_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_field_is_read() {
        let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(parts(example), Some(("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")));
        assert!(parts("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings").is_some());
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c\n-b7ad6b7169203331-01",
        ] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
