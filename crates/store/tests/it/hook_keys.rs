//! Hook keys: stored, sealed, limited, and kept while they are used.

use hookwright_model::channel::OAuthClientAuth;
use hookwright_model::hook_key::{HookKey, PublicKey};
use hookwright_model::id::HookKeyId;
use hookwright_store::{Change, Conflict, Store, StoreError};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::org::conflict;
use crate::samples::{NOW, after, hook, hook_id, oauth_hook};

on_both_engines! {
    a_key_comes_back_as_it_was_stored,
    names_of_keys_differ_by_more_than_letter_case,
    there_are_no_more_keys_than_the_limit,
    the_last_key_goes_once,
    a_key_that_a_hook_uses_stays,
    a_hook_needs_a_key_that_is_there,
    a_moved_private_half_is_refused,
    private_halves_are_sealed_anew_too,
}

pub(crate) fn key(number: u8) -> HookKey {
    let public_key = PublicKey { modulus: format!("n{number}"), exponent: "AQAB".to_owned() };
    let id = HookKeyId::from_text(format!("HKY{number:017}"));
    HookKey::new(id, format!("uuid-{number}"), format!("Key {number}"), public_key, after(i64::from(number) * 1000))
}

pub(crate) fn insert(key: HookKey) -> Change {
    let private_key = SecretSlice::from(format!("private half of {}", key.name).into_bytes());
    Change::InsertHookKey { key: Box::new(key), private_key, limit: 50 }
}

fn signed_hook(number: u64, key: &HookKey) -> hookwright_model::inline_hook::InlineHook {
    oauth_hook(number, OAuthClientAuth::PrivateKeyJwt { hook_key_id: key.id.to_string() })
}

fn insert_hook(hook: hookwright_model::inline_hook::InlineHook) -> Change {
    Change::InsertInlineHook { hook, limit: 100 }
}

fn delete(key: &HookKey) -> Change {
    Change::DeleteHookKey { id: key.id.clone(), revision: key.revision }
}

async fn private_half(store: &Store, key: &HookKey) -> Result<String, StoreError> {
    let (key_id, private) = store.hook_private_key(key.id.as_str()).await?.unwrap();
    assert_eq!(key_id, key.key_id);
    Ok(String::from_utf8(private.expose_secret().to_vec()).unwrap())
}

async fn the_last_key_goes_once(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(key(1))]).await.unwrap();
    store.commit(vec![delete(&key(1))]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![delete(&key(1))]).await), Some(Conflict::Stale));
}

async fn a_key_comes_back_as_it_was_stored(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(key(2)), insert(key(1))]).await.unwrap();
    assert_eq!(store.hook_keys().await.unwrap(), [key(1), key(2)]);
    assert_eq!(store.hook_key(key(1).id.as_str()).await.unwrap(), Some(key(1)));
    assert_eq!(store.hook_key_by_key_id("uuid-2").await.unwrap(), Some(key(2)));
    assert_eq!(private_half(&store, &key(1)).await.unwrap(), "private half of Key 1");
    for missing in ["", "HKY1", "\0"] {
        assert_eq!(store.hook_key(missing).await.unwrap(), None);
        assert_eq!(store.hook_key_by_key_id(missing).await.unwrap(), None);
        assert!(store.hook_private_key(missing).await.unwrap().is_none());
    }
    let renamed = key(1).renamed("Other".to_owned(), after(60_000));
    store.commit(vec![Change::UpdateHookKey(Box::new(renamed.clone()))]).await.unwrap();
    let stored = store.hook_key(key(1).id.as_str()).await.unwrap().unwrap();
    assert_eq!(stored, HookKey { revision: 2, ..renamed.clone() });
    assert_eq!(conflict(store.commit(vec![Change::UpdateHookKey(Box::new(renamed))]).await), Some(Conflict::Stale));
    assert_eq!(conflict(store.commit(vec![delete(&key(1))]).await), Some(Conflict::Stale));
    store.commit(vec![delete(&stored)]).await.unwrap();
    assert_eq!(store.hook_key(key(1).id.as_str()).await.unwrap(), None);
}

