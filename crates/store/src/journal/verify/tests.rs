use std::sync::Mutex;

use hookwright_model::Entropy;
use proptest::prelude::*;

use super::*;
use crate::journal::chain::Extension;

/// Counts up, so that each key is another.
struct Counting(Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        *state += 1;
        buffer.fill(*state);
    }
}

fn keyring() -> Keyring {
    let entropy = Counting(Mutex::new(0));
    Keyring::in_memory(&entropy).with_fresh_key(&entropy)
}

/// A log of these kinds, and the head that says where it ends.
fn log(kinds: &[bool], keyring: &Keyring) -> (Vec<StoredChunk>, StoredHead) {
    let key = keyring.sealing_key().unwrap();
    let mut head = stored(&Head::genesis(0, 0), key);
    let mut chunks = Vec::new();
    for (seq, is_event) in (1_i64..).zip(kinds) {
        let kind = if *is_event { Kind::Events } else { Kind::Executions };
        let mut chunk = StoredChunk {
            seq,
            kind: kind.as_str().to_owned(),
            first_ms: seq * 10,
            last_ms: seq * 10 + 3,
            items: 2,
            octets: 20,
            verdicts: 1,
            id_tails: vec![1; 8],
            body: format!("body {seq}").into_bytes(),
            chain: None,
            link: None,
            key_id: None,
            hmac: None,
        };
        let mut extension = Extension::of(Some(&head), keyring).unwrap();
        let proof = extension.add(seq, &chunk.content(kind));
        chunk.chain = Some(proof.spot.chain);
        chunk.link = Some(proof.spot.link);
        chunk.key_id = Some(proof.key_id.to_vec());
        chunk.hmac = Some(proof.hmac.to_vec());
        head = stored(&extension.head(), key);
        chunks.push(chunk);
    }
    (chunks, head)
}

fn stored(head: &Head, key: &crate::seal::SealingKey) -> StoredHead {
    let [executions, events] = head.strands;
    StoredHead {
        chain: head.chain,
        began: head.began,
        executions_links: executions.links,
        executions_hmac: executions.hmac.to_vec(),
        events_links: events.links,
        events_hmac: events.hmac.to_vec(),
        key_id: key.id_bytes().to_vec(),
        mac: head.mac(key).to_vec(),
    }
}

/// The number of the first chunk that does not fit, or the end if that is wrong.
fn first_break(chunks: &[StoredChunk], head: &StoredHead, keyring: &Keyring) -> Option<i64> {
    let mut verifier = Verifier::new(keyring, std::slice::from_ref(head), 1);
    for chunk in chunks {
        if verifier.look(chunk) != Finding::Fits {
            return Some(chunk.seq);
        }
    }
    verifier.end().map(|_| i64::MAX)
}

proptest! {
    #[test]
    fn a_log_that_nobody_touched_is_whole(kinds in prop::collection::vec(any::<bool>(), 0..40)) {
        let keyring = keyring();
        let (chunks, head) = log(&kinds, &keyring);
        prop_assert_eq!(first_break(&chunks, &head, &keyring), None);
    }

    #[test]
    fn whatever_is_changed_in_a_chunk_is_found_there(
        kinds in prop::collection::vec(any::<bool>(), 1..20),
        place in any::<prop::sample::Index>(),
        field in 0..13,
        bit in 0..8_u32,
        byte in any::<prop::sample::Index>(),
    ) {
        let keyring = keyring();
        let (mut chunks, head) = log(&kinds, &keyring);
        let chunk = place.get(&chunks).seq;
        let changed = &mut chunks[usize::try_from(chunk - 1).unwrap()];
        let flip = |bytes: &mut Vec<u8>| {
            let at = byte.index(bytes.len());
            bytes[at] ^= 1 << bit;
        };
        match field {
            0 => changed.kind = if changed.kind == "events" { "executions" } else { "events" }.to_owned(),
            1 => changed.first_ms ^= 1 << bit,
            2 => changed.last_ms ^= 1 << bit,
            3 => changed.items ^= 1 << bit,
            4 => changed.octets ^= 1 << bit,
            5 => changed.verdicts ^= 1 << bit,
            6 => flip(&mut changed.id_tails),
            7 => flip(&mut changed.body),
            8 => changed.body.push(0),
            9 => changed.chain = Some(1),
            10 => changed.link = changed.link.map(|link| link + 1),
            11 => flip(changed.key_id.as_mut().unwrap()),
            _ => flip(changed.hmac.as_mut().unwrap()),
        }
        prop_assert_eq!(first_break(&chunks, &head, &keyring), Some(chunk));
    }

    #[test]
    fn whatever_is_removed_copied_or_moved_is_found(
        kinds in prop::collection::vec(any::<bool>(), 2..20),
        place in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        what in 0..3,
    ) {
        let keyring = keyring();
        let (mut chunks, head) = log(&kinds, &keyring);
        let (at, other) = (place.index(chunks.len()), other.index(chunks.len()));
        match what {
            0 => { chunks.remove(at); }
            1 => {
                let mut copy = chunks[at].clone();
                copy.seq = i64::try_from(chunks.len()).unwrap() + 1;
                chunks.push(copy);
            }
            _ => {
                prop_assume!(at != other);
                let (one, two) = (chunks[at].seq, chunks[other].seq);
                chunks[at].seq = two;
                chunks[other].seq = one;
                chunks.sort_by_key(|chunk| chunk.seq);
            }
        }
        prop_assert!(first_break(&chunks, &head, &keyring).is_some());
    }

    #[test]
    fn no_head_but_the_last_one_fits(kinds in prop::collection::vec(any::<bool>(), 1..20), earlier in any::<prop::sample::Index>()) {
        let keyring = keyring();
        let (mut chunks, head) = log(&kinds, &keyring);
        let shorter = earlier.index(chunks.len());
        let (_, old) = log(&kinds[..shorter], &keyring);
        prop_assert_eq!(first_break(&chunks, &old, &keyring), Some(i64::MAX));
        // An end that is cut off, with a head that says so but that nobody vouches for.
        let forged = StoredHead { mac: head.mac.clone(), key_id: head.key_id.clone(), ..old };
        chunks.truncate(shorter);
        prop_assert_eq!(first_break(&chunks, &forged, &keyring), Some(i64::MAX));
    }
}

#[test]
fn a_chain_that_goes_on_behind_a_head_that_was_changed_says_so_for_ever() {
    let keyring = keyring();
    let key = keyring.sealing_key().unwrap();
    let (chunks, mut head) = log(&[true, true, true], &keyring);
    head.events_links = 2;
    let mut extension = Extension::of(Some(&head), &keyring).unwrap();
    let mut next = chunks[2].clone();
    let proof = extension.add(next.seq, &chunks[2].content(Kind::Events));
    (next.link, next.hmac) = (Some(proof.spot.link), Some(proof.hmac.to_vec()));
    let mut verifier = Verifier::new(&keyring, &[stored(&extension.head(), key)], 1);
    assert_eq!(verifier.look(&chunks[0]), Finding::Fits);
    assert_eq!(verifier.look(&chunks[1]), Finding::Fits);
    assert_eq!(verifier.look(&next), Finding::Broken(BreakKind::HeadChanged));
}

#[test]
fn a_key_that_the_keyring_lacks_is_named() {
    let (one, other) = (keyring(), Keyring::in_memory(&Counting(Mutex::new(100))));
    let (chunks, head) = log(&[true], &one);
    let mut verifier = Verifier::new(&other, &[head], 1);
    assert_eq!(verifier.look(&chunks[0]), Finding::Broken(BreakKind::UnknownKey));
}
