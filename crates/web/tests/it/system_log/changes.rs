//! Each administrative write makes its event.

use hookwright_testkit::{Answer, Org};
use http::Method;
use serde_json::{Value, json};

use super::{each, events, logs};
use crate::fixtures::hook;

/// An org to write to.
struct Writer {
    org: Org,
}

impl Writer {
    async fn count(&self, event_type: &str) -> usize {
        let filter = format!("eventType eq \"{event_type}\"");
        let found = events(&self.org.client.get(&logs(&[("filter", &filter)])).await);
        assert!(each(&found, "/eventType").iter().all(|found| *found == event_type));
        found.len()
    }

    /// A write that must go well and make one event of this type; gives the answer's body, or null.
    async fn makes(&self, event_type: &str, method: Method, path: &str, body: Value) -> Value {
        let before = self.count(event_type).await;
        let answer: Answer = self.org.client.request(method.clone(), path).json(&body).send().await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        assert_eq!(self.count(event_type).await, before + 1, "{method} {path} makes {event_type}");
        serde_json::from_str(&answer.text()).unwrap_or_default()
    }

    async fn posts(&self, event_type: &str, path: &str, body: Value) -> Value {
        self.makes(event_type, Method::POST, path, body).await
    }

    async fn puts(&self, event_type: &str, path: &str, body: Value) -> Value {
        self.makes(event_type, Method::PUT, path, body).await
    }

    async fn deletes(&self, event_type: &str, path: &str) {
        self.makes(event_type, Method::DELETE, path, Value::Null).await;
    }

    /// Switches something off and on, and off again so that it can go; then deletes it.
    async fn switches_and_deletes(&self, kind: &str, path: &str) {
        for step in ["deactivate", "activate", "deactivate"] {
            self.posts(&format!("{kind}.{step}"), &format!("{path}/lifecycle/{step}"), json!({})).await;
        }
        self.deletes(&format!("{kind}.delete"), path).await;
    }
}

fn path(collection: &str, made: &Value) -> String {
    format!("{collection}/{}", made["id"].as_str().expect("an id"))
}

async fn people(at: &Writer) {
    let password = |value: &str| json!({"value": value});
    let profile = json!({"login": "ada@example.com", "email": "ada@example.com", "firstName": "A", "lastName": "B"});
    let made = json!({"profile": profile, "credentials": {"password": password("Correct-horse-7")}});
    let user = path("/api/v1/users", &at.posts("user.lifecycle.create", "/api/v1/users", made).await);
    at.posts("user.account.update_profile", &user, json!({"profile": {"nickName": "Countess"}})).await;
    let fresh = json!({"credentials": {"password": password("Another-horse-8")}});
    at.posts("user.account.update_password", &user, fresh).await;
    let change = json!({"oldPassword": password("Another-horse-8"), "newPassword": password("A-third-horse-9")});
    at.posts("user.account.update_password", &format!("{user}/credentials/change_password"), change).await;

    let roles = format!("{user}/roles");
    let role = at.posts("user.account.privilege.grant", &roles, json!({"type": "READ_ONLY_ADMIN"})).await;
    at.deletes("user.account.privilege.revoke", &path(&roles, &role)).await;

    let body = |name: &str| json!({"profile": {"name": name}});
    let group = path("/api/v1/groups", &at.posts("group.lifecycle.create", "/api/v1/groups", body("One")).await);
    at.puts("group.profile.update", &group, body("Two")).await;
    let member = format!("{group}/users/{}", user.rsplit('/').next().expect("an id"));
    at.puts("group.user_membership.add", &member, json!({})).await;
    at.deletes("group.user_membership.remove", &member).await;
    at.deletes("group.lifecycle.delete", &group).await;

    for (step, event_type) in [
        ("suspend", "user.lifecycle.suspend"),
        ("unsuspend", "user.lifecycle.unsuspend"),
        ("expire_password", "user.account.expire_password"),
        ("deactivate", "user.lifecycle.deactivate"),
    ] {
        at.posts(event_type, &format!("{user}/lifecycle/{step}"), json!({})).await;
    }
    at.deletes("user.lifecycle.delete.initiated", &user).await;
}

