//! Log lines for machines: one JSON object each, exactly as tracing-subscriber's own JSON form has it.
//!
//! That one passes every piece of a line, down to each quote, through a check of its encoding: of a service that logs a line for
//! each decision, a fifth of the time. Here a line is made in one piece.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Room for most lines, in bytes.
const USUAL_LENGTH: usize = 512;

/// Times with six digits of a second.
const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Time, level, the event's fields, target, and the innermost span.
pub(crate) struct JsonLine;

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Line { text: Vec::with_capacity(USUAL_LENGTH) };
        line.time()?;
        line.member("level", metadata.level().as_str());
        event.record(&mut line);
        line.member("target", metadata.target());
        if let Some(span) = context.lookup_current() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>().map_or("", |fields| fields.as_str());
            line.span(span.name(), fields);
        }
        line.text.extend_from_slice(b"}\n");
        writer.write_str(std::str::from_utf8(&line.text).map_err(|_| fmt::Error)?)
    }
}

struct Line {
    text: Vec<u8>,
}

impl Line {
    /// The first member: a time has nothing that would have to be escaped.
    fn time(&mut self) -> fmt::Result {
        #[expect(clippy::disallowed_methods, reason = "whoever reads a log wants to know when it was written")]
        let now = Timestamp::now();
        self.text.extend_from_slice(br#"{"timestamp":""#);
        TIME.print_timestamp(&now, &mut self.text).map_err(|_| fmt::Error)?;
        self.text.push(b'"');
        Ok(())
    }

    fn name(&mut self, name: &str) {
        self.text.push(if self.text.is_empty() { b'{' } else { b',' });
        self.value(name);
        self.text.push(b':');
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        let whole = self.text.len();
        if serde_json::to_writer(&mut self.text, value).is_err() {
            self.text.truncate(whole);
            self.text.extend_from_slice(b"null");
        }
    }

    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.name(name);
        self.value(value);
    }

    /// A span by its fields, which are a JSON object, and its name.
    fn span(&mut self, name: &str, fields: &str) {
        self.name("span");
        let fields = fields.strip_prefix('{').and_then(|fields| fields.strip_suffix('}')).unwrap_or_default();
        self.text.push(b'{');
        if !fields.is_empty() {
            self.text.extend_from_slice(fields.as_bytes());
            self.text.push(b',');
        }
        self.text.extend_from_slice(b"\"name\":");
        self.value(name);
        self.text.push(b'}');
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // `r#type` is named `type`.
        let name = field.name();
        self.member(name.strip_prefix("r#").unwrap_or(name), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.name(), &value);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::util::SubscriberInitExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged, without the time.
    fn lines(start: impl FnOnce(Written) -> tracing::subscriber::DefaultGuard) -> Vec<String> {
        let written = Written::default();
        let guard = start(written.clone());
        log();
        drop(guard);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
                let (time, rest) = line.split_once(',').unwrap();
                // Not the digits, but that there are as many.
                let time: String = time.chars().map(|part| if part.is_ascii_digit() { '0' } else { part }).collect();
                assert_eq!(time, r#"{"timestamp":"0000-00-00T00:00:00.000000Z""#);
                rest.to_owned()
            })
            .collect()
    }

    fn log() {
        let error = io::Error::other("it \"broke\"");
        tracing::info!("a sentence with \u{7} and \u{1f980}");
        tracing::warn!(path = "/a\nb", number = -1, size = 7_u64, share = 0.5, known = true, "{} of {}", 1, 2);
        tracing::error!(error = %error, kind = ?Some("x"), absent = None::<&str>, r#type = "t", nothing = f64::NAN);
        let _outer = tracing::info_span!("outer", a = "1").entered();
        let inner = tracing::info_span!("inner", trace_id = "4bf9", late = tracing::field::Empty).entered();
        inner.record("late", 5);
        tracing::info!(target: "elsewhere", "inside");
        drop(inner);
        let _bare = tracing::info_span!("bare").entered();
        tracing::info!("inside a bare one");
    }

    #[test]
    fn a_line_is_what_the_library_would_have_written() {
        let theirs = lines(|written| {
            let builder = tracing_subscriber::fmt().with_writer(move || written.clone());
            builder.json().flatten_event(true).with_span_list(false).set_default()
        });
        let ours = lines(|written| {
            let builder = tracing_subscriber::fmt().with_writer(move || written.clone());
            builder.fmt_fields(JsonFields::new()).event_format(JsonLine).set_default()
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 5);
    }
}
