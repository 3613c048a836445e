//! Administrator roles: one a user and kind, gone with the user, and one super administrator stays.

use hookwright_model::admin_role::{AdminRole, RoleAssignment};
use hookwright_model::api_token::ApiToken;
use hookwright_model::id::AdminRoleId;
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, CommitError, Conflict, Store};

use crate::fixture::{Fixture, on_both_engines};
use crate::org::{conflict, insert_user, open, user, user_id};
use crate::samples::{after, token};

on_both_engines! {
    a_role_is_had_once_and_goes_with_its_user,
    a_token_comes_with_what_its_rights_need_of_its_owner,
    tokens_end_with_their_owner_and_those_of_nobody_can_be_adopted,
    of_many_who_take_the_last_two_administrators_away_at_once_one_loses,
    the_database_of_the_version_before_is_opened_with_nothing_lost,
}

fn role(number: u64, user: u64, role: AdminRole) -> RoleAssignment {
    let id = AdminRoleId::from_text(format!("ra1{number:017}"));
    RoleAssignment { id, user: user_id(user), role, created: after(i64::try_from(number).unwrap()) }
}

fn with_status(number: u64, status: UserStatus) -> User {
    User { status, ..user(number) }
}

async fn a_role_is_had_once_and_goes_with_its_user(fixture: Fixture) {
    let store = open(&fixture).await;
    let insert = |assignment| store.commit(vec![Change::InsertUserRole(assignment)]);
    assert_eq!(conflict(insert(role(1, 1, AdminRole::SuperAdmin)).await), Some(Conflict::Reference));
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    insert(role(1, 1, AdminRole::SuperAdmin)).await.unwrap();
    insert(role(2, 1, AdminRole::ReadOnlyAdmin)).await.unwrap();
    assert_eq!(conflict(insert(role(3, 1, AdminRole::SuperAdmin)).await), Some(Conflict::AlreadyThere));
    let both = [role(1, 1, AdminRole::SuperAdmin), role(2, 1, AdminRole::ReadOnlyAdmin)];
    assert_eq!(store.roles_of_user(user_id(1).as_str()).await.unwrap(), both);
    let gone = Change::DeleteUserRole { id: both[1].id.clone(), user: user_id(1) };
    store.commit(vec![gone.clone()]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![gone]).await), Some(Conflict::Stale));
    assert_eq!(store.first_administrator().await.unwrap(), Some(both[0].clone()));
    store.commit(vec![Change::DeleteUser { id: user_id(1), revision: 1 }]).await.unwrap();
    assert_eq!(store.roles_of_user(user_id(1).as_str()).await.unwrap(), []);
    assert_eq!(store.first_administrator().await.unwrap(), None);
}

