//! The log proves itself: whatever is done to it beside us is found, and what we do to it is not.

use hookwright_store::{BreakKind, Change, Direction, JournalScan, LogBreak, LogHead, LogProof, Store};

use crate::fixture::{Fixture, Seeded, on_both_engines, settled};
use crate::samples::{after, event, execution, hook};

on_both_engines! {
    a_log_that_nobody_touched_is_whole,
    each_kind_of_tampering_is_found_and_named,
    whatever_is_done_to_the_end_of_the_log_is_found,
    a_break_tells_where_it_is,
    retention_leaves_a_log_that_can_be_checked,
    retention_hides_nothing_that_was_removed_before,
    a_log_outlives_the_change_of_its_keys,
    writing_on_does_not_make_a_changed_end_good,
    a_log_that_was_rolled_back_is_not_the_one_that_was_noted,
    a_noted_head_is_compared_as_long_as_retention_left_what_it_is_about,
    records_from_before_the_chain_are_told_apart_and_nothing_can_be_put_among_them,
    two_nodes_that_write_at_once_keep_one_provable_log,
    a_node_without_the_key_of_the_last_chunk_writes_nothing_rather_than_break_the_log,
    a_log_is_checked_beside_writes_and_retention,
    a_change_whose_event_cannot_be_written_does_not_happen,
}

/// Executions and events in single chunks: those of even numbers are events.
async fn fill(store: &Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let change = if number.is_multiple_of(2) {
            Change::AppendEvents(vec![event(number)])
        } else {
            Change::AppendExecution(execution(number))
        };
        store.commit(vec![change]).await.unwrap();
    }
}

async fn verify(store: &Store) -> LogProof {
    store.verify_log(None).await.unwrap()
}

async fn broken(store: &Store) -> LogBreak {
    verify(store).await.broken.unwrap()
}

/// The log is whole, and this is its head.
async fn head(store: &Store) -> LogHead {
    let proof = verify(store).await;
    assert_eq!(proof.broken, None);
    proof.head.unwrap()
}

async fn a_log_that_nobody_touched_is_whole(fixture: Fixture) {
    let store = fixture.open().await;
    let empty = verify(&store).await;
    assert_eq!((empty.chunks, empty.items, empty.broken), (0, 0, None));
    fill(&store, 0..20).await;
    store
        .commit(vec![Change::AppendEvents((100..500).map(event).collect()), Change::AppendExecution(execution(600))])
        .await
        .unwrap();
    for number in 1_000..1_600 {
        store.record(execution(number)).await;
    }
    settled(&store).await;
    let proof = verify(&store).await;
    assert_eq!((proof.items, proof.unproved_items, proof.removed_chunks, &proof.broken), (1_021, 0, 0, &None));
    assert_eq!(proof.head, Some(head(&store).await));
    store.close().await;
    let store = fixture.open().await;
    assert_eq!(head(&store).await, proof.head.unwrap());
    fill(&store, 2_000..2_002).await;
    let now = head(&store).await;
    assert_ne!(now, proof.head.unwrap());
    assert_eq!(now.to_string().parse(), Ok(now));
}

/// A fresh log of ten chunks, of which the fifth, an event, has this number.
async fn ten_chunks(fixture: &Fixture) -> (Store, i64) {
    let store = fixture.open().await;
    fill(&store, 0..10).await;
    let fifth = fixture.number("SELECT max(seq) - 5 FROM journal").await;
    (store, fifth)
}

