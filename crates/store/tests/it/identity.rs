//! Groups, policies, apps and trusted origins: what they refer to can't go, and of two writers one is told so.

use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::{FormAttribute, PolicyHook, RunOn};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_store::{Change, Conflict, Store, UserQuery};
use secrecy::ExposeSecret as _;

use crate::fixture::{Fixture, Seeded, on_both_engines};
use crate::org::{
    app, conflict, default_policy, group, insert_app, insert_policy, insert_user, open, origin, policy, user, user_id,
};
use crate::samples::{after, hook, hook_id};

on_both_engines! {
    a_group_comes_back_and_its_name_is_taken,
    people_join_and_leave_and_all_are_in_the_built_in_group,
    a_group_that_a_policy_needs_stays,
    a_policy_comes_back_with_its_rule,
    policies_have_names_of_their_own_a_limit_and_one_default,
    a_hook_that_a_policy_uses_stays_and_a_hook_that_is_gone_can_not_be_used,
    a_hook_is_not_lost_between_a_policy_that_takes_it_and_its_deletion,
    apps_of_a_deleted_policy_come_under_the_default_one,
    an_app_comes_back_with_its_secret_sealed,
    a_client_id_is_taken_once,
    secrets_of_apps_are_sealed_anew_with_a_fresh_key,
    a_trusted_origin_comes_back_and_is_unique_by_name_and_origin,
}

async fn a_group_comes_back_and_its_name_is_taken(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![Change::InsertGroup(group(1)), Change::InsertGroup(group(2))]).await.unwrap();
    assert_eq!(store.group(group(1).id.as_str()).await.unwrap(), Some(group(1)));
    let mut other = group(3);
    other.name = "gRoUp 1".to_owned();
    assert_eq!(conflict(store.commit(vec![Change::InsertGroup(other.clone())]).await), Some(Conflict::NameTaken));
    other.id = group(2).id;
    assert_eq!(conflict(store.commit(vec![Change::UpdateGroup(other.clone())]).await), Some(Conflict::NameTaken));
    other.name = "Other".to_owned();
    store.commit(vec![Change::UpdateGroup(other.clone())]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![Change::UpdateGroup(other)]).await), Some(Conflict::Stale));
    let names = async |prefix: &str, after: &str| -> Vec<String> {
        store.groups(prefix, after, 10).await.unwrap().into_iter().map(|group| group.name).collect()
    };
    assert_eq!(names("", "").await, ["Everyone", "Group 1", "Other"]);
    assert_eq!(names("gro", "").await, ["Group 1"]);
    assert_eq!(names("", group(1).id.as_str()).await, ["Other"]);
    let everyone = store.groups("every", "", 1).await.unwrap().remove(0);
    let delete = Change::DeleteGroup { id: everyone.id, revision: 1 };
    assert_eq!(conflict(store.commit(vec![delete]).await), Some(Conflict::Stale));
}

async fn people_join_and_leave_and_all_are_in_the_built_in_group(fixture: Fixture) {
    let store = open(&fixture).await;
    store.commit(vec![Change::InsertGroup(group(1)), insert_user(user(1)), insert_user(user(2))]).await.unwrap();
    let add = || Change::AddGroupMember { group: group(1).id, user: user_id(1) };
    store.commit(vec![add(), Change::TouchGroupMembership { group: group(1).id, at: after(7) }]).await.unwrap();
    store.commit(vec![add()]).await.unwrap();
    let members = async |group: &str| -> usize {
        store.users(&UserQuery { group: Some(group.to_owned()), ..UserQuery::default() }).await.unwrap().len()
    };
    let everyone = store.groups("every", "", 1).await.unwrap().remove(0);
    assert_eq!((members(group(1).id.as_str()).await, members(everyone.id.as_str()).await), (1, 2));
    let groups = store.groups_of_user(user_id(1).as_str()).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Everyone", "Group 1"]);
    assert_eq!(groups[1].last_membership_updated, after(7));
    let nobody = Change::AddGroupMember { group: group(1).id, user: user_id(9) };
    assert_eq!(conflict(store.commit(vec![nobody]).await), Some(Conflict::Reference));
    store.commit(vec![Change::RemoveGroupMember { group: group(1).id, user: user_id(1) }]).await.unwrap();
    assert_eq!(members(group(1).id.as_str()).await, 0);
    store.commit(vec![add()]).await.unwrap();
    store.commit(vec![Change::DeleteGroup { id: group(1).id, revision: 1 }]).await.unwrap();
    assert_eq!(store.groups_of_user(user_id(1).as_str()).await.unwrap().len(), 1);
}

