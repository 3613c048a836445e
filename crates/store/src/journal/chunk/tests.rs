use hookwright_contract::HookType;
use hookwright_model::execution::{Actor, Attempt, Origin, Trigger};
use proptest::prelude::*;

use super::*;

fn records(executions: &[Execution]) -> Result<Vec<Chunk>, StoreError> {
    let mut chunks = Vec::new();
    for execution in executions {
        pack_into(&mut chunks, execution, &mut Vec::new())?;
    }
    Ok(chunks)
}

fn execution(number: u64, hook: &str, bodies: &[&[u8]]) -> Execution {
    let attempt = |body: &&[u8]| Attempt {
        started_after_us: 3,
        duration_us: 5,
        status: Some(200),
        content_type: None,
        reused_connection: true,
        peer: Some("192.0.2.1:443".to_owned()),
        failure: None,
        body: stored_body(body),
    };
    let actor = Actor {
        id: "00T1".to_owned(),
        kind: "PublicClientApp".to_owned(),
        display_name: "token".to_owned(),
        alternate_id: "token".to_owned(),
    };
    Execution {
        id: ExecutionId::from_text(format!("exe{number:017}")),
        summary: ExecutionSummary {
            hook_id: hook.into(),
            hook_name: "Hook".to_owned(),
            hook_type: HookType::Registration,
            url: "https://example.com/".into(),
            trigger: Trigger::Execute,
            actor,
            origin: Origin::default(),
            event_id: Some("event".into()),
            request_type: None,
            started_ms: 1_000,
            duration_us: 2_500_999,
            verdict: Verdict::Answered,
            failure: None,
            effect: None,
            attempts: bodies.iter().map(attempt).collect(),
        },
        request: stored_body(b"{\"a\": 1}"),
    }
}

fn decode(chunk: &Chunk) -> Vec<Execution> {
    items(chunk.kind.as_str(), &chunk.body).unwrap().iter().map(|item| item.decode_execution().unwrap()).collect()
}

#[test]
fn executions_come_back_as_they_went_in() {
    let executions =
        [execution(1, "cal1", &[]), execution(2, "cal2", &[b"", b"\xff\x00answer"]), execution(3, "cal1", &[b"x"])];
    let chunks = records(&executions).unwrap();
    assert_eq!(chunks.len(), 1);
    assert_eq!(decode(&chunks[0]), executions);
    assert_eq!(chunks[0].hooks.len(), 2);
    assert_eq!(items("executions", &chunks[0].body).unwrap()[0].published, Timestamp::from_millis(3_500));
}

#[test]
fn a_chunk_is_bounded_in_items_and_bytes() {
    let many: Vec<Execution> = (0..600).map(|number| execution(number, "cal1", &[])).collect();
    let sizes: Vec<i64> = records(&many).unwrap().iter().map(|chunk| chunk.items).collect();
    assert_eq!(sizes, [256, 256, 88]);
    let large = vec![b'x'; 400 << 10];
    let big: Vec<Execution> = (0..5).map(|number| execution(number, "cal1", &[&large])).collect();
    let sizes: Vec<i64> = records(&big).unwrap().iter().map(|chunk| chunk.items).collect();
    assert_eq!(sizes, [3, 2]);
    assert!(records(&[]).unwrap().is_empty());
}

#[test]
fn merged_chunks_read_as_one_and_stay_within_bounds() {
    let mut left = records(&[execution(1, "cal1", &[b"1"])]).unwrap().remove(0);
    let right = records(&[execution(2, "cal2", &[b"2"])]).unwrap().remove(0);
    assert!(left.fits(&right));
    left.merge(&right);
    assert_eq!(decode(&left), [execution(1, "cal1", &[b"1"]), execution(2, "cal2", &[b"2"])]);
    assert_eq!((left.items, left.hooks.len()), (2, 2));
    let full = records(&(0..256).map(|number| execution(number, "cal3", &[])).collect::<Vec<_>>()).unwrap().remove(0);
    assert!(!left.fits(&full), "too many items together");
    assert!(!left.fits(&Chunk::new(Kind::Events)), "another kind");
    assert_eq!(left.items, 2);
}

#[test]
fn a_chunk_lists_the_ids_in_it() {
    let chunk = records(&[execution(1, "cal1", &[]), execution(2, "cal1", &[])]).unwrap().remove(0);
    assert!(lists(&chunk.id_tails, &execution(1, "", &[]).id));
    assert!(lists(&chunk.id_tails, &execution(2, "", &[]).id));
    assert!(!lists(&chunk.id_tails, &execution(3, "", &[]).id));
    assert!(!lists(&chunk.id_tails, &ExecutionId::from_text("x")));
}

#[test]
fn each_verdict_has_its_own_bit() {
    let bits: BTreeSet<i64> = Verdict::ALL.into_iter().map(verdict_bit).collect();
    assert_eq!(bits.len(), Verdict::ALL.len());
    assert!(!bits.contains(&0));
    assert_eq!(verdict_bit(Verdict::Answered), 1, "the order of the verdicts is part of the stored form");
    assert_eq!(verdict_bit(Verdict::TokenRefused), 1 << 9);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(kind in "executions|events|", body in prop::collection::vec(any::<u8>(), 0..200)) {
        for item in items(&kind, &body).unwrap_or_default() {
            let _ = item.decode();
        }
    }

    #[test]
    fn a_damaged_chunk_gives_an_error_or_items_but_no_panic(position in 0_usize..600, value in any::<u8>()) {
        let executions = [execution(1, "cal1", &[b"answer"]), execution(2, "cal1", &[])];
        let mut chunk = records(&executions).unwrap().remove(0);
        if let Some(byte) = chunk.body.get_mut(position) {
            *byte = value;
        }
        for item in items("executions", &chunk.body).unwrap_or_default() {
            let _ = item.decode();
        }
    }

    #[test]
    fn any_bodies_come_back(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..4)) {
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let chunk = records(&[execution(1, "cal1", &bodies)]).unwrap().remove(0);
        prop_assert_eq!(decode(&chunk), [execution(1, "cal1", &bodies)]);
    }
}

#[test]
fn records_that_are_alike_are_stored_packed_and_come_back_whole() {
    let executions: Vec<_> = (0..50).map(|number| execution(number, "cal1", &[b"an answer"])).collect();
    let body = records(&executions).unwrap().remove(0).body;
    let stored = super::pack(&body);
    assert!(stored.len() * 4 < body.len(), "{} of {}", stored.len(), body.len());
    assert_eq!(unpack(&stored).unwrap(), body);
    let short = vec![FORMAT];
    assert_eq!(super::pack(&short), short, "what packing makes longer stays as it is");
    assert_eq!(unpack(&short).unwrap(), short);
}

#[test]
fn a_damaged_block_is_told_and_takes_no_memory() {
    let mut stored = super::pack(&[FORMAT; 4096]);
    assert_eq!(stored[0], PACKED);
    stored[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(unpack(&stored).is_err(), "a length that the block can't hold");
    for end in 0..stored.len() {
        assert!(unpack(&stored[..end]).is_err() || end == 0, "cut at {end}");
    }
}