/// As somebody does it who has the database and not the keys; the rows before are put back afterwards.
async fn each_kind_of_tampering_is_found_and_named(fixture: Fixture) {
    let (is_sqlite, store) = (fixture.url.starts_with("sqlite:"), fixture.open().await);
    fill(&store, 0..10).await;
    let flip = if is_sqlite {
        "UPDATE journal SET body = unhex(substr(hex(body), 1, length(hex(body)) - 2) || '00') WHERE seq = 5"
    } else {
        "UPDATE journal SET body = set_byte(body, length(body) - 1, 0) WHERE seq = 5"
    };
    let columns = "kind, first_ms, last_ms, items, octets, verdicts, id_tails, body";
    let copy = |target: &str, proof: &str, from: i64| {
        format!(
            "INSERT INTO journal (seq, {columns}{proof}) SELECT {target}, {columns}{proof} FROM journal WHERE seq = {from}"
        )
    };
    let proof = ", chain, link, key_id, hmac";
    for (what, sql, kind, position) in [
        ("a byte", flip.to_owned(), BreakKind::Edited, Some(5)),
        ("a time", "UPDATE journal SET last_ms = last_ms + 1 WHERE seq = 5".to_owned(), BreakKind::Edited, Some(5)),
        ("a count", "UPDATE journal SET verdicts = 0 WHERE seq = 4".to_owned(), BreakKind::Edited, Some(4)),
        ("an HMAC", "UPDATE journal SET hmac = id_tails WHERE seq = 4".to_owned(), BreakKind::Edited, Some(4)),
        (
            "content",
            "UPDATE journal SET body = (SELECT body FROM journal WHERE seq = 3) WHERE seq = 5".to_owned(),
            BreakKind::Edited,
            Some(5),
        ),
        ("a key", "UPDATE journal SET key_id = hmac WHERE seq = 5".to_owned(), BreakKind::UnknownKey, Some(5)),
        ("removed", "DELETE FROM journal WHERE seq = 5".to_owned(), BreakKind::Removed, Some(7)),
        ("the first", "DELETE FROM journal WHERE seq IN (1, 3)".to_owned(), BreakKind::Removed, Some(5)),
        (
            "proofs removed",
            "UPDATE journal SET chain = NULL, link = NULL, key_id = NULL, hmac = NULL WHERE seq = 6".to_owned(),
            BreakKind::Inserted,
            Some(6),
        ),
        ("forged", copy("900", "", 5), BreakKind::Inserted, Some(900)),
        ("copied", copy("900", proof, 5), BreakKind::Inserted, Some(900)),
        ("forged between", copy("-7", proof, 5), BreakKind::Inserted, Some(-7)),
        (
            "swapped",
            "UPDATE journal SET seq = CASE seq WHEN 105 THEN 7 ELSE 5 END WHERE seq IN (105, 107)".to_owned(),
            BreakKind::Reordered,
            Some(5),
        ),
        ("moved to the end", "UPDATE journal SET seq = 901 WHERE seq = 5".to_owned(), BreakKind::Reordered, Some(7)),
    ] {
        fixture.tamper("CREATE TABLE kept AS SELECT * FROM journal").await;
        fixture.tamper("DELETE FROM journal_hooks").await;
        if what == "swapped" {
            fixture.tamper("UPDATE journal SET seq = seq + 100 WHERE seq IN (5, 7)").await;
        }
        assert!(fixture.tamper(&sql).await >= 1, "{what}");
        let found = broken(&store).await;
        assert_eq!((found.kind, found.at.map(|at| at.position)), (kind, position), "{what}");
        fixture.tamper("DELETE FROM journal").await;
        fixture.tamper("INSERT INTO journal SELECT * FROM kept").await;
        fixture.tamper("DROP TABLE kept").await;
        head(&store).await;
    }
}

