//! The one writer of a SQLite database: takes all waiting commits into one transaction and answers after it is durable.
//!
//! A flush to disk costs the same for one commit as for a hundred. A group is written without savepoints; only if a commit in
//! it turns out not to apply is it written again, one by one. The writer has a thread of its own, in which SQLite runs too: no
//! request that computes makes a commit wait.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tokio::sync::{mpsc, oneshot};

use crate::error::{CommitError, OpenError, StoreError};
use crate::fault::{self, DriverError, Fault};
use crate::journal::chunk::Chunk;
use crate::keyring::CurrentKeyring;
use crate::meeting::Meeting;
use crate::relay::{self, Delivery, Relay};
use crate::session::{Failure, StatementError, apply};
use crate::sqlite_session::{Prepared, SqliteSession};
use crate::statement::Count;
use crate::tenure::Tenure;
use crate::work::Work;

/// How many commits may wait before callers wait for room.
const QUEUE: usize = 1024;
/// How many commits share a transaction at most.
const GROUP: usize = 128;
/// How long the writer waits for a group to be half as large as the last one.
const GATHERING: Duration = Duration::from_micros(100);
/// How long a commit waits for the lock of another process.
const PATIENCE: Duration = Duration::from_secs(5);

type Answer = Result<(), CommitError>;

thread_local! {
    static RELAY: relay::Place<Answer> = const { RefCell::new(None) };
}

enum Message {
    Commit(Request),
    /// Take nothing more, write what is left, end.
    Close,
}

struct Request {
    work: Arc<Work>,
    since: Instant,
    answer: oneshot::Sender<Answer>,
    relay: Relay<Answer>,
}

/// The way to the writer; cheap to clone. When all are dropped, the writer ends.
#[derive(Clone)]
pub(crate) struct Writer {
    messages: mpsc::Sender<Message>,
    meeting: Arc<Meeting>,
    thread: Thread,
}

