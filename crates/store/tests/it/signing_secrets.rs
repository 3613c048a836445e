//! Signing secrets: sealed, bound to their row, and never changed without the hook's revision telling so.

use hookwright_model::Timestamp;
use hookwright_model::id::SigningSecretId;
use hookwright_model::signing_secret::{SignatureAlgorithm, SigningSecret};
use hookwright_store::{Change, Conflict, Store, StoreError};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::org::conflict;
use crate::samples::{after, hook, hook_id};

on_both_engines! {
    a_secret_comes_back_and_its_hook_is_another_by_then,
    whoever_read_an_older_hook_changes_no_secret,
    the_others_end_when_told_and_never_later_than_they_would,
    a_moved_secret_does_not_sign,
    signing_secrets_are_sealed_anew_too,
    secrets_go_with_their_hook,
}

fn secret(number: u64, hook: u64) -> SigningSecret {
    let (algorithm, public_key) = match number % 2 {
        0 => (SignatureAlgorithm::HmacSha256, None),
        _ => (SignatureAlgorithm::Ed25519, Some(format!("whpk_{number}"))),
    };
    SigningSecret {
        id: SigningSecretId::from_text(format!("sgs{number:017}")),
        hook_id: hook_id(hook),
        algorithm,
        public_key,
        created: after(i64::try_from(number).unwrap() * 1_000),
        expires: None,
    }
}

fn insert(secret: &SigningSecret, hook_revision: i64, others_end: Option<Timestamp>) -> Change {
    let value = SecretSlice::from(format!("what {} signs with", secret.id).into_bytes());
    Change::InsertSigningSecret { description: Box::new(secret.clone()), secret: value, hook_revision, others_end }
}

fn delete(secret: &SigningSecret, hook_revision: i64) -> Change {
    Change::DeleteSigningSecret { id: secret.id.clone(), hook_id: secret.hook_id.clone(), hook_revision }
}

async fn with_hooks(fixture: &Fixture) -> Store {
    let store = fixture.open().await;
    let hooks = [1, 2].map(|number| Change::InsertInlineHook { hook: hook(number), limit: 100 });
    store.commit(hooks.to_vec()).await.unwrap();
    store
}

async fn opened(store: &Store, hook: u64) -> Result<Vec<(String, String)>, StoreError> {
    let secrets = store.opened_signing_secrets(hook_id(hook).as_str()).await?;
    let text = |value: &SecretSlice<u8>| String::from_utf8(value.expose_secret().to_vec()).unwrap();
    Ok(secrets.iter().map(|(secret, value)| (secret.id.to_string(), text(value))).collect())
}

async fn revision(store: &Store, hook: u64) -> i64 {
    store.inline_hook(hook_id(hook).as_str()).await.unwrap().unwrap().revision
}

async fn a_secret_comes_back_and_its_hook_is_another_by_then(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    let (first, second) = (secret(1, 1), SigningSecret { expires: Some(after(90_000)), ..secret(2, 1) });
    store.commit(vec![insert(&second, 1, None)]).await.unwrap();
    store.commit(vec![insert(&first, 2, None)]).await.unwrap();
    assert_eq!(store.signing_secrets(hook_id(1).as_str()).await.unwrap(), [first.clone(), second.clone()]);
    let expected = [&first, &second].map(|secret| (secret.id.to_string(), format!("what {} signs with", secret.id)));
    assert_eq!(opened(&store, 1).await.unwrap(), expected);
    assert_eq!((revision(&store, 1).await, revision(&store, 2).await), (3, 1));
    store.commit(vec![delete(&first, 3)]).await.unwrap();
    assert_eq!(store.signing_secrets(hook_id(1).as_str()).await.unwrap(), [second]);
    assert_eq!(revision(&store, 1).await, 4);
    for missing in ["", "cal1", "\0"] {
        assert!(store.signing_secrets(missing).await.unwrap().is_empty());
        assert!(store.opened_signing_secrets(missing).await.unwrap().is_empty());
    }
}

async fn whoever_read_an_older_hook_changes_no_secret(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    let (first, foreign) = (secret(1, 1), SigningSecret { hook_id: hook_id(2), ..secret(1, 1) });
    store.commit(vec![insert(&first, 1, None)]).await.unwrap();
    for change in
        [insert(&secret(2, 1), 1, Some(after(5))), delete(&first, 1), delete(&secret(9, 1), 2), delete(&foreign, 1)]
    {
        assert_eq!(conflict(store.commit(vec![change]).await), Some(Conflict::Stale));
    }
    assert_eq!(store.signing_secrets(hook_id(1).as_str()).await.unwrap(), [first]);
    assert_eq!((revision(&store, 1).await, revision(&store, 2).await), (2, 1));
}

async fn the_others_end_when_told_and_never_later_than_they_would(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    let early = SigningSecret { expires: Some(after(20_000)), ..secret(1, 1) };
    let late = SigningSecret { expires: Some(after(90_000)), ..secret(2, 1) };
    let of_another = secret(5, 2);
    for (secret, revision) in [(&early, 1), (&late, 2), (&secret(3, 1), 3), (&of_another, 1)] {
        store.commit(vec![insert(secret, revision, None)]).await.unwrap();
    }
    store.commit(vec![insert(&secret(4, 1), 4, Some(after(30_000)))]).await.unwrap();
    let ends: Vec<_> = store.signing_secrets(hook_id(1).as_str()).await.unwrap().iter().map(|it| it.expires).collect();
    assert_eq!(ends, [Some(after(20_000)), Some(after(30_000)), Some(after(30_000)), None]);
    assert_eq!(store.signing_secrets(hook_id(2).as_str()).await.unwrap(), [of_another]);
}

async fn a_moved_secret_does_not_sign(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    let (own, foreign) = (secret(1, 1), secret(2, 2));
    store.commit(vec![insert(&own, 1, None), insert(&foreign, 1, None)]).await.unwrap();
    let moved = format!(
        "UPDATE signing_secrets SET sealed_secret = (SELECT sealed_secret FROM signing_secrets WHERE id = '{}') WHERE id = '{}'",
        foreign.id, own.id
    );
    assert_eq!(fixture.tamper(&moved).await, 1);
    let error = opened(&store, 1).await.unwrap_err();
    assert!(error.to_string().contains(own.id.as_str()), "{error}");
    assert_eq!(opened(&store, 2).await.unwrap().len(), 1);
    assert_eq!(store.signing_secrets(hook_id(1).as_str()).await.unwrap(), [own], "what is not secret can be read");
}

async fn signing_secrets_are_sealed_anew_too(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    store.commit(vec![insert(&secret(1, 1), 1, None), insert(&secret(2, 2), 1, None)]).await.unwrap();
    store.use_keyring(fixture.keyring.with_fresh_key(&Seeded::new(3))).await.unwrap();
    // Two hooks with a secret each, and the two signing secrets.
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 4);
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 0);
    assert_eq!(opened(&store, 2).await.unwrap().len(), 1);
    assert_eq!(revision(&store, 1).await, 2, "nobody needs to read it again");
}

async fn secrets_go_with_their_hook(fixture: Fixture) {
    let store = with_hooks(&fixture).await;
    store.commit(vec![insert(&secret(1, 1), 1, None), insert(&secret(2, 2), 1, None)]).await.unwrap();
    store.commit(vec![Change::DeleteInlineHook { id: hook_id(1), revision: 2 }]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM signing_secrets").await, 1);
    assert!(opened(&store, 1).await.unwrap().is_empty());
}
