//! [`Store`]: what the operations above see of the database.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hookwright_model::Timestamp;
use hookwright_model::execution::Execution;
use hookwright_model::id::ExecutionId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::database::{Database, Pool, fetch};
use crate::dialect::Dialect;
use crate::error::{CommitError, OpenError, StoreError};
use crate::health::Health;
use crate::journal::{ExecutionQuery, JournalEntry, JournalScan, LogHead, LogProof, Page, Removed, proof, read};
use crate::keyring::{CurrentKeyring, Keyring};
use crate::lacking::Lacking;
use crate::notices::{Node, Touched, notify};
use crate::options::{Gauges, StoreOptions};
use crate::recorder::Recorder;
use crate::sqlite_check::{self, Depth};
use crate::statement::{Otherwise, Statement};
use crate::work::Work;
use crate::write_side::WriteSide;
use crate::writer::Writer;
use crate::{postgres, retention, schema, sqlite};

/// How long a read waits at most for records on their way, so that who just made a call finds it. It takes a few
/// milliseconds where the disk is well.
const SETTLING: Duration = Duration::from_secs(1);

/// A commit not longer ago than this shows that writing works.
const FRESH: Duration = Duration::from_secs(1);

const BEAT: &str = "UPDATE readiness SET beats = beats + 1 WHERE id = 1";

/// The database of one org; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// The SQLite file.
    file: Option<PathBuf>,
    /// Reads from every table.
    probe: String,
    write_side: WriteSide,
    keyring: CurrentKeyring,
    lacking: Lacking,
    /// On PostgreSQL, where other nodes may be.
    node: Option<Node>,
    recorder: Arc<Recorder>,
    last_write: Mutex<Option<Instant>>,
    ending: tokio::sync::Mutex<Option<Ending>>,
}

/// What [`Store::close`] waits for.
struct Ending {
    recorder: JoinHandle<()>,
    /// Hears when SQLite's writer has closed the file.
    writer: Option<oneshot::Receiver<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    /// Without a [`Store::close`] the tasks still write what is buffered and end, if the runtime lets them.
    fn drop(&mut self) {
        self.recorder.close();
    }
}

/// Which engine a URL means.
enum Engine {
    Sqlite,
    Postgres,
}

fn engine_of(database_url: &str) -> Result<Engine, OpenError> {
    match database_url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Engine::Sqlite),
        Some("postgres" | "postgresql") => Ok(Engine::Postgres),
        _ => Err(OpenError::Url("it must begin with sqlite: or postgres:".to_owned())),
    }
}

/// The file of a SQLite database; `None` for PostgreSQL.
///
/// # Errors
/// The URL can't be read, or the database is in memory.
pub fn database_file(database_url: &str) -> Result<Option<PathBuf>, OpenError> {
    match engine_of(database_url)? {
        Engine::Sqlite => Ok(Some(sqlite::file_of(database_url)?)),
        Engine::Postgres => Ok(None),
    }
}

impl Store {
    /// Opens the database, makes or upgrades its tables, and checks that the keyring fits.
    ///
    /// # Errors
    /// See [`OpenError`]; each prints a sentence that says what to do.
    pub async fn open(options: StoreOptions) -> Result<Self, OpenError> {
        let keyring = CurrentKeyring::new(options.keyring.clone());
        let health = Arc::new(Health::default());
        let mut is_checked = true;
        let (mut file, mut node) = (None, None);
        let (pool, write_side, writer_end) = match engine_of(&options.database_url)? {
            Engine::Sqlite => {
                let opened = sqlite::open(&options).await?;
                (is_checked, file) = (opened.is_checked, opened.file);
                let (writer, end) = Writer::start(opened.writer, opened.tenure, keyring.clone())?;
                (Pool::Sqlite(opened.readers), WriteSide::sqlite(writer, Arc::clone(&health)), Some(end))
            }
            Engine::Postgres => {
                let (pool, this) = postgres::open(&options).await?;
                node = Some(this);
                let write_side = WriteSide::postgres(pool.clone(), keyring.clone(), Arc::clone(&health));
                (Pool::Postgres(pool), write_side, None)
            }
        };
        let database = Database { pool, health };
        let recorder = Recorder::new(options.max_buffered_records);
        let task = tokio::spawn(Arc::clone(&recorder).run(write_side.clone(), database.clone()));
        let inner = Inner {
            database,
            file,
            probe: schema::probe(write_side.dialect()),
            write_side,
            keyring,
            lacking: Lacking::default(),
            node,
            recorder,
            last_write: Mutex::default(),
            ending: tokio::sync::Mutex::new(Some(Ending { recorder: task, writer: writer_end })),
        };
        let store = Self { inner: Arc::new(inner) };
        if !is_checked {
            tracing::warn!("the database was not closed in good order and is large: it is checked while it is served");
            store.check_in_background();
        }
        Ok(store)
    }

