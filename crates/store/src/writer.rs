//! The one writer of a SQLite database: takes all waiting commits into one transaction and answers after it is durable.
//!
//! A flush to disk costs the same for one commit as for a hundred. What is left is the way to SQLite's thread and back, so
//! that a whole group is sent as one text and one more for `COMMIT`; only if a commit in it turns out not to apply is the
//! group run again, one by one. The writer has a thread of its own: no request that computes makes a commit wait.

use std::borrow::Cow;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::dialect::{self, Dialect, Fault};
use crate::error::{CommitError, OpenError, StoreError};
use crate::journal::chunk::Chunk;
use crate::session::{Failure, Session as _, StatementError, apply};
use crate::statement::Script;
use crate::work::Work;

/// How many commits may wait before callers wait for room.
const QUEUE: usize = 1024;
/// How many commits share a transaction at most.
const GROUP: usize = 128;
/// How long the writer waits for a group to be as large as the last one, and how often it looks.
const GATHERING: Duration = Duration::from_micros(100);
const LOOK_AGAIN: Duration = Duration::from_micros(25);
/// How many commits share a text at most; also how many texts of one shape are kept prepared.
const SLICE: usize = 16;
/// How long a commit waits for the lock of another process.
const PATIENCE: Duration = Duration::from_secs(5);

type Answer = Result<(), CommitError>;

enum Message {
    Commit(Request),
    /// Take nothing more, write what is left, end.
    Close,
}

struct Request {
    work: Arc<Work>,
    since: Instant,
    answer: oneshot::Sender<Answer>,
}

/// The way to the writer; cheap to clone. When all are dropped, the writer ends.
#[derive(Clone)]
pub(crate) struct Writer {
    messages: mpsc::Sender<Message>,
}

impl Writer {
    /// Starts the writer's thread. The receiver hears when it has ended and closed its connection.
    pub(crate) fn start(
        connection: SqliteConnection,
        lock: Option<File>,
    ) -> Result<(Self, oneshot::Receiver<()>), OpenError> {
        let failed = |error: std::io::Error| {
            OpenError::Database(StoreError::unavailable(&format!("its writer can't be started ({error})")))
        };
        let (messages, inbox) = mpsc::channel(QUEUE);
        let (ended, end) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                runtime.block_on(Loop { connection, inbox }.run());
                // Only now may another process have the file.
                drop(lock);
                let _ = ended.send(());
            })
            .map_err(failed)?;
        Ok((Self { messages }, end))
    }

    /// Writes, and returns when it is durable.
    pub(crate) async fn write(&self, work: Arc<Work>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let request = Request { work, since: Instant::now(), answer };
        if self.messages.send(Message::Commit(request)).await.is_err() {
            return Err(CommitError::Unavailable(StoreError::unavailable("it is closed")));
        }
        answered.await.unwrap_or_else(|_| Err(CommitError::OutcomeUnknown(StoreError::unavailable("its writer ended"))))
    }

    /// Makes the writer end once it has written what waits.
    pub(crate) async fn close(&self) {
        // An error means that it has ended already.
        let _ = self.messages.send(Message::Close).await;
    }
}

/// Why no commit of a group has an answer of its own.
enum GroupFailure {
    /// Another process writes; nothing has happened.
    Busy(StoreError),
    /// All of them together do not fit on the disk.
    Full(StoreError),
    /// All get this answer.
    All(CommitError),
}

impl From<sqlx::Error> for GroupFailure {
    fn from(error: sqlx::Error) -> Self {
        let fault = dialect::classify(&error);
        let error = StoreError::from_sqlx(error);
        match fault {
            Fault::Busy => Self::Busy(error),
            Fault::Full => Self::Full(error),
            _ => Self::All(error.into()),
        }
    }
}

struct Loop {
    connection: SqliteConnection,
    inbox: mpsc::Receiver<Message>,
}

