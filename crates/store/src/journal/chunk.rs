//! A chunk: many executions or many events in one row. Packing them is what makes recording a call cheap.
//!
//! The body is one byte of format, then the items; where that is shorter, it is stored packed: another byte of format, the
//! body's length (u32), the body as an LZ4 block. An item is its length (u32), when it was published (i64, milliseconds)
//! and its content. An event's content is MessagePack, see [`stored_event`]. An execution's is its id, its summary as
//! MessagePack (maps with names), its request and the body of each attempt, each with its length in front. Numbers are
//! little-endian.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use bytes::Bytes;
use hookwright_model::Timestamp;
use hookwright_model::execution::{Execution, ExecutionSummary, Verdict};
use hookwright_model::id::ExecutionId;
use hookwright_model::shown::ShownBody;
use hookwright_model::system_log::LogEvent;
use lz4_flex::block::CompressTable;

use super::chain::{APPEND, Content, Extension};
use super::query::JournalItem;
use super::stored_event;
use crate::error::StoreError;
use crate::statement::{Argument, Statement};

const FORMAT: u8 = 4;
const PACKED: u8 = 2;
/// What stands in front of a packed body: the format and the length.
const HEAD_LEN: usize = 5;
/// How many times longer than itself what an LZ4 block holds can be.
const MAX_EXPANSION: usize = 256;
/// How much room for packing a thread keeps, in bytes.
const MAX_PACKING_ROOM: usize = 128 << 10;
const MAX_ITEMS: i64 = 256;
const MAX_BODY: usize = 1 << 20;
/// How many characters of an execution's id a chunk lists; 47 random bits.
const TAIL_LEN: usize = 8;

/// Notes that a chunk holds executions of a hook.
const LINK: &str = "INSERT INTO journal_hooks (hook_id, seq) VALUES ($1, $2)";

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Executions = 0,
    Events = 1,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Executions, Self::Events];

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Executions => "executions",
            Self::Events => "events",
        }
    }
}

/// A chunk on its way into the journal.
#[derive(Clone)]
pub(crate) struct Chunk {
    kind: Kind,
    first: Timestamp,
    last: Timestamp,
    items: i64,
    verdicts: i64,
    id_tails: Vec<u8>,
    hooks: BTreeSet<Box<str>>,
    body: Vec<u8>,
}

impl Chunk {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            first: Timestamp::from_millis(i64::MAX),
            last: Timestamp::from_millis(i64::MIN),
            items: 0,
            verdicts: 0,
            id_tails: Vec::new(),
            hooks: BTreeSet::new(),
            body: vec![FORMAT],
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the next item belongs into another chunk.
    pub(crate) const fn is_full(&self) -> bool {
        self.items >= MAX_ITEMS || self.body.len() >= MAX_BODY
    }

    pub(crate) fn add_event(&mut self, event: &LogEvent) -> Result<(), StoreError> {
        let start = self.begin_item(event.published);
        stored_event::write(event, &mut self.body).map_err(unwritable)?;
        self.end_part(start)?;
        self.items += 1;
        self.note_time(event.published);
        Ok(())
    }

    pub(crate) fn add_execution(&mut self, execution: &Execution) -> Result<(), StoreError> {
        let whole = self.body.len();
        // What can't be added leaves nothing behind: others share the body.
        self.encode(execution).inspect_err(|_| self.body.truncate(whole))?;
        let summary = &execution.summary;
        for time in [Some(published(summary)), Some(summary.started()), execution.id.minted_at()].into_iter().flatten()
        {
            self.note_time(time);
        }
        self.items += 1;
        self.verdicts |= verdict_bit(summary.verdict);
        self.id_tails.extend_from_slice(&id_tail(&execution.id));
        if !self.hooks.contains(&summary.hook_id) {
            self.hooks.insert(summary.hook_id.clone());
        }
        Ok(())
    }

    fn encode(&mut self, execution: &Execution) -> Result<(), StoreError> {
        let summary = &execution.summary;
        let start = self.begin_item(published(summary));
        self.add_part(execution.id.as_str().as_bytes())?;
        let summary_start = self.begin_part();
        rmp_serde::encode::write_named(&mut self.body, summary).map_err(unwritable)?;
        self.end_part(summary_start)?;
        self.add_part(&execution.request)?;
        for attempt in &summary.attempts {
            self.add_part(&attempt.body)?;
        }
        self.end_part(start)
    }

    /// The room that its items took.
    pub(crate) fn into_room(self) -> Vec<u8> {
        self.body
    }