async fn a_token_comes_with_what_its_rights_need_of_its_owner(fixture: Fixture) {
    let store = open(&fixture).await;
    let owned = ApiToken { owner: Some(user_id(1)), ..token(1) };
    store
        .commit(vec![
            insert_user(with_status(1, UserStatus::Suspended)),
            Change::InsertApiToken(owned.clone()),
            Change::InsertApiToken(token(2)),
        ])
        .await
        .unwrap();
    let (found, owner) = store.api_token_with_owner(&[1; 32]).await.unwrap().unwrap();
    let owner = owner.unwrap();
    assert_eq!((found, &owner.id, owner.role), (owned, &user_id(1), None));
    assert_eq!((owner.status, owner.login), (UserStatus::Suspended, user(1).login().to_owned()));
    assert_eq!(owner.name, user(1).full_name());
    for (number, granted) in [(1, AdminRole::ReadOnlyAdmin), (2, AdminRole::SuperAdmin)] {
        store.commit(vec![Change::InsertUserRole(role(number, 1, granted))]).await.unwrap();
        let (_, owner) = store.api_token_with_owner(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(owner.unwrap().role, Some(granted), "the higher of several counts");
    }
    assert_eq!(store.api_token_with_owner(&[2; 32]).await.unwrap(), Some((token(2), None)));
    assert_eq!(store.api_token_with_owner(&[3; 32]).await.unwrap(), None);
}

async fn tokens_end_with_their_owner_and_those_of_nobody_can_be_adopted(fixture: Fixture) {
    let store = open(&fixture).await;
    let owned = |number| ApiToken { owner: Some(user_id(1)), ..token(number) };
    let revoked = ApiToken { revoked: Some(after(1)), ..token(3) };
    store
        .commit(vec![
            insert_user(user(1)),
            Change::InsertApiToken(token(1)),
            Change::InsertApiToken(owned(2)),
            Change::InsertApiToken(revoked.clone()),
            Change::AdoptApiTokens { user: user_id(1) },
        ])
        .await
        .unwrap();
    assert_eq!(store.api_tokens().await.unwrap(), [owned(1), owned(2), revoked.clone()]);
    store.commit(vec![Change::RevokeApiTokensOfUser { user: user_id(1), at: after(9) }]).await.unwrap();
    let ended = |number| ApiToken { revoked: Some(after(9)), ..owned(number) };
    assert_eq!(store.api_tokens().await.unwrap(), [ended(1), ended(2), revoked.clone()]);
    store.commit(vec![Change::DeleteUser { id: user_id(1), revision: 1 }]).await.unwrap();
    let orphan = |number| ApiToken { owner: None, ..ended(number) };
    assert_eq!(store.api_tokens().await.unwrap(), [orphan(1), orphan(2), revoked]);
}

async fn of_many_who_take_the_last_two_administrators_away_at_once_one_loses(fixture: Fixture) {
    let store = open(&fixture).await;
    // Another store on the same database, as another node is.
    let mut options = fixture.options();
    options.shared = true;
    let other = Store::open(options).await.unwrap();
    for round in 0..20_u64 {
        let pair = [2 * round + 1, 2 * round + 2];
        for number in pair {
            let change = Change::InsertUserRole(role(number, number, AdminRole::SuperAdmin));
            store.commit(vec![insert_user(user(number)), change]).await.unwrap();
        }
        if round > 0 {
            store.commit(vec![Change::DeleteUser { id: user_id(2 * round - 1), revision: 1 }]).await.ok();
            store.commit(vec![Change::DeleteUser { id: user_id(2 * round), revision: 1 }]).await.ok();
        }
        let suspend = |number: u64| {
            vec![
                Change::LockAdministrators,
                Change::UpdateUser(Box::new(with_status(number, UserStatus::Suspended))),
                Change::KeepAnAdministrator,
            ]
        };
        let (first, second) = tokio::join!(store.commit(suspend(pair[0])), other.commit(suspend(pair[1])));
        let lost = |result: &Result<(), CommitError>| {
            matches!(result, Err(CommitError::Conflict(Conflict::LastAdministrator)))
        };
        assert!(lost(&first) != lost(&second) && (first.is_ok() || second.is_ok()), "{first:?} {second:?}");
        assert!(store.first_administrator().await.unwrap().is_some());
    }
}

/// The tables of the last release without roles, on the engine of the fixture.
fn old_tables(fixture: &Fixture) -> [&'static str; 10] {
    macro_rules! tables {
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
    if fixture.url.starts_with("sqlite:") { tables!("sqlite") } else { tables!("postgres") }
}

async fn the_database_of_the_version_before_is_opened_with_nothing_lost(fixture: Fixture) {
    for tables in old_tables(&fixture) {
        fixture.create(tables).await;
    }
    fixture.create("CREATE TABLE schema_version (version BIGINT NOT NULL)").await;
    fixture.create("INSERT INTO schema_version (version) VALUES (10)").await;
    let hash = if fixture.url.starts_with("sqlite:") { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
    let token = "INSERT INTO api_tokens (id, name, sha256, created_ms, last_used_ms, expires_ms, revoked_ms) VALUES \
         ('00Told', 'old', HASH, 1, 2, 3, NULL)";
    fixture.create(&token.replace("HASH", hash)).await;
    let user = "INSERT INTO users (id, status, folded_login, folded_email, folded_first_name, folded_last_name, profile, \
         created_ms, last_updated_ms, revision) \
         VALUES ('00uold', 'ACTIVE', 'a@b.co', 'a@b.co', '', '', '{\"login\":\"a@b.co\"}', 1, 1, 1)";
    fixture.create(user).await;
    let store = fixture.open().await;
    let token = store.api_token_by_hash(&[0; 32]).await.unwrap().unwrap();
    assert_eq!((token.name.as_str(), &token.owner, token.scopes.is_empty()), ("old", &None, true));
    let old = store.user("00uold").await.unwrap().unwrap();
    assert_eq!(old.login(), "a@b.co");
    let granted = RoleAssignment { user: old.id.clone(), ..role(1, 1, AdminRole::SuperAdmin) };
    store.commit(vec![Change::InsertUserRole(granted), Change::AdoptApiTokens { user: old.id.clone() }]).await.unwrap();
    let (token, owner) = store.api_token_with_owner(&[0; 32]).await.unwrap().unwrap();
    assert_eq!((token.owner, owner.unwrap().role), (Some(old.id), Some(AdminRole::SuperAdmin)));
}