async fn a_group_that_a_policy_needs_stays(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut policy = policy(1);
    policy.rule.target_group = Some(group(1).id);
    assert_eq!(conflict(store.commit(vec![insert_policy(policy.clone())]).await), Some(Conflict::Reference));
    store.commit(vec![Change::InsertGroup(group(1)), insert_policy(policy.clone())]).await.unwrap();
    let delete = || Change::DeleteGroup { id: group(1).id, revision: 1 };
    assert_eq!(conflict(store.commit(vec![delete()]).await), Some(Conflict::Reference));
    assert_eq!(store.enrollment_policies_with_group(group(1).id.as_str()).await.unwrap(), [policy.clone()]);
    policy.rule.target_group = None;
    store.commit(vec![Change::UpdateEnrollmentPolicy(Box::new(policy)), delete()]).await.unwrap();
}

async fn a_policy_comes_back_with_its_rule(fixture: Fixture) {
    let store = open(&fixture).await;
    assert_eq!(store.default_enrollment_policy().await.unwrap(), Some(default_policy()));
    let mut policy = policy(1);
    policy.description = Some("d".to_owned());
    policy.status = LifecycleStatus::Inactive;
    policy.rule.hook = Some(PolicyHook { inline_hook_id: hook_id(1), run_on: RunOn::ExistingUser });
    policy.rule.progressive_profiling = false;
    policy.rule.email_verification = false;
    policy.rule.enroll_password_on_form = true;
    policy.rule.ui_schema_id = Some("uis1".to_owned());
    policy.rule.profile_attributes.push(FormAttribute {
        name: "inviteCode".to_owned(),
        label: "Invite \u{1f980}".to_owned(),
        required: true,
    });
    policy.rule.last_updated = after(5);
    let insert_hook = Change::InsertInlineHook { hook: hook(1), limit: 10 };
    store.commit(vec![insert_hook, insert_policy(policy.clone())]).await.unwrap();
    assert_eq!(store.enrollment_policy(policy.id.as_str()).await.unwrap(), Some(policy.clone()));
    assert_eq!(store.enrollment_policies().await.unwrap(), [policy.clone(), default_policy()]);
    policy.priority = 7;
    policy.rule.hook = None;
    store.commit(vec![Change::UpdateEnrollmentPolicy(Box::new(policy.clone()))]).await.unwrap();
    let stale = Change::UpdateEnrollmentPolicy(Box::new(policy.clone()));
    assert_eq!(conflict(store.commit(vec![stale]).await), Some(Conflict::Stale));
    policy.revision = 2;
    assert_eq!(store.enrollment_policy(policy.id.as_str()).await.unwrap(), Some(policy));
}

async fn policies_have_names_of_their_own_a_limit_and_one_default(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut second = policy(2);
    second.name = "POLICY 1".to_owned();
    store.commit(vec![insert_policy(policy(1))]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert_policy(second)]).await), Some(Conflict::NameTaken));
    let mut other_default = default_policy();
    other_default.id = policy(3).id;
    assert_eq!(conflict(store.commit(vec![insert_policy(other_default)]).await), Some(Conflict::AlreadyThere));
    let third = Change::InsertEnrollmentPolicy { policy: Box::new(policy(3)), limit: 2 };
    assert_eq!(conflict(store.commit(vec![third]).await), Some(Conflict::LimitReached));
    let delete = |id, revision| Change::DeleteEnrollmentPolicy { id, revision };
    assert_eq!(conflict(store.commit(vec![delete(default_policy().id, 1)]).await), Some(Conflict::Stale));
    store.commit(vec![delete(policy(1).id, 1)]).await.unwrap();
    assert!(store.enrollment_policy(policy(1).id.as_str()).await.unwrap().is_none());
}

