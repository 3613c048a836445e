//! The chain: each chunk carries an HMAC-SHA256 over itself and the HMAC of the one before it, by a key from the keyring.
//!
//! A chain has two strands, one for each kind of chunk, since retention removes executions before events. SQLite has one
//! chain. PostgreSQL has several, and a commit takes one that no other commit has, so that they need not wait for each other;
//! the number of a chunk in the journal is under the HMAC as well, so that the order holds over all of them.
//!
//! What says where a chain ends (its head), and which chunks retention has removed (a gap), is under an HMAC too.

use aws_lc_rs::digest::{SHA256, digest};

use super::chunk::Kind;
use crate::error::StoreError;
use crate::keyring::{CurrentKeyring, Keyring};
use crate::seal::{KeyId, KeyIdBytes, SealingKey};
use crate::statement::{Argument, Statement};

pub(crate) const HMAC_LEN: usize = 32;
pub(crate) type Hmac = [u8; HMAC_LEN];

/// What an HMAC is about; the first byte of what is under it.
const LINK: u8 = 1;
const RESUMED: u8 = 2;
const HEAD: u8 = 3;
const GAP: u8 = 4;

/// What of a chunk is under its HMAC, as it is stored.
#[derive(Clone, Copy)]
pub(crate) struct Content<'c> {
    pub(crate) kind: Kind,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) items: i64,
    pub(crate) octets: i64,
    pub(crate) verdicts: i64,
    pub(crate) id_tails: &'c [u8],
    pub(crate) body: &'c [u8],
}

/// Where a chunk stands: its chain, its number there, its number in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) chain: i64,
    pub(crate) link: i64,
    pub(crate) seq: i64,
}

/// The HMAC of a chunk behind one with that HMAC; `None` says that where the chain ended before could not be believed.
pub(crate) fn link_hmac(key: &SealingKey, spot: Spot, previous: Option<&Hmac>, content: &Content<'_>) -> Hmac {
    let (about, previous) = previous.map_or((RESUMED, &[0; HMAC_LEN]), |previous| (LINK, previous));
    let mut head = Vec::with_capacity(128);
    head.extend_from_slice(&[about, content.kind as u8]);
    head.extend_from_slice(previous);
    let tails = i64::try_from(content.id_tails.len()).unwrap_or(i64::MAX);
    for number in [
        spot.chain,
        spot.link,
        spot.seq,
        content.first_ms,
        content.last_ms,
        content.items,
        content.octets,
        content.verdicts,
        tails,
    ] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    key.hmac(&[&head, content.id_tails, content.body])
}

/// The end of one strand: how many links there were, and the HMAC of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strand {
    pub(crate) links: i64,
    pub(crate) hmac: Hmac,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) chain: i64,
    /// Chunks up to this number of the journal are from before there were chains.
    pub(crate) began: i64,
    pub(crate) strands: [Strand; 2],
}

impl Head {
    /// The head of a chain that begins behind this number of the journal.
    pub(crate) fn genesis(chain: i64, began: i64) -> Self {
        Self { chain, began, strands: Kind::ALL.map(|kind| Strand { links: 0, hmac: genesis(chain, kind, began) }) }
    }

    pub(crate) fn strand(&self, kind: Kind) -> &Strand {
        let [executions, events] = &self.strands;
        match kind {
            Kind::Executions => executions,
            Kind::Events => events,
        }
    }

    fn strand_mut(&mut self, kind: Kind) -> &mut Strand {
        let [executions, events] = &mut self.strands;
        match kind {
            Kind::Executions => executions,
            Kind::Events => events,
        }
    }

