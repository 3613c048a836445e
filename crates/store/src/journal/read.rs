//! Reading the journal: first which chunks, without their bodies, then as many bodies as are needed.

use hookwright_model::Timestamp;
use hookwright_model::execution::Execution;
use hookwright_model::id::ExecutionId;

use super::chunk::{self, Kind};
use super::query::{Direction, ExecutionQuery, JournalEntry, JournalScan, Page, Position};
use crate::database::{Database, Pool, can_be_stored, fetch, fetch_from};
use crate::dialect::{LAST_NUMBER, SETTLED_HORIZON};
use crate::error::StoreError;

/// How many chunks are looked at in one query.
const BATCH: i64 = 64;

/// How many bytes of chunks are read at once.
const RUN_OCTETS: i64 = 256 << 10;

/// A chunk without its body.
#[derive(sqlx::FromRow)]
struct Head {
    seq: i64,
    octets: i64,
}

#[derive(sqlx::FromRow)]
struct Body {
    seq: i64,
    kind: String,
    body: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct Tails {
    seq: i64,
    last_ms: i64,
    id_tails: Vec<u8>,
}

macro_rules! heads {
    ($from:literal, $seq:literal, $after:literal, $order:literal, $filter:literal) => {
        concat!(
            "SELECT journal.seq AS seq, journal.octets AS octets FROM ",
            $from,
            " WHERE ",
            $seq,
            $after,
            "$1 AND journal.last_ms >= $2 AND journal.first_ms < $3 AND ",
            $filter,
            " ORDER BY ",
            $seq,
            $order,
            " LIMIT $4"
        )
    };
}

/// Everything, the first written first, up to the horizon `$5`.
const FORWARD: &str = heads!("journal", "journal.seq", " >= ", "", "journal.seq <= $5");
const BACKWARD: &str = heads!("journal", "journal.seq", " <= ", " DESC", "journal.seq <= $5");
const EVENTS_FORWARD: &str =
    heads!("journal", "journal.seq", " >= ", "", "journal.kind = 'events' AND journal.seq <= $5");
const EVENTS_BACKWARD: &str =
    heads!("journal", "journal.seq", " <= ", " DESC", "journal.kind = 'events' AND journal.seq <= $5");
const EXECUTIONS: &str =
    heads!("journal", "journal.seq", " <= ", " DESC", "journal.kind = 'executions' AND (journal.verdicts & $5) <> 0");
const EXECUTIONS_OF_HOOK: &str = heads!(
    "journal_hooks JOIN journal ON journal.seq = journal_hooks.seq",
    "journal_hooks.seq",
    " <= ",
    " DESC",
    "(journal.verdicts & $5) <> 0 AND journal_hooks.hook_id = $6"
);

/// Chunks that may hold something of a window of time, the first written first. They are found by their ends: those that span
/// less than [`SHORT_SPAN_MS`] end within that time of the window, and of the others there are few.
macro_rules! window {
    ($kinds:literal) => {
        concat!(
            "SELECT seq, octets FROM journal WHERE seq IN (",
            $kinds,
            "SELECT seq FROM journal WHERE kind = 'events' AND last_ms >= $2 AND last_ms < $5 AND seq >= $1 \
             AND first_ms < $3 \
             UNION ALL SELECT seq FROM journal WHERE last_ms - first_ms > 60000 AND last_ms >= $5 AND seq >= $1 \
             AND first_ms < $3) ORDER BY seq LIMIT $4"
        )
    };
}

const WINDOW: &str = window!(
    "SELECT seq FROM journal WHERE kind = 'executions' AND last_ms >= $2 AND last_ms < $5 AND seq >= $1 \
     AND first_ms < $3 UNION ALL "
);
/// Those of another kind that span long are among them; they are few.
const EVENTS_WINDOW: &str = window!("");

/// The number in the index `journal_of_long_span` and in the queries above.
const SHORT_SPAN_MS: i64 = 60_000;

/// How many chunks of a window are found in one query. It finds all of them anyway.
const WINDOW_BATCH: i64 = 1024;

/// The first chunk of a kind in the order of writing that ends at this time or later.
const FIRST_SINCE: &str =
    "SELECT seq FROM journal WHERE kind = $1 AND last_ms >= $2 AND seq >= $3 ORDER BY seq LIMIT 1";

const BODIES: &str = "SELECT seq, kind, body FROM journal WHERE seq >= $1 AND seq <= $2 ORDER BY seq";

const TAILS: &str = "SELECT seq, last_ms, id_tails FROM journal WHERE kind = 'executions' \
     AND (last_ms, seq) > ($1, $2) AND first_ms <= $3 ORDER BY last_ms, seq LIMIT $4";

pub(crate) async fn execution(database: &Database, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
    let Some(minted) = id.minted_at() else { return Ok(None) };
    let (mut last_ms, mut last_seq) = (minted.as_millis().saturating_sub(1), 0);
    loop {
        let rows = fetch!(database, fetch_all, Tails, TAILS, last_ms, last_seq, minted.as_millis(), BATCH)?;
        for row in rows.iter().filter(|row| chunk::lists(&row.id_tails, id)) {
            if let Some(found) = find(database, row.seq, id).await? {
                return Ok(Some(found));
            }
        }
        match rows.last() {
            Some(row) if rows.len() == batch() => (last_ms, last_seq) = (row.last_ms, row.seq),
            _ => return Ok(None),
        }
    }
}

async fn find(database: &Database, seq: i64, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
    let Some(row) = fetch!(database, fetch_optional, Body, BODIES, seq, seq)? else { return Ok(None) };
    for item in chunk::items(&row.kind, &chunk::unpack(&row.body)?)? {
        if item.is_execution(id)? {
            return item.decode_execution().map(Some);
        }
    }
    Ok(None)
}

pub(crate) async fn executions(database: &Database, query: &ExecutionQuery) -> Result<Page<Execution>, StoreError> {
    let verdicts = query.verdict.map_or(-1, chunk::verdict_bit);
    let mut page = Page { items: Vec::new(), next: None };
    if query.limit == 0 || query.hook_id.as_deref().is_some_and(|id| !can_be_stored(id)) {
        return Ok(page);
    }
    let mut walk = Walk::new(Direction::Backward, query.after, query.since, query.until);
    let mut last = None;
    loop {
        let (from, since, until) = walk.bounds();
        let heads = match &query.hook_id {
            None => fetch!(database, fetch_all, Head, EXECUTIONS, from, since, until, BATCH, verdicts)?,
            Some(hook_id) => {
                let sql = EXECUTIONS_OF_HOOK;
                fetch!(database, fetch_all, Head, sql, from, since, until, BATCH, verdicts, hook_id.as_str())?
            }
        };
        for run in runs(&heads) {
            for row in bodies(database, run, Direction::Backward).await? {
                for item in chunk::items(&row.kind, &chunk::unpack(&row.body)?)?.iter().rev() {
                    let position = Position { seq: row.seq, index: item.index };
                    if !walk.is_ahead(position) {
                        continue;
                    }
                    let execution = item.decode_execution()?;
                    if !matches(&execution, query) {
                        continue;
                    }
                    if page.items.len() == query.limit {
                        page.next = last;
                        return Ok(page);
                    }
                    page.items.push(execution);
                    last = Some(position);
                }
            }
        }
        if !walk.go_on_after(&heads, BATCH) {
            return Ok(page);
        }
    }
}

fn matches(execution: &Execution, query: &ExecutionQuery) -> bool {
    let summary = &execution.summary;
    query.hook_id.as_deref().is_none_or(|id| *id == *summary.hook_id)
        && query.verdict.is_none_or(|verdict| verdict == summary.verdict)
        && query.since.is_none_or(|since| summary.started() >= since)
        && query.until.is_none_or(|until| summary.started() < until)
}

/// What a scan for a window of time in the order of writing finds, chunk by chunk by their times.
async fn scan_window(database: &Database, scan: &JournalScan) -> Result<Vec<JournalEntry>, StoreError> {
    let mut entries = Vec::new();
    let sql = if scan.events_only { EVENTS_WINDOW } else { WINDOW };
    let mut walk = Walk::new(Direction::Forward, scan.after, scan.since, scan.until);
    while entries.len() < scan.max_items {
        let (from, since, until) = walk.bounds();
        let ends_before = until.saturating_add(SHORT_SPAN_MS);
        let heads = fetch!(database, fetch_all, Head, sql, from, since, until, WINDOW_BATCH, ends_before)?;
        for run in runs(&heads) {
            for row in bodies(database, run, Direction::Forward).await? {
                if !scan.events_only || row.kind == Kind::Events.as_str() {
                    take_items(&row, scan, &walk, &mut entries)?;
                }
            }
            if entries.len() == scan.max_items {
                return Ok(entries);
            }
        }
        if !walk.go_on_after(&heads, WINDOW_BATCH) {
            break;
        }
    }
    Ok(entries)
}

/// Where a scan without an end in time, and without a place to go on from, begins.
async fn first_since(database: &Database, scan: &JournalScan, since: Timestamp) -> Result<i64, StoreError> {
    let mut first = i64::MAX;
    for kind in [Kind::Events, Kind::Executions] {
        if scan.events_only && kind == Kind::Executions {
            continue;
        }
        let found = fetch!(database, fetch_optional, (i64,), FIRST_SINCE, kind.as_str(), since.as_millis(), 0_i64)?;
        first = found.map_or(first, |(seq,)| first.min(seq));
    }
    Ok(first)
}

pub(crate) async fn scan(database: &Database, scan: &JournalScan) -> Result<Vec<JournalEntry>, StoreError> {
    if scan.direction == Direction::Forward && scan.since.is_some() && scan.until.is_some() {
        return scan_window(database, scan).await;
    }
    let mut entries = Vec::new();
    let sql = match (scan.direction, scan.events_only) {
        (Direction::Forward, false) => FORWARD,
        (Direction::Backward, false) => BACKWARD,
        (Direction::Forward, true) => EVENTS_FORWARD,
        (Direction::Backward, true) => EVENTS_BACKWARD,
    };
    let horizon = match scan.direction {
        Direction::Forward if scan.until.is_none() => settled_horizon(database).await?,
        _ => i64::MAX,
    };
    let mut walk = Walk::new(scan.direction, scan.after, scan.since, scan.until);
    if let (Direction::Forward, None, Some(since)) = (scan.direction, scan.after, scan.since) {
        walk.next_seq = first_since(database, scan, since).await?;
    }
    while entries.len() < scan.max_items {
        let (from, since, until) = walk.bounds();
        let heads = fetch!(database, fetch_all, Head, sql, from, since, until, BATCH, horizon)?;
        for run in runs(&heads) {
            for row in bodies(database, run, scan.direction).await? {
                take_items(&row, scan, &walk, &mut entries)?;
            }
            if entries.len() == scan.max_items {
                return Ok(entries);
            }
        }
        if !walk.go_on_after(&heads, BATCH) {
            break;
        }
    }
    Ok(entries)
}

/// Adds what is wanted of a chunk, as far as there is room.
fn take_items(row: &Body, scan: &JournalScan, walk: &Walk, entries: &mut Vec<JournalEntry>) -> Result<(), StoreError> {
    let body = chunk::unpack(&row.body)?;
    let mut items = chunk::items(&row.kind, &body)?;
    if scan.direction == Direction::Backward {
        items.reverse();
    }
    for item in items {
        let position = Position { seq: row.seq, index: item.index };
        let wanted = walk.is_ahead(position)
            && scan.since.is_none_or(|since| item.published >= since)
            && scan.until.is_none_or(|until| item.published < until);
        if wanted && entries.len() < scan.max_items {
            entries.push(JournalEntry { position, published: item.published, item: item.decode()? });
        }
    }
    Ok(())
}

/// Cuts a list of chunks into runs that are read at once: neighbours, and not too many bytes.
fn runs(heads: &[Head]) -> impl Iterator<Item = &[Head]> {
    let mut octets = 0;
    heads.chunk_by(move |left, right| {
        octets += left.octets;
        let together = left.seq.abs_diff(right.seq) == 1 && octets + right.octets <= RUN_OCTETS;
        if !together {
            octets = 0;
        }
        together
    })
}

/// The chunks of a run in the order of the walk.
async fn bodies(database: &Database, run: &[Head], direction: Direction) -> Result<Vec<Body>, StoreError> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(Vec::new()) };
    let (lowest, highest) = (first.seq.min(last.seq), first.seq.max(last.seq));
    let mut rows = fetch!(database, fetch_all, Body, BODIES, lowest, highest)?;
    if direction == Direction::Backward {
        rows.reverse();
    }
    Ok(rows)
}

