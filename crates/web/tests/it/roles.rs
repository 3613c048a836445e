//! Administrators: tokens act for the users that they belong to, with their roles, and end with them.

use std::time::{Duration, Instant};

use hookwright_app::{NewApiToken, TokenGrant};
use hookwright_model::Timestamp;
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::id::UserId;
use hookwright_model::user::User;
use hookwright_model::user_schema::UserSchema;
use hookwright_store::{Change, Keyring, Store, StoreOptions};
use hookwright_testkit::{Answer, Client, ExternalService, FixedClock, Org, OrgOptions, Reply, SeededEntropy};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::execute::{ALLOW, hook_at, payload};
use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, hook, path_of};

const USERS: &str = "/api/v1/users";
const PASSWORD: &str = "Tr0ub4dor&3-correct-horse";

/// A user who is ACTIVE.
async fn user(org: &Org, login: &str) -> UserId {
    let profile = json!({"login": login, "email": login, "firstName": "Ada", "lastName": "Byron"});
    let body = json!({"profile": profile, "credentials": {"password": {"value": PASSWORD}}});
    UserId::from_text(accepted(&org.client.post(USERS, &body).await)["id"].as_str().expect("an id"))
}

async fn grant(org: &Org, user: &UserId, role: &str) -> Value {
    let answer = org.client.post(&format!("{USERS}/{user}/roles"), &json!({"type": role})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// An administrator with a token of their own.
async fn administrator(org: &Org, login: &str, role: &str) -> (UserId, Client) {
    let user = user(org, login).await;
    grant(org, &user, role).await;
    let (_, client) = org.token_for(login, TokenGrant::all_of(user.clone())).await;
    (user, client)
}

async fn step(org: &Org, user: &UserId, step: &str) -> Answer {
    org.client.post_empty(&format!("{USERS}/{user}/lifecycle/{step}")).await
}

async fn events(org: &Org, event_type: &str) -> Vec<Value> {
    let filter = format!("/api/v1/logs?filter=eventType%20eq%20%22{event_type}%22");
    accepted(&org.client.get(&filter).await).as_array().expect("events").clone()
}

#[tokio::test]
async fn the_org_is_made_with_its_first_administrator_who_owns_the_first_token() {
    let org = Org::start().await;
    let me = accepted(&org.client.get("/api/v1/users/me").await);
    assert_eq!(me["id"], org.administrator.as_str());
    assert_eq!((&me["status"], &me["profile"]["login"]), (&json!("PROVISIONED"), &json!("admin@hookwright.invalid")));
    assert!(me["credentials"].get("password").is_none(), "no credential until somebody sets it up");
    assert_eq!(accepted(&org.client.get(&format!("{USERS}/{}", org.administrator)).await), me);
    let roles = accepted(&org.client.get("/api/v1/users/me/roles").await);
    assert_eq!((roles.as_array().unwrap().len(), &roles[0]["type"]), (1, &json!("SUPER_ADMIN")));
    let tokens = accepted(&org.client.get("/api/v1/api-tokens").await);
    assert_eq!(tokens[0]["userId"], org.administrator.as_str());
    let href = format!("{}{USERS}/{}", org.app.settings().public_url, org.administrator);
    assert_eq!(tokens[0]["_links"]["user"], json!({"href": href, "hints": {"allow": ["GET"]}}));
    // Made once: another start finds it.
    let org = org.restart().await;
    assert_eq!(accepted(&org.client.get("/api/v1/users/me").await)["id"], me["id"]);
    assert_eq!(accepted(&org.client.get(USERS).await).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_org_from_before_there_were_administrators_gets_one_who_owns_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/org.db", folder.path().display());
    let entropy = SeededEntropy::new(7);
    let now = Timestamp::from_millis(1_700_000_000_000);
    let clock = FixedClock::at(now);
    let store = Store::open(StoreOptions::new(url.clone(), Keyring::in_memory(&entropy))).await.unwrap();
    let secret = SecretString::from("hwt_old");
    let grant = TokenGrant::all_of(UserId::from_text("00unobody"));
    let mut old = NewApiToken::with_secret("old", secret, grant, &clock, &entropy).token;
    old.owner = None;
    // The login that the administrator would have is somebody's already.
    let schema = UserSchema::new(now);
    let profile = json!({"login": "admin@hookwright.invalid", "email": "a@b.co", "firstName": "A", "lastName": "B"});
    let squatter = User::create(UserId::from_text("00usquatter"), profile.as_object().unwrap(), None, true, now);
    let squatter = Change::insert_user(squatter, &schema);
    store.commit(vec![Change::InsertUserSchema(schema), squatter, Change::InsertApiToken(old)]).await.unwrap();
    store.close().await;

    let org = Org::start_with(OrgOptions { database_url: Some(url), ..OrgOptions::default() }).await;
    let me = accepted(&org.client.with_token("hwt_old").get("/api/v1/users/me").await);
    assert_eq!(me["id"], org.administrator.as_str());
    assert_ne!(me["id"], "00usquatter");
    let login = me["profile"]["login"].as_str().unwrap();
    assert!(login.starts_with("admin-00u") && login.ends_with("@hookwright.invalid"), "{login}");
    assert_eq!(accepted(&org.client.get("/api/v1/users/00usquatter/roles").await), json!([]));
    assert_eq!(events(&org, "user.account.privilege.grant").await[0]["target"][0]["id"], me["id"]);
}

#[tokio::test]
async fn the_first_administrator_has_the_login_that_the_operator_chose() {
    let mut options = OrgOptions::default();
    options.settings.admin_login = Some("ada@example.com".to_owned());
    let org = Org::start_with(options).await;
    assert_eq!(accepted(&org.client.get("/api/v1/users/me").await)["profile"]["email"], "ada@example.com");
}

#[tokio::test]
async fn the_login_of_the_first_administrator_is_taken() {
    let org = Org::start().await;
    let taken =
        json!({"profile": {"login": "ADMIN@hookwright.invalid", "email": "a@b.co", "firstName": "A", "lastName": "B"}});
    refused(&org.client.post(USERS, &taken).await, 400, "E0000001");
}

#[tokio::test]
async fn me_is_the_owner_of_the_token_in_every_path_of_users() {
    let org = Org::start().await;
    let (ada, client) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    assert_eq!(accepted(&client.get("/api/v1/users/me").await)["id"], ada.as_str());
    let changed = accepted(&client.post("/api/v1/users/me", &json!({"profile": {"nickName": "Countess"}})).await);
    assert_eq!((&changed["id"], &changed["profile"]["nickName"]), (&json!(ada), &json!("Countess")));
    accepted(&client.get("/api/v1/users/me/groups").await);
    // What was done is on record with the user, and by which token.
    let event = events(&org, "user.account.update_profile").await.remove(0);
    assert_eq!((&event["actor"]["id"], &event["actor"]["type"]), (&json!(ada), &json!("User")));
    assert!(event["transaction"]["detail"]["requestApiTokenId"].as_str().unwrap().starts_with("00T"));
}

#[tokio::test]
async fn roles_are_granted_listed_and_taken_away_as_okta_shows_them() {
    let org = Org::start().await;
    let ada = user(&org, "ada@example.com").await;
    let path = format!("{USERS}/{ada}/roles");
    assert_eq!(accepted(&org.client.get(&path).await), json!([]));
    let role = grant(&org, &ada, "READ_ONLY_ADMIN").await;
    assert_eq!((&role["label"], &role["status"]), (&json!("Read-only Administrator"), &json!("ACTIVE")));
    assert_eq!(role["assignmentType"], "USER");
    assert_eq!(accepted(&org.client.get(&path).await), json!([role]));
    let own = format!("{path}/{}", role["id"].as_str().unwrap());
    assert_eq!(accepted(&org.client.get(&own).await), role);
    let again = org.client.post(&path, &json!({"type": "READ_ONLY_ADMIN"})).await;
    refused(&again, 409, "E0000090");
    for wrong in [json!({}), json!({"type": "ORG_ADMIN"}), json!({"type": 1})] {
        let causes = refused(&org.client.post(&path, &wrong).await, 400, "E0000001");
        assert!(causes[0].starts_with("type: "), "{causes:?}");
    }
    assert_eq!(org.client.delete(&own).await.status, 204);
    refused(&org.client.delete(&own).await, 404, "E0000007");
    assert_eq!(accepted(&org.client.get(&path).await), json!([]));
    for (kind, role) in [("grant", "Read-only Administrator"), ("revoke", "Read-only Administrator")] {
        let event = events(&org, &format!("user.account.privilege.{kind}")).await.remove(0);
        assert_eq!(event["target"][0]["id"], ada.as_str());
        assert_eq!(event["debugContext"]["debugData"]["privilegeGranted"], role);
    }
}

#[tokio::test]
async fn a_read_only_administrator_reads_everything_but_inner_addresses_and_changes_nothing() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/hook", [Reply::json(200, ALLOW)]);
    let hook_object = hook_at(&org, &service, "/hook", "com.okta.user.pre-registration").await;
    let execute = format!("{}/execute", path_of(&hook_object));
    accepted(&org.client.post(&execute, &payload()).await);
    let (_, reader) = administrator(&org, "reader@example.com", "READ_ONLY_ADMIN").await;
    accepted(&reader.get(HOOKS).await);
    let causes = refused(&reader.post(&execute, &payload()).await, 403, "E0000006");
    assert_eq!(causes, ["The owner of this API token is a read-only administrator"]);
    refused(&reader.post(HOOKS, &hook("mine")).await, 403, "E0000006");
    let record = |list: Value| list[0].clone();
    let seen_by_all = record(accepted(&org.client.get("/hookwright/v1/executions").await));
    let seen_by_reader = record(accepted(&reader.get("/hookwright/v1/executions").await));
    assert_eq!(seen_by_all["id"], seen_by_reader["id"]);
    assert!(seen_by_all["attempts"][0]["peer"].is_string());
    assert!(seen_by_reader["attempts"][0].get("peer").is_none(), "{seen_by_reader:#}");
    let whole =
        accepted(&reader.get(&format!("/hookwright/v1/executions/{}", seen_by_all["id"].as_str().unwrap())).await);
    assert!(whole["attempts"][0].get("peer").is_none() && whole["payload"].is_object(), "{whole:#}");
}

#[tokio::test]
async fn a_token_does_no_more_than_its_scopes_and_no_more_than_its_owner() {
    let org = Org::start().await;
    let narrow =
        |owner: &UserId, scopes: &str| TokenGrant { owner: owner.clone(), scopes: ApiScopes::parse(scopes).unwrap() };
    let (id, reading) = org.token_for("reading", narrow(&org.administrator, "okta.inlineHooks.read")).await;
    accepted(&reading.get(HOOKS).await);
    let causes = refused(&reading.post(HOOKS, &hook("mine")).await, 403, "E0000006");
    assert_eq!(causes, ["This API token lacks the scope okta.inlineHooks.manage"]);
    refused(&reading.get("/api/v1/users/me").await, 403, "E0000006");
    let shown = accepted(&org.client.get(&format!("/api/v1/api-tokens/{id}")).await);
    assert_eq!(shown["scopes"], json!(["okta.inlineHooks.read"]));
    let (_, terraform) =
        org.token_for("terraform", narrow(&org.administrator, "okta.inlineHooks.manage okta.users.read.self")).await;
    accepted(&terraform.post(HOOKS, &hook("mine")).await);
    accepted(&terraform.get("/api/v1/users/me").await);
    refused(&terraform.get(USERS).await, 403, "E0000006");
    // Scopes give nothing that the owner has not.
    let (reader, _) = administrator(&org, "reader@example.com", "READ_ONLY_ADMIN").await;
    let (_, greedy) = org.token_for("greedy", narrow(&reader, "okta.inlineHooks.manage")).await;
    accepted(&greedy.get(HOOKS).await);
    refused(&greedy.post(HOOKS, &hook("theirs")).await, 403, "E0000006");
    // Whatever it may do, a token can be given up.
    assert_eq!(greedy.delete("/api/v1/api-tokens/current").await.status, 204);
    refused(&greedy.get(HOOKS).await, 401, "E0000011");
}

#[tokio::test]
async fn a_role_that_is_granted_or_taken_away_counts_at_once() {
    let org = Org::start().await;
    let (ada, client) = administrator(&org, "ada@example.com", "READ_ONLY_ADMIN").await;
    refused(&client.post(HOOKS, &hook("mine")).await, 403, "E0000006");
    let role = grant(&org, &ada, "SUPER_ADMIN").await;
    accepted(&client.post(HOOKS, &hook("mine")).await);
    let own = format!("{USERS}/{ada}/roles/{}", role["id"].as_str().unwrap());
    assert_eq!(org.client.delete(&own).await.status, 204);
    refused(&client.post(HOOKS, &hook("other")).await, 403, "E0000006");
    accepted(&client.get(HOOKS).await);
    for role in accepted(&org.client.get(&format!("{USERS}/{ada}/roles")).await).as_array().unwrap() {
        let path = format!("{USERS}/{ada}/roles/{}", role["id"].as_str().unwrap());
        assert_eq!(org.client.delete(&path).await.status, 204);
    }
    let causes = refused(&client.get(HOOKS).await, 403, "E0000006");
    assert_eq!(causes, ["The owner of this API token has no administrator role"]);
    accepted(&client.get("/api/v1/users/me").await);
}

#[tokio::test]
async fn the_tokens_of_a_suspended_owner_rest_and_those_of_a_deactivated_one_end() {
    let org = Org::start().await;
    let (ada, client) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    accepted(&client.get(HOOKS).await);
    accepted(&step(&org, &ada, "suspend").await);
    refused(&client.get(HOOKS).await, 401, "E0000011");
    accepted(&step(&org, &ada, "unsuspend").await);
    accepted(&client.get(HOOKS).await);
    accepted(&step(&org, &ada, "deactivate").await);
    refused(&client.get(HOOKS).await, 401, "E0000011");
    accepted(&step(&org, &ada, "activate").await);
    refused(&client.get(HOOKS).await, 401, "E0000011");
    let names: Vec<Value> = accepted(&org.client.get("/api/v1/api-tokens").await)
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["name"].clone())
        .collect();
    assert_eq!(names, ["test"], "a token that ended is shown no longer");
}

#[tokio::test]
async fn an_expired_password_of_the_owner_stops_no_token() {
    let org = Org::start().await;
    let (ada, client) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    accepted(&step(&org, &ada, "expire_password").await);
    accepted(&client.get(HOOKS).await);
}

#[tokio::test]
async fn the_last_super_administrator_stays() {
    let org = Org::start().await;
    let me = &org.administrator;
    let role = accepted(&org.client.get("/api/v1/users/me/roles").await)[0]["id"].as_str().unwrap().to_owned();
    let refuse = |answer: Answer| {
        let causes = refused(&answer, 403, "E0000107");
        assert!(causes[0].starts_with("The last super administrator has to stay"), "{causes:?}");
    };
    // One who only reads is none, and neither is one who is suspended.
    administrator(&org, "reader@example.com", "READ_ONLY_ADMIN").await;
    let (ada, client) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    accepted(&step(&org, &ada, "suspend").await);
    refuse(org.client.delete(&format!("{USERS}/{me}/roles/{role}")).await);
    refuse(step(&org, me, "deactivate").await);
    refuse(org.client.delete(&format!("{USERS}/{me}")).await);
    accepted(&step(&org, &ada, "unsuspend").await);
    // Now there are two, and one may go; the one who stays is the last.
    accepted(&client.post_empty(&format!("{USERS}/{me}/lifecycle/deactivate")).await);
    refused(&org.client.get(HOOKS).await, 401, "E0000011");
    refuse(client.post_empty(&format!("{USERS}/{ada}/lifecycle/suspend")).await);
    accepted(&client.get("/api/v1/users/me").await);
}

#[tokio::test]
async fn of_two_administrators_who_take_each_other_away_at_once_one_stays() {
    let org = Org::start().await;
    let (ada, by_ada) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    let (bob, by_bob) = administrator(&org, "bob@example.com", "SUPER_ADMIN").await;
    accepted(&step(&org, &org.administrator, "deactivate").await);
    let suspend = |user: &UserId| format!("{USERS}/{user}/lifecycle/suspend");
    let (of_bob, of_ada) = (suspend(&bob), suspend(&ada));
    let (first, second) = tokio::join!(by_ada.post_empty(&of_bob), by_bob.post_empty(&of_ada));
    let statuses = [by_ada.get(HOOKS).await.status, by_bob.get(HOOKS).await.status];
    let left = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(left, 1, "{} {}", first.text(), second.text());
}

#[tokio::test]
async fn a_refused_token_makes_one_event_a_minute_and_network_and_never_tells_the_token() {
    let org = Org::start().await;
    for number in 0..40 {
        refused(&org.client.with_token(&format!("hwt_wrong_{number}")).get(HOOKS).await, 401, "E0000011");
    }
    // No credentials at all are no token.
    refused(&org.stranger().get(HOOKS).await, 401, "E0000004");
    let first = wait_for_refusals(&org, 1).await;
    assert_eq!(first[0]["client"]["ipAddress"], "127.0.0.1");
    assert_eq!((&first[0]["outcome"]["result"], &first[0]["severity"]), (&json!("FAILURE"), &json!("WARN")));
    assert_eq!(first[0]["outcome"]["reason"], "UNKNOWN_TOKEN");
    assert_eq!(first[0]["debugContext"]["debugData"]["count"], 1);
    org.clock.advance(Duration::from_secs(60));
    org.app.sweep_refused_tokens();
    let both = wait_for_refusals(&org, 2).await;
    assert_eq!(both[1]["debugContext"]["debugData"]["count"], 39);
    assert!(!json!(both).to_string().contains("hwt_wrong"));
    // A token that the org knows is named by its id.
    let (ada, client) = administrator(&org, "ada@example.com", "SUPER_ADMIN").await;
    accepted(&step(&org, &ada, "suspend").await);
    org.clock.advance(Duration::from_secs(60));
    refused(&client.get(HOOKS).await, 401, "E0000011");
    let known = wait_for_refusals(&org, 3).await.remove(2);
    assert_eq!((&known["outcome"]["reason"], &known["actor"]["id"]), (&json!("OWNER_NOT_ACTIVE"), &json!(ada)));
    assert!(known["target"][0]["id"].as_str().unwrap().starts_with("00T"));
    assert_eq!(known["target"][0]["displayName"], "ada@example.com");
}

async fn wait_for_refusals(org: &Org, expected: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = events(org, "system.api_token.refused").await;
        if found.len() >= expected {
            assert_eq!(found.len(), expected);
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the event is never written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_a_refused_token_leaves_untold_is_told_when_the_org_stops() {
    let org = Org::start().await;
    for _ in 0..3 {
        refused(&org.client.with_token("hwt_wrong").get(HOOKS).await, 401, "E0000011");
    }
    let org = org.restart().await;
    let told: u64 = wait_for_refusals(&org, 2)
        .await
        .iter()
        .map(|event| event["debugContext"]["debugData"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(told, 3);
}