async fn ways_in(at: &Writer) {
    let title = json!({"definitions": {"base": {"properties": {"title": {"title": "Honorific"}}}}});
    at.posts("system.user_schema.update", "/api/v1/meta/schemas/user/default", title).await;

    let policies = "/api/v1/policies";
    let body = |name: &str| json!({"name": name, "type": "PROFILE_ENROLLMENT", "status": "ACTIVE"});
    let policy = at.posts("policy.lifecycle.create", policies, body("One")).await;
    let own = path(policies, &policy);
    at.puts("policy.lifecycle.update", &own, body("Two")).await;
    let rules = format!("{own}/rules");
    let mut rule = at.org.client.get(&rules).await.json()[0].clone();
    rule["actions"]["profileEnrollment"]["unknownUserAction"] = json!("DENY");
    at.puts("policy.rule.update", &path(&rules, &rule), rule).await;

    let apps = "/api/v1/apps";
    let body = |label: &str| {
        let settings = json!({"app": {"url": "https://a.example"}});
        json!({"name": "bookmark", "label": label, "signOnMode": "BOOKMARK", "settings": settings})
    };
    let app = path(apps, &at.posts("application.lifecycle.create", apps, body("One")).await);
    at.puts("application.lifecycle.update", &app, body("Two")).await;
    let id = policy["id"].as_str().expect("an id");
    at.puts("application.policy.update", &format!("{app}/policies/{id}"), json!({})).await;
    at.switches_and_deletes("application.lifecycle", &app).await;
    at.switches_and_deletes("policy.lifecycle", &own).await;

    let origins = "/api/v1/trustedOrigins";
    let body = |name: &str| json!({"name": name, "origin": "https://a.example", "scopes": [{"type": "CORS"}]});
    let origin = path(origins, &at.posts("security.trusted_origin.create", origins, body("One")).await);
    at.puts("security.trusted_origin.update", &origin, body("Two")).await;
    at.switches_and_deletes("security.trusted_origin", &origin).await;
}

async fn hooks_keys_and_tokens(at: &Writer) {
    let hooks = "/api/v1/inlineHooks";
    let made = at.posts("inline_hook.created", hooks, hook("One")).await;
    let own = path(hooks, &made);
    at.puts("inline_hook.updated", &own, hook("Two")).await;
    let of_us = path("/hookwright/v1/inlineHooks", &made);
    at.puts("inline_hook.updated", &format!("{of_us}/settings"), json!({"timeoutMs": 500})).await;
    at.deletes("inline_hook.updated", &format!("{of_us}/settings")).await;
    let secrets = format!("{of_us}/signingSecrets");
    let secret = at.posts("inline_hook.signing_secret.created", &secrets, json!({})).await;
    at.deletes("inline_hook.signing_secret.deleted", &path(&secrets, &secret)).await;
    for step in ["deactivate", "activate", "deactivate"] {
        at.posts(&format!("inline_hook.{step}d"), &format!("{own}/lifecycle/{step}"), json!({})).await;
    }
    at.deletes("inline_hook.deleted", &own).await;

    let keys = "/api/v1/hook-keys";
    let key = path(keys, &at.posts("system.hook.key.created", keys, json!({"name": "One"})).await);
    at.puts("system.hook.key.updated", &key, json!({"name": "Two"})).await;
    at.deletes("system.hook.key.deleted", &key).await;
    let rotate = "/api/v1/authorizationServers/default/credentials/lifecycle/keyRotate";
    at.posts("app.oauth2.as.key.rollover", rotate, json!({"use": "sig"})).await;

    let (token, _) = at.org.another_token("another").await;
    at.deletes("system.api_token.revoke", &format!("/api/v1/api-tokens/{token}")).await;
}

#[tokio::test]
async fn each_administrative_write_makes_its_event() {
    let at = Writer { org: Org::start().await };
    people(&at).await;
    ways_in(&at).await;
    hooks_keys_and_tokens(&at).await;
    at.org.stop().await;
}
