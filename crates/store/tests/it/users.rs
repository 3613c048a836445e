//! Users: one login, one user; what must be unique is; a change of the schema is seen by whoever writes a profile.

use hookwright_model::profile::merged;
use hookwright_model::user::{LifecycleStep, User, UserStatus};
use hookwright_model::user_schema::{UniqueValue, Uniqueness, UserSchema};
use hookwright_store::{Change, Conflict, Store, UserQuery};
use serde_json::json;

use crate::fixture::{Fixture, on_both_engines};
use crate::org::{conflict, insert_user, open, profile, user, user_id};
use crate::samples::{after, event};

on_both_engines! {
    a_user_comes_back_as_it_was_stored,
    a_login_is_taken_whatever_its_case_and_marks,
    a_login_is_won_by_one_of_64_tasks,
    an_email_address_belongs_to_one_user,
    a_deleted_user_leaves_login_and_values_free,
    an_update_needs_the_revision_that_was_read,
    a_profile_that_was_checked_against_an_old_schema_is_refused,
    an_update_without_the_profile_needs_no_schema,
    values_of_users_who_were_there_before_are_claimed_once,
    pages_of_users_follow_their_ids_and_leave_out_the_deactivated,
    a_sign_in_moves_the_date_forward_only,
    the_schema_of_an_org_comes_back_and_is_made_once,
    what_no_database_can_hold_is_not_found,
}

async fn stored(store: &Store, number: u64) -> User {
    store.user(user_id(number).as_str()).await.unwrap().unwrap()
}

fn assert_same(left: &User, right: &User) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
    let hash = |user: &User| user.password.as_ref().map(|hash| hash.expose_phc().to_owned());
    assert_eq!(hash(left), hash(right));
}

fn key(attribute: &str, key: &str) -> UniqueValue {
    UniqueValue { attribute: attribute.to_owned(), key: key.to_owned() }
}

async fn a_user_comes_back_as_it_was_stored(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut bare = user(2);
    bare.password = None;
    bare.status = UserStatus::Provisioned;
    bare.profile = merged(&bare.profile, json!({"tags": ["a", "\0"], "size": 1.50, "z": true}).as_object().unwrap());
    for user in [user(1), bare] {
        store.commit(vec![insert_user(user.clone()), Change::AppendEvents(vec![event(1)])]).await.unwrap();
        assert_same(&store.user(user.id.as_str()).await.unwrap().unwrap(), &user);
    }
    let by_login = store.user_by_login(" USER1@Example.com").await.unwrap().unwrap();
    assert_same(&by_login, &user(1));
    let by_email = store.user_by_unique_value(&key("email", "user1@example.com")).await.unwrap().unwrap();
    assert_eq!(by_email.id, user_id(1));
    assert!(store.user("00unobody").await.unwrap().is_none());
    assert!(store.user_by_login("nobody@example.com").await.unwrap().is_none());
}

async fn a_login_is_taken_whatever_its_case_and_marks(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    let mut other = user(2);
    other.profile = profile("Üsér1@EXAMPLE.com");
    assert_eq!(conflict(store.commit(vec![insert_user(other.clone())]).await), Some(Conflict::LoginTaken));
    store.commit(vec![insert_user(user(2))]).await.unwrap();
    let change = Change::update_user_profile(other, &UserSchema::default());
    assert_eq!(conflict(store.commit(vec![change]).await), Some(Conflict::LoginTaken));
    assert_eq!(stored(&store, 2).await.login(), "user2@example.com");
}

async fn a_login_is_won_by_one_of_64_tasks(fixture: Fixture) {
    let store = open(&fixture).await;
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let store = store.clone();
            let mut user = user(number);
            user.profile = profile("same@example.com");
            tokio::spawn(async move { conflict(store.commit(vec![insert_user(user)]).await) })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            None => won += 1,
            Some(refusal) => assert_eq!(refusal, Conflict::LoginTaken),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(store.users(&UserQuery::default()).await.unwrap().len(), 1);
}

