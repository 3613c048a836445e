//! An org with a policy, an app and a hook, and what is asked of it afterwards.

use std::time::Duration;

use hookwright_app::{FlowStart, RequestOrigin};
use hookwright_model::Timestamp;
use hookwright_model::application::{Application, SignOnMode};
use hookwright_model::enrollment_policy::{
    EnrollmentPolicy, EnrollmentRule, FormAttribute, PolicyHook, PolicyIds, RunOn, UnknownUserAction,
};
use hookwright_model::flow::{ClientBinding, ClientFace};
use hookwright_model::group::Group;
use hookwright_model::id::{AppId, GroupId, InlineHookId, PolicyId, PolicyRuleId, RegistrationSourceId, UserId};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::user::{PasswordHash, User, UserStatus};
use hookwright_store::Change;
use hookwright_testkit::{ExternalService, Org, OrgOptions, Reply};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::idx::Idx;
use crate::execute::{REGISTRATION, hook_at};
use crate::fixtures::id_of;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "Correct-horse-7";

pub(crate) const APP: &str = "0oa000000000000flow1";

/// An org whose one app has a policy with a hook.
pub(crate) struct FlowOrg {
    pub(crate) org: Org,
    pub(crate) service: ExternalService,
    pub(crate) hook: Value,
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn ids(number: u64) -> PolicyIds {
    PolicyIds {
        policy: PolicyId::from_text(format!("rst{number:017}")),
        rule: PolicyRuleId::from_text(format!("rul{number:017}")),
        source: RegistrationSourceId::from_text(format!("reg{number:017}")),
    }
}

/// The policy of the one app.
pub(crate) fn policy_id() -> PolicyId {
    ids(77).policy
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn app(policy: &EnrollmentPolicy) -> Application {
    Application {
        id: AppId::from_text(APP),
        name: "bookmark".to_owned(),
        label: "Portal".to_owned(),
        status: LifecycleStatus::Active,
        sign_on_mode: SignOnMode::Bookmark,
        shown: Map::new(),
        oauth: None,
        policy_id: policy.id.clone(),
        system: false,
        created: now(),
        last_updated: now(),
        revision: 1,
    }
}

impl FlowOrg {
    /// Sign-up with the three usual fields, no mail, the hook for everybody.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with a rule that is changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut EnrollmentRule)) -> Self {
        Self::with_options(OrgOptions::default(), change).await
    }

    pub(crate) async fn with_options(mut options: OrgOptions, change: impl FnOnce(&mut EnrollmentRule)) -> Self {
        options.settings.attempt_timeout = Duration::from_millis(400);
        let (org, service) = (Org::start_with(options).await, ExternalService::start().await);
        let hook = hook_at(&org, &service, "/hook", REGISTRATION).await;
        let stored = org.store.user_schema().await.expect("a schema").expect("a schema");
        let writable = json!({"permissions": [{"principal": "SELF", "action": "READ_WRITE"}]});
        let body = json!({"definitions": {"base": {"properties": {"employeeNumber": writable}}}});
        let schema = stored.updated(&object(body), now()).expect("the schema changes").schema;
        org.store.commit(vec![Change::UpdateUserSchema(schema)]).await.expect("the schema changes");
        let group = Group::create(
            GroupId::from_text("00g000000000000flow1"),
            &object(json!({"profile": {"name": "New"}})),
            now(),
        );
        let group = group.expect("a group");
        let mut policy = EnrollmentPolicy::new(ids(77), "Portal policy".to_owned(), None, now());
        policy.rule.email_verification = false;
        policy.rule.unknown_user_action = UnknownUserAction::Register;
        policy.rule.target_group = Some(group.id.clone());
        policy.rule.hook =
            Some(PolicyHook { inline_hook_id: InlineHookId::from_text(id_of(&hook)), run_on: RunOn::Both });
        change(&mut policy.rule);
        let changes = vec![
            Change::InsertGroup(group),
            Change::InsertEnrollmentPolicy { policy: Box::new(policy.clone()), limit: 500 },
            Change::InsertApplication(Box::new(app(&policy))),
        ];
        org.store.commit(changes).await.expect("the org is set up");
        Self { org, service, hook }
    }

    /// What the hook's service answers, one after the other.
    pub(crate) fn answers(&self, bodies: &[&str]) {
        self.service.on("/hook", bodies.iter().map(|body| Reply::json(200, body)));
    }

    /// A flow over IDX for the app, right after `introspect`.
    pub(crate) async fn idx(&self) -> Idx {
        let client = ClientBinding {
            face: ClientFace::Interaction,
            client_id: APP.to_owned(),
            redirect_uri: "https://app.example/cb".to_owned(),
            scope: "openid".to_owned(),
            state: Some("s".to_owned()),
            nonce: None,
            code_challenge: Some("c".to_owned()),
            response_mode: None,
        };
        let application = Some(AppId::from_text(APP));
        let start = FlowStart { application, client: Some(client), ..FlowStart::default() };
        let started = self.org.app.start_flow(start, &RequestOrigin::default()).await.expect("a flow");
        Idx::introspect(&self.org, started.interaction_handle.expose_secret()).await
    }

    /// A user who can sign in with [`PASSWORD`].
    pub(crate) async fn user(&self, login: &str) -> User {
        let hash = argon2_of(PASSWORD);
        let schema = self.org.store.user_schema().await.expect("a schema").expect("a schema");
        let profile = object(json!({"login": login, "email": login, "firstName": "Rosario", "lastName": "Jones"}));
        let id = UserId::mint(self.org.app.entropy());
        let user = User::create(id, &profile, Some(hash), true, now());
        self.org.store.commit(vec![Change::insert_user(user.clone(), &schema)]).await.expect("a user");
        user
    }

    pub(crate) async fn set_status(&self, login: &str, status: UserStatus) {
        let user = self.stored(login).await.expect("the user");
        let changed = User { status, ..user };
        self.org.store.commit(vec![Change::UpdateUser(Box::new(changed))]).await.expect("the user changes");
    }

    /// The user with this login, as stored.
    pub(crate) async fn stored(&self, login: &str) -> Option<User> {
        self.org.store.user_by_login(login).await.expect("a look-up")
    }

    /// The policy's rule, changed as an administrator changes it.
    pub(crate) async fn change_rule(&self, change: impl FnOnce(&mut EnrollmentRule)) {
        let stored = self.org.store.enrollment_policy(ids(77).policy.as_str()).await;
        let mut policy = stored.expect("a look-up").expect("the policy");
        change(&mut policy.rule);
        let path = format!("/api/v1/policies/{}/rules/{}", policy.id, policy.rule.id);
        let answer = self.org.client.put(&path, &policy.rule_json("")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The bodies that the service was sent.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let requests = self.service.requests();
        requests.iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
    }

    /// The types of the events since the org began, oldest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let answer = self.org.client.get("/api/v1/logs?since=2023-11-01&limit=1000").await;
        answer.json().as_array().expect("events").clone()
    }

    pub(crate) async fn count(&self, event_type: &str) -> usize {
        self.events().await.iter().filter(|event| event["eventType"] == event_type).count()
    }
}

/// A further field of a form.
pub(crate) fn asking(name: &str, required: bool) -> FormAttribute {
    FormAttribute { name: name.to_owned(), label: format!("The {name}"), required }
}

/// The cheapest hash of a password that the org still compares.
fn argon2_of(password: &str) -> PasswordHash {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(8, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), b"saltsaltsaltsalt").expect("a hash");
    PasswordHash::from_phc(hash.to_string())
}
