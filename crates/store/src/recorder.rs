//! The bounded buffer of executions, and the task that writes it in chunks.
//!
//! A row for each call would cost more than the call. Records therefore wait up to twenty milliseconds for others. A full
//! buffer makes callers wait and drops nothing; what can't be written stays and is tried again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookwright_model::execution::Execution;
use hookwright_model::id::ExecutionId;
use tokio::sync::{Notify, Semaphore, watch};

use crate::database::Database;
use crate::error::CommitError;
use crate::journal::chunk::{self, Chunk};
use crate::journal::read;
use crate::work::Work;
use crate::write_side::WriteSide;

/// How long the first record waits for others.
const GATHERING: Duration = Duration::from_millis(20);
/// A record takes one place in the buffer for each started piece of this size.
const OCTETS_A_PLACE: usize = 4096;
/// How long to wait before a failed flush is tried again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The most room that is kept for the next chunk, in bytes.
const MAX_SPARE: usize = 512 * 1024;
/// How long a close tries to write what is left.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// The buffer, shared by those who record and the task that writes.
pub(crate) struct Recorder {
    places: Semaphore,
    capacity: usize,
    state: Mutex<State>,
    /// Records that are not written yet.
    buffered: AtomicUsize,
    /// The task sleeps until there is something to write.
    work: Notify,
    /// Somebody waits for the records: flush now.
    hurry: Notify,
    /// How many records were written since the start.
    written: watch::Sender<u64>,
    /// The last try to write failed: nobody needs to wait for the next.
    is_failing: AtomicBool,
}

#[derive(Default)]
struct State {
    gathered: Batch,
    /// The room of a chunk that was written, for the next.
    spare: Vec<u8>,
    /// How many records were taken since the start.
    taken: u64,
    is_closed: bool,
}

/// Records that are written together, packed as they came in: on the time of whoever recorded, and without keeping what they
/// were made from.
#[derive(Default)]
struct Batch {
    chunks: Vec<Chunk>,
    records: usize,
    places: usize,
    /// The first record, by which the database is asked whether it has them.
    first: Option<ExecutionId>,
}