async fn whatever_is_done_to_the_end_of_the_log_is_found(fixture: Fixture) {
    let (store, _) = ten_chunks(&fixture).await;
    for (sql, kind) in [
        ("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)", BreakKind::Removed),
        ("UPDATE journal_chains SET events_links = events_links - 1 WHERE events_links > 0", BreakKind::HeadChanged),
        ("UPDATE journal_chains SET began = 900", BreakKind::HeadChanged),
        ("UPDATE journal_chains SET key_id = mac", BreakKind::UnknownKey),
        ("DELETE FROM journal_chains WHERE chain = 0", BreakKind::HeadChanged),
        ("DELETE FROM journal_chains", BreakKind::HeadChanged),
        ("DELETE FROM journal", BreakKind::Removed),
    ] {
        for table in ["journal", "journal_chains"] {
            fixture.tamper(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        fixture.tamper(sql).await;
        let found = broken(&store).await;
        assert_eq!(found.kind, kind, "{sql}");
        if kind == BreakKind::Removed {
            assert!(found.missing >= Some(1) && found.at.is_none(), "{sql}: {found:?}");
        }
        for table in ["journal", "journal_chains"] {
            fixture.tamper(&format!("DELETE FROM {table}")).await;
            fixture.tamper(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
            fixture.tamper(&format!("DROP TABLE kept_{table}")).await;
        }
        head(&store).await;
    }
}

async fn a_break_tells_where_it_is(fixture: Fixture) {
    let (store, fifth) = ten_chunks(&fixture).await;
    fixture.tamper(&format!("DELETE FROM journal WHERE seq = {fifth}")).await;
    let found = broken(&store).await;
    let (at, before) = (found.at.unwrap(), found.after.unwrap());
    assert_eq!((found.kind, found.missing), (BreakKind::Removed, Some(1)));
    assert_eq!((at.position, before.position), (fifth + 2, fifth - 2));
    assert_eq!(at.ids, [event(6).uuid]);
    assert_eq!(before.ids, [event(2).uuid]);
    assert_eq!((at.from, at.until), (event(6).published, event(6).published));
}

async fn retention_leaves_a_log_that_can_be_checked(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 0..150).await;
    let before = verify(&store).await;
    store.apply_retention(after(50), u64::MAX).await.unwrap();
    let proof = verify(&store).await;
    assert_eq!(proof.broken, None);
    assert_eq!((proof.chunks + proof.removed_chunks, proof.head), (before.chunks, before.head));
    assert!(proof.removed_chunks >= 49, "{proof:?}");
    // Executions go first, and leave gaps of one strand only.
    store.apply_retention(after(-1), 15_000).await.unwrap();
    assert_eq!(head(&store).await, before.head.unwrap());
    // Neighbouring gaps are one: at most one for each strand of each chain that was written to.
    let gaps =
        "SELECT count(*) - count(DISTINCT chain * 2 + CASE kind WHEN 'events' THEN 1 ELSE 0 END) FROM journal_gaps";
    assert_eq!(fixture.number(gaps).await, 0);
    fill(&store, 200..210).await;
    let grown = head(&store).await;
    store.apply_retention(after(1_000), u64::MAX).await.unwrap();
    let proof = verify(&store).await;
    assert_eq!((proof.chunks, proof.removed_chunks, &proof.broken), (0, 160, &None));
    assert_eq!(proof.head, Some(grown));
    fill(&store, 300..310).await;
    assert_eq!(verify(&store).await.chunks, 10);
    // What retention noted can't be changed either.
    fixture.tamper("UPDATE journal_gaps SET last_link = last_link - 1").await;
    assert_eq!(broken(&store).await.kind, BreakKind::Removed);
}

async fn retention_hides_nothing_that_was_removed_before(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 0..40).await;
    let stolen =
        fixture.number("SELECT seq FROM journal WHERE first_ms = (SELECT min(first_ms) + 20 FROM journal)").await;
    assert_eq!(fixture.tamper(&format!("DELETE FROM journal WHERE seq = {stolen}")).await, 1);
    assert_eq!(broken(&store).await.kind, BreakKind::Removed);
    store.apply_retention(after(30), u64::MAX).await.unwrap();
    assert_eq!(broken(&store).await.kind, BreakKind::Removed);
    store.apply_retention(after(1_000), u64::MAX).await.unwrap();
    let found = broken(&store).await;
    assert_eq!(found.kind, BreakKind::Removed);
}

async fn a_log_outlives_the_change_of_its_keys(fixture: Fixture) {
    let mut fixture = fixture;
    let store = fixture.open().await;
    fill(&store, 0..6).await;
    let fresh = fixture.keyring.with_fresh_key(&Seeded::new(2));
    store.use_keyring(fresh.clone()).await.unwrap();
    fill(&store, 6..12).await;
    store.apply_retention(after(3), u64::MAX).await.unwrap();
    let whole = head(&store).await;
    assert_eq!(fixture.number("SELECT count(DISTINCT key_id) FROM journal").await, 2);
    store.reseal(|_| ()).await.unwrap();
    assert_eq!(head(&store).await, whole);
    store.close().await;
    fixture.keyring = fresh;
    let store = fixture.open().await;
    assert_eq!(head(&store).await, whole);
    fixture.tamper("UPDATE journal SET items = items + 1 WHERE seq = 5").await;
    assert_eq!(broken(&store).await.kind, BreakKind::Edited);
}

async fn writing_on_does_not_make_a_changed_end_good(fixture: Fixture) {
    for sql in [
        "UPDATE journal_chains SET events_links = events_links - 1 WHERE events_links > 0",
        "DELETE FROM journal_chains",
    ] {
        let (store, _) = ten_chunks(&fixture).await;
        head(&store).await;
        fixture.tamper("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal WHERE kind = 'events')").await;
        fixture.tamper(sql).await;
        // The org goes on: who can write to the database could stop it anyway.
        fill(&store, 20..30).await;
        fill(&store, 30..32).await;
        assert!(verify(&store).await.broken.is_some(), "{sql}");
        assert_eq!(verify(&store).await.head, None);
        let scan = JournalScan { max_items: 100, direction: Direction::Backward, ..JournalScan::default() };
        assert_eq!(store.journal(&scan).await.unwrap().len(), 21, "{sql}");
        store.apply_retention(after(1_000), u64::MAX).await.unwrap();
        fill(&store, 40..44).await;
        assert!(verify(&store).await.broken.is_some(), "{sql}: retention hides nothing");
        store.close().await;
        // Somebody has looked into it, and has the log begin anew.
        let mut options = fixture.options();
        options.restart_log = true;
        let store = Store::open(options).await.unwrap();
        let proof = verify(&store).await;
        assert_eq!((proof.chunks, proof.unproved_items, &proof.broken), (0, 4, &None), "{sql}");
        fill(&store, 50..54).await;
        assert_eq!((verify(&store).await.chunks, verify(&store).await.broken), (4, None), "{sql}");
        store.apply_retention(after(52), u64::MAX).await.unwrap();
        head(&store).await;
        fixture.tamper("UPDATE journal SET items = 9").await;
        assert_eq!(broken(&store).await.kind, BreakKind::Edited);
        fixture.tamper("UPDATE journal SET items = 1").await;
        head(&store).await;
        store.apply_retention(after(1_000), u64::MAX).await.unwrap();
        store.close().await;
    }
}

async fn a_log_that_was_rolled_back_is_not_the_one_that_was_noted(fixture: Fixture) {
    let (store, _) = ten_chunks(&fixture).await;
    fixture.tamper("CREATE TABLE old_heads AS SELECT * FROM journal_chains").await;
    let last = fixture.number("SELECT max(seq) FROM journal").await;
    let early = head(&store).await;
    fill(&store, 10..20).await;
    let late = head(&store).await;
    for noted in [early, late] {
        assert_eq!(store.verify_log(Some(&noted)).await.unwrap().broken, None);
    }
    fixture.tamper(&format!("DELETE FROM journal WHERE seq > {last}")).await;
    fixture.tamper("DELETE FROM journal_chains").await;
    fixture.tamper("INSERT INTO journal_chains SELECT * FROM old_heads").await;
    // An old state is as good as it was; only the note tells.
    assert_eq!(head(&store).await, early);
    assert_eq!(store.verify_log(Some(&early)).await.unwrap().broken, None);
    let found = store.verify_log(Some(&late)).await.unwrap().broken.unwrap();
    assert_eq!(found.kind, BreakKind::RolledBack);
    fill(&store, 50..60).await;
    let found = store.verify_log(Some(&late)).await.unwrap().broken.unwrap();
    assert_eq!(found.kind, BreakKind::RolledBack);
    assert_eq!(store.verify_log(Some(&early)).await.unwrap().broken, None);
}

async fn a_noted_head_is_compared_as_long_as_retention_left_what_it_is_about(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 0..20).await;
    let early = head(&store).await;
    fill(&store, 20..40).await;
    let late = head(&store).await;
    store.apply_retention(after(10), u64::MAX).await.unwrap();
    assert_eq!(store.verify_log(Some(&early)).await.unwrap().broken, None);
    store.apply_retention(after(30), u64::MAX).await.unwrap();
    let found = store.verify_log(Some(&early)).await.unwrap().broken.unwrap();
    assert_eq!(found.kind, BreakKind::HeadTooOld);
    assert_eq!(store.verify_log(Some(&late)).await.unwrap().broken, None);
    store.apply_retention(after(1_000), u64::MAX).await.unwrap();
    assert_eq!(store.verify_log(Some(&late)).await.unwrap().broken, None);
}

