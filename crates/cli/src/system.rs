//! The system's clock, entropy and signals, and what the system may keep of this process: the one place where they meet it.

use hookwright_model::{Clock, Entropy, Timestamp};

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where the time comes in")]
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A generator that is seeded by the operating system, one a thread.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is where chance comes in")]
        rand::Rng::fill_bytes(&mut rand::rng(), buffer);
    }
}

/// Keeps the memory of this process, which holds keys and tokens, from being written to a file when it dies, and from other
/// processes of the same user (setrlimit(2), PR_SET_DUMPABLE(2const)). Both limits go to nought, so that nothing raises them
/// again. Called before anything secret is read.
pub(crate) fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Lowering a limit is always allowed, and a system that refuses all the same is no worse than before.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Ends at the first SIGTERM or SIGINT. A second one ends the process at once.
///
/// Signals are taken from now on, not only once the future is awaited: call it before anybody is told that we are there.
pub(crate) fn termination() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return std::future::pending().await };
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(130);
        });
    }
}