impl Loop {
    async fn run(mut self) {
        let mut group: Vec<Request> = Vec::with_capacity(GROUP);
        let mut last_group = 0;
        loop {
            if group.is_empty() {
                match self.inbox.recv().await {
                    Some(message) => self.take(message, &mut group),
                    None => break,
                }
            }
            self.gather(&mut group, last_group);
            if group.is_empty() {
                continue;
            }
            last_group = group.len();
            match self.write(&group).await {
                Ok(answers) => answer_all(&mut group, answers),
                Err(GroupFailure::All(error)) => {
                    let answers = group.iter().map(|_| Err(error.clone())).collect();
                    answer_all(&mut group, answers);
                }
                Err(GroupFailure::Full(error)) => {
                    let answers = self.write_apart(&group, &error).await;
                    answer_all(&mut group, answers);
                }
                Err(GroupFailure::Busy(error)) => {
                    let expired = group.extract_if(.., |request| request.since.elapsed() >= PATIENCE);
                    for request in expired {
                        let _ = request.answer.send(Err(CommitError::Unavailable(error.clone())));
                    }
                }
            }
        }
        // Leaves one file instead of two, and the next start nothing to recover.
        if let Err(error) = self.connection.run_text("PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(error = %StoreError::from_sqlx(error), "the write-ahead log stays for the next start");
        }
        let _ = self.connection.close().await;
    }

    /// Takes what waits, and gives as many as came together last time a moment to come together again: those who were just
    /// answered send their next commit one by one, and without it every second group would have one or two.
    fn gather(&mut self, group: &mut Vec<Request>, expected: usize) {
        let mut patience = GATHERING;
        while group.len() < GROUP {
            match self.inbox.try_recv() {
                Ok(message) => self.take(message, group),
                Err(_) if group.len() >= expected || patience.is_zero() => return,
                Err(_) => {
                    // This thread has nothing else to do, and a timer of the runtime is ten times as coarse.
                    std::thread::sleep(LOOK_AGAIN);
                    patience = patience.saturating_sub(LOOK_AGAIN);
                }
            }
        }
    }

    fn take(&mut self, message: Message, group: &mut Vec<Request>) {
        match message {
            Message::Commit(request) => group.push(request),
            Message::Close => self.inbox.close(),
        }
    }

    /// Writes a group and gives each commit its answer, in order.
    async fn write(&mut self, group: &[Request]) -> Result<Vec<Answer>, GroupFailure> {
        if self.write_together(group).await? {
            return Ok(group.iter().map(|_| Ok(())).collect());
        }
        self.write_one_by_one(group).await
    }

    /// Writes all commits in one go; false, and nothing written, if one of them does not apply.
    async fn write_together(&mut self, group: &[Request]) -> Result<bool, GroupFailure> {
        let Ok(scripts) = scripts(group) else { return Ok(false) };
        for script in scripts {
            match self.run_script(script).await {
                Ok(true) => {}
                Ok(false) => {
                    self.roll_back().await;
                    return Ok(false);
                }
                Err(error) => {
                    self.roll_back().await;
                    return match dialect::classify(&error) {
                        Fault::Duplicate | Fault::Reference | Fault::Refused => Ok(false),
                        _ => Err(error.into()),
                    };
                }
            }
        }
        self.commit().await?;
        Ok(true)
    }

    /// Runs a script; false if a statement that must touch one row did not.
    async fn run_script(&mut self, script: Script) -> Result<bool, sqlx::Error> {
        let Script { text, arguments, must_touch, is_common, .. } = script;
        // The text is put together from constants of this crate; values travel as arguments.
        let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(is_common);
        let mut results = (&mut self.connection).fetch_many(query);
        let mut must_touch = must_touch.into_iter();
        while let Some(result) = results.try_next().await? {
            if let Either::Left(done) = result {
                match must_touch.next() {
                    Some(true) if done.rows_affected() != 1 => return Ok(false),
                    Some(_) => {}
                    None => return Ok(false),
                }
            }
        }
        Ok(must_touch.next().is_none())
    }

