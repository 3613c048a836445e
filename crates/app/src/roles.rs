//! Administrator roles of users: list, grant, take away. One super administrator always stays.

use hookwright_model::admin_role::{AdminRole, RoleAssignment};
use hookwright_model::id::AdminRoleId;
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value};

use crate::events::{self, EventKind, user_target};
use crate::listing::Listing;
use crate::{App, Caller, Error};

impl App {
    /// The roles of a user, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn roles(&self, id_or_login: &str) -> Result<Listing, Error> {
        let user = self.stored_user(id_or_login).await?;
        let roles = self.inner.store.roles_of_user(user.id.as_str()).await?;
        let base = &self.settings().public_url;
        Ok(Listing { items: roles.iter().map(|role| role.to_json(base)).collect(), next: None })
    }

    /// A role of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn role(&self, id_or_login: &str, role: &AdminRoleId) -> Result<Value, Error> {
        let user = self.stored_user(id_or_login).await?;
        Ok(self.role_of(&user, role).await?.to_json(&self.settings().public_url))
    }

    /// Gives a user the role that the body's `type` names.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::RoleAssigned`], [`Error::WrongUserStatus`] for a user who is
    /// DEPROVISIONED.
    pub async fn grant_role(
        &self,
        caller: &Caller,
        id_or_login: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let user = self.stored_user(id_or_login).await?;
        let role = read_role(body)?;
        if user.status == UserStatus::Deprovisioned {
            return Err(Error::WrongUserStatus);
        }
        let now = self.now();
        let id = AdminRoleId::mint_at(now, self.entropy());
        let role = RoleAssignment { id, user: user.id.clone(), role, created: now };
        let event = self.role_event(events::PRIVILEGE_GRANTED, caller, &user, role.role);
        let changes = vec![Change::InsertUserRole(role.clone()), event];
        match self.commit(changes, Self::forget_tokens).await {
            Ok(()) => Ok(role.to_json(&self.settings().public_url)),
            Err(CommitError::Conflict(Conflict::AlreadyThere)) => Err(Error::RoleAssigned),
            Err(CommitError::Conflict(Conflict::Reference)) => Err(Error::not_found(&user.id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a role from a user.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the last super administrator.
    pub async fn revoke_role(&self, caller: &Caller, id_or_login: &str, role: &AdminRoleId) -> Result<(), Error> {
        let user = self.stored_user(id_or_login).await?;
        let found = self.role_of(&user, role).await?;
        let event = self.role_event(events::PRIVILEGE_REVOKED, caller, &user, found.role);
        let gone = Change::DeleteUserRole { id: role.clone(), user: user.id };
        let changes = vec![Change::LockAdministrators, gone, Change::KeepAnAdministrator, event];
        match self.commit(changes, Self::forget_tokens).await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict(Conflict::Stale)) => Err(Error::not_found(role)),
            Err(CommitError::Conflict(Conflict::LastAdministrator)) => Err(last_administrator()),
            Err(error) => Err(error.into()),
        }
    }

    async fn role_of(&self, user: &User, role: &AdminRoleId) -> Result<RoleAssignment, Error> {
        let roles = self.inner.store.roles_of_user(user.id.as_str()).await?;
        roles.into_iter().find(|found| found.id == *role).ok_or_else(|| Error::not_found(role))
    }

    fn role_event(&self, kind: EventKind, caller: &Caller, user: &User, role: AdminRole) -> Change {
        let mut event = self.event(kind, caller, user_target(user), self.now());
        event.debug_data.insert("privilegeGranted".to_owned(), Value::from(role.label()));
        Change::AppendEvents(vec![event])
    }
}

/// The refusal of what would leave the org without a super administrator.
pub(crate) fn last_administrator() -> Error {
    Error::WrongState("The last super administrator has to stay: give another user the role first".to_owned())
}

fn read_role(body: &Map<String, Value>) -> Result<AdminRole, Error> {
    let known = AdminRole::ALL.map(AdminRole::as_str).join(", ");
    let refused = || Error::invalid("role", "type", format!("The field must be one of {known}"));
    body.get("type").and_then(Value::as_str).and_then(AdminRole::parse).ok_or_else(refused)
}
