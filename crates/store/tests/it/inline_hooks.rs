//! Hooks: what is stored comes back, and of two writers who can't both be right one is told so.

use hookwright_contract::HookType;
use hookwright_model::channel::{ChannelAuth, OAuthClientAuth, OAuthConfig};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_store::{Change, CommitError, Conflict, Store, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::fixture::{Fixture, on_both_engines};
use crate::samples::{SECRET, after, event, hook, hook_id, oauth_hook};

on_both_engines! {
    a_hook_comes_back_as_it_was_stored,
    hooks_are_listed_by_age_then_id,
    a_name_is_taken_whatever_its_letter_case,
    the_limit_is_exact_and_deleting_makes_room,
    an_update_needs_the_revision_that_was_read,
    a_deletion_needs_the_revision_that_was_read,
    a_conflict_undoes_the_whole_commit,
    a_name_is_won_by_one_of_64_tasks,
    the_limit_holds_against_64_tasks,
    one_of_64_updates_of_the_same_revision_wins,
    a_commit_among_others_that_fail_is_kept,
    an_id_that_no_database_can_hold_is_not_found,
    a_text_that_no_database_can_hold_is_refused,
}

fn insert(hook: InlineHook) -> Change {
    Change::InsertInlineHook { hook, limit: 1_000 }
}

fn conflict(result: Result<(), CommitError>) -> Option<Conflict> {
    match result {
        Err(CommitError::Conflict(conflict)) => Some(conflict),
        _ => None,
    }
}

async fn stored(store: &Store, number: u64) -> InlineHook {
    store.inline_hook(hook_id(number).as_str()).await.unwrap().unwrap()
}

/// Hooks have no equality, so that no code compares secrets in passing: their debug form shows all but those.
fn assert_same(left: &InlineHook, right: &InlineHook) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
    let secret = |hook: &InlineHook| hook.channel.auth.secret().map(|secret| secret.expose_secret().to_owned());
    assert_eq!(secret(left), secret(right));
}

async fn a_hook_comes_back_as_it_was_stored(fixture: Fixture) {
    let store = fixture.open().await;
    let mut plain = hook(1);
    plain.channel.auth = ChannelAuth::None;
    plain.name = "A name \u{202e}with\u{1f980} quotes ' \" and $1".to_owned();
    plain.metadata = json!({"z": [1, 2.50], "a": {"b": null, "nul": "\0"}}).as_object().cloned();
    plain.version = "7.0.12".to_owned();
    plain.status = LifecycleStatus::Inactive;
    plain.hook_type = HookType::LegacyTokens;
    let secret_post = OAuthClientAuth::ClientSecretPost(SecretString::from("client secret".to_owned()));
    let key_jwt = OAuthClientAuth::PrivateKeyJwt { hook_key_id: crate::hook_keys::key(1).id.to_string() };
    let hooks = [plain, hook(2), oauth_hook(3, secret_post), oauth_hook(4, key_jwt)];
    store.commit(vec![crate::hook_keys::insert(crate::hook_keys::key(1))]).await.unwrap();
    store.commit(hooks.iter().cloned().map(insert).collect()).await.unwrap();
    for hook in &hooks {
        assert_same(&store.inline_hook(hook.id.as_str()).await.unwrap().unwrap(), hook);
    }
    store.close().await;
    let store = fixture.open().await;
    for hook in &hooks {
        assert_same(&store.inline_hook(hook.id.as_str()).await.unwrap().unwrap(), hook);
    }
    assert_eq!(stored(&store, 2).await.channel.auth.secret().unwrap().expose_secret(), SECRET);
    let ChannelAuth::OAuth(OAuthConfig { scope, .. }) = stored(&store, 3).await.channel.auth else {
        panic!("another kind of channel");
    };
    assert_eq!(scope.as_deref(), Some("hooks"));
}

async fn hooks_are_listed_by_age_then_id(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.inline_hooks(None).await.unwrap().is_empty());
    let mut first = hook(9);
    first.created = after(-1_000);
    let mut token = hook(5);
    token.hook_type = HookType::Token;
    for hook in [hook(7), token, first] {
        store.commit(vec![insert(hook)]).await.unwrap();
    }
    let ids = async |hook_type| {
        let hooks = store.inline_hooks(hook_type).await.unwrap();
        hooks.iter().map(|hook| hook.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(None).await, [hook_id(9), hook_id(5), hook_id(7)]);
    assert_eq!(ids(Some(HookType::Token)).await, [hook_id(5)]);
    assert!(ids(Some(HookType::Saml)).await.is_empty());
}