impl Writer {
    /// Starts the writer's thread. The receiver hears when it has ended and closed its connection.
    pub(crate) fn start(
        session: SqliteSession,
        tenure: Option<Tenure>,
        keyring: CurrentKeyring,
    ) -> Result<(Self, oneshot::Receiver<()>), OpenError> {
        let failed = |error: std::io::Error| {
            OpenError::Database(StoreError::unavailable(&format!("its writer can't be started ({error})")))
        };
        let (messages, inbox) = mpsc::channel(QUEUE);
        let (ended, end) = oneshot::channel();
        let meeting = Arc::new(Meeting::default());
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let meeting = Arc::clone(&meeting);
                move || {
                    let in_order = Loop { session, inbox, meeting, keyring }.run();
                    // Only now may another process have the file.
                    match tenure {
                        Some(tenure) if in_order => tenure.end(),
                        other => drop(other),
                    }
                    let _ = ended.send(());
                }
            })
            .map_err(failed)?;
        Ok((Self { messages, meeting, thread: thread.thread().clone() }, end))
    }

    /// Writes, and returns when it is durable.
    pub(crate) async fn write(&self, work: Arc<Work>) -> Answer {
        let (answer, answered) = oneshot::channel();
        // Kept here too, so that it is freed by the thread that made it, which is cheaper, and not by the one that all wait for.
        let request =
            Request { work: Arc::clone(&work), since: Instant::now(), answer, relay: RELAY.with(relay::here) };
        if self.messages.send(Message::Commit(request)).await.is_err() {
            return Err(CommitError::Unavailable(StoreError::unavailable("it is closed")));
        }
        self.meeting.joined(self.messages.max_capacity() - self.messages.capacity(), &self.thread);
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

impl From<DriverError> for GroupFailure {
    fn from(error: DriverError) -> Self {
        let fault = fault::classify(&error);
        let error = StoreError::from_driver(error);
        match fault {
            Fault::Busy => Self::Busy(error),
            Fault::Full => Self::Full(error),
            _ => Self::All(error.into()),
        }
    }
}

struct Loop {
    session: SqliteSession,
    inbox: mpsc::Receiver<Message>,
    meeting: Arc<Meeting>,
    /// Proves what is appended to the journal.
    keyring: CurrentKeyring,
}

impl Loop {
    /// Whether all that was written is in the file when it ends.
    fn run(mut self) -> bool {
        let mut group: Vec<Request> = Vec::with_capacity(GROUP);
        let mut last_group = 0;
        loop {
            if group.is_empty() {
                match self.inbox.blocking_recv() {
                    Some(message) => self.take(message, &mut group),
                    None => break,
                }
            }
            self.gather(&mut group, last_group);
            if group.is_empty() {
                continue;
            }
            last_group = group.len();
            match self.write(&group) {
                Ok(answers) => answer_all(group.drain(..).zip(answers)),
                Err(GroupFailure::All(error)) => {
                    answer_all(group.drain(..).map(|request| (request, Err(error.clone()))));
                }
                Err(GroupFailure::Full(error)) => {
                    let answers = self.write_apart(&group, &error);
                    answer_all(group.drain(..).zip(answers));
                }
                Err(GroupFailure::Busy(error)) => {
                    let expired = group.extract_if(.., |request| request.since.elapsed() >= PATIENCE);
                    let answers = expired.map(|request| (request, Err(CommitError::Unavailable(error.clone()))));
                    answer_all(answers);
                }
            }
        }
        // Leaves one file instead of two, and the next start nothing to recover.
        let written_back = self.session.checkpoint();
        if let Err(error) = &written_back {
            tracing::warn!(%error, "the write-ahead log stays for the next start");
        }
        written_back.is_ok()
    }

    /// Takes what waits, and gives half as many as came together last time a moment to come together again: those who were just
    /// answered send their next commit one by one, and without it every second group would have one or two. To wait for all
    /// of them would leave this thread idle while they compute.
    fn gather(&mut self, group: &mut Vec<Request>, last_group: usize) {
        self.take_waiting(group);
        let wanted = last_group / 2;
        if group.len() < wanted {
            self.meeting.wait(wanted - group.len(), GATHERING, || self.inbox.len());
            self.take_waiting(group);
        }
    }

    fn take_waiting(&mut self, group: &mut Vec<Request>) {
        while group.len() < GROUP
            && let Ok(message) = self.inbox.try_recv()
        {
            self.take(message, group);
        }
    }

    fn take(&mut self, message: Message, group: &mut Vec<Request>) {
        match message {
            Message::Commit(request) => group.push(request),
            Message::Close => self.inbox.close(),
        }
    }

    /// Writes a group and gives each commit its answer, in order.
    fn write(&mut self, group: &[Request]) -> Result<Vec<Answer>, GroupFailure> {
        if self.write_together(group)? {
            return Ok(group.iter().map(|_| Ok(())).collect());
        }
        self.write_one_by_one(group)
    }

    /// Writes all commits in one go; false, and nothing written, if one of them does not apply.
    fn write_together(&mut self, group: &[Request]) -> Result<bool, GroupFailure> {
        let applied = self.session.run_plain("BEGIN IMMEDIATE").and_then(|()| self.apply_together(group));
        match applied {
            Ok(true) => {
                self.commit()?;
                Ok(true)
            }
            Ok(false) => {
                self.roll_back();
                Ok(false)
            }
            Err(error) => {
                self.roll_back();
                match fault::classify(&error) {
                    Fault::Duplicate | Fault::Reference | Fault::Refused => Ok(false),
                    _ => Err(error.into()),
                }
            }
        }
    }

    /// Runs the statements of all commits, counts their rows together, and writes their chunks put together; false if a
    /// statement that must touch one row did not, or something could not be made ready.
    fn apply_together(&self, group: &[Request]) -> Result<bool, DriverError> {
        let mut chunks: Vec<Cow<'_, Chunk>> = Vec::new();
        let mut counts: Vec<(&Count, i64)> = Vec::new();
        // The commits of a group are often of one kind.
        let mut prepared: Option<Prepared<'_>> = None;
        for request in group {
            for count in &request.work.counts {
                add_count(&mut counts, count);
            }
            for statement in &request.work.statements {
                let fitting = match prepared.take() {
                    Some(prepared) if prepared.fits(statement) => prepared,
                    _ => self.session.prepare(statement.sql)?,
                };
                if prepared.insert(fitting).run(statement)? != 1 && statement.is_checked() {
                    return Ok(false);
                }
            }
            for chunk in &request.work.chunks {
                add_chunk(&mut chunks, chunk);
            }
        }
        for (count, rows) in counts {
            if self.session.run(&count.statement(rows))? != 1 {
                return Ok(false);
            }
        }
        if chunks.is_empty() {
            return Ok(true);
        }
        match self.session.append(chunks.iter().map(AsRef::as_ref), &self.keyring) {
            Ok(()) => Ok(true),
            Err(StatementError::Database(error)) => Err(error),
            Err(StatementError::Store(_)) => Ok(false),
        }
    }

    /// Writes commits in one transaction, each with a savepoint that it can fail back to.
    fn write_one_by_one(&mut self, group: &[Request]) -> Result<Vec<Answer>, GroupFailure> {
        if let Err(error) = self.session.run_plain("BEGIN IMMEDIATE") {
            self.roll_back();
            return Err(error.into());
        }
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            match self.write_one(&request.work) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    self.roll_back();
                    return Err(error.into());
                }
            }
        }
        self.commit()?;
        Ok(answers)
    }

    /// Writes commits of a group that does not fit on the disk in transactions of their own: small ones may.
    fn write_apart(&mut self, group: &[Request], error: &StoreError) -> Vec<Answer> {
        let full = || Err(CommitError::Unavailable(error.clone()));
        if group.len() == 1 {
            return vec![full()];
        }
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(match self.write(std::slice::from_ref(request)) {
                Ok(answers) => answers.into_iter().next().unwrap_or_else(full),
                Err(GroupFailure::All(error)) => Err(error),
                Err(GroupFailure::Full(error) | GroupFailure::Busy(error)) => Err(CommitError::Unavailable(error)),
            });
        }
        answers
    }

    /// Writes one commit; an error is one that the whole transaction can't outlive.
    fn write_one(&mut self, work: &Work) -> Result<Answer, DriverError> {
        self.session.run_plain("SAVEPOINT one")?;
        let answer = match block_on(apply(&mut self.session, work, &self.keyring)) {
            Ok(()) => Ok(()),
            Err(Failure::Answer(answer)) => Err(answer),
            Err(Failure::Statement(StatementError::Store(error))) => Err(error.into()),
            Err(Failure::Statement(StatementError::Database(error))) => match fault::classify(&error) {
                Fault::Duplicate | Fault::Reference | Fault::Refused => Err(StoreError::from_driver(error).into()),
                _ => return Err(error),
            },
        };
        if answer.is_err() {
            self.session.run_plain("ROLLBACK TO one")?;
        }
        self.session.run_plain("RELEASE one")?;
        Ok(answer)
    }

    fn commit(&mut self) -> Result<(), GroupFailure> {
        let Err(error) = self.session.run_plain("COMMIT") else { return Ok(()) };
        self.roll_back();
        Err(match fault::classify(&error) {
            Fault::Busy | Fault::Full => error.into(),
            // After a failed flush the pages may be on the disk all the same, and come back after a crash.
            _ => GroupFailure::All(CommitError::OutcomeUnknown(StoreError::from_driver(error))),
        })
    }

    /// Ends what is left of a failed transaction; SQLite has ended some failed ones itself.
    fn roll_back(&mut self) {
        if let Err(error) = self.session.run_plain("ROLLBACK") {
            tracing::debug!(%error, "nothing was left to roll back");
        }
    }
}

