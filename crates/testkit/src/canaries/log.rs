//! All that is logged in this process while an org is watched, down to what our own crates say for debugging.

use std::io;
use std::sync::{LazyLock, Mutex, Once};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::locked;

const LEVELS: &str = "warn,hookwright_web=debug,hookwright_app=debug,hookwright_engine=debug,hookwright_store=debug,\
    hookwright_model=debug,hookwright_contract=debug,hookwright_lanes=debug";
/// Beyond this, what is oldest is let go.
const MOST: usize = 256 << 20;

static LOG: LazyLock<Mutex<Log>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    /// How much was let go before.
    begin: usize,
    readers: usize,
}

/// What is logged from its beginning on.
pub(crate) struct Listening {
    from: usize,
}

impl Listening {
    /// Begins to listen. A test that sets a subscriber of its own for its thread keeps that.
    pub(crate) fn begin() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber =
                tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(LEVELS)).with_writer(Writer);
            // Somebody else may have set one already, such as an example that logs to the terminal.
            let _ = tracing::subscriber::set_global_default(subscriber.finish());
        });
        let mut log = locked(&LOG);
        log.readers += 1;
        Self { from: log.begin + log.bytes.len() }
    }

    /// What was logged since, by other orgs too.
    pub(crate) fn heard(&self) -> Vec<u8> {
        let log = locked(&LOG);
        log.bytes.get(self.from.saturating_sub(log.begin)..).unwrap_or_default().to_vec()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut log = locked(&LOG);
        log.readers -= 1;
        if log.readers == 0 {
            log.begin += log.bytes.len();
            log.bytes = Vec::new();
        }
    }
}

#[derive(Clone, Copy)]
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = locked(&LOG);
        if log.readers > 0 {
            if log.bytes.len() > MOST {
                log.bytes.drain(..MOST / 2);
                log.begin += MOST / 2;
            }
            log.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}