async fn an_email_address_belongs_to_one_user(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    let mut other = user(2);
    other.profile.insert("email".to_owned(), json!("User1@example.com"));
    let taken = Some(Conflict::UniqueTaken { attribute: "email".to_owned() });
    assert_eq!(conflict(store.commit(vec![insert_user(other.clone())]).await), taken);
    assert!(store.user(user_id(2).as_str()).await.unwrap().is_none(), "nothing of it is stored");
    store.commit(vec![insert_user(user(2))]).await.unwrap();
    let change = Change::update_user_profile(other, &UserSchema::default());
    assert_eq!(conflict(store.commit(vec![change]).await), taken);
    let same = Change::update_user_profile(stored(&store, 1).await, &UserSchema::default());
    store.commit(vec![same]).await.unwrap();
}

async fn a_deleted_user_leaves_login_and_values_free(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    let delete = |revision| Change::DeleteUser { id: user_id(1), revision };
    assert_eq!(conflict(store.commit(vec![delete(2)]).await), Some(Conflict::Stale));
    store.commit(vec![delete(1)]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM user_values").await, 0);
    let mut again = user(2);
    again.profile = user(1).profile;
    store.commit(vec![insert_user(again)]).await.unwrap();
}

async fn an_update_needs_the_revision_that_was_read(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    let mut changed = user(1);
    changed.profile.insert("nickName".to_owned(), json!("Rosie"));
    let change = || Change::update_user_profile(changed.clone(), &UserSchema::default());
    store.commit(vec![change()]).await.unwrap();
    assert_eq!(stored(&store, 1).await.revision, 2);
    assert_eq!(conflict(store.commit(vec![change()]).await), Some(Conflict::Stale));
    assert_eq!(conflict(store.commit(vec![Change::UpdateUser(Box::new(changed))]).await), Some(Conflict::Stale));
}

async fn a_profile_that_was_checked_against_an_old_schema_is_refused(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    store.commit(vec![Change::UpdateUserSchema(UserSchema::default())]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert_user(user(2))]).await), Some(Conflict::SchemaChanged));
    let old = Change::update_user_profile(user(1), &UserSchema::default());
    assert_eq!(conflict(store.commit(vec![old]).await), Some(Conflict::SchemaChanged));
    let schema = store.user_schema().await.unwrap().unwrap();
    assert_eq!(schema.revision, 2);
    store.commit(vec![Change::insert_user(user(2), &schema)]).await.unwrap();
    let stale = Change::UpdateUserSchema(UserSchema::default());
    assert_eq!(conflict(store.commit(vec![stale]).await), Some(Conflict::Stale));
}

async fn an_update_without_the_profile_needs_no_schema(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    store.commit(vec![Change::UpdateUserSchema(UserSchema::default())]).await.unwrap();
    let mut locked = user(1).with_status(UserStatus::LockedOut, after(5_000));
    locked.password = None;
    locked.email_verified = false;
    locked.profile.clear();
    store.commit(vec![Change::UpdateUser(Box::new(locked.clone()))]).await.unwrap();
    assert_same(&stored(&store, 1).await, &User { profile: user(1).profile, revision: 2, ..locked });
}

