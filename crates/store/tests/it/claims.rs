//! Claims and leases: each piece of work has one owner at a time, also over nodes, and is free again when that one is gone.

use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::mail::verification;
use hookwright_store::{Change, Claim, ClaimedMail, FlowChange, Store};

use crate::fixture::{Fixture, on_both_engines};

on_both_engines! {
    each_mail_is_claimed_by_one_of_many,
    a_claimed_mail_is_free_again_when_the_claim_ends_and_its_old_owner_has_no_say,
    one_of_many_takes_a_lease_and_the_next_one_when_it_ends,
    an_end_that_a_wrong_clock_noted_is_not_waited_for,
}

const YEAR: i64 = 365 * 24 * 3600;
const LEASE: Duration = Duration::from_secs(120);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn claim(token: &str, seconds: i64) -> Claim {
    Claim { token: token.to_owned(), now: at(seconds), lease: LEASE }
}

async fn fill(store: &Store, mails: usize) {
    let change = |number: usize| {
        let mail = verification(format!("m{number:03}"), "rosario@okta.com", "123456", 10, at(0));
        Change::Flow(FlowChange::InsertMail { mail, expires: at(86_400) })
    };
    store.commit((0..mails).map(change).collect()).await.unwrap();
}

async fn claimed(store: &Store, token: &str, seconds: i64, limit: u32) -> Vec<ClaimedMail> {
    store.claim_mails(&claim(token, seconds), at(-600), limit).await.unwrap()
}

async fn each_mail_is_claimed_by_one_of_many(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 60).await;
    let claims = (0..20).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { claimed(&store, &format!("c{number}"), 1, 4).await })
    });
    let mut ids = Vec::new();
    for claims in claims.collect::<Vec<_>>() {
        let mails = claims.await.unwrap();
        assert!(mails.len() <= 4, "{mails:?}");
        ids.extend(mails.into_iter().map(|claimed| claimed.mail.id));
    }
    // Who comes while others are claiming may find nothing left to him.
    loop {
        let late = claimed(&store, &format!("late {}", ids.len()), 1, 4).await;
        if late.is_empty() {
            break;
        }
        ids.extend(late.into_iter().map(|claimed| claimed.mail.id));
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..60).map(|number| format!("m{number:03}")).collect::<Vec<_>>());
    assert!(!store.has_due_mails(at(-600), at(1)).await.unwrap());
    assert!(store.has_due_mails(at(-600), at(121)).await.unwrap());
}

async fn a_claimed_mail_is_free_again_when_the_claim_ends_and_its_old_owner_has_no_say(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 1).await;
    assert_eq!(claimed(&store, "first", 0, 4).await[0].attempts, 1);
    assert!(claimed(&store, "second", 119, 4).await.is_empty());
    assert_eq!(claimed(&store, "third", 120, 4).await[0].attempts, 2);
    let postpone = |claim: &str, due| {
        let (id, error) = ("m000".to_owned(), Some("not now".to_owned()));
        vec![Change::Flow(FlowChange::PostponeMail { id, claim: claim.to_owned(), due, error })]
    };
    store.commit(postpone("first", at(0))).await.unwrap();
    assert!(claimed(&store, "fourth", 121, 4).await.is_empty());
    store.commit(postpone("third", at(130))).await.unwrap();
    assert!(claimed(&store, "fifth", 129, 4).await.is_empty());
    assert_eq!(claimed(&store, "sixth", 130, 4).await[0].attempts, 3);
    let sent = FlowChange::NoteMailSent { id: "m000".to_owned(), at: at(131), refusal: None };
    store.commit(vec![Change::Flow(sent)]).await.unwrap();
    store.commit(postpone("sixth", at(131))).await.unwrap();
    assert!(claimed(&store, "seventh", 500, 4).await.is_empty());
}

async fn one_of_many_takes_a_lease_and_the_next_one_when_it_ends(fixture: Fixture) {
    let store = fixture.open().await;
    for round in 0..3_i64 {
        let takes = (0..16).map(|_| {
            let store = store.clone();
            tokio::spawn(
                async move { store.take_lease("work", at(round * 60), Duration::from_secs(60)).await.unwrap() },
            )
        });
        let mut taken = 0;
        for take in takes.collect::<Vec<_>>() {
            taken += usize::from(take.await.unwrap());
        }
        assert_eq!(taken, 1);
        assert!(!store.take_lease("work", at(round * 60 + 59), Duration::from_secs(60)).await.unwrap());
    }
    assert!(store.take_lease("other work", at(0), Duration::from_secs(60)).await.unwrap());
}

async fn an_end_that_a_wrong_clock_noted_is_not_waited_for(fixture: Fixture) {
    let store = fixture.open().await;
    fill(&store, 1).await;
    assert!(store.take_lease("work", at(YEAR), Duration::from_secs(60)).await.unwrap());
    assert!(store.take_lease("work", at(0), Duration::from_secs(60)).await.unwrap());
    assert_eq!(claimed(&store, "ahead", YEAR, 4).await.len(), 1);
    assert_eq!(claimed(&store, "right", 0, 4).await.len(), 1);
}
