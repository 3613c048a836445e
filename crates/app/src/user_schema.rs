//! The user schema: read, change. What becomes unique is looked through in all users, what goes is taken from all of them.

use hookwright_model::id::UserId;
use hookwright_model::text::cut;
use hookwright_model::user::{USER_SCHEMA_ID, USER_TYPE_ID, User};
use hookwright_model::user_schema::{SchemaChange, UniqueValue, Uniqueness, UserSchema};
use hookwright_model::{Timestamp, Violations};
use hookwright_store::{Change, CommitError, Conflict, UserQuery};
use serde_json::{Map, Value, json};

use crate::events;
use crate::{App, Caller, Error};

const OBJECT: &str = "userSchema";

/// How many users are read at once.
const STEP: usize = 200;

impl App {
    /// The schema as the API shows it, by its id or as `default`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user_schema(&self, id: &str) -> Result<Value, Error> {
        check_id(id)?;
        Ok(self.cached_schema().await?.to_json(&self.settings().public_url))
    }

    /// Changes the schema (a partial POST). Attributes that are to be unique are unique from now on, or not changed at all
    /// if two users have the same value.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_user_schema(
        &self,
        caller: &Caller,
        id: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        check_id(id)?;
        let (old, change) = self.change_schema(caller, body).await?;
        for name in &change.removed {
            self.remove_values(name).await?;
        }
        if let Err(name) = self.claim_values(&change.to_validate).await? {
            self.settle(&change.to_validate, |name| old.get(name).map_or(Uniqueness::No, |was| was.unique)).await?;
            let path = format!("definitions.custom.properties.{name}.unique");
            return Err(Error::invalid(OBJECT, &path, "Some users have the same value already"));
        }
        if !change.to_validate.is_empty() {
            self.settle(&change.to_validate, |_| Uniqueness::Validated).await?;
        }
        self.user_schema(id).await
    }

    /// The one type of users as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other id than its own and `default`.
    pub async fn user_type(&self, id: &str) -> Result<Value, Error> {
        if !matches!(id, USER_TYPE_ID | "default") {
            return Err(Error::NotFound { id: cut(id, 64), class: "UserType" });
        }
        let schema = self.cached_schema().await?;
        let base = &self.settings().public_url;
        let link =
            |relation: &str, path: &str| json!({"rel": relation, "href": format!("{base}{path}"), "method": "GET"});
        Ok(json!({
            "id": USER_TYPE_ID,
            "displayName": "User",
            "name": "user",
            "description": "Okta user profile template with default permission settings",
            "createdBy": "hookwright",
            "lastUpdatedBy": "hookwright",
            "created": schema.created,
            "lastUpdated": schema.created,
            "default": true,
            "_links": {
                "schema": link("schema", &format!("/api/v1/meta/schemas/user/{USER_SCHEMA_ID}")),
                "self": link("self", &format!("/api/v1/meta/types/user/{USER_TYPE_ID}")),
            },
        }))
    }

    /// The schema as it is stored now; that of a new org before it is made.
    pub(crate) async fn stored_schema(&self) -> Result<UserSchema, Error> {
        Ok(self.inner.store.user_schema().await?.unwrap_or_default())
    }

    /// The schema before the change, and the change as it was written.
    async fn change_schema(
        &self,
        caller: &Caller,
        body: &Map<String, Value>,
    ) -> Result<(UserSchema, SchemaChange), Error> {
        let mut tries = self.tries(USER_SCHEMA_ID).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let stored = self.stored_schema().await?;
            let change = stored.updated(body, now).map_err(invalid)?;
            match self.write_schema(caller, &change.schema, now, &change.removed).await {
                Ok(()) => return Ok((stored, change)),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn write_schema(
        &self,
        caller: &Caller,
        schema: &UserSchema,
        now: Timestamp,
        released: &[String],
    ) -> Result<(), CommitError> {
        let event = self.event(events::SCHEMA_UPDATED, caller, events::schema_target(), now);
        let mut changes = vec![Change::UpdateUserSchema(schema.clone())];
        let not_unique = schema.iter().filter(|attribute| !attribute.is_unique()).map(|attribute| &attribute.name);
        let release = |attribute: &String| Change::ReleaseValues { attribute: attribute.clone() };
        changes.extend(not_unique.chain(released).map(release));
        changes.push(Change::AppendEvents(vec![event]));
        self.commit(changes, App::forget_schema).await
    }

    /// Settles the uniqueness of attributes whose values were looked through.
    async fn settle(&self, names: &[String], uniqueness: impl Fn(&str) -> Uniqueness) -> Result<(), Error> {
        let mut tries = self.tries(USER_SCHEMA_ID).await?;
        loop {
            tries.begin().await?;
            let mut schema = self.stored_schema().await?;
            let mut changes = Vec::new();
            for name in names {
                if schema.get(name).is_none_or(|attribute| attribute.unique != Uniqueness::Pending) {
                    continue;
                }
                let settled = uniqueness(name);
                schema = schema.with_uniqueness(std::slice::from_ref(name), settled);
                if settled == Uniqueness::No {
                    changes.push(Change::ReleaseValues { attribute: name.clone() });
                }
            }
            changes.push(Change::UpdateUserSchema(schema));
            match self.commit(changes, Self::forget_schema).await {
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Notes the values of all users who were there before; the name of the first attribute of which two users have the same
    /// value, if there is one. Users who are written meanwhile note their values themselves.
    async fn claim_values(&self, names: &[String]) -> Result<Result<(), String>, Error> {
        if names.is_empty() {
            return Ok(Ok(()));
        }
        let mut users = Walk::new(self);
        while let Some(user) = users.next().await? {
            let claims: Vec<Change> = names
                .iter()
                .filter_map(|name| {
                    let value = UniqueValue::of(name, user.profile.get(name)?)?;
                    Some(Change::ClaimValue { user: user.id.clone(), revision: user.revision, value })
                })
                .collect();
            if claims.is_empty() {
                continue;
            }
            match self.inner.store.commit(claims).await {
                Ok(()) => {}
                Err(CommitError::Conflict(Conflict::UniqueTaken { attribute })) => return Ok(Err(attribute)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ok(()))
    }

    /// Takes the values of an attribute that is gone from all users.
    async fn remove_values(&self, name: &str) -> Result<(), Error> {
        let mut users = Walk::new(self);
        while let Some(user) = users.next().await? {
            if !user.profile.contains_key(name) {
                continue;
            }
            self.remove_value(&user.id, name).await?;
        }
        Ok(())
    }

    async fn remove_value(&self, id: &UserId, name: &str) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let Some(mut user) = self.inner.store.user(id.as_str()).await? else { return Ok(()) };
            let schema = self.stored_schema().await?;
            if schema.get(name).is_some() || user.profile.shift_remove(name).is_none() {
                return Ok(());
            }
            match self.inner.store.commit(vec![Change::update_user_profile(user, &schema)]).await {
                Err(CommitError::Conflict(Conflict::Stale | Conflict::SchemaChanged)) => {}
                other => return Ok(other?),
            }
        }
    }
}

/// All users, read some at a time.
struct Walk<'a> {
    app: &'a App,
    read: std::vec::IntoIter<User>,
    after: String,
    ended: bool,
}

impl<'a> Walk<'a> {
    fn new(app: &'a App) -> Self {
        Self { app, read: Vec::new().into_iter(), after: String::new(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<User>, Error> {
        if let Some(user) = self.read.next() {
            return Ok(Some(user));
        }
        if self.ended {
            return Ok(None);
        }
        let after = Some(self.after.clone());
        let query = UserQuery { deprovisioned: true, after, limit: STEP, ..UserQuery::default() };
        let users = self.app.inner.store.users(&query).await?;
        self.ended = users.len() < STEP;
        if let Some(last) = users.last() {
            self.after = last.id.to_string();
        }
        self.read = users.into_iter();
        Ok(self.read.next())
    }
}

fn check_id(id: &str) -> Result<(), Error> {
    if matches!(id, USER_SCHEMA_ID | USER_TYPE_ID | "default") {
        return Ok(());
    }
    Err(Error::NotFound { id: cut(id, 64), class: "UserSchema" })
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
