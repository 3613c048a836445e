//! The authorization server's rows: one key signs, a code leads to one grant, an ended grant gives nothing more.

use hookwright_model::Timestamp;
use hookwright_model::oauth::{Grant, RefreshToken, Scopes};
use hookwright_model::signing_key::{SigningKey, SigningKeyStatus};
use hookwright_store::{Change, Conflict, OAuthChange, Store};
use secrecy::{ExposeSecret, SecretString};

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::org::{app, conflict, insert_app, insert_user, open, user, user_id};

on_both_engines! {
    one_key_signs_and_the_next_one_takes_over_once,
    private_keys_are_sealed_and_resealed,
    a_code_leads_to_one_grant,
    an_ended_grant_gives_no_more_tokens,
    all_grants_of_a_user_end_at_once_and_nobody_elses,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn key(kid: &str, status: SigningKeyStatus, created: i64) -> Box<SigningKey> {
    Box::new(SigningKey {
        kid: kid.to_owned(),
        status,
        private: SecretString::from(format!("private half of {kid}")),
        modulus: "n".to_owned(),
        exponent: "AQAB".to_owned(),
        created: at(created),
        expires: None,
    })
}

fn insert(kid: &str, status: SigningKeyStatus, created: i64) -> Change {
    Change::OAuth(OAuthChange::InsertSigningKey(key(kid, status, created)))
}

async fn statuses(store: &Store) -> Vec<(String, SigningKeyStatus)> {
    store.signing_keys().await.unwrap().into_iter().map(|key| (key.kid, key.status)).collect()
}

async fn one_key_signs_and_the_next_one_takes_over_once(fixture: Fixture) {
    use SigningKeyStatus::{Active, Expired, Next};
    let store = open(&fixture).await;
    store.commit(vec![insert("a", Active, 1), insert("b", Next, 2)]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert("c", Active, 3)]).await), Some(Conflict::AlreadyThere));
    let rotate = |fresh: &str| {
        Change::OAuth(OAuthChange::RotateSigningKeys {
            active: "a".to_owned(),
            expires: at(100),
            next: "b".to_owned(),
            fresh: key(fresh, Next, 4),
        })
    };
    store.commit(vec![rotate("c")]).await.unwrap();
    let expected = [("c".to_owned(), Next), ("b".to_owned(), Active), ("a".to_owned(), Expired)];
    assert_eq!(statuses(&store).await, expected);
    assert_eq!(conflict(store.commit(vec![rotate("d")]).await), Some(Conflict::Stale));
    assert_eq!(statuses(&store).await, expected);
    store.close().await;
}

async fn private_keys_are_sealed_and_resealed(fixture: Fixture) {
    let store = open(&fixture).await;
    let (active, next) = (insert("a", SigningKeyStatus::Active, 1), insert("b", SigningKeyStatus::Next, 2));
    store.commit(vec![active, next]).await.unwrap();
    let fresh = fixture.keyring.with_fresh_key(&Seeded::new(9));
    store.use_keyring(fresh.clone()).await.unwrap();
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 2);
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 0);
    let keys = store.signing_keys().await.unwrap();
    assert_eq!(keys[1].private.expose_secret(), "private half of a");
    let moved = "UPDATE signing_keys SET sealed_private = \
        (SELECT sealed_private FROM signing_keys WHERE id = 'a') WHERE id = 'b'";
    assert_eq!(fixture.tamper(moved).await, 1);
    assert!(store.signing_keys().await.is_err(), "a sealed key can't be moved");
    store.close().await;
}

async fn granted(store: &Store) -> Grant {
    store.commit(vec![insert_user(user(1)), insert_app(app(1))]).await.unwrap();
    let grant = Grant {
        id: "grant1".to_owned(),
        code_sha256: [7; 32],
        application: app(1).id,
        user: user_id(1),
        scopes: Scopes::granted("openid offline_access"),
        authenticated: at(1),
        created: at(2),
        expires: at(1_000),
        revoked: None,
    };
    store.commit(vec![Change::OAuth(OAuthChange::InsertGrant(Box::new(grant.clone())))]).await.unwrap();
    grant
}

