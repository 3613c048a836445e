//! Users: create, find, change. Lists are in `users/list`, the life cycle in `users/lifecycle`, passwords in
//! `users/credentials`.

mod credentials;
mod lifecycle;
mod links;
mod list;
mod locks;

use hookwright_model::id::{GroupId, UserId};
use hookwright_model::profile::{Check, MISSING, TAKEN, check_profile, merged};
use hookwright_model::user::{Detail, USER_TYPE_ID, User, UserStatus};
use hookwright_model::user_schema::UserSchema;
use hookwright_model::{Timestamp, Violations};
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value};

use crate::events::{self, EventKind, group_target, user_target};
use crate::guessing::forgotten_guesses;
use crate::roles::last_administrator;
use crate::{App, Caller, Error};

pub use lifecycle::LifecycleAnswer;
pub use list::UserListQuery;

/// What a violation's summary names when a user is made, and afterwards.
const NEW_OBJECT: &str = "newUser";
const OBJECT: &str = "user";

/// The most groups that a new user may be put into by the call that makes it.
const MAX_GROUPS: usize = 20;

/// What the query of a create call says.
#[derive(Debug, Clone, Copy)]
pub struct NewUserOptions {
    /// Whether the user is activated at once; Okta's default.
    pub activate: bool,
    /// Whether the user has to change the password at the first sign-in.
    pub change_password: bool,
}

impl Default for NewUserOptions {
    fn default() -> Self {
        Self { activate: true, change_password: false }
    }
}

/// How the body of a change is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileChange {
    /// POST: what is given goes over what is there.
    Merge,
    /// PUT: what is given is all there is.
    Replace,
}

impl App {
    /// Makes a user.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field, a taken login or a taken value; [`Error::TooBusy`] where too many
    /// passwords are being hashed.
    pub async fn create_user(
        &self,
        caller: &Caller,
        body: &Map<String, Value>,
        options: NewUserOptions,
    ) -> Result<Value, Error> {
        let mut violations = Violations::new();
        let profile = read_profile(body, &mut violations);
        let login = profile.get("login").and_then(Value::as_str).unwrap_or_default();
        let password = credentials::read_password(body, login, &mut violations);
        check_type(body, &mut violations);
        let groups = self.read_groups(body, &mut violations).await?;
        if options.change_password && (password.is_none() || !options.activate) {
            violations.add("nextLogin", "The parameter needs a password, and a user who is activated");
        }
        self.check_new(&profile, violations).await?;
        let password = match password {
            Some(password) => Some(self.hash_password(password).await?),
            None => None,
        };
        let id = UserId::mint_at(self.now(), self.entropy());
        let mut user = User::create(id, &profile, password, options.activate, self.now());
        if options.change_password {
            user.status = UserStatus::PasswordExpired;
        }
        self.insert_user(caller, &user, &groups).await?;
        Ok(user.to_json(&self.settings().public_url, Detail::Full))
    }