/// The tables of the release before the chain, with a record.
async fn make_old_database(fixture: &Fixture) {
    macro_rules! texts {
        ($engine:literal) => {
            [
                include_str!(concat!("../../migrations/", $engine, "/0001_org.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0002_identity.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0003_flows.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0004_hook_keys.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0005_hook_settings.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0006_oauth.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0007_journal_time.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0008_signing_secrets.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0009_email_verified.sql")),
                include_str!(concat!("../../migrations/", $engine, "/0010_fewer_index_entries.sql")),
            ]
        };
    }
    let is_sqlite = fixture.url.starts_with("sqlite:");
    for text in if is_sqlite { texts!("sqlite") } else { texts!("postgres") } {
        fixture.run_text(text).await;
    }
    fixture.run_text("CREATE TABLE schema_version (version BIGINT NOT NULL)").await;
    fixture.run_text("INSERT INTO schema_version VALUES (10)").await;
    let (seq, empty) = if is_sqlite { ("NULL", "x''") } else { ("nextval('journal_seq')", "''") };
    let body = if is_sqlite { "x'04'" } else { "'\\x04'" };
    let row = format!(
        "INSERT INTO journal (seq, kind, first_ms, last_ms, items, octets, verdicts, id_tails, body) \
         VALUES ({seq}, 'events', 1, 2, 3, 4, 0, {empty}, {body})"
    );
    for _ in 0..4 {
        fixture.run_text(&row).await;
    }
}