    pub(super) fn mac(&self, key: &SealingKey) -> Hmac {
        let [executions, events] = &self.strands;
        let mut text = [0; 1 + 4 * 8];
        text[0] = HEAD;
        let numbers = [self.chain, self.began, executions.links, events.links];
        for (place, number) in text[1..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        key.hmac(&[&text, &executions.hmac, &events.hmac])
    }

    /// Writes it over the one before.
    pub(crate) fn arguments(&self, key: &SealingKey) -> [Argument; 8] {
        let [executions, events] = &self.strands;
        [
            Argument::Integer(self.chain),
            Argument::Integer(self.began),
            Argument::Integer(executions.links),
            Argument::Bytes(executions.hmac.to_vec()),
            Argument::Integer(events.links),
            Argument::Bytes(events.hmac.to_vec()),
            Argument::Bytes(key.id_bytes().to_vec()),
            Argument::Bytes(self.mac(key).to_vec()),
        ]
    }
}

/// What the first link of a strand follows.
fn genesis(chain: i64, kind: Kind, began: i64) -> Hmac {
    let mut text = b"hookwright journal chain".to_vec();
    text.push(kind as u8);
    text.extend_from_slice(&chain.to_le_bytes());
    text.extend_from_slice(&began.to_le_bytes());
    let mut start = [0; HMAC_LEN];
    start.copy_from_slice(digest(&SHA256, &text).as_ref());
    start
}

macro_rules! write_head {
    () => {
        "INSERT INTO journal_chains \
         (chain, began, executions_links, executions_hmac, events_links, events_hmac, key_id, mac) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (chain) DO UPDATE SET began = excluded.began, \
         executions_links = excluded.executions_links, executions_hmac = excluded.executions_hmac, \
         events_links = excluded.events_links, events_hmac = excluded.events_hmac, \
         key_id = excluded.key_id, mac = excluded.mac"
    };
}

pub(crate) const WRITE_HEAD: &str = write_head!();

/// Appends a chunk.
pub(crate) const APPEND: &str = "INSERT INTO journal (seq, kind, first_ms, last_ms, items, octets, verdicts, id_tails, \
     body, chain, link, key_id, hmac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// PostgreSQL: writes the head and appends a chunk in one go.
pub(crate) const APPEND_WITH_HEAD: &str = concat!(
    "WITH head AS (",
    write_head!(),
    ") INSERT INTO journal (seq, kind, first_ms, last_ms, items, octets, verdicts, id_tails, body, chain, link, key_id, \
     hmac) VALUES ($9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
);

/// A head as it is stored; nothing in it is believed yet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StoredHead {
    pub(crate) chain: i64,
    pub(crate) began: i64,
    pub(crate) executions_links: i64,
    pub(crate) executions_hmac: Vec<u8>,
    pub(crate) events_links: i64,
    pub(crate) events_hmac: Vec<u8>,
    pub(crate) key_id: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

impl StoredHead {
    /// The keyring with the key of a head, as far as it can be had.
    pub(crate) fn keyring_of(stored: Option<&Self>, keyring: &CurrentKeyring) -> Keyring {
        stored.map_or_else(|| keyring.get(), |stored| keyring.get_with(&stored.key_id))
    }

    /// The head, if one of our keys vouches for it.
    pub(crate) fn checked(&self, keyring: &Keyring) -> Option<Head> {
        let strand = |links, hmac: &[u8]| Some(Strand { links, hmac: hmac.try_into().ok()? });
        let strands =
            [strand(self.executions_links, &self.executions_hmac)?, strand(self.events_links, &self.events_hmac)?];
        let head = Head { chain: self.chain, began: self.began, strands };
        let key = keyring.key(&self.key_id)?;
        same(&head.mac(key), &self.mac).then_some(head)
    }
}

/// A chain that is being made longer.
pub(crate) struct Extension<'k> {
    key: &'k SealingKey,
    head: Head,
    /// The head could not be believed: the next link says so.
    is_broken: bool,
}

/// What proves a chunk, as it is stored beside it.
pub(crate) struct Proof {
    pub(crate) spot: Spot,
    pub(crate) key_id: KeyIdBytes,
    pub(crate) hmac: Hmac,
}

impl<'k> Extension<'k> {
    /// Goes on from the stored head. What can't be believed is never made good by going on: the chunk that follows says that
    /// it follows nothing, which is found for ever.
    ///
    /// # Errors
    /// The head is proved by a key that the keyring lacks.
    pub(crate) fn of(stored: Option<&StoredHead>, keyring: &'k Keyring) -> Result<Self, StoreError> {
        let key = keyring.sealing_key()?;
        let Some(stored) = stored else { return Ok(Self::broken(key, Head::genesis(0, 0))) };
        if let Some(lacking) = KeyId::from_bytes(&stored.key_id).filter(|_| keyring.key(&stored.key_id).is_none()) {
            return Err(StoreError::Unreadable(format!(
                "the end of the log is proved by key {lacking}, which is not in the keyring"
            )));
        }
        Ok(match stored.checked(keyring) {
            Some(head) => Self { key, head, is_broken: false },
            None => Self::broken(key, Head::genesis(stored.chain, stored.began)),
        })
    }