    /// A user as the API shows it, by id or login.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user(&self, id_or_login: &str) -> Result<Value, Error> {
        let mut user = self.stored_user(id_or_login).await?;
        user.profile = self.cached_schema().await?.known_part(&user.profile);
        Ok(user.to_json(&self.settings().public_url, Detail::Full))
    }

    /// Changes profile and password of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::WrongUserStatus`] for a user who is DEPROVISIONED,
    /// [`Error::TooBusy`].
    pub async fn update_user(
        &self,
        caller: &Caller,
        id_or_login: &str,
        body: &Map<String, Value>,
        kind: ProfileChange,
    ) -> Result<Value, Error> {
        let first = self.stored_user(id_or_login).await?;
        let mut violations = Violations::new();
        let profile = if body.contains_key("profile") || kind == ProfileChange::Replace {
            Some(read_profile(body, &mut violations))
        } else {
            None
        };
        let password = credentials::read_password(body, first.login(), &mut violations);
        check_type(body, &mut violations);
        violations.into_result().map_err(invalid)?;
        let hash = match password {
            Some(password) => Some(self.hash_password(password).await?),
            None => None,
        };
        let user = self
            .change_user(caller, &first.id, |stored, schema| {
                if stored.status == UserStatus::Deprovisioned {
                    return Err(Error::WrongUserStatus);
                }
                let mut user = stored.clone();
                let mut kinds = Vec::new();
                if let Some(given) = &profile {
                    user = with_profile(stored, schema, given, kind, self.now())?;
                    kinds.push(events::PROFILE_UPDATED);
                }
                if let Some(hash) = &hash {
                    user = credentials::with_new_password(&user, hash.clone(), self.now());
                    kinds.push(events::PASSWORD_SET);
                }
                Ok((user, kinds))
            })
            .await?;
        Ok(user.to_json(&self.settings().public_url, Detail::Full))
    }

    /// Reads a user, decides, writes; from the start again if the user or the schema changed in between. An attempt that
    /// changes nothing logs nothing. A change that ends what was proved before ends all that rests on it in the same write.
    pub(crate) async fn change_user(
        &self,
        caller: &Caller,
        id: &UserId,
        decide: impl Fn(&User, &UserSchema) -> Result<(User, Vec<EventKind>), Error>,
    ) -> Result<User, Error> {
        self.change_user_and(caller, id, decide, |_| Vec::new()).await
    }

    /// The same with what else is to be written with the user as changed.
    async fn change_user_and(
        &self,
        caller: &Caller,
        id: &UserId,
        decide: impl Fn(&User, &UserSchema) -> Result<(User, Vec<EventKind>), Error>,
        more: impl Fn(&User) -> Vec<Change>,
    ) -> Result<User, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let mut stored = self.inner.store.user(id.as_str()).await?.ok_or_else(|| Error::not_found(id))?;
            let schema = self.stored_schema().await?;
            stored.profile = schema.known_part(&stored.profile);
            let (user, mut kinds) = decide(&stored, &schema)?;
            if kinds.is_empty() {
                return Ok(stored);
            }
            let unlocked = stored.status == UserStatus::LockedOut && user.status == UserStatus::Active;
            if unlocked && !kinds.contains(&events::USER_UNLOCKED) {
                kinds.push(events::USER_UNLOCKED);
            }
            let target = || user_target(&user);
            let events = kinds.into_iter().map(|kind| self.event(kind, caller, target(), now)).collect();
            let update = if user.profile == stored.profile {
                Change::UpdateUser(Box::new(user.clone()))
            } else {
                Change::update_user_profile(user.clone(), &schema)
            };
            let mut changes = vec![update, Change::AppendEvents(events)];
            if user.proof_epoch != stored.proof_epoch {
                changes.extend(self.end_of_access(id));
            }
            if user.status != stored.status || user.proof_epoch != stored.proof_epoch {
                changes.push(forgotten_guesses(id));
            }
            if stored.status.is_in_force() && !user.status.is_in_force() {
                changes.insert(0, Change::LockAdministrators);
                changes.push(Change::KeepAnAdministrator);
            }
            changes.extend(more(&user));
            if user.status == UserStatus::Deprovisioned {
                changes.push(Change::RevokeApiTokensOfUser { user: user.id.clone(), at: now });
            }
            let standing = stored.status != user.status;
            let forget = move |app: &Self| {
                if standing {
                    app.forget_tokens();
                }
            };
            match self.commit(changes, forget).await {
                Ok(()) => return Ok(user),
                Err(CommitError::Conflict(Conflict::LastAdministrator)) => return Err(last_administrator()),
                Err(CommitError::Conflict(Conflict::Stale | Conflict::SchemaChanged)) => {}
                Err(error) => return Err(refusal(error, OBJECT)),
            }
        }
    }

    /// A user by id or login.
    pub(crate) async fn stored_user(&self, id_or_login: &str) -> Result<User, Error> {
        let id = UserId::from_text(id_or_login);
        if id.is_plausible()
            && let Some(user) = self.inner.store.user(id.as_str()).await?
        {
            return Ok(user);
        }
        let by_login = match id_or_login.len() {
            1..=400 => self.inner.store.user_by_login(id_or_login).await?,
            _ => None,
        };
        by_login.ok_or_else(|| Error::not_found(&id))
    }

    async fn insert_user(&self, caller: &Caller, user: &User, groups: &[GroupId]) -> Result<(), Error> {
        let now = self.now();
        let event = |kind| self.event(kind, caller, user_target(user), now);
        let mut events = vec![event(events::USER_CREATED)];
        if user.activated.is_some() {
            events.push(event(events::USER_ACTIVATED));
        }
        let mut joins = Vec::new();
        for id in groups {
            let mut joined = event(events::USER_JOINED_GROUP);
            joined.targets.push(group_target(&self.stored_group(id).await?));
            events.push(joined);
            joins.push(Change::AddGroupMember { group: id.clone(), user: user.id.clone() });
            joins.push(Change::TouchGroupMembership { group: id.clone(), at: now.whole_seconds() });
        }
        let mut tries = self.tries(user.id.as_str()).await?;
        loop {
            tries.begin().await?;
            let schema = self.stored_schema().await?;
            check_profile(&schema, &user.profile, Check::Whole).into_result().map_err(invalid_new)?;
            let mut changes = vec![Change::insert_user(user.clone(), &schema)];
            changes.extend_from_slice(&joins);
            changes.push(Change::AppendEvents(events.clone()));
            match self.commit(changes, |_| ()).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict(Conflict::SchemaChanged)) => {}
                Err(error) => return Err(refusal(error, NEW_OBJECT)),
            }
        }
    }

    /// Everything that can be said of a new profile before a password is hashed for it.
    async fn check_new(&self, profile: &Map<String, Value>, mut violations: Violations) -> Result<(), Error> {
        let schema = self.cached_schema().await?;
        violations.extend(check_profile(&schema, profile, Check::Whole));
        violations.into_result().map_err(invalid_new)?;
        let login = profile.get("login").and_then(Value::as_str).unwrap_or_default();
        if self.inner.store.user_by_login(login).await?.is_some() {
            return Err(Error::invalid(NEW_OBJECT, "login", TAKEN));
        }
        Ok(())
    }

    /// The groups of the body's `groupIds`.
    async fn read_groups(&self, body: &Map<String, Value>, violations: &mut Violations) -> Result<Vec<GroupId>, Error> {
        let ids: &[Value] = match body.get("groupIds") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(ids)) if ids.len() <= MAX_GROUPS => ids,
            Some(_) => {
                violations.add("groupIds", format!("The field must be an array of at most {MAX_GROUPS} group ids"));
                return Ok(Vec::new());
            }
        };
        let mut groups: Vec<GroupId> = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            let id = GroupId::from_text(id.as_str().unwrap_or_default());
            let group = if id.is_plausible() { self.inner.store.group(id.as_str()).await? } else { None };
            match group {
                Some(group) if group.built_in => {}
                Some(_) if groups.contains(&id) => {}
                Some(_) => groups.push(id),
                None => violations.add(format!("groupIds[{index}]"), "There is no such group"),
            }
        }
        Ok(groups)
    }
}

