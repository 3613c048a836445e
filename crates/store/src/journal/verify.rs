//! Following the chains link by link, without a database: what fits, what is missing, what was tampered with.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use super::chain::{Content, Gap, Head, Spot, StoredGap, StoredHead, Strand, link_hmac, same};
use super::chunk::Kind;
use super::proof::{BreakKind, LogHead};
use crate::keyring::Keyring;

/// A chunk as it is stored; nothing in it is believed yet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StoredChunk {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) items: i64,
    pub(crate) octets: i64,
    pub(crate) verdicts: i64,
    pub(crate) id_tails: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) chain: Option<i64>,
    pub(crate) link: Option<i64>,
    pub(crate) key_id: Option<Vec<u8>>,
    pub(crate) hmac: Option<Vec<u8>>,
}

impl StoredChunk {
    fn content(&self, kind: Kind) -> Content<'_> {
        Content {
            kind,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            items: self.items,
            octets: self.octets,
            verdicts: self.verdicts,
            id_tails: &self.id_tails,
            body: &self.body,
        }
    }
}

/// A link of a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkName {
    pub(crate) chain: i64,
    pub(crate) kind: Kind,
    pub(crate) link: i64,
}

/// What a chunk turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The next link of its strand.
    Fits,
    /// From before the chains began.
    Before,
    /// It is ahead: this link should come first. If retention has removed that, see [`Verifier::skip`] and look again.
    Ahead(LinkName),
    /// It stands where this link should, and is not what was written there.
    Altered(LinkName),
    /// It has no right to be there, and this is why.
    Broken(BreakKind),
}

/// Whether a gap can be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    Done,
    /// It reaches beyond the number that was asked for.
    TooLong,
    /// None of our keys vouches for it, or it is of another place.
    NotOurs,
}

struct Walked {
    head: Head,
    at: [Strand; 2],
    /// The number of the last chunk of each strand.
    seqs: [Option<i64>; 2],
    /// One of our keys vouches for the head.
    is_believed: bool,
}

/// How far the chains were followed.
pub(crate) struct Verifier<'k> {
    keyring: &'k Keyring,
    chains: BTreeMap<i64, Walked>,
    /// What is wrong with the heads; found last, since what is wrong before is of more interest.
    bad_head: Option<BreakKind>,
    last_seq: i64,
}

impl<'k> Verifier<'k> {
    /// Begins in front of the first chunk of these chains, of which there should be so many.
    pub(crate) fn new(keyring: &'k Keyring, heads: &[StoredHead], chains: i64) -> Self {
        let mut bad_head = None;
        let mut walked = BTreeMap::new();
        for stored in heads {
            let checked = stored.checked(keyring);
            let is_believed = checked.is_some();
            let head = checked.unwrap_or_else(|| {
                let known = keyring.key(&stored.key_id).is_some();
                bad_head = Some(if known { BreakKind::HeadChanged } else { BreakKind::UnknownKey });
                Head::genesis(stored.chain, stored.began)
            });
            let at = Head::genesis(head.chain, head.began).strands;
            walked.insert(head.chain, Walked { head, at, seqs: [None; 2], is_believed });
        }
        if !(0..chains).all(|chain| walked.contains_key(&chain)) {
            bad_head = Some(BreakKind::HeadChanged);
        }
        Self { keyring, chains: walked, bad_head, last_seq: 0 }
    }

    /// Looks at the next chunk, in the order of their numbers.
    pub(crate) fn look(&mut self, chunk: &StoredChunk) -> Finding {
        if chunk.seq <= 0 {
            // Numbers begin at one.
            return Finding::Broken(BreakKind::Inserted);
        }
        if self.is_from_before(chunk.seq) {
            self.last_seq = chunk.seq;
            return Finding::Before;
        }
        let (chain, link, key_id, hmac) = match (chunk.chain, chunk.link, &chunk.key_id, &chunk.hmac) {
            (Some(chain), Some(link), Some(key_id), Some(hmac)) => (chain, link, key_id, hmac),
            (None, None, None, None) => return Finding::Broken(BreakKind::Inserted),
            _ => return Finding::Broken(BreakKind::Edited),
        };
        let Some(kind) = Kind::from_text(&chunk.kind) else { return Finding::Broken(BreakKind::Edited) };
        let Some(walked) = self.chains.get_mut(&chain) else { return Finding::Broken(BreakKind::HeadChanged) };
        let Some(key) = self.keyring.key(key_id) else { return Finding::Broken(BreakKind::UnknownKey) };
        let is_believed = walked.is_believed;
        let (at, seq) = walked.strand(kind);
        let spot = Spot { chain, link, seq: chunk.seq };
        let content = chunk.content(kind);
        let next = LinkName { chain, kind, link: at.links.saturating_add(1) };
        let fits = link == next.link && same(&link_hmac(key, spot, Some(&at.hmac), &content), hmac);
        if fits && let Ok(hmac) = hmac.as_slice().try_into() {
            *at = Strand { links: link, hmac };
            *seq = Some(chunk.seq);
            self.last_seq = chunk.seq;
            return Finding::Fits;
        }
        // Where a chain began is under the HMAC of its first link.
        let is_about_the_beginning = link == 1 && next.link == 1 && !is_believed;
        if is_about_the_beginning || same(&link_hmac(key, spot, None, &content), hmac) {
            return Finding::Broken(BreakKind::HeadChanged);
        }
        match link.cmp(&next.link) {
            std::cmp::Ordering::Less => Finding::Broken(BreakKind::Inserted),
            std::cmp::Ordering::Equal => Finding::Altered(next),
            std::cmp::Ordering::Greater => Finding::Ahead(next),
        }
    }

