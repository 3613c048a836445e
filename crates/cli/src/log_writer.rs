//! Writes log lines to stderr many at a time: a system call for each would cost a service a tenth of its requests.
//!
//! A line waits for others for a moment at most. Nothing is dropped: whoever finds the buffer full writes it out.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others.
const GATHERING: Duration = Duration::from_millis(10);
/// How much is gathered at most, in bytes.
const MAX_BUFFERED: usize = 64 * 1024;

/// A buffer of log lines in front of a stream. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

struct Shared {
    lines: Mutex<Vec<u8>>,
    is_there: Condvar,
    /// Where the lines go. Locked while they are taken out too, so that they stay in order.
    stream: Mutex<Box<dyn Write + Send>>,
}

/// Writes out what is left when it is dropped.
pub(crate) struct Flush(LogWriter);

impl LogWriter {
    /// A writer, and what must be kept until the last line was logged.
    pub(crate) fn start(stream: impl Write + Send + 'static) -> io::Result<(Self, Flush)> {
        let shared = Shared { lines: Mutex::default(), is_there: Condvar::new(), stream: Mutex::new(Box::new(stream)) };
        let writer = Self(Arc::new(shared));
        let for_thread = writer.clone();
        std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
            loop {
                for_thread.wait_for_lines();
                // For others to come.
                std::thread::sleep(GATHERING);
                for_thread.write_out();
            }
        })?;
        Ok((writer.clone(), Flush(writer)))
    }

    fn lines(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_lines(&self) {
        let mut lines = self.lines();
        while lines.is_empty() {
            lines = self.0.is_there.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write_out(&self) {
        let mut stream = self.0.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut *self.lines());
        // There is nowhere to complain that the log can't be written.
        let _ = stream.write_all(&lines).and_then(|()| stream.flush());
    }
}

impl Write for &LogWriter {
    /// Takes a whole line, as the subscriber writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.lines();
        let is_first = lines.is_empty();
        lines.extend_from_slice(line);
        let is_full = lines.len() >= MAX_BUFFERED;
        drop(lines);
        if is_full {
            self.write_out();
        } else if is_first {
            self.0.is_there.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = &'w LogWriter;

    fn make_writer(&'w self) -> Self::Writer {
        self
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.write_out();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A stream that sends what is written to it, each write on its own.
    struct Sent(mpsc::Sender<Vec<u8>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_gets_out_without_anybody_asking() {
        let (sender, written) = mpsc::channel();
        let (writer, _flush) = LogWriter::start(Sent(sender)).unwrap();
        (&writer).write_all(b"a line\n").unwrap();
        assert_eq!(written.recv_timeout(Duration::from_secs(10)).unwrap(), b"a line\n");
    }

    #[test]
    fn no_line_is_lost_or_out_of_order_however_many_there_are() {
        let (sender, written) = mpsc::channel();
        let (writer, flush) = LogWriter::start(Sent(sender)).unwrap();
        let mut expected = Vec::new();
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            (&writer).write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
        }
        drop(flush);
        let all: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(all.len(), expected.len());
        assert_eq!(all, expected);
    }
}