    fn broken(key: &'k SealingKey, head: Head) -> Self {
        tracing::error!("the head of the journal's chain was changed or removed; see `hookwright log verify`");
        Self { key, head, is_broken: true }
    }

    /// Makes the chain longer by a chunk that gets this number of the journal.
    pub(crate) fn add(&mut self, seq: i64, content: &Content<'_>) -> Proof {
        let is_broken = std::mem::take(&mut self.is_broken);
        if is_broken {
            // Higher than any link before, so that none is there twice.
            self.head.strands.iter_mut().for_each(|strand| strand.links = seq.saturating_sub(1));
        }
        let strand = self.head.strand(content.kind);
        let spot = Spot { chain: self.head.chain, link: strand.links.saturating_add(1), seq };
        let previous = (!is_broken).then_some(&strand.hmac);
        let hmac = link_hmac(self.key, spot, previous, content);
        *self.head.strand_mut(content.kind) = Strand { links: spot.link, hmac };
        Proof { spot, key_id: *self.key.id_bytes(), hmac }
    }

    /// Where the chain ends now.
    #[cfg(test)]
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// The new head.
    pub(crate) fn head_arguments(&self) -> [Argument; 8] {
        self.head.arguments(self.key)
    }

    /// What writes the new head.
    pub(crate) fn head_statement(&self) -> Statement {
        Statement::new(WRITE_HEAD, self.head_arguments().into())
    }
}

/// Chunks of one strand that retention has removed, from one link to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) chain: i64,
    pub(crate) kind: Kind,
    pub(crate) links: (i64, i64),
    pub(crate) seqs: (i64, i64),
    /// That of the last one.
    pub(crate) hmac: Hmac,
}

impl Gap {
    fn mac(&self, key: &SealingKey) -> Hmac {
        let mut text = vec![GAP, self.kind as u8];
        for number in [self.chain, self.links.0, self.links.1, self.seqs.0, self.seqs.1] {
            text.extend_from_slice(&number.to_le_bytes());
        }
        key.hmac(&[&text, &self.hmac])
    }

    /// What writes it.
    pub(crate) fn statement(&self, key: &SealingKey) -> Statement {
        let arguments = vec![
            Argument::Integer(self.chain),
            Argument::Fixed(self.kind.as_str()),
            Argument::Integer(self.links.0),
            Argument::Integer(self.links.1),
            Argument::Integer(self.seqs.0),
            Argument::Integer(self.seqs.1),
            Argument::Bytes(self.hmac.to_vec()),
            Argument::Bytes(key.id_bytes().to_vec()),
            Argument::Bytes(self.mac(key).to_vec()),
        ];
        Statement::new(
            "INSERT INTO journal_gaps (chain, kind, first_link, last_link, first_seq, last_seq, hmac, key_id, mac) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (chain, kind, first_link) DO UPDATE SET \
             last_link = excluded.last_link, first_seq = excluded.first_seq, last_seq = excluded.last_seq, \
             hmac = excluded.hmac, key_id = excluded.key_id, mac = excluded.mac",
            arguments,
        )
    }
}

/// A gap as it is stored; nothing in it is believed yet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StoredGap {
    pub(crate) chain: i64,
    pub(crate) kind: String,
    pub(crate) first_link: i64,
    pub(crate) last_link: i64,
    pub(crate) first_seq: i64,
    pub(crate) last_seq: i64,
    pub(crate) hmac: Vec<u8>,
    pub(crate) key_id: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

impl StoredGap {
    /// The gap, if one of our keys vouches for it.
    pub(crate) fn checked(&self, keyring: &Keyring) -> Option<Gap> {
        let gap = Gap {
            chain: self.chain,
            kind: Kind::from_text(&self.kind)?,
            links: (self.first_link, self.last_link),
            seqs: (self.first_seq, self.last_seq),
            hmac: self.hmac.as_slice().try_into().ok()?,
        };
        same(&gap.mac(keyring.key(&self.key_id)?), &self.mac).then_some(gap)
    }
}

/// Compares HMACs in constant time.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