async fn a_name_is_taken_whatever_its_letter_case(fixture: Fixture) {
    let store = fixture.open().await;
    let named = |number, name: &str| InlineHook { name: name.to_owned(), ..hook(number) };
    store.commit(vec![insert(named(1, "Größe ÉCOLE")), insert(named(2, "other"))]).await.unwrap();
    for name in ["Größe ÉCOLE", "größe école", "GRÖßE école"] {
        assert_eq!(conflict(store.commit(vec![insert(named(3, name))]).await), Some(Conflict::NameTaken), "{name}");
        let update = Change::UpdateInlineHook(named(2, name));
        assert_eq!(conflict(store.commit(vec![update]).await), Some(Conflict::NameTaken), "{name}");
    }
    store.commit(vec![Change::UpdateInlineHook(named(1, "GRÖßE école"))]).await.unwrap();
    assert_eq!(stored(&store, 1).await.name, "GRÖßE école");
    store.commit(vec![insert(named(4, "Größe"))]).await.unwrap();
}

async fn the_limit_is_exact_and_deleting_makes_room(fixture: Fixture) {
    let store = fixture.open().await;
    let insert = |number| Change::InsertInlineHook { hook: hook(number), limit: 2 };
    store.commit(vec![insert(1), insert(2)]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert(3)]).await), Some(Conflict::LimitReached));
    // The name decides first, so that the message helps.
    assert_eq!(
        conflict(
            store
                .commit(vec![Change::InsertInlineHook { hook: InlineHook { id: hook_id(8), ..hook(1) }, limit: 2 }])
                .await
        ),
        Some(Conflict::NameTaken)
    );
    store.commit(vec![Change::DeleteInlineHook { id: hook_id(1), revision: 1 }]).await.unwrap();
    store.commit(vec![insert(3)]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert(4)]).await), Some(Conflict::LimitReached));
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 2);
}

async fn an_update_needs_the_revision_that_was_read(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1))]).await.unwrap();
    let read = stored(&store, 1).await;
    let mut changed = read.clone();
    changed.name = "Changed".to_owned();
    changed.channel.auth = ChannelAuth::None;
    changed.last_updated = after(5_000);
    changed.status = LifecycleStatus::Inactive;
    store.commit(vec![Change::UpdateInlineHook(changed.clone())]).await.unwrap();
    let now = stored(&store, 1).await;
    assert_eq!(now.revision, 2);
    changed.revision = 2;
    assert_same(&now, &changed);
    assert_eq!(conflict(store.commit(vec![Change::UpdateInlineHook(read)]).await), Some(Conflict::Stale));
    assert_eq!(conflict(store.commit(vec![Change::UpdateInlineHook(hook(2))]).await), Some(Conflict::Stale));
    store.commit(vec![Change::UpdateInlineHook(now)]).await.unwrap();
    assert_eq!(stored(&store, 1).await.revision, 3);
}

async fn a_deletion_needs_the_revision_that_was_read(fixture: Fixture) {
    let store = fixture.open().await;
    let delete = |revision| Change::DeleteInlineHook { id: hook_id(1), revision };
    store.commit(vec![insert(hook(1))]).await.unwrap();
    store.commit(vec![Change::UpdateInlineHook(hook(1))]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![delete(1)]).await), Some(Conflict::Stale));
    store.commit(vec![delete(2)]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![delete(2)]).await), Some(Conflict::Stale));
    assert!(store.inline_hook(hook_id(1).as_str()).await.unwrap().is_none());
    store.commit(vec![insert(hook(1))]).await.unwrap();
}

async fn a_conflict_undoes_the_whole_commit(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1))]).await.unwrap();
    let changes = vec![
        Change::AppendEvents(vec![event(1)]),
        insert(hook(2)),
        Change::UpdateInlineHook(InlineHook { name: "Renamed".to_owned(), ..hook(1) }),
        insert(hook(1)),
        insert(hook(3)),
    ];
    assert_eq!(conflict(store.commit(changes).await), Some(Conflict::NameTaken), "a hook of this id is there");
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1);
    assert_eq!(stored(&store, 1).await.name, "Hook 1");
    assert_eq!(fixture.number("SELECT count(*) FROM journal").await, 0);
    assert_eq!(fixture.number("SELECT value FROM tallies WHERE name = 'inline_hooks'").await, 1);
}