/// The stored user with what was given of the profile, checked.
fn with_profile(
    stored: &User,
    schema: &UserSchema,
    given: &Map<String, Value>,
    kind: ProfileChange,
    now: Timestamp,
) -> Result<User, Error> {
    let (scope, profile) = match kind {
        ProfileChange::Merge => (Check::Given, merged(&stored.profile, given)),
        ProfileChange::Replace => (Check::Whole, given.clone()),
    };
    check_profile(schema, given, scope).into_result().map_err(invalid)?;
    let user = stored.with_profile(&profile, now);
    // An administrator vouches for the address that they write.
    let email_verified = user.email_verified || user.email() != stored.email();
    Ok(User { email_verified, ..user })
}

fn read_profile(body: &Map<String, Value>, violations: &mut Violations) -> Map<String, Value> {
    match body.get("profile") {
        Some(Value::Object(profile)) => profile.clone(),
        None | Some(Value::Null) => {
            violations.add("profile", MISSING);
            Map::new()
        }
        Some(_) => {
            violations.add("profile", "The field must be an object");
            Map::new()
        }
    }
}

/// There is one type of users.
fn check_type(body: &Map<String, Value>, violations: &mut Violations) {
    let sent = body.get("type").and_then(|kind| kind.get("id")).filter(|id| !id.is_null());
    if sent.is_some_and(|id| !matches!(id.as_str(), Some(USER_TYPE_ID | "default"))) {
        violations.add("type.id", "There is no such user type");
    }
}

fn refusal(error: CommitError, object: &'static str) -> Error {
    match error {
        CommitError::Conflict(Conflict::LoginTaken) => Error::invalid(object, "login", TAKEN),
        CommitError::Conflict(Conflict::UniqueTaken { attribute }) => Error::invalid(object, &attribute, TAKEN),
        CommitError::Conflict(Conflict::Reference) => Error::invalid(object, "groupIds", "There is no such group"),
        error => error.into(),
    }
}

fn invalid_new(violations: Violations) -> Error {
    Error::Invalid { object: NEW_OBJECT, violations }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