    /// Whether a database holds nothing of ours yet, so that a keyring may be made for it.
    ///
    /// # Errors
    /// If the URL can't be read or the database can't be reached.
    pub async fn is_new(database_url: &str) -> Result<bool, OpenError> {
        match engine_of(database_url)? {
            Engine::Sqlite => sqlite::is_new(database_url),
            Engine::Postgres => postgres::is_new(database_url).await,
        }
    }

    /// Puts a finished execution into the bounded buffer; it is written within 50 ms. Waits while the buffer is full and
    /// drops nothing.
    pub async fn record(&self, execution: Execution) {
        self.inner.recorder.record(execution).await;
    }

    /// The execution of this id. Waits a moment for records on their way.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn execution(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.inner.recorder.settle(SETTLING).await;
        read::execution(&self.inner.database, id).await
    }

    /// A page of executions, the last recorded first. Waits a moment for records on their way.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn executions(&self, query: &ExecutionQuery) -> Result<Page<Execution>, StoreError> {
        self.inner.recorder.settle(SETTLING).await;
        read::executions(&self.inner.database, query).await
    }

    /// What the System Log is made of, in the order it was written; fewer than `max_items` mean that there is no more.
    /// Waits a moment for records on their way.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn journal(&self, scan: &JournalScan) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.recorder.settle(SETTLING).await;
        read::scan(&self.inner.database, scan).await
    }

    /// Deletes what is older than `older_than`, then the oldest until at most `max_bytes` remain; executions go before
    /// events, so that a flood of calls can't push out the audit trail. Works in small steps beside other writes.
    ///
    /// # Errors
    /// See [`StoreError`]; what was deleted before stays deleted.
    pub async fn apply_retention(&self, older_than: Timestamp, max_bytes: u64) -> Result<Removed, StoreError> {
        retention::apply(self, older_than, max_bytes).await
    }

    /// Walks through all executions and events and checks that they are as they were written: that none was changed, removed,
    /// added or moved. `expected` is a head that was noted before, elsewhere: the log must still be what it was then. Works
    /// beside writes, on what was written when it began, and holds little of it in memory.
    ///
    /// # Errors
    /// See [`StoreError`]. A log that was tampered with is no error but an answer.
    pub async fn verify_log(&self, expected: Option<&LogHead>) -> Result<LogProof, StoreError> {
        self.inner.recorder.settle(SETTLING).await;
        proof::verify(&self.inner.database, &self.keyring(), expected).await
    }

    /// Seals with another keyring from now on. It must hold the keys of the old one as long as values need them.
    ///
    /// # Errors
    /// See [`CommitError`]; the old keyring then stays in use.
    pub async fn use_keyring(&self, keyring: Keyring) -> Result<(), CommitError> {
        let mut statements = vec![schema::announce_key(&keyring).map_err(StoreError::from)?];
        statements.extend(self.node().map(|node| notify(&node.name, &[Touched::SealingKeys])));
        self.write(Work::of_statements(statements)).await?;
        self.inner.keyring.set(keyring);
        Ok(())
    }

    /// Whether the database can be read and written now, and gave no error that its data or its disk is to blame for since it was
    /// last checked. Reads from every table, and writes one row, unless a commit succeeded within the last second.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn check_ready(&self) -> Result<(), StoreError> {
        if let Some(trouble) = self.inner.database.health.trouble() {
            self.check_in_background();
            return Err(StoreError::Damaged(trouble));
        }
        let probe = sqlx::AssertSqlSafe(self.inner.probe.clone());
        let (_,) = fetch!(&self.inner.database, fetch_one, (i64,), probe)?;
        let last_write = *self.inner.last_write.lock().unwrap_or_else(PoisonError::into_inner);
        if last_write.is_some_and(|last_write| last_write.elapsed() < FRESH) {
            return Ok(());
        }
        let beat = Statement::new(BEAT, Vec::new()).or(Otherwise::Damage("the row that readiness is tried on is gone"));
        self.write(Work::of_statements(vec![beat])).await.map_err(CommitError::into_store_error)
    }

    /// Whether other nodes may serve the same database. The file of SQLite has one process alone.
    #[must_use]
    pub fn may_have_other_nodes(&self) -> bool {
        self.dialect() == Dialect::Postgres
    }

    /// Checks the whole database, unless it is being checked or was a moment ago; [`Store::check_ready`] tells what was found.
    fn check_in_background(&self) {
        let database = self.inner.database.clone();
        let Some(turn) = database.health.take_turn() else { return };
        match (&database.pool, self.inner.file.clone()) {
            (Pool::Postgres(_), _) | (_, None) => {
                let store = self.clone();
                tokio::spawn(async move {
                    let found = store.read_every_row().await;
                    database.health.end_turn(turn, &found);
                });
            }
            (Pool::Sqlite(_), Some(file)) => {
                std::thread::spawn(move || {
                    let looked = sqlite_check::look_at(&file).map_err(StoreError::from_driver);
                    let found = looked.and_then(|connection| sqlite_check::check(&connection, Depth::Quick));
                    database.health.end_turn(turn, &found);
                });
            }
        }
    }

    /// A server has no check of its own that everybody may ask for: whatever reads every row has read every page of the tables.
    async fn read_every_row(&self) -> Result<(), StoreError> {
        for table in schema::tables(self.dialect()) {
            let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let (_,) = fetch!(&self.inner.database, fetch_one, (i64,), count)?;
        }
        Ok(())
    }

    /// Fill levels, for `/metrics`.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (connections, idle_connections) = self.inner.database.connections();
        Gauges {
            buffered_records: self.inner.recorder.buffered(),
            waiting_commits: self.inner.write_side.waiting(),
            connections,
            idle_connections,
            hears_nodes: self.node().map(Node::hears),
        }
    }

    /// Writes what is buffered, waits for commits under way, and lets the database go. Later writes are refused.
    pub async fn close(&self) {
        self.inner.recorder.close();
        let Some(Ending { recorder, writer }) = self.inner.ending.lock().await.take() else { return };
        if let Err(error) = recorder.await {
            tracing::error!(%error, "the task that writes executions failed");
        }
        self.inner.write_side.close().await;
        self.inner.database.close().await;
        if let Some(end) = writer {
            // An error means that it has ended already.
            let _ = end.await;
        }
    }

    /// Writes, and returns when it is durable.
    pub(crate) async fn write(&self, work: Work) -> Result<(), CommitError> {
        let result = self.inner.write_side.write(work).await;
        let mut last_write = self.inner.last_write.lock().unwrap_or_else(PoisonError::into_inner);
        match &result {
            Ok(()) => *last_write = Some(Instant::now()),
            Err(CommitError::Conflict(_)) => {}
            Err(_) => *last_write = None,
        }
        drop(last_write);
        result
    }

    /// What seals and opens now.
    pub(crate) fn keyring(&self) -> Keyring {
        self.inner.keyring.get()
    }

    /// Seals and opens with these keys from now on.
    pub(crate) fn set_keyring(&self, keyring: Keyring) {
        self.inner.keyring.set(keyring);
    }

    pub(crate) fn lacking(&self) -> &Lacking {
        &self.inner.lacking
    }

    /// This node among others, where there may be others.
    pub(crate) fn node(&self) -> Option<&Node> {
        self.inner.node.as_ref()
    }

    /// Which engine it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.inner.write_side.dialect()
    }

    /// Where reads go.
    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }
}
