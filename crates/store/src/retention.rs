//! Forgetting: whole chunks of the journal, oldest first, in steps that leave room for other writes.
//!
//! What goes leaves a gap in its chain. The gap is noted in the same commit, under an HMAC, so that the chain can still be
//! checked and nobody else can take something away. Neighbouring gaps become one.

use hookwright_model::Timestamp;

use crate::change::Conflict;
use crate::database::{Database, fetch};
use crate::error::{CommitError, StoreError};
use crate::journal::Removed;
use crate::journal::chain::{Gap, StoredGap};
use crate::journal::chunk::Kind;
use crate::journal::read::{self, OldChunk};
use crate::keyring::Keyring;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::work::Work;

const DELETE: &str = "DELETE FROM journal WHERE seq = $1";
const DELETE_GAP: &str =
    "DELETE FROM journal_gaps WHERE chain = $1 AND kind = $2 AND first_link = $3 AND last_link = $4";

macro_rules! gap {
    ($where:literal) => {
        concat!(
            "SELECT chain, kind, first_link, last_link, first_seq, last_seq, hmac, key_id, mac FROM journal_gaps \
             WHERE chain = $1 AND kind = $2 AND ",
            $where
        )
    };
}

const GAP_BEFORE: &str = gap!("first_link < $3 ORDER BY first_link DESC LIMIT 1");
const GAP_AT: &str = gap!("first_link = $3");
const BEGAN: &str = "SELECT CAST(coalesce(min(began), 0) AS BIGINT) FROM journal_chains";

/// How much one transaction deletes at most, one chunk aside.
const STEP_CHUNKS: usize = 32;
const STEP_OCTETS: u64 = 4 << 20;

/// How often in a row another node may be faster before this one leaves the work to it.
const MAX_LOST_RACES: usize = 8;

/// Executions go first: they are the bulk, and the events are the audit trail.
const ORDER: [Kind; 2] = [Kind::Executions, Kind::Events];

pub(crate) async fn apply(store: &Store, older_than: Timestamp, max_bytes: u64) -> Result<Removed, StoreError> {
    let database = store.database();
    let mut step = Steps { store, removed: Removed::default(), lost_races: 0 };
    for kind in ORDER {
        loop {
            let chunks = read::older_than(database, kind, older_than).await?;
            if chunks.is_empty() || !step.delete(kind, &chunks, u64::MAX).await? {
                break;
            }
        }
    }
    for kind in ORDER {
        loop {
            let excess = read::size(database).await?.saturating_sub(max_bytes);
            if excess == 0 {
                return Ok(step.removed);
            }
            let chunks = read::oldest(database, kind).await?;
            if chunks.is_empty() || !step.delete(kind, &chunks, excess).await? {
                break;
            }
        }
    }
    Ok(step.removed)
}

struct Steps<'s> {
    store: &'s Store,
    removed: Removed,
    lost_races: usize,
}

impl Steps<'_> {
    /// Deletes from the first of these chunks on, until enough is gone or the step is full. Another node may be at the same
    /// work: then nothing is deleted, and what is left is looked at again. False if that happens again and again.
    async fn delete(&mut self, kind: Kind, chunks: &[OldChunk], enough: u64) -> Result<bool, StoreError> {
        let mut step = Removed::default();
        let mut chosen: Vec<&OldChunk> = Vec::new();
        for chunk in chunks.iter().take(STEP_CHUNKS) {
            if step.bytes >= enough.min(STEP_OCTETS) {
                break;
            }
            chosen.push(chunk);
            step.items += u64::try_from(chunk.items).unwrap_or(0);
            step.bytes += u64::try_from(chunk.octets).unwrap_or(0);
        }
        let gone = Otherwise::Conflict(Conflict::Stale);
        let mut statements: Vec<Statement> = chosen
            .iter()
            .map(|chunk| Statement::new(DELETE, vec![Argument::Integer(chunk.seq)]).or(gone.clone()))
            .collect();
        statements.extend(note(self.store.database(), kind, &chosen, &self.store.keyring()).await?);
        match self.store.write(Work::of_statements(statements)).await {
            Ok(()) => {
                self.removed.items += step.items;
                self.removed.bytes += step.bytes;
                self.lost_races = 0;
                Ok(true)
            }
            Err(CommitError::Conflict(_)) => {
                self.lost_races += 1;
                Ok(self.lost_races < MAX_LOST_RACES)
            }
            Err(error) => Err(error.into_store_error()),
        }
    }
}