async fn a_hook_that_a_policy_uses_stays_and_a_hook_that_is_gone_can_not_be_used(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut policy = policy(1);
    policy.rule.hook = Some(PolicyHook { inline_hook_id: hook_id(1), run_on: RunOn::Both });
    let insert = || insert_policy(policy.clone());
    assert_eq!(conflict(store.commit(vec![insert()]).await), Some(Conflict::Reference));
    store.commit(vec![Change::InsertInlineHook { hook: hook(1), limit: 10 }, insert()]).await.unwrap();
    let delete = || Change::DeleteInlineHook { id: hook_id(1), revision: 1 };
    assert_eq!(conflict(store.commit(vec![delete()]).await), Some(Conflict::Reference));
    assert_eq!(store.enrollment_policies_with_hook(hook_id(1).as_str()).await.unwrap(), [policy.clone()]);
    store.commit(vec![Change::DeleteEnrollmentPolicy { id: policy.id.clone(), revision: 1 }, delete()]).await.unwrap();
}

async fn a_hook_is_not_lost_between_a_policy_that_takes_it_and_its_deletion(fixture: Fixture) {
    let store = open(&fixture).await;
    for number in 1..=32 {
        let insert = Change::InsertInlineHook { hook: hook(number), limit: 100 };
        store.commit(vec![insert]).await.unwrap();
        let mut policy = policy(number);
        policy.rule.hook = Some(PolicyHook { inline_hook_id: hook_id(number), run_on: RunOn::Both });
        let (one, two) = (store.clone(), store.clone());
        let take = tokio::spawn(async move { conflict(one.commit(vec![insert_policy(policy)]).await) });
        let delete = Change::DeleteInlineHook { id: hook_id(number), revision: 1 };
        let delete = tokio::spawn(async move { conflict(two.commit(vec![delete]).await) });
        let results = (take.await.unwrap(), delete.await.unwrap());
        let one_lost = [(None, Some(Conflict::Reference)), (Some(Conflict::Reference), None)];
        assert!(one_lost.contains(&results), "{results:?}");
    }
}

async fn apps_of_a_deleted_policy_come_under_the_default_one(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut portal = app(1);
    portal.policy_id = policy(1).id;
    assert_eq!(conflict(store.commit(vec![insert_app(portal.clone())]).await), Some(Conflict::Reference));
    store.commit(vec![insert_policy(policy(1)), insert_app(portal)]).await.unwrap();
    assert_eq!(store.applications_of_policy(policy(1).id.as_str()).await.unwrap().len(), 1);
    store.commit(vec![Change::DeleteEnrollmentPolicy { id: policy(1).id, revision: 1 }]).await.unwrap();
    let moved = stored_app(&store, 1).await;
    assert_eq!((moved.policy_id, moved.revision), (default_policy().id, 2));
}

async fn stored_app(store: &Store, number: u64) -> Application {
    store.application(app(number).id.as_str()).await.unwrap().unwrap()
}

fn secret(app: &Application) -> String {
    app.oauth.as_ref().unwrap().client_secret.as_ref().unwrap().expose_secret().to_owned()
}