/// Up to which number all that will ever be committed is visible; see [`crate::dialect::TAKE_HEAD`].
///
/// Why that is so: a number up to `last` was drawn before `last` was asked for, by a transaction that held its lock then. If
/// it still ran when the locks were looked at, its lock's key is below its number. If not, it is visible to what comes next.
pub(crate) async fn settled_horizon(database: &Database) -> Result<i64, StoreError> {
    let Pool::Postgres(pool) = &database.pool else { return Ok(i64::MAX) };
    let (last,) = fetch_from!(pool, fetch_one, (i64,), LAST_NUMBER)?;
    let (unsettled,) = fetch_from!(pool, fetch_one, (Option<i64>,), SETTLED_HORIZON)?;
    Ok(unsettled.map_or(last, |before| before.min(last)))
}

/// Where a walk through the journal stands.
struct Walk {
    direction: Direction,
    after: Option<Position>,
    next_seq: i64,
    since: i64,
    until: i64,
}

impl Walk {
    fn new(direction: Direction, after: Option<Position>, since: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        let start = match direction {
            Direction::Forward => 0,
            Direction::Backward => i64::MAX,
        };
        Self {
            direction,
            after,
            next_seq: after.map_or(start, |position| position.seq),
            since: since.map_or(i64::MIN, Timestamp::as_millis),
            until: until.map_or(i64::MAX, Timestamp::as_millis),
        }
    }