/// The gaps that chunks leave, each by itself. Chunks from before the chains began leave none.
fn gaps(kind: Kind, chunks: &[&OldChunk], began: i64) -> Vec<Gap> {
    let gap_of = |chunk: &OldChunk| {
        let (chain, link) = (chunk.chain?, chunk.link?);
        let hmac = chunk.hmac.as_deref()?.try_into().ok()?;
        Some(Gap { chain, kind, links: (link, link), seqs: (chunk.seq, chunk.seq), hmac })
    };
    chunks.iter().filter(|chunk| chunk.seq > began).filter_map(|chunk| gap_of(chunk)).collect()
}

/// One gap for each run of them.
fn runs(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_unstable_by_key(|gap| (gap.chain, gap.links));
    let mut runs: Vec<Gap> = Vec::new();
    for gap in gaps {
        match runs.last_mut() {
            Some(run) if is_next(run, &gap) => *run = joined(run, &gap),
            _ => runs.push(gap),
        }
    }
    runs
}

fn is_next(one: &Gap, other: &Gap) -> bool {
    one.chain == other.chain && one.links.1.checked_add(1) == Some(other.links.0)
}

/// Both gaps as one; the second follows the first.
fn joined(one: &Gap, other: &Gap) -> Gap {
    Gap {
        links: (one.links.0, other.links.1),
        seqs: (one.seqs.0.min(other.seqs.0), one.seqs.1.max(other.seqs.1)),
        hmac: other.hmac,
        ..*one
    }
}

/// What notes the gaps that chunks leave, joined with their neighbours. A neighbour that none of our keys vouches for stays as
/// it is.
async fn note(
    database: &Database,
    kind: Kind,
    chunks: &[&OldChunk],
    keyring: &Keyring,
) -> Result<Vec<Statement>, StoreError> {
    let (began,) = fetch!(database, fetch_one, (i64,), BEGAN)?;
    let mut whole = runs(gaps(kind, chunks, began));
    let mut neighbours: Vec<Gap> = Vec::new();
    for run in &whole {
        let after = run.links.1.saturating_add(1);
        let before = fetch!(database, fetch_optional, StoredGap, GAP_BEFORE, run.chain, kind.as_str(), run.links.0)?;
        let behind = fetch!(database, fetch_optional, StoredGap, GAP_AT, run.chain, kind.as_str(), after)?;
        for neighbour in [before, behind].into_iter().flatten().filter_map(|stored| stored.checked(keyring)) {
            if (is_next(&neighbour, run) || is_next(run, &neighbour)) && !neighbours.contains(&neighbour) {
                neighbours.push(neighbour);
            }
        }
    }
    whole.extend_from_slice(&neighbours);
    let delete = |gap: &Gap| {
        let arguments = vec![
            Argument::Integer(gap.chain),
            Argument::Fixed(kind.as_str()),
            Argument::Integer(gap.links.0),
            Argument::Integer(gap.links.1),
        ];
        Statement::new(DELETE_GAP, arguments).or(Otherwise::Conflict(Conflict::Stale))
    };
    let key = keyring.sealing_key()?;
    let written: Vec<Statement> = runs(whole).iter().map(|gap| gap.statement(key)).collect();
    Ok(neighbours.iter().map(delete).chain(written).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(seq: i64, chain: i64, link: i64) -> OldChunk {
        OldChunk { seq, items: 1, octets: 1, chain: Some(chain), link: Some(link), hmac: Some(vec![7; 32]) }
    }

    #[test]
    fn removed_chunks_leave_one_gap_for_each_run_of_a_chain() {
        let old = OldChunk { chain: None, link: None, hmac: None, ..chunk(2, 0, 0) };
        let before = chunk(1, 0, 4);
        let chunks = [chunk(9, 1, 3), old, before, chunk(4, 0, 1), chunk(7, 0, 3), chunk(6, 0, 2), chunk(8, 1, 1)];
        let found: Vec<_> = runs(gaps(Kind::Events, &chunks.iter().collect::<Vec<_>>(), 1))
            .into_iter()
            .map(|gap| (gap.chain, gap.links, gap.seqs))
            .collect();
        assert_eq!(found, [(0, (1, 3), (4, 7)), (1, (1, 1), (8, 8)), (1, (3, 3), (9, 9))]);
    }
}