async fn an_app_comes_back_with_its_secret_sealed(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut bookmark = app(2);
    bookmark.oauth = None;
    bookmark.system = true;
    bookmark.sign_on_mode = hookwright_model::application::SignOnMode::Bookmark;
    store.commit(vec![insert_app(app(1)), insert_app(bookmark.clone())]).await.unwrap();
    let stored = stored_app(&store, 1).await;
    assert_eq!(format!("{stored:?}"), format!("{:?}", app(1)));
    assert_eq!(secret(&stored), "secret 1");
    let by_client = store.application_by_client_id(app(1).id.as_str()).await.unwrap().unwrap();
    assert_eq!(by_client.label, "App 1");
    assert_eq!(format!("{:?}", store.dashboard().await.unwrap().unwrap()), format!("{bookmark:?}"));
    let plain = "SELECT count(*) FROM applications WHERE oauth LIKE '%secret 1%'";
    assert_eq!(fixture.number(plain).await, 0);
    let mut changed = stored;
    changed.status = LifecycleStatus::Inactive;
    changed.oauth.as_mut().unwrap().client_secret = None;
    store.commit(vec![Change::UpdateApplication(Box::new(changed.clone()))]).await.unwrap();
    changed.revision = 2;
    assert_eq!(format!("{:?}", stored_app(&store, 1).await), format!("{changed:?}"));
    assert_eq!(store.applications("", 10).await.unwrap().len(), 2);
    assert_eq!(store.applications(app(1).id.as_str(), 10).await.unwrap().len(), 1);
    let delete = |number, revision| Change::DeleteApplication { id: app(number).id, revision };
    assert_eq!(conflict(store.commit(vec![delete(1, 1)]).await), Some(Conflict::Stale));
    assert_eq!(conflict(store.commit(vec![delete(2, 1)]).await), Some(Conflict::Stale), "the dashboard stays");
    store.commit(vec![delete(1, 2)]).await.unwrap();
}

async fn a_client_id_is_taken_once(fixture: Fixture) {
    let store = open(&fixture).await;
    let mut other = app(2);
    other.oauth.as_mut().unwrap().client_id = app(1).id.to_string();
    store.commit(vec![insert_app(app(1))]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![insert_app(other)]).await), Some(Conflict::ClientIdTaken));
}

async fn secrets_of_apps_are_sealed_anew_with_a_fresh_key(fixture: Fixture) {
    let store = open(&fixture).await;
    let hook = Change::InsertInlineHook { hook: hook(1), limit: 10 };
    store.commit(vec![insert_app(app(1)), insert_app(app(2)), hook]).await.unwrap();
    store.use_keyring(fixture.keyring.with_fresh_key(&Seeded::new(3))).await.unwrap();
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 3);
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 0);
    assert_eq!(secret(&stored_app(&store, 2).await), "secret 2");
    let swap = "UPDATE applications SET sealed_client_secret = \
         (SELECT other.sealed_client_secret FROM applications AS other WHERE other.label = 'App 1')";
    fixture.tamper(swap).await;
    let error = store.application(app(2).id.as_str()).await.unwrap_err();
    assert!(error.to_string().contains(app(2).id.as_str()), "{error}");
}

async fn a_trusted_origin_comes_back_and_is_unique_by_name_and_origin(fixture: Fixture) {
    let store = open(&fixture).await;
    for number in 1..=3 {
        store.commit(vec![Change::InsertTrustedOrigin(origin(number))]).await.unwrap();
    }
    assert_eq!(store.trusted_origin(origin(2).id.as_str()).await.unwrap(), Some(origin(2)));
    assert_eq!(store.trusted_origins(origin(1).id.as_str(), 1).await.unwrap(), [origin(2)]);
    assert!(store.is_cors_origin("https://app1.example").await.unwrap());
    assert!(!store.is_cors_origin("https://app9.example").await.unwrap());
    let mut changed = origin(3);
    changed.origin = origin(1).origin;
    let update = |origin| Change::UpdateTrustedOrigin(origin);
    assert_eq!(conflict(store.commit(vec![update(changed.clone())]).await), Some(Conflict::OriginTaken));
    changed.name = "origin 1".to_owned();
    assert_eq!(conflict(store.commit(vec![update(changed.clone())]).await), Some(Conflict::NameTaken));
    let mut fourth = origin(4);
    fourth.origin = origin(1).origin;
    assert_eq!(conflict(store.commit(vec![Change::InsertTrustedOrigin(fourth)]).await), Some(Conflict::OriginTaken));
    changed = origin(1);
    changed.status = LifecycleStatus::Inactive;
    store.commit(vec![update(changed.clone())]).await.unwrap();
    assert!(!store.is_cors_origin("https://app1.example").await.unwrap());
    assert_eq!(conflict(store.commit(vec![update(changed)]).await), Some(Conflict::Stale));
    store.commit(vec![Change::DeleteTrustedOrigin { id: origin(1).id, revision: 2 }]).await.unwrap();
    assert!(store.trusted_origin(origin(1).id.as_str()).await.unwrap().is_none());
}