    /// Whether both chunks together stay within the bounds of one.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.items + other.items <= MAX_ITEMS
            && self.body.len() + other.body.len() <= MAX_BODY
    }

    /// Takes in another chunk that [fits](Self::fits).
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.items += other.items;
        self.verdicts |= other.verdicts;
        self.id_tails.extend_from_slice(&other.id_tails);
        self.hooks.extend(other.hooks.iter().cloned());
        self.body.extend_from_slice(other.body.get(1..).unwrap_or_default());
    }

    /// The executions of a chunk that holds executions.
    pub(crate) fn executions(&self) -> Result<Vec<Execution>, StoreError> {
        items(self.kind.as_str(), &self.body)?.iter().map(RawItem::decode_execution).collect()
    }

    /// What writes this chunk under that number, as the next link of the chain: the chunk itself, then what links it to hooks.
    pub(crate) fn statements(&self, seq: i64, chain: &mut Extension<'_>) -> impl Iterator<Item = Statement> {
        let body = pack(&self.body);
        let content = Content {
            kind: self.kind,
            first_ms: self.first.as_millis(),
            last_ms: self.last.as_millis(),
            items: self.items,
            octets: i64::try_from(body.len() + self.id_tails.len()).unwrap_or(i64::MAX),
            verdicts: self.verdicts,
            id_tails: &self.id_tails,
            body: &body,
        };
        let proof = chain.add(seq, &content);
        let mut arguments = Vec::with_capacity(24);
        arguments.extend([
            Argument::Integer(seq),
            Argument::Fixed(self.kind.as_str()),
            Argument::Integer(content.first_ms),
            Argument::Integer(content.last_ms),
            Argument::Integer(content.items),
            Argument::Integer(content.octets),
            Argument::Integer(content.verdicts),
            Argument::Bytes(self.id_tails.clone()),
            Argument::Bytes(body),
            Argument::Integer(proof.spot.chain),
            Argument::Integer(proof.spot.link),
            Argument::Bytes(proof.key_id.to_vec()),
            Argument::Bytes(proof.hmac.to_vec()),
        ]);
        let links = self.hooks.iter().map(move |hook| {
            let arguments = vec![Argument::Text(hook.as_ref().to_owned()), Argument::Integer(seq)];
            Statement::new(LINK, arguments)
        });
        std::iter::once(Statement::new(APPEND, arguments)).chain(links)
    }

    fn note_time(&mut self, time: Timestamp) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    fn begin_item(&mut self, published: Timestamp) -> usize {
        let start = self.begin_part();
        self.body.extend_from_slice(&published.as_millis().to_le_bytes());
        start
    }

    fn add_part(&mut self, part: &[u8]) -> Result<(), StoreError> {
        let start = self.begin_part();
        self.body.extend_from_slice(part);
        self.end_part(start)
    }

    /// Leaves room for a length and tells where what it counts begins.
    fn begin_part(&mut self) -> usize {
        self.body.extend_from_slice(&[0; 4]);
        self.body.len()
    }

    fn end_part(&mut self, start: usize) -> Result<(), StoreError> {
        let length = u32::try_from(self.body.len() - start)
            .map_err(|_| StoreError::Unstorable("a record of more than 4 GiB".to_owned()))?;
        if let Some(room) = start.checked_sub(4).and_then(|from| self.body.get_mut(from..start)) {
            room.copy_from_slice(&length.to_le_bytes());
        }
        Ok(())
    }
}

/// Packs a record into the last of these chunks, or into another one if that is full. The other one takes over the room of
/// `spare`: to grow anew ten times a second, and to be given zeroed pages for it, costs more than the packing.
pub(crate) fn pack_into(chunks: &mut Vec<Chunk>, execution: &Execution, spare: &mut Vec<u8>) -> Result<(), StoreError> {
    match chunks.last_mut() {
        Some(chunk) if !chunk.is_full() => chunk.add_execution(execution),
        _ => {
            let mut chunk = Chunk::new(Kind::Executions);
            chunk.body = std::mem::take(spare);
            chunk.body.clear();
            chunk.body.push(FORMAT);
            chunk.add_execution(execution)?;
            chunks.push(chunk);
            Ok(())
        }
    }
}

/// A body as it is stored. Records of one hook are much alike: packed, they take a fifth or less, and less time to write.
fn pack(body: &[u8]) -> Vec<u8> {
    thread_local! {
        /// What packing needs: made anew, to be zeroed takes longer than a small chunk takes to be packed.
        static PACKER: RefCell<(CompressTable, Vec<u8>)> = RefCell::default();
    }
    let Ok(length) = u32::try_from(body.len()) else { return body.to_vec() };
    PACKER.with_borrow_mut(|(table, room)| {
        let needed = lz4_flex::block::get_maximum_output_size(body.len());
        if room.len() < needed {
            room.resize(needed, 0);
        }
        let written = lz4_flex::block::compress_into_with_table(body, room, table).unwrap_or(usize::MAX);
        let stored = match room.get(..written) {
            Some(block) if HEAD_LEN + block.len() < body.len() => {
                let mut packed = Vec::with_capacity(HEAD_LEN + block.len());
                packed.push(PACKED);
                packed.extend_from_slice(&length.to_le_bytes());
                packed.extend_from_slice(block);
                packed
            }
            _ => body.to_vec(),
        };
        if room.len() > MAX_PACKING_ROOM {
            *room = Vec::new();
        }
        stored
    })
}