    /// Writes commits in one transaction, each with a savepoint that it can fail back to.
    async fn write_one_by_one(&mut self, group: &[Request]) -> Result<Vec<Answer>, GroupFailure> {
        if let Err(error) = self.connection.run_text("BEGIN IMMEDIATE").await {
            self.roll_back().await;
            return Err(error.into());
        }
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            match self.write_one(&request.work).await {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    self.roll_back().await;
                    return Err(error.into());
                }
            }
        }
        self.commit().await?;
        Ok(answers)
    }

    /// Writes commits of a group that does not fit on the disk in transactions of their own: small ones may.
    async fn write_apart(&mut self, group: &[Request], error: &StoreError) -> Vec<Answer> {
        let full = || Err(CommitError::Unavailable(error.clone()));
        if group.len() == 1 {
            return vec![full()];
        }
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(match self.write(std::slice::from_ref(request)).await {
                Ok(answers) => answers.into_iter().next().unwrap_or_else(full),
                Err(GroupFailure::All(error)) => Err(error),
                Err(GroupFailure::Full(error) | GroupFailure::Busy(error)) => Err(CommitError::Unavailable(error)),
            });
        }
        answers
    }

    /// Writes one commit; an error is one that the whole transaction can't outlive.
    async fn write_one(&mut self, work: &Work) -> Result<Answer, sqlx::Error> {
        self.connection.run_text("SAVEPOINT one").await?;
        let answer = match apply(&mut self.connection, work).await {
            Ok(()) => Ok(()),
            Err(Failure::Answer(answer)) => Err(answer),
            Err(Failure::Statement(StatementError::Store(error))) => Err(error.into()),
            Err(Failure::Statement(StatementError::Database(error))) => match dialect::classify(&error) {
                Fault::Duplicate | Fault::Reference | Fault::Refused => Err(StoreError::from_sqlx(error).into()),
                _ => return Err(error),
            },
        };
        if answer.is_err() {
            self.connection.run_text("ROLLBACK TO one").await?;
        }
        self.connection.run_text("RELEASE one").await?;
        Ok(answer)
    }

    async fn commit(&mut self) -> Result<(), GroupFailure> {
        let Err(error) = self.connection.run_text("COMMIT").await else { return Ok(()) };
        self.roll_back().await;
        Err(match dialect::classify(&error) {
            Fault::Busy | Fault::Full => error.into(),
            // After a failed flush the pages may be on the disk all the same, and come back after a crash.
            _ => GroupFailure::All(CommitError::OutcomeUnknown(StoreError::from_sqlx(error))),
        })
    }

    /// Ends what is left of a failed transaction; SQLite has ended some failed ones itself.
    async fn roll_back(&mut self) {
        if let Err(error) = self.connection.run_text("ROLLBACK").await {
            tracing::debug!(%error, "nothing was left to roll back");
        }
    }
}

fn answer_all(group: &mut Vec<Request>, answers: Vec<Answer>) {
    for (request, answer) in group.drain(..).zip(answers) {
        // First, so that whoever waits has the work for itself again.
        drop(request.work);
        // A caller that hung up does not want to know.
        let _ = request.answer.send(answer);
    }
}

/// The texts that write a group, `COMMIT` left out: slices of its statements, and its chunks put together in the last.
fn scripts(group: &[Request]) -> Result<Vec<Script>, StoreError> {
    let mut scripts = Vec::with_capacity(group.len().div_ceil(SLICE));
    let mut chunks: Vec<Cow<'_, Chunk>> = Vec::new();
    let mut script = Script::beginning_with("BEGIN IMMEDIATE");
    let is_uniform = group.windows(2).all(|pair| matches!(pair, [left, right] if have_same_texts(left, right)));
    for (index, slice) in group.chunks(SLICE).enumerate() {
        if index > 0 {
            scripts.push(std::mem::take(&mut script));
        }
        script.is_common = is_uniform;
        for request in slice {
            for statement in &request.work.statements {
                script.add(statement.clone())?;
            }
            for chunk in &request.work.chunks {
                add_chunk(&mut chunks, chunk);
            }
        }
    }
    for statement in chunks.iter().flat_map(|chunk| chunk.statements(Dialect::Sqlite)) {
        script.add(statement)?;
    }
    // Long texts come in many variants: keeping them all prepared would cost memory.
    script.is_common &= script.must_touch.len() <= 3 * SLICE;
    scripts.push(script);
    Ok(scripts)
}

/// Whether two commits have the same statements but for their arguments.
fn have_same_texts(left: &Request, right: &Request) -> bool {
    let texts =
        |request: &'_ Request| request.work.statements.iter().map(|statement| statement.sql).collect::<Vec<_>>();
    texts(left) == texts(right)
}

/// Puts a chunk together with the last one of its kind if they fit.
fn add_chunk<'c>(chunks: &mut Vec<Cow<'c, Chunk>>, chunk: &'c Chunk) {
    let last = chunks.iter_mut().rev().find(|other| other.kind() == chunk.kind());
    match last.filter(|last| last.fits(chunk)) {
        Some(last) => last.to_mut().merge(chunk),
        None => chunks.push(Cow::Borrowed(chunk)),
    }
}
