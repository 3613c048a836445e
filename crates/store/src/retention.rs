//! Forgetting: whole chunks of the journal, oldest first, in steps that leave room for other writes.

use hookwright_model::Timestamp;

use crate::database::Database;
use crate::error::{CommitError, StoreError};
use crate::journal::Removed;
use crate::journal::chunk::Kind;
use crate::journal::read::{self, OldChunk};
use crate::statement::{Argument, Statement};
use crate::work::Work;
use crate::write_side::WriteSide;

const DELETE: &str = "DELETE FROM journal WHERE seq = $1";

/// How much one transaction deletes at most, one chunk aside.
const STEP_CHUNKS: usize = 32;
const STEP_OCTETS: u64 = 4 << 20;

/// Executions go first: they are the bulk, and the events are the audit trail.
const ORDER: [Kind; 2] = [Kind::Executions, Kind::Events];

pub(crate) async fn apply(
    database: &Database,
    write_side: &WriteSide,
    older_than: Timestamp,
    max_bytes: u64,
) -> Result<Removed, StoreError> {
    let mut removed = Removed::default();
    for kind in ORDER {
        loop {
            let chunks = read::older_than(database, kind, older_than).await?;
            if chunks.is_empty() {
                break;
            }
            delete(write_side, &chunks, u64::MAX, &mut removed).await?;
        }
    }
    for kind in ORDER {
        loop {
            let excess = read::size(database).await?.saturating_sub(max_bytes);
            if excess == 0 {
                return Ok(removed);
            }
            let chunks = read::oldest(database, kind).await?;
            if chunks.is_empty() {
                break;
            }
            delete(write_side, &chunks, excess, &mut removed).await?;
        }
    }
    Ok(removed)
}

/// Deletes from the first of these chunks on, until enough is gone or the step is full. Another node may be at the same
/// work: a chunk that is gone already is no matter.
async fn delete(
    write_side: &WriteSide,
    chunks: &[OldChunk],
    enough: u64,
    removed: &mut Removed,
) -> Result<(), StoreError> {
    let mut step = Removed::default();
    let mut statements = Vec::new();
    for chunk in chunks.iter().take(STEP_CHUNKS) {
        if step.bytes >= enough.min(STEP_OCTETS) {
            break;
        }
        statements.push(Statement::new(DELETE, vec![Argument::Integer(chunk.seq)]));
        step.items += u64::try_from(chunk.items).unwrap_or(0);
        step.bytes += u64::try_from(chunk.octets).unwrap_or(0);
    }
    write_side.write(Work::of_statements(statements)).await.map_err(CommitError::into_store_error)?;
    removed.items += step.items;
    removed.bytes += step.bytes;
    Ok(())
}