impl Recorder {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        let capacity = capacity.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Arc::new(Self {
            places: Semaphore::new(capacity),
            capacity,
            state: Mutex::default(),
            buffered: AtomicUsize::new(0),
            work: Notify::new(),
            hurry: Notify::new(),
            written: watch::Sender::new(0),
            is_failing: AtomicBool::new(false),
        })
    }

    /// Puts a record into the buffer; waits while it is full.
    pub(crate) async fn record(&self, execution: Execution) {
        let places = self.places_of(&execution);
        let acquired = self.places.acquire_many(u32::try_from(places).unwrap_or(u32::MAX)).await;
        let Ok(permit) = acquired else { return refuse(&execution) };
        let mut state = self.state();
        if state.is_closed {
            drop(state);
            return refuse(&execution);
        }
        let State { gathered, spare, .. } = &mut *state;
        if let Err(error) = chunk::pack_into(&mut gathered.chunks, &execution, spare) {
            drop(state);
            return tracing::error!(execution = %execution.id, %error, "this execution is lost");
        }
        permit.forget();
        self.buffered.fetch_add(1, Ordering::Relaxed);
        state.taken += 1;
        state.gathered.records += 1;
        state.gathered.places += places;
        let is_first = state.gathered.records == 1;
        if is_first {
            state.gathered.first = Some(execution.id);
        }
        drop(state);
        if is_first {
            self.work.notify_one();
        }
    }

    /// Waits until what was recorded before is written, but not for long: so that who reads finds what they just did.
    pub(crate) async fn settle(&self, patience: Duration) {
        let taken = self.state().taken;
        let mut written = self.written.subscribe();
        if *written.borrow_and_update() >= taken || self.is_failing.load(Ordering::Relaxed) {
            return;
        }
        self.hurry.notify_one();
        let _ = tokio::time::timeout(patience, written.wait_for(|written| *written >= taken)).await;
    }

    /// Takes no more records and makes the task write what is left and end.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.places.close();
        self.work.notify_one();
        self.hurry.notify_one();
    }

    /// Records that are not written yet.
    pub(crate) fn buffered(&self) -> usize {
        self.buffered.load(Ordering::Relaxed)
    }

    fn places_of(&self, execution: &Execution) -> usize {
        let bodies: usize = execution.summary.attempts.iter().map(|attempt| attempt.body.len()).sum();
        // A record larger than the whole buffer takes all of it.
        ((execution.request.len() + bodies) / OCTETS_A_PLACE + 1).min(self.capacity)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> (Batch, bool) {
        let mut state = self.state();
        (std::mem::take(&mut state.gathered), state.is_closed)
    }

    /// The task: gathers, writes, and ends once it is closed and empty.
    pub(crate) async fn run(self: Arc<Self>, write_side: WriteSide, database: Database) {
        loop {
            self.work.notified().await;
            if !self.state().is_closed {
                // Whichever comes first; a hint to hurry that comes too early is kept for the next round, which is harmless.
                let _ = tokio::time::timeout(GATHERING, self.hurry.notified()).await;
            }
            let (batch, is_closed) = self.take();
            if batch.records > 0 {
                self.flush(&write_side, &database, batch).await;
            }
            if is_closed {
                break;
            }
        }
    }

    /// Writes records, again and again if need be, and gives their places back.
    async fn flush(&self, write_side: &WriteSide, database: &Database, batch: Batch) {
        let Batch { chunks, records, places, first } = batch;
        let work = Arc::new(Work::of_chunks(chunks));
        match self.write(write_side, database, &work, first.as_ref()).await {
            Ok(()) => {}
            Err(error @ (CommitError::Conflict(_) | CommitError::Failed(_))) => {
                tracing::error!(records, %error, "executions could not be written together");
                self.write_one_by_one(write_side, database, &work).await;
            }
            Err(error) => tracing::error!(records, %error, "executions are lost: the store closes"),
        }
        if let Some(room) = Arc::into_inner(work).and_then(|work| work.chunks.into_iter().next()).map(Chunk::into_room)
            && room.capacity() <= MAX_SPARE
        {
            self.state().spare = room;
        }
        self.is_failing.store(false, Ordering::Relaxed);
        self.buffered.fetch_sub(records, Ordering::Relaxed);
        self.places.add_permits(places);
        self.written.send_modify(|written| *written += u64::try_from(records).unwrap_or(0));
    }

    /// One record that can't be written must not take the others with it.
    async fn write_one_by_one(&self, write_side: &WriteSide, database: &Database, work: &Work) {
        for chunk in &work.chunks {
            let executions = match chunk.executions() {
                Ok(executions) => executions,
                Err(error) => {
                    tracing::error!(%error, "executions are lost");
                    continue;
                }
            };
            for execution in executions {
                let mut chunks = Vec::new();
                let result = match chunk::pack_into(&mut chunks, &execution, &mut Vec::new()) {
                    Ok(()) => {
                        let work = Arc::new(Work::of_chunks(chunks));
                        self.write(write_side, database, &work, Some(&execution.id)).await
                    }
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = result {
                    tracing::error!(execution = %execution.id, %error, "this execution is lost");
                }
            }
        }
    }

    /// Writes records in one commit, and tries again as long as that may help. `first` is one of them.
    async fn write(
        &self,
        write_side: &WriteSide,
        database: &Database,
        work: &Arc<Work>,
        first: Option<&ExecutionId>,
    ) -> Result<(), CommitError> {
        let mut pause = PAUSES.0;
        let mut waited = Duration::ZERO;
        loop {
            let error = match write_side.write(Arc::clone(work)).await {
                Ok(()) => return Ok(()),
                Err(CommitError::OutcomeUnknown(_)) if is_kept(database, first).await => return Ok(()),
                Err(error @ (CommitError::Conflict(_) | CommitError::Failed(_))) => return Err(error),
                Err(error) => error,
            };
            if self.state().is_closed && waited >= LAST_PATIENCE {
                return Err(error);
            }
            self.is_failing.store(true, Ordering::Relaxed);
            tracing::warn!(%error, "executions can't be written yet");
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

fn refuse(execution: &Execution) {
    tracing::error!(execution = %execution.id, "the store is closed: this execution is not recorded");
}

/// Whether a commit with an unknown outcome was kept: all of its records are there, or none. Asks until it is told.
async fn is_kept(database: &Database, first: Option<&ExecutionId>) -> bool {
    let Some(first) = first else { return true };
    for _ in 0..60 {
        match read::execution(database, first).await {
            Ok(found) => return found.is_some(),
            Err(_) => tokio::time::sleep(PAUSES.1).await,
        }
    }
    false
}
