//! Secrets at rest: never in the clear, bound to their row, openable with the right keys only.

use hookwright_model::channel::ChannelAuth;
use hookwright_model::inline_hook::InlineHook;
use hookwright_store::{Change, Keyring, KeyringError, OpenError, Store, StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::samples::{SECRET, hook, hook_id};

on_both_engines! {
    a_changed_or_moved_secret_is_refused,
    another_keyring_is_refused_when_the_database_is_opened,
    a_keyring_with_a_fresh_key_opens_old_secrets_and_reseals_them,
    a_running_store_finds_a_key_that_came_into_its_file,
    a_new_database_is_known_as_new_until_it_is_opened,
}

fn insert(hook: InlineHook) -> Change {
    Change::InsertInlineHook { hook, limit: 1_000 }
}

async fn secret(store: &Store, number: u64) -> Result<String, StoreError> {
    let hook = store.inline_hook(hook_id(number).as_str()).await?.unwrap();
    Ok(hook.channel.auth.secret().unwrap().expose_secret().to_owned())
}

async fn a_changed_or_moved_secret_is_refused(fixture: Fixture) {
    let store = fixture.open().await;
    let mut other = hook(2);
    other.channel.auth = ChannelAuth::Header {
        scheme_type: "Header".to_owned(),
        key: "X".to_owned(),
        value: SecretString::from("other".to_owned()),
    };
    store.commit(vec![insert(hook(1)), insert(other)]).await.unwrap();
    let (one, two) = (hook_id(1), hook_id(2));
    let moved = format!(
        "UPDATE inline_hooks SET sealed_secret = (SELECT sealed_secret FROM inline_hooks WHERE id = '{two}') WHERE id = '{one}'"
    );
    assert_eq!(fixture.tamper(&moved).await, 1);
    let error = secret(&store, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable(_)));
    assert!(error.to_string().contains(one.as_str()), "{error}");
    assert!(store.inline_hooks(None).await.is_err());
    assert_eq!(secret(&store, 2).await.unwrap(), "other");
    let auth = store.inline_hook(two.as_str()).await.unwrap().unwrap().channel.auth;
    assert!(matches!(auth, ChannelAuth::Header { scheme_type, .. } if scheme_type == "Header"));
    let gone = format!("UPDATE inline_hooks SET sealed_secret = NULL WHERE id = '{two}'");
    assert_eq!(fixture.tamper(&gone).await, 1);
    assert!(matches!(secret(&store, 2).await, Err(StoreError::Unreadable(_))));
}

async fn another_keyring_is_refused_when_the_database_is_opened(mut fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1))]).await.unwrap();
    store.close().await;
    let right = fixture.keyring.clone();
    fixture.keyring = Keyring::in_memory(&Seeded::new(2));
    let error = fixture.try_open().await.unwrap_err();
    assert!(matches!(error, OpenError::Keyring(KeyringError::Lacks(_))), "{error:?}");
    assert!(error.to_string().contains(&right.key_ids().next().unwrap()), "{error}");
    fixture.keyring = right;
    let store = fixture.open().await;
    assert_eq!(secret(&store, 1).await.unwrap(), SECRET);
    store.close().await;
    fixture.tamper("UPDATE sealing_keys SET canary = sealed_secret FROM inline_hooks").await;
    let error = fixture.try_open().await.unwrap_err();
    assert!(matches!(error, OpenError::Keyring(KeyringError::Broken(_))), "{error:?}");
}

async fn a_keyring_with_a_fresh_key_opens_old_secrets_and_reseals_them(mut fixture: Fixture) {
    let store = fixture.open().await;
    store.commit((0..150).map(|number| insert(hook(number))).collect()).await.unwrap();
    let old = fixture.keyring.clone();
    let new = old.with_fresh_key(&Seeded::new(3));
    assert_eq!(new.key_ids().count(), 2);
    store.use_keyring(new.clone()).await.unwrap();
    store.commit(vec![insert(hook(1_000))]).await.unwrap();
    let steps = std::sync::Mutex::new(Vec::new());
    assert_eq!(store.reseal(|done| steps.lock().unwrap().push(done)).await.unwrap(), 150);
    assert_eq!(*steps.lock().unwrap(), [64, 128, 150]);
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 0);
    for number in [0, 149, 1_000] {
        assert_eq!(secret(&store, number).await.unwrap(), SECRET);
    }
    assert_eq!(store.inline_hook(hook_id(0).as_str()).await.unwrap().unwrap().revision, 1);
    store.close().await;
    // The old key alone is no longer enough, and the database says so.
    fixture.keyring = old;
    assert!(matches!(fixture.try_open().await, Err(OpenError::Keyring(KeyringError::Lacks(_)))));
    fixture.keyring = new;
    fixture.open().await.close().await;
}

async fn a_running_store_finds_a_key_that_came_into_its_file(mut fixture: Fixture) {
    let path = fixture.folder.path().join("keyring");
    fixture.keyring = Keyring::open_or_create(&path, &Seeded::new(4), true).unwrap();
    let serving = fixture.open().await;
    serving.commit(vec![insert(hook(1))]).await.unwrap();
    let rotated = Keyring::open(&path).unwrap().with_fresh_key(&Seeded::new(5));
    rotated.save(&path).unwrap();
    let mut options = fixture.options();
    options.keyring = rotated;
    options.shared = true;
    let rotating = Store::open(options).await.unwrap();
    assert_eq!(rotating.reseal(|_| ()).await.unwrap(), 1);
    rotating.close().await;
    assert_eq!(secret(&serving, 1).await.unwrap(), SECRET);
    serving.commit(vec![insert(hook(2))]).await.unwrap();
    assert_eq!(serving.reseal(|_| ()).await.unwrap(), 0, "the new key seals now");
}

async fn a_new_database_is_known_as_new_until_it_is_opened(fixture: Fixture) {
    assert!(Store::is_new(&fixture.url).await.unwrap());
    assert!(Store::is_new(&fixture.url).await.unwrap());
    fixture.open().await.close().await;
    assert!(!Store::is_new(&fixture.url).await.unwrap());
}
