//! What an org leaves behind, and the search at its end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hookwright_app::App;
use hookwright_store::{JournalItem, JournalScan, Keyring, Store, StoreOptions};

use super::log::Listening;
use super::{Canaries, forget};

/// How long a database may take to open; one that a test has stopped never does.
const PATIENCE: Duration = Duration::from_secs(3);

/// What an org leaves behind. Searched when it is dropped; the test fails if a secret is found.
pub(crate) struct Remains {
    pub(crate) canaries: Arc<Canaries>,
    /// Each start of the org.
    pub(crate) apps: Vec<App>,
    folder: PathBuf,
    database_url: Option<String>,
    keyring: Keyring,
    log: Listening,
}

impl Remains {
    /// What the org will leave in this folder, or in that database.
    pub(crate) fn new(folder: &Path, database_url: Option<String>, keyring: Keyring) -> Self {
        let canaries = Arc::default();
        Self { canaries, apps: Vec::new(), folder: folder.to_owned(), database_url, keyring, log: Listening::begin() }
    }
}

impl Drop for Remains {
    #[expect(clippy::panic, reason = "a secret that got out is how a test fails")]
    fn drop(&mut self) {
        forget(&self.canaries);
        if std::thread::panicking() {
            return;
        }
        let mut places = vec![("the log".to_owned(), self.log.heard())];
        places.extend(self.apps.drain(..).map(|app| ("the metrics".to_owned(), app.metrics_text().into_bytes())));
        places.extend(files(&self.folder));
        if let Some(url) = &self.database_url {
            places.extend(dump(url).map(|bytes| ("the dump of the database".to_owned(), bytes)));
        }
        let url = self
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.folder.join("hookwright.db").display()));
        let mut options = StoreOptions::new(url, self.keyring.clone());
        (options.shared, options.accept_data_loss, options.max_connections) = (true, true, 1);
        // A thread of its own, since this one may belong to a runtime.
        if let Ok(Some((whole, texts))) = std::thread::spawn(move || journal(options)).join() {
            assert!(whole, "the log of the org is not what was written");
            places.push(("the journal".to_owned(), texts));
        }
        if let Some(leak) = self.canaries.leak(&places) {
            panic!("{leak}");
        }
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| Some((format!("the file {}", file.path().display()), std::fs::read(file.path()).ok()?)))
        .collect()
}

/// All rows of a PostgreSQL database, bytes as hex.
#[must_use]
pub fn dump(url: &str) -> Option<Vec<u8>> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let program = versions.map(|version| version.path().join("bin/pg_dump")).filter(|path| path.exists()).max()?;
    let output = Command::new(program).args(["--data-only", "--inserts", url]).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Whether the log is what was written, and all that it holds: in the database it is packed.
fn journal(options: StoreOptions) -> Option<(bool, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let store = tokio::time::timeout(PATIENCE, Store::open(options)).await.ok()?.ok()?;
        let whole = store.verify_log(None).await.ok().is_none_or(|proof| proof.broken.is_none());
        let entries = store.journal(&JournalScan { max_items: usize::MAX, ..JournalScan::default() }).await;
        store.close().await;
        let mut texts = Vec::new();
        for entry in entries.ok()? {
            match entry.item {
                JournalItem::Event(event) => texts.extend_from_slice(format!("{event:?}\n").as_bytes()),
                JournalItem::Execution(execution) => {
                    texts.extend_from_slice(&serde_json::to_vec(&execution.summary).ok()?);
                    texts.extend_from_slice(&execution.request);
                    execution.summary.attempts.iter().for_each(|attempt| texts.extend_from_slice(&attempt.body));
                    texts.push(b'\n');
                }
            }
        }
        Some((whole, texts))
    })
}
