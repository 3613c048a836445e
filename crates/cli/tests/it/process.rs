//! The binary as a process that can't outlive its test.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hookwright_testkit::Client;

/// Far longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The token of the orgs under test.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The binary, with nothing of the caller's own settings in its environment.
pub(crate) fn hookwright() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    let variables = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOOKWRIGHT_"));
    for (name, _) in variables {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// `serve` on a free port, its data in this folder.
pub(crate) fn serve(folder: &Path) -> Command {
    let mut command = hookwright();
    command.args(["serve", "--listen", "127.0.0.1:0", "--development", "--data-dir"]).arg(folder);
    command.env("HOOKWRIGHT_API_TOKEN", TOKEN);
    command
}

/// Runs a command that ends by itself.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What a finished command printed, as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A command that stays up; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = lines_of(child.stdout.take().unwrap());
        let stderr = lines_of(child.stderr.take().unwrap());
        Self { child, stdout, stderr, seen: Vec::new() }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of stdout with this text in it, and returns it.
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Ok(line) = self.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                panic!("no line with {part:?}; stdout {:#?}, stderr {:#?}", self.seen, self.errors());
            };
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits until it listens, and tells where.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let line = self.line_with("listening on http://");
        line.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Waits until it listens; a client with [`TOKEN`].
    pub(crate) fn client(&mut self) -> Client {
        Client::new(self.address()).with_token(TOKEN)
    }

    /// The lines of stdout up to now.
    pub(crate) fn printed(&mut self) -> String {
        self.seen.extend(self.stdout.try_iter());
        self.seen.join("\n")
    }

    /// The lines of stderr that came since the last look.
    pub(crate) fn errors(&self) -> String {
        self.stderr.try_iter().collect::<Vec<_>>().join("\n")
    }

    /// Asks it to stop and waits for its end.
    pub(crate) fn signal(&mut self, signal: &str) -> ExitStatus {
        // The shell's own `kill`: a minimal system has no other.
        let line = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The readers end with the pipes; what they still hold is wanted.
                self.seen.extend(self.stdout.iter());
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end; stdout {:#?}, stderr {:#?}", self.seen, self.errors());
    }

    /// Everything that went to stderr, after its end.
    pub(crate) fn all_errors(&self) -> String {
        self.stderr.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