async fn names_of_keys_differ_by_more_than_letter_case(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(key(1)), insert(key(2))]).await.unwrap();
    let same = HookKey { name: "KEY 1".to_owned(), ..key(3) };
    assert_eq!(conflict(store.commit(vec![insert(same)]).await), Some(Conflict::NameTaken));
    let same = key(2).renamed("kEy 1".to_owned(), NOW);
    assert_eq!(conflict(store.commit(vec![Change::UpdateHookKey(Box::new(same))]).await), Some(Conflict::NameTaken));
    let own = key(1).renamed("KEY 1".to_owned(), NOW);
    store.commit(vec![Change::UpdateHookKey(Box::new(own))]).await.unwrap();
}

async fn there_are_no_more_keys_than_the_limit(fixture: Fixture) {
    let store = fixture.open().await;
    let limited = |number| match insert(key(number)) {
        Change::InsertHookKey { key, private_key, .. } => Change::InsertHookKey { key, private_key, limit: 5 },
        other => other,
    };
    let many = (0..16).map(|number| {
        let (store, change) = (store.clone(), limited(number));
        tokio::spawn(async move { store.commit(vec![change]).await })
    });
    let mut made = 0;
    for attempt in many.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(()) => made += 1,
            refused => assert_eq!(conflict(refused), Some(Conflict::LimitReached)),
        }
    }
    assert_eq!((made, store.hook_keys().await.unwrap().len()), (5, 5));
    let one = store.hook_keys().await.unwrap().remove(0);
    store.commit(vec![delete(&one)]).await.unwrap();
    store.commit(vec![limited(20)]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![limited(21)]).await), Some(Conflict::LimitReached));
}

async fn a_key_that_a_hook_uses_stays(fixture: Fixture) {
    let store = fixture.open().await;
    let key = key(1);
    store.commit(vec![insert(key.clone()), insert_hook(signed_hook(1, &key))]).await.unwrap();
    assert!(store.hook_key(key.id.as_str()).await.unwrap().unwrap().is_used);
    assert_eq!(conflict(store.commit(vec![delete(&key)]).await), Some(Conflict::Reference));
    // The hook goes over to a secret.
    store.commit(vec![Change::UpdateInlineHook(hook(1))]).await.unwrap();
    assert!(!store.hook_key(key.id.as_str()).await.unwrap().unwrap().is_used);
    store.commit(vec![delete(&key)]).await.unwrap();
    assert!(store.hook_keys().await.unwrap().is_empty());
}

async fn a_hook_needs_a_key_that_is_there(fixture: Fixture) {
    let store = fixture.open().await;
    let refused = store.commit(vec![insert_hook(signed_hook(1, &key(1)))]).await;
    assert_eq!(conflict(refused), Some(Conflict::Reference));
    store.commit(vec![insert_hook(hook(1))]).await.unwrap();
    let refused = store.commit(vec![Change::UpdateInlineHook(signed_hook(1, &key(1)))]).await;
    assert_eq!(conflict(refused), Some(Conflict::Reference));
    store.commit(vec![insert(key(1)), Change::UpdateInlineHook(signed_hook(1, &key(1)))]).await.unwrap();
    let stored = store.inline_hook(hook_id(1).as_str()).await.unwrap().unwrap();
    assert_eq!(stored.channel.auth.hook_key_id(), Some(key(1).id.as_str()));
}

async fn a_moved_private_half_is_refused(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(key(1)), insert(key(2))]).await.unwrap();
    let (one, two) = (key(1).id, key(2).id);
    let moved = format!(
        "UPDATE hook_keys SET sealed_private_key = (SELECT sealed_private_key FROM hook_keys WHERE id = '{two}') WHERE id = '{one}'"
    );
    assert_eq!(fixture.tamper(&moved).await, 1);
    let error = private_half(&store, &key(1)).await.unwrap_err();
    assert!(error.to_string().contains(one.as_str()), "{error}");
    assert_eq!(private_half(&store, &key(2)).await.unwrap(), "private half of Key 2");
}

async fn private_halves_are_sealed_anew_too(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(key(1)), insert(key(2))]).await.unwrap();
    store.use_keyring(fixture.keyring.with_fresh_key(&Seeded::new(3))).await.unwrap();
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 2);
    assert_eq!(private_half(&store, &key(1)).await.unwrap(), "private half of Key 1");
}