/// Runs the same kind of commit from 64 tasks at once and gives their results.
async fn race(store: &Store, changes: impl Fn(u64) -> Vec<Change>) -> Vec<Result<(), CommitError>> {
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let (store, changes) = (store.clone(), changes(number));
            tokio::spawn(async move { store.commit(changes).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

async fn a_name_is_won_by_one_of_64_tasks(fixture: Fixture) {
    let store = fixture.open().await;
    let name = |number: u64| if number.is_multiple_of(2) { "Same Name" } else { "same name" }.to_owned();
    let results = race(&store, |number| {
        vec![insert(InlineHook { name: name(number), ..hook(number) }), Change::AppendEvents(vec![event(number)])]
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.into_iter().filter(|result| conflict(result.clone()) == Some(Conflict::NameTaken)).count(), 63);
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1);
    assert_eq!(fixture.number("SELECT CAST(sum(items) AS BIGINT) FROM journal").await, 1);
}

async fn the_limit_holds_against_64_tasks(fixture: Fixture) {
    let store = fixture.open().await;
    let results = race(&store, |number| vec![Change::InsertInlineHook { hook: hook(number), limit: 10 }]).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    assert_eq!(
        results.into_iter().filter(|result| conflict(result.clone()) == Some(Conflict::LimitReached)).count(),
        54
    );
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 10);
    assert_eq!(fixture.number("SELECT value FROM tallies WHERE name = 'inline_hooks'").await, 10);
}

async fn one_of_64_updates_of_the_same_revision_wins(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1))]).await.unwrap();
    let results =
        race(&store, |number| vec![Change::UpdateInlineHook(InlineHook { name: format!("Name {number}"), ..hook(1) })])
            .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.into_iter().filter(|result| conflict(result.clone()) == Some(Conflict::Stale)).count(), 63);
    assert_eq!(stored(&store, 1).await.revision, 2);
}

async fn a_commit_among_others_that_fail_is_kept(fixture: Fixture) {
    let store = fixture.open().await;
    store.commit(vec![insert(hook(1_000))]).await.unwrap();
    let results = race(&store, |number| match number % 3 {
        0 => vec![insert(hook(number)), Change::AppendEvents(vec![event(number)])],
        1 => vec![Change::AppendEvents(vec![event(number)]), Change::UpdateInlineHook(hook(5_000 + number))],
        _ => vec![insert(hook(number)), insert(InlineHook { name: hook(1_000).name, ..hook(2_000 + number) })],
    })
    .await;
    for (number, result) in (0_u64..).zip(results) {
        match number % 3 {
            0 => assert!(result.is_ok()),
            1 => assert_eq!(conflict(result), Some(Conflict::Stale)),
            _ => assert_eq!(conflict(result), Some(Conflict::NameTaken)),
        }
    }
    assert_eq!(store.inline_hooks(None).await.unwrap().len(), 1 + 22);
    assert_eq!(fixture.number("SELECT CAST(sum(items) AS BIGINT) FROM journal").await, 22);
    assert_eq!(fixture.number("SELECT value FROM tallies WHERE name = 'inline_hooks'").await, 23);
}

async fn an_id_that_no_database_can_hold_is_not_found(fixture: Fixture) {
    let store = fixture.open().await;
    for id in ["", "\0", "cal1\0", "' OR '1'='1", "../../etc/passwd", "\u{1f980}"] {
        assert!(store.inline_hook(id).await.unwrap().is_none(), "{id:?}");
        assert!(store.api_token(id).await.unwrap().is_none(), "{id:?}");
    }
}

async fn a_text_that_no_database_can_hold_is_refused(fixture: Fixture) {
    let store = fixture.open().await;
    let result = store.commit(vec![insert(InlineHook { name: "a\0b".to_owned(), ..hook(1) })]).await;
    assert!(matches!(result, Err(CommitError::Failed(StoreError::Unstorable(_)))), "{result:?}");
}
