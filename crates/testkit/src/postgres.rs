//! A throw-away PostgreSQL server from the installed binaries.
//!
//! It listens on a socket in a temporary folder only, does not flush to disk, and ends with the process that started it,
//! even if that one is killed. The tests of the store include this file by its path, since they are built below this crate.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const MISSING: &str = "PostgreSQL's programs initdb and postgres are not installed: run scripts/install-postgres";

/// Runs the server, and ends it once it is told to or nobody holds the other end of its input; then its folder goes too.
const KEEPER: &str = "folder=$1; shift; \"$@\" & server=$!; read -r word; kill -QUIT $server; wait $server; \
    [ \"$word\" = keep ] || rm -rf \"$folder\"";

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    settings: &'static [&'static str],
    keeper: Option<Child>,
}

impl PostgresServer {
    /// Makes a fresh cluster and starts a server on it.
    ///
    /// # Panics
    /// If the programs are missing, with the name of the script that installs them, or if they fail.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings that go over those of tests, such as `fsync=on`, without which `serve` does not start.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    #[must_use]
    #[expect(clippy::expect_used, clippy::panic, reason = "without a server no test can go on")]
    pub fn start_with(settings: &'static [&'static str]) -> Self {
        let programs = find_programs().unwrap_or_else(|| panic!("{MISSING}"));
        let folder = tempfile::Builder::new().prefix("hookwright-postgres-").tempdir().expect("a temporary folder");
        // PostgreSQL refuses to run as root.
        let user = is_root(folder.path()).then(unprivileged_user);
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).expect("the folder can be given away");
        }
        let mut server = Self { folder, programs, user, settings, keeper: None };
        let initialized = server
            .command("initdb")
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=hookwright", "--no-sync"])
            .arg("--pgdata")
            .arg(server.data())
            .output()
            .expect("initdb runs");
        assert!(initialized.status.success(), "initdb: {}", String::from_utf8_lossy(&initialized.stderr));
        server.resume();
        server
    }

    /// Where a database of this server is found.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://hookwright@localhost/{database}?host={}", self.folder.path().display())
    }

    /// What these statements say in this database: each row a line, its columns with `|` between them.
    ///
    /// # Panics
    /// If the server refuses them.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that asks wrongly can't go on")]
    pub fn query(&self, database: &str, sql: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "hookwright", "-d", database, "-c", sql]);
        let output = psql.arg("-h").arg(self.folder.path()).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Stops the server as a crash would: at once, without a checkpoint.
    pub fn crash(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            if let Some(mut input) = keeper.stdin.take() {
                let _ = input.write_all(b"keep\n");
            }
            let _ = keeper.wait();
        }
    }

    /// Starts the server again and waits until it takes connections.
    ///
    /// # Panics
    /// If it does not within half a minute.
    #[expect(clippy::expect_used, reason = "without a server no test can go on")]
    pub fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log file");
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(self.folder.path());
        let server = self.command("postgres");
        keeper.arg(server.get_program()).args(server.get_args());
        keeper.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        let usual = [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=200",
            "shared_buffers=32MB",
            "autovacuum=off",
        ];
        for setting in usual.iter().chain(self.settings) {
            keeper.arg("-c").arg(setting);
        }
        let copy = log.try_clone().expect("a second handle");
        self.keeper = Some(keeper.stdin(Stdio::piped()).stdout(copy).stderr(log).spawn().expect("sh runs"));
        let patience = Instant::now();
        while !self.is_ready() {
            assert!(patience.elapsed() < Duration::from_secs(30), "the server does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The eighth line of this file says whether connections are taken.
    fn is_ready(&self) -> bool {
        fs::read_to_string(self.data().join("postmaster.pid"))
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A program of PostgreSQL, as a user that it accepts.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        match self.user {
            None => Command::new(path),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
                command.arg(path).current_dir("/");
                command
            }
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.crash();
    }
}

/// The folder of the newest installed version.
fn find_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    folders.sort();
    let from_path = Command::new("sh").args(["-c", "command -v initdb"]).output().ok()?;
    let in_path = PathBuf::from(String::from_utf8_lossy(&from_path.stdout).trim());
    let resolved = fs::canonicalize(in_path).ok().and_then(|program| program.parent().map(Path::to_owned));
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(resolved)
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// A fresh file or folder belongs to whoever runs this.
fn is_root(fresh: &Path) -> bool {
    fs::metadata(fresh).is_ok_and(|metadata| metadata.uid() == 0)
}

/// The user `postgres` if there is one, else `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody")).unwrap_or((65534, 65534))
}