    /// All chains began at the same place, and each head vouches for it.
    fn is_from_before(&self, seq: i64) -> bool {
        self.chains.values().map(|walked| walked.head.began).min().is_some_and(|began| seq <= began)
    }

    /// Passes a gap that begins at the next link of its strand, if it ends at or before this number.
    pub(crate) fn skip(&mut self, stored: &StoredGap, until: i64) -> Skip {
        let Some(Gap { chain, kind, links, seqs, hmac }) = stored.checked(self.keyring) else { return Skip::NotOurs };
        let Some(walked) = self.chains.get_mut(&chain) else { return Skip::NotOurs };
        let (at, seq) = walked.strand(kind);
        if at.links.checked_add(1) != Some(links.0) || links.1 < links.0 {
            return Skip::NotOurs;
        }
        if seqs.1 > until {
            return Skip::TooLong;
        }
        *at = Strand { links: links.1, hmac };
        *seq = None;
        self.last_seq = self.last_seq.max(seqs.1);
        Skip::Done
    }

    /// The next link of every strand.
    pub(crate) fn next_links(&self) -> Vec<LinkName> {
        let each = self.chains.iter().flat_map(|(chain, walked)| {
            Kind::ALL.into_iter().zip(walked.at).map(|(kind, at)| (*chain, kind, at.links))
        });
        each.map(|(chain, kind, links)| LinkName { chain, kind, link: links.saturating_add(1) }).collect()
    }

    /// The number of the last chunk of a strand, if retention did not remove it.
    pub(crate) fn last_of(&self, chain: i64, kind: Kind) -> Option<i64> {
        let [executions, events] = self.chains.get(&chain)?.seqs;
        match kind {
            Kind::Executions => executions,
            Kind::Events => events,
        }
    }

    /// What is wrong at the end: a link that is missing, with the number of the last one, or the head.
    pub(crate) fn end(&self) -> Option<(BreakKind, Option<(LinkName, i64)>)> {
        if let Some(bad) = self.bad_head {
            return Some((bad, None));
        }
        for (chain, walked) in &self.chains {
            for ((kind, at), head) in Kind::ALL.into_iter().zip(walked.at).zip(walked.head.strands) {
                if at.links < head.links {
                    let next = LinkName { chain: *chain, kind, link: at.links.saturating_add(1) };
                    return Some((BreakKind::Removed, Some((next, head.links))));
                }
                if at != head {
                    return Some((BreakKind::HeadChanged, None));
                }
            }
        }
        None
    }

    /// What the log is up to here, in a few characters.
    pub(crate) fn head(&self) -> LogHead {
        let mut text = b"hookwright journal head".to_vec();
        for (chain, walked) in &self.chains {
            for (kind, at) in Kind::ALL.into_iter().zip(walked.at).filter(|(_, at)| at.links > 0) {
                text.extend_from_slice(&chain.to_le_bytes());
                text.push(kind as u8);
                text.extend_from_slice(&at.links.to_le_bytes());
                text.extend_from_slice(&at.hmac);
            }
        }
        let mut hash = [0; 8];
        hash.iter_mut().zip(digest(&SHA256, &text).as_ref()).for_each(|(target, source)| *target = *source);
        LogHead { position: self.last_seq, hash: u64::from_be_bytes(hash) }
    }
}

impl Walked {
    /// Where a strand is, and the number of its last chunk.
    fn strand(&mut self, kind: Kind) -> (&mut Strand, &mut Option<i64>) {
        let ([executions, events], [executions_seq, events_seq]) = (&mut self.at, &mut self.seqs);
        match kind {
            Kind::Executions => (executions, executions_seq),
            Kind::Events => (events, events_seq),
        }
    }
}

#[cfg(test)]
mod tests;
