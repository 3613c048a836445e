//! What every org has from its first start: the user schema, the group of everybody, the default policy, the dashboard, and its
//! first administrator.

use hookwright_model::admin_role::{AdminRole, RoleAssignment};
use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, PolicyIds};
use hookwright_model::group::Group;
use hookwright_model::id::{AdminRoleId, AppId, GroupId, PolicyId, PolicyRuleId, RegistrationSourceId, UserId};
use hookwright_model::profile::{Check, check_profile};
use hookwright_model::user::User;
use hookwright_model::user_schema::UserSchema;
use hookwright_model::{Clock, Entropy, Timestamp, Violations};
use hookwright_store::{Change, CommitError, Conflict, Store};
use serde_json::{Map, Value};

use crate::events::{self, operator_event, user_target};
use crate::{App, Error};

/// What the first administrator is called unless the operator says otherwise. No mail can be sent there (RFC 2606 section 2), so
/// that nobody else gets the account by a mail that was meant for its owner.
const DEFAULT_LOGIN: &str = "admin@hookwright.invalid";

/// How often making the administrator is tried: others may start at the same time, and the login may be taken.
const TRIES: usize = 8;

/// Makes what every org has, if it is not there yet, in one commit; nodes that start together make it once. An org from before
/// there were administrators gets one, who then owns its API tokens.
///
/// The first administrator is PROVISIONED: no credential opens that account until somebody sets one up. Answers with the super
/// administrator who has been one for longest.
///
/// # Errors
/// [`Error::Invalid`] if nobody can have `login`, [`Error::WrongState`] if somebody else has it, or the store's.
pub async fn prepare_org(
    store: &Store,
    login: Option<&str>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<UserId, Error> {
    let mut free_login = DEFAULT_LOGIN.to_owned();
    for _ in 0..TRIES {
        if let Some(administrator) = store.first_administrator().await? {
            return Ok(administrator.user);
        }
        let now = clock.now();
        let id = UserId::mint_at(now, entropy);
        let profile = administrator(login.unwrap_or(&free_login))?;
        let user = User::create(id.clone(), &profile, None, true, now);
        let event = |kind| operator_event(kind, user_target(&user), now, entropy);
        let role = AdminRole::SuperAdmin;
        let role = RoleAssignment { id: AdminRoleId::mint_at(now, entropy), user: id.clone(), role, created: now };
        let changes = match store.user_schema().await? {
            None => {
                let schema = UserSchema::new(now);
                let mut changes = vec![Change::InsertUserSchema(schema.clone()), Change::insert_user(user, &schema)];
                changes.push(Change::InsertUserRole(role));
                changes.extend(basics(now, entropy));
                changes
            }
            Some(schema) => vec![
                Change::AppendEvents(vec![event(events::USER_CREATED), event(events::PRIVILEGE_GRANTED)]),
                Change::insert_user(user, &schema),
                Change::InsertUserRole(role),
                Change::AdoptApiTokens { user: id.clone() },
            ],
        };
        match store.commit(changes).await {
            Ok(()) => return Ok(id),
            Err(CommitError::Conflict(Conflict::AlreadyThere | Conflict::SchemaChanged)) => {}
            Err(CommitError::Conflict(Conflict::LoginTaken | Conflict::UniqueTaken { .. })) => match login {
                // Perhaps by another node, which made the same administrator.
                Some(login) if store.first_administrator().await?.is_none() => return Err(taken(login)),
                Some(_) => {}
                None => free_login = format!("admin-{}@hookwright.invalid", id.as_str().to_lowercase()),
            },
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Unavailable("others make the org at the same time".to_owned()))
}

fn taken(login: &str) -> Error {
    Error::WrongState(format!(
        "A user with the login {login} is there already and is no administrator; name another login for the first administrator"
    ))
}

/// The profile of the first administrator.
fn administrator(login: &str) -> Result<Map<String, Value>, Error> {
    let members = [("login", login), ("email", login), ("firstName", "Hookwright"), ("lastName", "Administrator")];
    let profile = Map::from_iter(members.map(|(name, value)| (name.to_owned(), Value::from(value))));
    let refused = |violations: Violations| Error::Invalid { object: "administrator", violations };
    check_profile(&UserSchema::new(Timestamp::from_millis(0)), &profile, Check::Whole)
        .into_result()
        .map_err(refused)?;
    Ok(profile)
}

/// What a new org has besides its user schema and its administrator.
fn basics(now: Timestamp, entropy: &dyn Entropy) -> Vec<Change> {
    let policy = EnrollmentPolicy::default_policy(mint_policy_ids(now, entropy), now);
    let dashboard = Application::dashboard(AppId::mint_at(now, entropy), policy.id.clone(), now);
    vec![
        Change::InsertGroup(Group::everyone(GroupId::mint_at(now, entropy), now)),
        Change::InsertEnrollmentPolicy { policy: Box::new(policy), limit: 1 },
        Change::InsertApplication(Box::new(dashboard)),
    ]
}

fn mint_policy_ids(now: Timestamp, entropy: &dyn Entropy) -> PolicyIds {
    PolicyIds {
        policy: PolicyId::mint_at(now, entropy),
        rule: PolicyRuleId::mint_at(now, entropy),
        source: RegistrationSourceId::mint(entropy),
    }
}

impl App {
    /// Makes what every org has: see [`prepare_org`].
    ///
    /// # Errors
    /// As there.
    pub async fn prepare_org(&self) -> Result<UserId, Error> {
        let login = self.settings().admin_login.as_deref();
        let administrator = prepare_org(&self.inner.store, login, self.inner.clock.as_ref(), self.entropy()).await?;
        self.forget_schema();
        Ok(administrator)
    }

    pub(crate) fn mint_policy_ids(&self) -> PolicyIds {
        mint_policy_ids(self.now(), self.entropy())
    }
}