async fn records_from_before_the_chain_are_told_apart_and_nothing_can_be_put_among_them(fixture: Fixture) {
    make_old_database(&fixture).await;
    let store = fixture.open().await;
    let proof = verify(&store).await;
    assert_eq!((proof.chunks, proof.unproved_items, &proof.broken), (0, 12, &None));
    fill(&store, 0..10).await;
    let proof = verify(&store).await;
    assert_eq!((proof.chunks, proof.unproved_items, &proof.broken), (10, 12, &None));
    store.close().await;
    let store = fixture.open().await;
    // Retention takes them like others.
    store.commit(vec![Change::InsertInlineHook { hook: hook(1), limit: 5 }]).await.unwrap();
    fixture.tamper("UPDATE journal SET seq = 4000 WHERE seq = 4").await;
    let found = broken(&store).await;
    assert_eq!((found.kind, found.at.map(|at| at.position)), (BreakKind::Inserted, Some(4_000)));
    fixture.tamper("UPDATE journal_chains SET began = 5000").await;
    assert!(verify(&store).await.broken.is_some());
    fixture.tamper("UPDATE journal_chains SET began = 4").await;
    fixture.tamper("DELETE FROM journal WHERE seq = 4000").await;
    store.apply_retention(after(-1), u64::MAX).await.unwrap();
    let proof = verify(&store).await;
    assert_eq!((proof.chunks, proof.unproved_items, &proof.broken), (10, 0, &None));
}