async fn values_of_users_who_were_there_before_are_claimed_once(fixture: Fixture) {
    let store = open(&fixture).await;
    let body = json!({"definitions": {"custom": {"properties": {"badge": {"type": "string", "unique": true}}}}});
    let schema = UserSchema::default().updated(body.as_object().unwrap(), after(0)).unwrap().schema;
    for number in 1..=3 {
        let mut user = user(number);
        user.profile.insert("badge".to_owned(), json!(if number == 3 { "B1" } else { "b1" }));
        store.commit(vec![insert_user(user)]).await.unwrap();
    }
    let claim = |number, revision| Change::ClaimValue { user: user_id(number), revision, value: key("badge", "b1") };
    store.commit(vec![claim(1, 1)]).await.unwrap();
    store.commit(vec![claim(1, 1)]).await.unwrap();
    store.commit(vec![claim(2, 9)]).await.unwrap();
    let taken = Some(Conflict::UniqueTaken { attribute: "badge".to_owned() });
    assert_eq!(conflict(store.commit(vec![claim(2, 1)]).await), taken);
    store.commit(vec![Change::UpdateUserSchema(schema.clone())]).await.unwrap();
    let pending = store.user_schema().await.unwrap().unwrap();
    assert_eq!(pending.get("badge").unwrap().unique, Uniqueness::Pending);
    let mut fourth = user(4);
    fourth.profile.insert("badge".to_owned(), json!("B1"));
    assert_eq!(conflict(store.commit(vec![Change::insert_user(fourth, &pending)]).await), taken);
    store.commit(vec![Change::ReleaseValues { attribute: "badge".to_owned() }]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM user_values WHERE attribute = 'badge'").await, 0);
}

async fn pages_of_users_follow_their_ids_and_leave_out_the_deactivated(fixture: Fixture) {
    let store = open(&fixture).await;
    for number in 0..12 {
        let mut user = user(number);
        if number == 5 {
            user.status = UserStatus::Deprovisioned;
        }
        if number == 7 {
            user.profile.insert("firstName".to_owned(), json!("Ångström"));
        }
        store.commit(vec![insert_user(user)]).await.unwrap();
    }
    let numbers = async |query: UserQuery| -> Vec<u64> {
        let users = store.users(&query).await.unwrap();
        users.iter().map(|user| user.id.as_str()[3..].parse().unwrap()).collect()
    };
    assert_eq!(numbers(UserQuery { limit: 4, ..UserQuery::default() }).await, [0, 1, 2, 3]);
    let after = Some(user_id(3).to_string());
    assert_eq!(numbers(UserQuery { limit: 3, after: after.clone(), ..UserQuery::default() }).await, [4, 6, 7]);
    assert_eq!(numbers(UserQuery { limit: 2, after, deprovisioned: true, ..UserQuery::default() }).await, [4, 5]);
    let prefix = |text: &str| UserQuery { prefix: Some(text.to_owned()), ..UserQuery::default() };
    assert_eq!(numbers(prefix("angstr")).await, [7]);
    assert_eq!(numbers(prefix("USER1")).await, [1, 10, 11]);
    assert_eq!(numbers(prefix("jones")).await.len(), 11);
    assert_eq!(numbers(prefix("%")).await, [] as [u64; 0]);
}

async fn a_sign_in_moves_the_date_forward_only(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![insert_user(user(1))]).await.unwrap();
    let note = |proof_epoch, at| vec![Change::NoteSignIn { id: user_id(1), proof_epoch, at }];
    for at in [after(10), after(5), after(20)] {
        store.commit(note(0, at)).await.unwrap();
    }
    let user = stored(&store, 1).await;
    assert_eq!((user.last_login, user.revision), (Some(after(20)), 1));
    // What was proved before a step that ended everything leads to no sign-in after it.
    let suspended = user.after(LifecycleStep::Suspend, after(30)).unwrap();
    store.commit(vec![Change::UpdateUser(Box::new(suspended))]).await.unwrap();
    assert_eq!(conflict(store.commit(note(0, after(40))).await), Some(Conflict::Stale));
    store.commit(note(1, after(50))).await.unwrap();
}

async fn the_schema_of_an_org_comes_back_and_is_made_once(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.user_schema().await.unwrap().is_none());
    let body = json!({"definitions": {
        "custom": {"properties": {"size": {"type": "string", "enum": ["S", "M"], "required": true}}},
        "base": {"properties": {"employeeNumber": {"permissions": [{"principal": "SELF", "action": "READ_WRITE"}]}}},
    }});
    let schema = UserSchema::new(after(0)).updated(body.as_object().unwrap(), after(5_000)).unwrap().schema;
    store.commit(vec![Change::InsertUserSchema(schema.clone())]).await.unwrap();
    assert_eq!(store.user_schema().await.unwrap(), Some(schema.clone()));
    assert_eq!(conflict(store.commit(vec![Change::InsertUserSchema(schema)]).await), Some(Conflict::AlreadyThere));
}

async fn what_no_database_can_hold_is_not_found(fixture: Fixture) {
    let store = open(&fixture).await;
    assert!(store.user("\0").await.unwrap().is_none());
    assert!(store.user_by_login("a\0").await.unwrap().is_none());
    assert!(store.user_by_unique_value(&key("\0", "\0")).await.unwrap().is_none());
    let query = UserQuery { prefix: Some("\0".to_owned()), ..UserQuery::default() };
    assert!(store.users(&query).await.unwrap().is_empty());
}