fn answer_all(answers: impl Iterator<Item = (Request, Answer)>) {
    let mut ways: Vec<(Relay<Answer>, Vec<Delivery<Answer>>)> = Vec::new();
    for (Request { work, answer: to, relay, .. }, answer) in answers {
        // First, so that whoever waits has the work for itself again.
        drop(work);
        let delivery = Delivery { to, answer };
        match ways.iter_mut().find(|(way, _)| way.is(&relay)) {
            Some((_, deliveries)) => deliveries.push(delivery),
            None => ways.push((relay, vec![delivery])),
        }
    }
    for (relay, deliveries) in ways {
        relay.deliver(deliveries);
    }
}

/// Counts a row together with those of the same table and limit.
fn add_count<'c>(counts: &mut Vec<(&'c Count, i64)>, count: &'c Count) {
    match counts.iter_mut().find(|(other, _)| (other.table, other.limit) == (count.table, count.limit)) {
        Some((_, rows)) => *rows += 1,
        None => counts.push((count, 1)),
    }
}

/// Puts a chunk together with the last one of its kind if they fit.
fn add_chunk<'c>(chunks: &mut Vec<Cow<'c, Chunk>>, chunk: &'c Chunk) {
    let last = chunks.iter_mut().rev().find(|other| other.kind() == chunk.kind());
    match last.filter(|last| last.fits(chunk)) {
        Some(last) => last.to_mut().merge(chunk),
        None => chunks.push(Cow::Borrowed(chunk)),
    }
}