async fn two_nodes_that_write_at_once_keep_one_provable_log(fixture: Fixture) {
    let mut options = fixture.options();
    options.shared = true;
    let one = Store::open(options.clone()).await.unwrap();
    let two = Store::open(options).await.unwrap();
    let tasks: Vec<_> = (0..24_u64)
        .map(|task| {
            let store = if task.is_multiple_of(2) { one.clone() } else { two.clone() };
            tokio::spawn(async move {
                for number in task * 100..task * 100 + 12 {
                    let events = Change::AppendEvents(vec![event(number)]);
                    store.commit(vec![events, Change::AppendExecution(execution(number))]).await.unwrap();
                    store.record(execution(number + 50)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    settled(&one).await;
    settled(&two).await;
    let proof = verify(&one).await;
    assert_eq!((proof.items, &proof.broken), (24 * 12 * 3, &None));
    assert_eq!(proof.head, Some(head(&two).await));
    // Whichever chunk goes, one of the last too, it is missed.
    // PostgreSQL leaves out numbers.
    let middle = "SELECT max(seq) FROM journal WHERE seq <= (SELECT max(seq) / 2 FROM journal)";
    for sql in ["SELECT max(seq) FROM journal", "SELECT min(seq) FROM journal", middle] {
        let seq = fixture.number(sql).await;
        fixture.tamper("CREATE TABLE kept AS SELECT * FROM journal").await;
        assert_eq!(fixture.tamper(&format!("DELETE FROM journal WHERE seq = {seq}")).await, 1);
        assert_eq!(broken(&one).await.kind, BreakKind::Removed);
        fixture.tamper(&format!("INSERT INTO journal SELECT * FROM kept WHERE seq = {seq}")).await;
        fixture.tamper("DROP TABLE kept").await;
        head(&one).await;
    }
    one.close().await;
    two.close().await;
}

async fn a_node_without_the_key_of_the_last_chunk_writes_nothing_rather_than_break_the_log(fixture: Fixture) {
    let mut options = fixture.options();
    options.shared = true;
    let one = Store::open(options.clone()).await.unwrap();
    fill(&one, 0..4).await;
    options.keyring = fixture.keyring.with_fresh_key(&Seeded::new(3));
    let two = Store::open(options.clone()).await.unwrap();
    fill(&two, 4..8).await;
    let error = one.commit(vec![Change::AppendEvents(vec![event(9)])]).await.unwrap_err();
    assert!(error.to_string().contains("which is not in the keyring"), "{error}");
    head(&two).await;
    one.use_keyring(options.keyring.clone()).await.unwrap();
    fill(&one, 8..12).await;
    assert_eq!(verify(&one).await.items, 12);
}

async fn a_log_is_checked_beside_writes_and_retention(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 0..40).await;
    let writers: Vec<_> = (0..4_u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..20 {
                    let first = (task + 1) * 1_000 + round * 4;
                    fill(&store, first..first + 4).await;
                    if task == 0 {
                        store.apply_retention(after(i64::try_from(first).unwrap() - 4), u64::MAX).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let mut noted = head(&store).await;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let proof = store.verify_log(Some(&noted)).await.unwrap();
        let kind = proof.broken.map(|found| found.kind);
        assert!(matches!(kind, None | Some(BreakKind::HeadTooOld)), "{kind:?}");
        noted = head(&store).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    head(&store).await;
}

async fn a_change_whose_event_cannot_be_written_does_not_happen(fixture: Fixture) {
    let store = fixture.open().await;
    fixture.tamper("ALTER TABLE journal RENAME TO journal_away").await;
    let create = || vec![Change::InsertInlineHook { hook: hook(1), limit: 5 }, Change::AppendEvents(vec![event(1)])];
    store.commit(create()).await.unwrap_err();
    assert!(store.inline_hooks(None).await.unwrap().is_empty());
    fixture.tamper("ALTER TABLE journal_away RENAME TO journal").await;
    store.commit(create()).await.unwrap();
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1);
    assert_eq!(verify(&store).await.items, 1);
}

#[test]
fn only_what_a_log_prints_as_its_head_is_one() {
    let head: LogHead = "12-00ff00ff00ff00ff".parse().unwrap();
    assert_eq!(head.to_string(), "12-00ff00ff00ff00ff");
    for text in [
        "",
        "12",
        "12-",
        "x-00ff00ff00ff00ff",
        "+12-00ff00ff00ff00ff",
        "12-ff",
        "12-00ff00ff00ff00fg",
        "12-00ff00ff00ff00ff0",
    ] {
        assert!(text.parse::<LogHead>().is_err(), "{text}");
    }
}
