//! API tokens: found by their hash, touched forward only, revoked once.

use hookwright_model::api_token::ApiToken;
use hookwright_model::id::ApiTokenId;
use hookwright_store::{Change, CommitError, Conflict};

use crate::fixture::{Fixture, on_both_engines};
use crate::samples::{after, token};

on_both_engines! {
    a_token_is_found_by_its_hash_and_by_its_id,
    a_token_can_be_made_once,
    a_touch_moves_the_dates_forward_only,
    a_token_is_revoked_once_and_not_touched_after,
}

async fn a_token_is_found_by_its_hash_and_by_its_id(fixture: Fixture) {
    let store = fixture.open().await;
    let revoked = ApiToken { revoked: Some(after(7)), ..token(2) };
    store
        .commit(vec![
            Change::InsertApiToken(token(3)),
            Change::InsertApiToken(revoked.clone()),
            Change::InsertApiToken(token(1)),
        ])
        .await
        .unwrap();
    assert_eq!(store.api_tokens().await.unwrap(), [token(1), revoked.clone(), token(3)]);
    assert_eq!(store.api_token_by_hash(&[3; 32]).await.unwrap(), Some(token(3)));
    assert_eq!(store.api_token_by_hash(&[2; 32]).await.unwrap(), Some(revoked));
    assert_eq!(store.api_token_by_hash(&[4; 32]).await.unwrap(), None);
    assert_eq!(store.api_token(token(1).id.as_str()).await.unwrap(), Some(token(1)));
    assert_eq!(store.api_token("00T").await.unwrap(), None);
}

async fn a_token_can_be_made_once(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![Change::InsertApiToken(token(1))]).await.unwrap();
    let same_hash = ApiToken { id: ApiTokenId::from_text("00Tother"), ..token(1) };
    let same_id = ApiToken { sha256: [9; 32], ..token(1) };
    for token in [same_hash, same_id] {
        let result = store.commit(vec![Change::InsertApiToken(token)]).await;
        assert!(matches!(result, Err(CommitError::Conflict(Conflict::TokenExists))), "{result:?}");
    }
    assert_eq!(store.api_tokens().await.unwrap(), [token(1)]);
}

async fn a_touch_moves_the_dates_forward_only(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![Change::InsertApiToken(token(1))]).await.unwrap();
    let touch = |last_used, expires| Change::TouchApiToken {
        id: token(1).id,
        last_used: after(last_used),
        expires: after(expires),
    };
    store.commit(vec![touch(500, 1_500)]).await.unwrap();
    let touched = ApiToken { last_used: after(500), expires: after(1_500), ..token(1) };
    assert_eq!(store.api_token_by_hash(&[1; 32]).await.unwrap(), Some(touched.clone()));
    store.commit(vec![touch(400, 1_400)]).await.unwrap();
    assert_eq!(store.api_token_by_hash(&[1; 32]).await.unwrap(), Some(touched));
    let nobody =
        Change::TouchApiToken { id: ApiTokenId::from_text("00Tnobody"), last_used: after(1), expires: after(2) };
    store.commit(vec![nobody]).await.unwrap();
}

async fn a_token_is_revoked_once_and_not_touched_after(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![Change::InsertApiToken(token(1))]).await.unwrap();
    let revoke = |at| Change::RevokeApiToken { id: token(1).id, at: after(at) };
    store.commit(vec![revoke(10)]).await.unwrap();
    let again = store.commit(vec![revoke(20)]).await;
    assert!(matches!(again, Err(CommitError::Conflict(Conflict::Stale))), "{again:?}");
    let touch = Change::TouchApiToken { id: token(1).id, last_used: after(600), expires: after(9_000) };
    store.commit(vec![touch]).await.unwrap();
    let revoked = ApiToken { revoked: Some(after(10)), ..token(1) };
    assert_eq!(store.api_token(token(1).id.as_str()).await.unwrap(), Some(revoked));
}