    const fn bounds(&self) -> (i64, i64, i64) {
        (self.next_seq, self.since, self.until)
    }

    fn is_ahead(&self, position: Position) -> bool {
        match (self.after, self.direction) {
            (None, _) => true,
            (Some(after), Direction::Forward) => position > after,
            (Some(after), Direction::Backward) => position < after,
        }
    }

    /// Moves behind these chunks; false if there can't be more, as fewer were found than were asked for.
    fn go_on_after(&mut self, heads: &[Head], asked: i64) -> bool {
        let Some(head) = heads.last() else { return false };
        self.next_seq = match self.direction {
            Direction::Forward => head.seq.saturating_add(1),
            Direction::Backward => head.seq.saturating_sub(1),
        };
        i64::try_from(heads.len()).is_ok_and(|found| found == asked)
    }
}

fn batch() -> usize {
    usize::try_from(BATCH).unwrap_or(usize::MAX)
}

/// The oldest chunks of a kind, for retention.
#[derive(sqlx::FromRow)]
pub(crate) struct OldChunk {
    pub(crate) seq: i64,
    pub(crate) items: i64,
    pub(crate) octets: i64,
    pub(crate) chain: Option<i64>,
    pub(crate) link: Option<i64>,
    pub(crate) hmac: Option<Vec<u8>>,
}

const OLDER: &str = "SELECT seq, items, octets, chain, link, hmac FROM journal WHERE kind = $1 AND last_ms < $2 \
     ORDER BY last_ms, seq LIMIT $3";
const OLDEST: &str = "SELECT seq, items, octets, chain, link, hmac FROM journal WHERE kind = $1 ORDER BY seq LIMIT $2";

pub(crate) async fn older_than(database: &Database, kind: Kind, time: Timestamp) -> Result<Vec<OldChunk>, StoreError> {
    fetch!(database, fetch_all, OldChunk, OLDER, kind.as_str(), time.as_millis(), BATCH)
}

pub(crate) async fn oldest(database: &Database, kind: Kind) -> Result<Vec<OldChunk>, StoreError> {
    fetch!(database, fetch_all, OldChunk, OLDEST, kind.as_str(), BATCH)
}

/// How many bytes the journal holds.
pub(crate) async fn size(database: &Database) -> Result<u64, StoreError> {
    let (octets,) =
        fetch!(database, fetch_one, (i64,), "SELECT CAST(coalesce(sum(octets), 0) AS BIGINT) FROM journal")?;
    Ok(u64::try_from(octets).unwrap_or(0))
}
