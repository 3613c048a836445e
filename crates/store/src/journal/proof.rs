//! Whether the journal is what was written: walks through it, on one snapshot, and names the first break.

use std::fmt;
use std::str::FromStr;

use hookwright_model::Timestamp;
use sqlx::{Postgres, Sqlite, Transaction};

use super::chain::{StoredGap, StoredHead};
use super::chunk::{self, Kind};
use super::query::JournalItem;
use super::read::settled_horizon;
use super::verify::{Finding, LinkName, Skip, StoredChunk, Verifier};
use crate::database::{Database, Pool};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::keyring::Keyring;

/// How many chunks are read at once: some megabytes at most.
const BATCH: i64 = 16;

/// What the log was at some moment, in a few characters to be noted elsewhere: up to which position, and a hash of the chain
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    pub(crate) position: i64,
    pub(crate) hash: u64,
}

impl fmt::Display for LogHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:016x}", self.position, self.hash)
    }
}

/// The text is no head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a head as `hookwright log verify` prints it: a number, a hyphen and 16 hexadecimal digits")]
pub struct LogHeadError;

impl FromStr for LogHead {
    type Err = LogHeadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (position, hash) = text.split_once('-').ok_or(LogHeadError)?;
        let position = position.parse().map_err(|_| LogHeadError)?;
        let head = Self { position, hash: u64::from_str_radix(hash, 16).map_err(|_| LogHeadError)? };
        if head.to_string() == text.to_ascii_lowercase() { Ok(head) } else { Err(LogHeadError) }
    }
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKind {
    /// What is stored is not what was written.
    Edited,
    /// Something that was written is gone.
    Removed,
    /// What is stored was written, but not at this place.
    Reordered,
    /// What is stored was never written there: forged, or a copy.
    Inserted,
    /// The note of where the chain ends was changed, removed or put back from earlier: with what it told, anything behind it.
    HeadChanged,
    /// It is proved by a key that the keyring does not have.
    UnknownKey,
    /// The log is not what it was when the expected head was noted: it was rolled back or replaced.
    RolledBack,
    /// Retention has removed what the expected head was noted of, so that nobody can tell. Note heads more often.
    HeadTooOld,
}

impl BreakKind {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Removed => "removed",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::HeadChanged => "head_changed",
            Self::UnknownKey => "unknown_key",
            Self::RolledBack => "rolled_back",
            Self::HeadTooOld => "head_too_old",
        }
    }

    /// A sentence for the operator.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Edited => "it is not what was written",
            Self::Removed => "something that was written is missing",
            Self::Reordered => "it was written at another place",
            Self::Inserted => "it was never written there: it is forged or a copy",
            Self::HeadChanged => "the note of where the log ends was changed, removed or put back from earlier",
            Self::UnknownKey => "it is proved by a key that the keyring does not have",
            Self::RolledBack => "the log is not what it was when the expected head was noted",
            Self::HeadTooOld => "retention has removed what the expected head was noted of",
        }
    }
}

/// A stored chunk of the log: one or more executions or events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// Its number; later chunks have higher ones.
    pub position: i64,
    /// When the first of what it holds happened, as far as it can be believed.
    pub from: Timestamp,
    /// When the last of what it holds happened.
    pub until: Timestamp,
    /// The ids of what it holds: executions and events. Empty if it can't be read.
    pub ids: Vec<String>,
}

/// Where a log is broken first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBreak {
    /// How.
    pub kind: BreakKind,
    /// Where it was noticed; nothing at the end of the log.
    pub at: Option<LogPlace>,
    /// The last sound place of the same chain before it, if it is still there.
    pub after: Option<LogPlace>,
    /// How many chunks are missing, where something was removed.
    pub missing: Option<u64>,
}

/// What a walk through a log has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Stored chunks that are proved.
    pub chunks: u64,
    /// Executions and events in them.
    pub items: u64,
    /// Executions and events from before the log proved itself; nothing is known of them.
    pub unproved_items: u64,
    /// Chunks that retention has removed.
    pub removed_chunks: u64,
    /// What the log is, to be noted elsewhere; nothing where it is broken.
    pub head: Option<LogHead>,
    /// The first break.
    pub broken: Option<LogBreak>,
}

macro_rules! chunks {
    ($where:literal) => {
        concat!(
            "SELECT seq, kind, first_ms, last_ms, items, octets, verdicts, id_tails, body, chain, link, key_id, hmac \
             FROM journal WHERE ",
            $where
        )
    };
}

const HEADS: &str = "SELECT chain, began, executions_links, executions_hmac, events_links, events_hmac, key_id, mac \
     FROM journal_chains ORDER BY chain";