/// A body as it was before it was stored.
pub(crate) fn unpack(stored: &[u8]) -> Result<Cow<'_, [u8]>, StoreError> {
    let mut reader = Reader(stored);
    if reader.take(1)? != [PACKED] {
        return Ok(Cow::Borrowed(stored));
    }
    let length = reader.length()?;
    // The length is believed only as far as the block can hold it, so that a damaged one takes no gigabytes.
    if length > reader.0.len().saturating_mul(MAX_EXPANSION) {
        return Err(damaged());
    }
    lz4_flex::block::decompress(reader.0, length).map(Cow::Owned).map_err(|_| damaged())
}

/// When a call counts as having happened in the System Log: when it ended.
fn published(summary: &ExecutionSummary) -> Timestamp {
    summary.started().plus(std::time::Duration::from_micros(summary.duration_us))
}

fn unwritable(error: impl std::error::Error) -> StoreError {
    StoreError::Unstorable(error.to_string())
}

/// The bit of a verdict in the column `verdicts`. The order of [`Verdict::ALL`] is therefore part of the stored form.
pub(crate) fn verdict_bit(verdict: Verdict) -> i64 {
    Verdict::ALL.iter().position(|known| *known == verdict).map_or(0, |position| 1 << position)
}

fn id_tail(id: &ExecutionId) -> [u8; TAIL_LEN] {
    let bytes = id.as_str().as_bytes();
    let mut tail = [0; TAIL_LEN];
    for (target, source) in tail.iter_mut().rev().zip(bytes.iter().rev()) {
        *target = *source;
    }
    tail
}

/// Whether a chunk with these tails may hold the execution.
pub(crate) fn lists(id_tails: &[u8], id: &ExecutionId) -> bool {
    let wanted = id_tail(id);
    id_tails.chunks_exact(TAIL_LEN).any(|tail| tail == wanted)
}

/// One item of a chunk that was read, not yet decoded.
pub(crate) struct RawItem<'c> {
    pub(crate) index: u32,
    pub(crate) published: Timestamp,
    kind: Kind,
    content: &'c [u8],
}

/// Walks through the items of a body.
pub(crate) fn items<'c>(kind: &str, body: &'c [u8]) -> Result<Vec<RawItem<'c>>, StoreError> {
    let kind = Kind::from_text(kind);
    let mut reader = Reader(body);
    if reader.take(1)? != [FORMAT] {
        return Err(StoreError::Unreadable("a chunk of the journal has a form that this release does not know".into()));
    }
    let mut items = Vec::new();
    while !reader.0.is_empty() {
        let mut item = Reader(reader.part()?);
        let published = item.take(8)?.try_into().map(i64::from_le_bytes).map_err(|_| damaged())?;
        items.push(RawItem {
            index: u32::try_from(items.len()).map_err(|_| damaged())?,
            published: Timestamp::from_millis(published),
            kind: kind.ok_or_else(damaged)?,
            content: item.0,
        });
    }
    Ok(items)
}

impl RawItem<'_> {
    pub(crate) fn decode(&self) -> Result<JournalItem, StoreError> {
        match self.kind {
            Kind::Events => {
                stored_event::read(self.content, self.published).map(|event| JournalItem::Event(Box::new(event)))
            }
            Kind::Executions => self.decode_execution().map(|execution| JournalItem::Execution(Box::new(execution))),
        }
    }

    pub(crate) fn decode_execution(&self) -> Result<Execution, StoreError> {
        let mut parts = Reader(self.content);
        let id = ExecutionId::from_text(std::str::from_utf8(parts.part()?).map_err(|_| damaged())?);
        let mut summary: ExecutionSummary = rmp_serde::from_slice(parts.part()?)
            .map_err(|error| StoreError::Unreadable(format!("the summary of execution {id}: {error}")))?;
        let request = stored_body(parts.part()?);
        for attempt in &mut summary.attempts {
            attempt.body = stored_body(parts.part()?);
        }
        Ok(Execution { id, summary, request })
    }

    /// Whether this is the execution of this id, without decoding it.
    pub(crate) fn is_execution(&self, id: &ExecutionId) -> Result<bool, StoreError> {
        Ok(self.kind == Kind::Executions && Reader(self.content).part()? == id.as_str().as_bytes())
    }
}

fn stored_body(part: &[u8]) -> ShownBody {
    ShownBody::stored(Bytes::copy_from_slice(part))
}

/// What is left to read of a body.
struct Reader<'c>(&'c [u8]);

impl<'c> Reader<'c> {
    fn take(&mut self, length: usize) -> Result<&'c [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn part(&mut self) -> Result<&'c [u8], StoreError> {
        let length = self.length()?;
        self.take(length)
    }

    fn length(&mut self) -> Result<usize, StoreError> {
        let length = self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| damaged())?;
        usize::try_from(length).map_err(|_| damaged())
    }
}

fn damaged() -> StoreError {
    StoreError::Unreadable("a chunk of the journal is damaged".to_owned())
}

#[cfg(test)]
mod tests;
