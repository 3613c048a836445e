//! Where commits go: to SQLite's one writer, or to PostgreSQL's pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::PgPool;

use crate::dialect::Dialect;
use crate::error::CommitError;
use crate::health::Health;
use crate::keyring::CurrentKeyring;
use crate::postgres;
use crate::work::Work;
use crate::writer::Writer;

/// The writing half of a store; cheap to clone.
#[derive(Clone)]
pub(crate) struct WriteSide {
    engine: Engine,
    waiting: Arc<AtomicUsize>,
    health: Arc<Health>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Writer),
    Postgres(PgPool, CurrentKeyring),
}

impl WriteSide {
    pub(crate) fn sqlite(writer: Writer, health: Arc<Health>) -> Self {
        Self { engine: Engine::Sqlite(writer), waiting: Arc::default(), health }
    }

    pub(crate) fn postgres(pool: PgPool, keyring: CurrentKeyring, health: Arc<Health>) -> Self {
        Self { engine: Engine::Postgres(pool, keyring), waiting: Arc::default(), health }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(..) => Dialect::Postgres,
        }
    }

    /// Writes, and returns when it is durable.
    pub(crate) async fn write(&self, work: impl Into<Arc<Work>>) -> Result<(), CommitError> {
        let _waiting = Waiting::new(&self.waiting);
        let result = match &self.engine {
            Engine::Sqlite(writer) => writer.write(work.into()).await,
            // Boxed: it is large, and every commit to SQLite would carry it.
            Engine::Postgres(pool, keyring) => Box::pin(postgres::write(pool, &work.into(), keyring)).await,
        };
        result.inspect_err(|error| self.health.note_commit(error))
    }

    /// Takes no more commits and ends; commits under way are written. A pool is closed by whoever reads from it.
    pub(crate) async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(writer) => writer.close().await,
            Engine::Postgres(..) => {}
        }
    }

    /// How many commits wait for their answer.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts a commit as waiting until dropped, also if its caller hangs up.
struct Waiting<'c>(&'c AtomicUsize);

impl<'c> Waiting<'c> {
    fn new(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