async fn a_code_leads_to_one_grant(fixture: Fixture) {
    let store = open(&fixture).await;
    let grant = granted(&store).await;
    let again = Grant { id: "grant2".to_owned(), ..grant.clone() };
    let result = store.commit(vec![Change::OAuth(OAuthChange::InsertGrant(Box::new(again)))]).await;
    assert_eq!(conflict(result), Some(Conflict::AlreadyThere));
    assert_eq!(store.oauth_grant_of_code(&[7; 32]).await.unwrap(), Some(grant.clone()));
    assert_eq!(store.oauth_grant("grant1").await.unwrap(), Some(grant));
    assert_eq!(store.oauth_grant("grant2").await.unwrap(), None);
    assert_eq!(store.oauth_grant("\0").await.unwrap(), None);
    store.close().await;
}

async fn an_ended_grant_gives_no_more_tokens(fixture: Fixture) {
    let store = open(&fixture).await;
    let grant = granted(&store).await;
    let token =
        RefreshToken { sha256: [1; 32], grant: grant.id.clone(), created: at(2), first_used: None, expires: at(50) };
    let change = |change: OAuthChange| store.commit(vec![Change::OAuth(change)]);
    change(OAuthChange::InsertRefreshToken(token.clone())).await.unwrap();
    change(OAuthChange::UseRefreshToken { sha256: [1; 32], at: at(10) }).await.unwrap();
    change(OAuthChange::UseRefreshToken { sha256: [1; 32], at: at(20) }).await.unwrap();
    change(OAuthChange::ProlongRefreshToken { sha256: [1; 32], expires: at(60) }).await.unwrap();
    let used = RefreshToken { first_used: Some(at(10)), expires: at(60), ..token };
    assert_eq!(store.refresh_token(&[1; 32]).await.unwrap(), Some(used));
    for _ in 0..2 {
        change(OAuthChange::RevokeGrant { id: grant.id.clone(), at: at(30) }).await.unwrap();
    }
    assert_eq!(store.oauth_grant(&grant.id).await.unwrap().unwrap().revoked, Some(at(30)));
    change(OAuthChange::RevokeGrantsOfUser { user: user_id(1), at: at(35) }).await.unwrap();
    assert_eq!(store.oauth_grant(&grant.id).await.unwrap().unwrap().revoked, Some(at(30)), "it ended before");
    let late = change(OAuthChange::UseRefreshToken { sha256: [1; 32], at: at(40) }).await;
    assert_eq!(conflict(late), Some(Conflict::Stale));
    let late = change(OAuthChange::ProlongRefreshToken { sha256: [1; 32], expires: at(99) }).await;
    assert_eq!(conflict(late), Some(Conflict::Stale));
    store.close().await;
}

async fn all_grants_of_a_user_end_at_once_and_nobody_elses(fixture: Fixture) {
    let store = open(&fixture).await;
    let first = granted(&store).await;
    store.commit(vec![insert_user(user(2))]).await.unwrap();
    let second = Grant { id: "grant2".to_owned(), code_sha256: [8; 32], ..first.clone() };
    let foreign = Grant { id: "grant3".to_owned(), code_sha256: [9; 32], user: user_id(2), ..first.clone() };
    for grant in [second, foreign] {
        store.commit(vec![Change::OAuth(OAuthChange::InsertGrant(Box::new(grant)))]).await.unwrap();
    }
    let end = OAuthChange::RevokeGrantsOfUser { user: user_id(1), at: at(30) };
    store.commit(vec![Change::OAuth(end)]).await.unwrap();
    for (id, revoked) in [("grant1", Some(at(30))), ("grant2", Some(at(30))), ("grant3", None)] {
        assert_eq!(store.oauth_grant(id).await.unwrap().unwrap().revoked, revoked, "{id}");
    }
    store.close().await;
}
