//! Samples of people, groups, policies, apps and origins, and an org that has a schema, its group and its default policy.

use hookwright_model::application::{
    Application, ApplicationType, ClientAuthMethod, GrantType, OAuthClient, ResponseType, SignOnMode,
};
use hookwright_model::enrollment_policy::{EnrollmentPolicy, PolicyIds};
use hookwright_model::group::Group;
use hookwright_model::id::{AppId, GroupId, PolicyId, PolicyRuleId, RegistrationSourceId, TrustedOriginId, UserId};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::trusted_origin::TrustedOrigin;
use hookwright_model::user::{PasswordHash, User};
use hookwright_model::user_schema::UserSchema;
use hookwright_store::{Change, CommitError, Conflict, Store};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::fixture::Fixture;
use crate::samples::NOW;

pub(crate) fn conflict(result: Result<(), CommitError>) -> Option<Conflict> {
    match result {
        Err(CommitError::Conflict(conflict)) => Some(conflict),
        Err(error) => panic!("no conflict but {error:?}"),
        Ok(()) => None,
    }
}

pub(crate) fn user_id(number: u64) -> UserId {
    UserId::from_text(format!("00u{number:017}"))
}

pub(crate) fn profile(login: &str) -> Map<String, Value> {
    let profile = json!({"login": login, "email": login, "firstName": "Rosario", "lastName": "Jones \u{1f980}"});
    profile.as_object().unwrap().clone()
}

pub(crate) fn user(number: u64) -> User {
    let password = PasswordHash::from_phc("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA");
    User::create(user_id(number), &profile(&format!("user{number}@example.com")), Some(password), true, NOW)
}

pub(crate) fn group(number: u64) -> Group {
    let id = GroupId::from_text(format!("00g{number:017}"));
    let body = json!({"profile": {"name": format!("Group {number}"), "description": "d"}});
    Group::create(id, body.as_object().unwrap(), NOW).unwrap()
}

fn ids(number: u64) -> PolicyIds {
    PolicyIds {
        policy: PolicyId::from_text(format!("rst{number:017}")),
        rule: PolicyRuleId::from_text(format!("rul{number:017}")),
        source: RegistrationSourceId::from_text(format!("reg{number:017}")),
    }
}

pub(crate) fn policy(number: u64) -> EnrollmentPolicy {
    EnrollmentPolicy::new(ids(number), format!("Policy {number}"), None, NOW)
}

pub(crate) fn default_policy() -> EnrollmentPolicy {
    EnrollmentPolicy::default_policy(ids(0), NOW)
}

pub(crate) fn app(number: u64) -> Application {
    let id = AppId::from_text(format!("0oa{number:017}"));
    Application {
        name: "oidc_client".to_owned(),
        label: format!("App {number}"),
        status: LifecycleStatus::Active,
        sign_on_mode: SignOnMode::OpenIdConnect,
        shown: json!({"settings": {"notes": {"admin": "\0"}}}).as_object().unwrap().clone(),
        oauth: Some(OAuthClient {
            client_id: id.to_string(),
            client_secret: Some(SecretString::from(format!("secret {number}"))),
            application_type: ApplicationType::Web,
            redirect_uris: vec!["https://app.example/cb".to_owned()],
            post_logout_redirect_uris: vec!["https://app.example/".to_owned()],
            grant_types: vec![GrantType::AuthorizationCode, GrantType::InteractionCode],
            response_types: vec![ResponseType::Code],
            token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
            pkce_required: true,
            shown: Map::new(),
        }),
        policy_id: default_policy().id,
        system: false,
        created: NOW,
        last_updated: NOW,
        revision: 1,
        id,
    }
}

pub(crate) fn origin(number: u64) -> TrustedOrigin {
    TrustedOrigin {
        id: TrustedOriginId::from_text(format!("tos{number:017}")),
        name: format!("Origin {number}"),
        origin: format!("https://app{number}.example"),
        cors: true,
        redirect: number.is_multiple_of(2),
        status: LifecycleStatus::Active,
        created_by: "00T1".to_owned(),
        last_updated_by: "00T2".to_owned(),
        created: NOW,
        last_updated: NOW,
        revision: 1,
    }
}

pub(crate) fn insert_policy(policy: EnrollmentPolicy) -> Change {
    Change::InsertEnrollmentPolicy { policy: Box::new(policy), limit: 100 }
}

pub(crate) fn insert_app(app: Application) -> Change {
    Change::InsertApplication(Box::new(app))
}

/// A user of the schema of a new org.
pub(crate) fn insert_user(user: User) -> Change {
    Change::insert_user(user, &UserSchema::default())
}

/// An open store with what every org has.
pub(crate) async fn open(fixture: &Fixture) -> Store {
    let store = fixture.open().await;
    let everyone = Group::everyone(GroupId::from_text(format!("00g{:017}", 0)), NOW);
    let changes = vec![
        Change::InsertUserSchema(UserSchema::default()),
        Change::InsertGroup(everyone),
        insert_policy(default_policy()),
    ];
    store.commit(changes).await.unwrap();
    store
}
