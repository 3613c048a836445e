//! The settings of a hook: stored beside it, the private key sealed.

use hookwright_contract::HookType;
use hookwright_model::hook_settings::HookSettings;
use hookwright_model::inline_hook::InlineHook;
use hookwright_store::{Change, Store, StoreError};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::samples::{hook, hook_id};

on_both_engines! {
    settings_come_back_as_they_were_stored,
    a_private_key_is_sealed_apart_from_the_other_secret,
    a_private_key_is_resealed_too,
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----";

fn settings() -> HookSettings {
    let body = json!({
        "timeoutMs": 250, "retry": false, "maxConcurrentCalls": 3, "maxCallsPerSecond": 7, "failurePolicy": "STOP",
        "circuitBreaker": {"failures": 5, "openMs": 1000},
        "trustedCertificates": "-----BEGIN CERTIFICATE-----\nMIIR\n-----END CERTIFICATE-----",
        "clientCertificate": {"certificate": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----", "privateKey": KEY},
    });
    HookSettings::default().replaced(body.as_object().unwrap(), HookType::Registration).unwrap()
}

fn insert(hook: InlineHook) -> Change {
    Change::InsertInlineHook { hook, limit: 1_000 }
}

async fn stored(store: &Store, number: u64) -> Result<InlineHook, StoreError> {
    Ok(store.inline_hook(hook_id(number).as_str()).await?.unwrap())
}

async fn settings_come_back_as_they_were_stored(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1)), insert(hook(2).with_settings(settings()))]).await.unwrap();
    let (first, second) = (stored(&store, 1).await.unwrap(), stored(&store, 2).await.unwrap());
    assert!(first.settings.is_default());
    assert_eq!(second.settings, settings());
    let changes = [first.with_settings(settings()), second.with_settings(HookSettings::default())];
    store.commit(changes.into_iter().map(Change::UpdateInlineHook).collect()).await.unwrap();
    let (first, second) = (stored(&store, 1).await.unwrap(), stored(&store, 2).await.unwrap());
    assert_eq!((first.settings, first.revision), (settings(), 2));
    assert!(second.settings.is_default());
    assert_eq!(fixture.number("SELECT count(*) FROM inline_hooks WHERE settings IS NULL").await, 1);
    assert_eq!(fixture.number("SELECT count(*) FROM inline_hooks WHERE sealed_client_key IS NULL").await, 1);
}

async fn a_private_key_is_sealed_apart_from_the_other_secret(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1).with_settings(settings()))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM inline_hooks WHERE settings LIKE '%PRIVATE%'").await, 0);
    fixture.tamper("UPDATE inline_hooks SET sealed_client_key = sealed_secret").await;
    assert!(matches!(stored(&store, 1).await, Err(StoreError::Unreadable(_))));
    fixture.tamper("UPDATE inline_hooks SET sealed_client_key = NULL").await;
    let error = stored(&store, 1).await.unwrap_err();
    assert!(error.to_string().contains("the private key is gone"), "{error}");
}

async fn a_private_key_is_resealed_too(mut fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1).with_settings(settings()))]).await.unwrap();
    fixture.keyring = fixture.keyring.with_fresh_key(&Seeded::new(3));
    store.use_keyring(fixture.keyring.clone()).await.unwrap();
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 2, "the secret of the channel and the private key");
    let hook = stored(&store, 1).await.unwrap();
    assert_eq!(hook.settings.tls.secret().unwrap().expose_secret(), KEY);
}