const CHUNKS: &str = chunks!("seq > $1 ORDER BY seq LIMIT $2");
const CHUNK: &str = chunks!("seq = $1");
const COPIES: &str = "SELECT count(*) FROM journal WHERE chain = $1 AND kind = $2 AND link = $3";
const GAP: &str = "SELECT chain, kind, first_link, last_link, first_seq, last_seq, hmac, key_id, mac FROM journal_gaps \
     WHERE chain = $1 AND kind = $2 AND first_link = $3";

/// One view of the database for the whole walk, whatever is written beside it.
enum Snapshot {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

macro_rules! ask {
    ($snapshot:expr, $method:ident, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {
        match $snapshot {
            Snapshot::Sqlite(connection) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($argument))*.$method(&mut **connection).await
            }
            Snapshot::Postgres(connection) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($argument))*.$method(&mut **connection).await
            }
        }
        .map_err(StoreError::from_driver)
    };
}

impl Snapshot {
    async fn begin(database: &Database) -> Result<Self, StoreError> {
        Ok(match &database.pool {
            Pool::Sqlite(pool) => Self::Sqlite(pool.begin().await?),
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .execute(&mut *transaction)
                    .await?;
                Self::Postgres(transaction)
            }
        })
    }

    const fn chains(&self) -> i64 {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite.chains(),
            Self::Postgres(_) => Dialect::Postgres.chains(),
        }
    }

    async fn gap(&mut self, at: LinkName) -> Result<Option<StoredGap>, StoreError> {
        ask!(self, fetch_optional, StoredGap, GAP, at.chain, at.kind.as_str(), at.link)
    }

    /// How many chunks say that they are this link.
    async fn copies(&mut self, link: LinkName) -> Result<i64, StoreError> {
        Ok(ask!(self, fetch_one, (i64,), COPIES, link.chain, link.kind.as_str(), link.link)?.0)
    }

    async fn place(&mut self, seq: Option<i64>) -> Result<Option<LogPlace>, StoreError> {
        let Some(seq) = seq else { return Ok(None) };
        Ok(ask!(self, fetch_optional, StoredChunk, CHUNK, seq)?.as_ref().map(place))
    }
}

/// Checks all that is there.
pub(crate) async fn verify(
    database: &Database,
    keyring: &Keyring,
    expected: Option<&LogHead>,
) -> Result<LogProof, StoreError> {
    // Asked first: up to there, all that will ever be committed is in the snapshot.
    let horizon = settled_horizon(database).await?;
    let mut snapshot = Snapshot::begin(database).await?;
    let heads = ask!(&mut snapshot, fetch_all, StoredHead, HEADS)?;
    let verifier = Verifier::new(keyring, &heads, snapshot.chains());
    let proof = LogProof { chunks: 0, items: 0, unproved_items: 0, removed_chunks: 0, head: None, broken: None };
    let mut walk = Walk { snapshot, verifier, proof, expected: expected.copied(), horizon: Some(horizon) };
    walk.proof.broken = walk.first_break().await?;
    if walk.proof.broken.is_some() {
        walk.proof.head = None;
    }
    Ok(walk.proof)
}

struct Walk<'k> {
    snapshot: Snapshot,
    verifier: Verifier<'k>,
    proof: LogProof,
    /// The head that was noted, until it is passed.
    expected: Option<LogHead>,
    /// Up to where the log is settled, until it is passed.
    horizon: Option<i64>,
}

impl Walk<'_> {
    async fn first_break(&mut self) -> Result<Option<LogBreak>, StoreError> {
        let mut after = i64::MIN;
        loop {
            let chunks = ask!(&mut self.snapshot, fetch_all, StoredChunk, CHUNKS, after, BATCH)?;
            let Some(last) = chunks.last() else { break };
            after = last.seq;
            for chunk in &chunks {
                if let Some(found) = self.pass_marks(chunk.seq).await? {
                    return Ok(Some(found));
                }
                if let Some(found) = self.look(chunk).await? {
                    return Ok(Some(found));
                }
            }
        }
        if let Some(found) = self.pass_marks(i64::MAX).await? {
            return Ok(Some(found));
        }
        self.skip_all(i64::MAX).await?;
        let Some((kind, missing)) = self.verifier.end() else { return Ok(None) };
        let after = match missing {
            Some((next, _)) => self.snapshot.place(self.verifier.last_of(next.chain, next.kind)).await?,
            None => None,
        };
        let missing = missing.and_then(|(next, last)| u64::try_from(last - next.link + 1).ok());
        Ok(Some(LogBreak { kind, at: None, after, missing }))
    }

    /// The break that shows at a chunk.
    async fn look(&mut self, chunk: &StoredChunk) -> Result<Option<LogBreak>, StoreError> {
        let items = u64::try_from(chunk.items).unwrap_or(0);
        loop {
            let (kind, next, missing) = match self.verifier.look(chunk) {
                Finding::Fits => {
                    self.proof.chunks += 1;
                    self.proof.items += items;
                    return Ok(None);
                }
                Finding::Before => {
                    self.proof.unproved_items += items;
                    return Ok(None);
                }
                Finding::Ahead(next) => {
                    if self.skip(next, i64::MAX).await? == Skip::Done {
                        continue;
                    }
                    let link = chunk.link.unwrap_or_default();
                    if self.snapshot.copies(LinkName { link, ..next }).await? > 1 {
                        (BreakKind::Inserted, Some(next), None)
                    } else if self.snapshot.copies(next).await? > 0 {
                        (BreakKind::Reordered, Some(next), None)
                    } else {
                        (BreakKind::Removed, Some(next), u64::try_from(link - next.link).ok())
                    }
                }
                Finding::Altered(next) if self.snapshot.copies(next).await? > 1 => {
                    (BreakKind::Inserted, Some(next), None)
                }
                Finding::Altered(next) => (BreakKind::Edited, Some(next), None),
                Finding::Broken(kind) => (kind, strand_of(chunk), None),
            };
            let before = next.and_then(|next| self.verifier.last_of(next.chain, next.kind));
            let after = self.snapshot.place(before).await?;
            return Ok(Some(LogBreak { kind, at: Some(place(chunk)), after, missing }));
        }
    }

    /// Compares the expected head, and takes the one of now, once all up to there was looked at and before the chunk of this
    /// number is.
    async fn pass_marks(&mut self, next_seq: i64) -> Result<Option<LogBreak>, StoreError> {
        if let Some(expected) = self.expected
            && (expected.position < next_seq || next_seq == i64::MAX)
        {
            self.expected = None;
            let whole = self.skip_all(expected.position).await?;
            if self.verifier.head().hash != expected.hash {
                let kind = if whole { BreakKind::RolledBack } else { BreakKind::HeadTooOld };
                return Ok(Some(LogBreak { kind, at: None, after: None, missing: None }));
            }
        }
        if let Some(horizon) = self.horizon
            && (horizon < next_seq || next_seq == i64::MAX)
        {
            self.horizon = None;
            self.skip_all(horizon).await?;
            self.proof.head = Some(self.verifier.head());
        }
        Ok(None)
    }

    /// Passes all gaps that come next and end at or before this number. False if one reaches beyond it.
    async fn skip_all(&mut self, until: i64) -> Result<bool, StoreError> {
        let mut whole = true;
        for mut next in self.verifier.next_links() {
            loop {
                match self.skip(next, until).await? {
                    Skip::Done => {}
                    Skip::TooLong => {
                        whole = false;
                        break;
                    }
                    Skip::NotOurs => break,
                }
                let links = self.verifier.next_links();
                let Some(further) = links.into_iter().find(|link| (link.chain, link.kind) == (next.chain, next.kind))
                else {
                    break;
                };
                next = further;
            }
        }
        Ok(whole)
    }

    /// Passes the gap that begins at this link.
    async fn skip(&mut self, next: LinkName, until: i64) -> Result<Skip, StoreError> {
        let Some(gap) = self.snapshot.gap(next).await? else { return Ok(Skip::NotOurs) };
        let skip = self.verifier.skip(&gap, until);
        if skip == Skip::Done {
            self.proof.removed_chunks += u64::try_from(gap.last_link - gap.first_link + 1).unwrap_or(0);
        }
        Ok(skip)
    }
}

/// The strand that a chunk says it is of.
fn strand_of(chunk: &StoredChunk) -> Option<LinkName> {
    Some(LinkName { chain: chunk.chain?, kind: Kind::from_text(&chunk.kind)?, link: chunk.link? })
}

/// Where a chunk stands, and what it says that it holds.
fn place(chunk: &StoredChunk) -> LogPlace {
    let ids = || {
        let body = chunk::unpack(&chunk.body)?;
        chunk::items(&chunk.kind, &body)?
            .iter()
            .map(|item| {
                Ok(match item.decode()? {
                    JournalItem::Event(event) => event.uuid,
                    JournalItem::Execution(execution) => execution.id.as_str().to_owned(),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()
    };
    LogPlace {
        position: chunk.seq,
        from: Timestamp::from_millis(chunk.first_ms),
        until: Timestamp::from_millis(chunk.last_ms),
        ids: ids().unwrap_or_default(),
    }
}
