//! Users as rows: the profile as JSON, beside it what is searched for.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::text::folded;
use hookwright_model::user::{PasswordHash, User, UserStatus, folded_login};
use hookwright_model::user_schema::UniqueValue;
use serde_json::Value;

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::{object, to_text, unknown};
use crate::user_schemas;

const UPDATE: &str = "UPDATE users SET status = $3, password_hash = $4, activated_ms = $5, status_changed_ms = $6, \
     last_login_ms = $7, last_updated_ms = $8, password_changed_ms = $9, email_verified = $10, \
     proof_epoch = $11, revision = revision + 1 \
     WHERE id = $1 AND revision = $2";

const NOTE_SIGN_IN: &str = "UPDATE users \
     SET last_login_ms = CASE WHEN last_login_ms > $2 THEN last_login_ms ELSE $2 END WHERE id = $1 AND proof_epoch = $3";

const DELETE: &str = "DELETE FROM users WHERE id = $1 AND revision = $2";

const RELEASE_VALUES: &str = "DELETE FROM user_values WHERE user_id = $1";

const LOGIN_TAKEN: &str = "SELECT id FROM users WHERE folded_login = $1 AND id <> $2";

const OTHER_SCHEMA: &str = "SELECT id FROM user_schemas WHERE id = 'default' AND revision <> $1";

macro_rules! columns {
    () => {
        "id, status, profile, password_hash, created_ms, activated_ms, status_changed_ms, last_login_ms, \
         last_updated_ms, password_changed_ms, revision, email_verified, proof_epoch"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM users ", $rest)
    };
}

/// Which users, in the order of their ids, which is the order they were made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// Only those whose login, email address, first or last name begins with this, as logins are compared.
    pub prefix: Option<String>,
    /// Also those who are DEPROVISIONED.
    pub deprovisioned: bool,
    /// Only those in this group, unless it is the built-in one.
    pub group: Option<String>,
    /// Only those after this id.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}

impl Default for UserQuery {
    fn default() -> Self {
        Self { prefix: None, deprovisioned: false, group: None, after: None, limit: 200 }
    }
}

pub(crate) fn insert(
    dialect: Dialect,
    user: &User,
    values: Vec<UniqueValue>,
    schema_revision: i64,
) -> Result<Vec<Statement>, StoreError> {
    let login = folded_login(user.login());
    let arguments = vec![
        Argument::Text(user.id.as_str().to_owned()),
        Argument::Fixed(user.status.as_str()),
        Argument::Text(login.clone()),
        searched(user, "email"),
        searched(user, "firstName"),
        searched(user, "lastName"),
        Argument::Text(to_text(&user.profile)?),
        password(user),
        Argument::Integer(user.created.as_millis()),
        date(user.activated),
        date(user.status_changed),
        date(user.last_login),
        Argument::Integer(user.last_updated.as_millis()),
        date(user.password_changed),
        Argument::Integer(user.revision),
        Argument::Integer(schema_revision),
        verified(user),
        Argument::Integer(user.proof_epoch),
    ];
    let otherwise = refusals(user, login, schema_revision, Conflict::AlreadyThere);
    let mut statements = vec![Statement::new(dialect.insert_user(), arguments).or(otherwise)];
    statements.extend(values.into_iter().map(|value| user_schemas::claim(&user.id, value)));
    Ok(statements)
}

pub(crate) fn update_profile(
    dialect: Dialect,
    user: &User,
    values: Vec<UniqueValue>,
    schema_revision: i64,
) -> Result<Vec<Statement>, StoreError> {
    let login = folded_login(user.login());
    let arguments = vec![
        Argument::Text(user.id.as_str().to_owned()),
        Argument::Integer(user.revision),
        Argument::Text(login.clone()),
        searched(user, "email"),
        searched(user, "firstName"),
        searched(user, "lastName"),
        Argument::Text(to_text(&user.profile)?),
        Argument::Integer(schema_revision),
        Argument::Fixed(user.status.as_str()),
        password(user),
        date(user.activated),
        date(user.status_changed),
        date(user.last_login),
        Argument::Integer(user.last_updated.as_millis()),
        date(user.password_changed),
        verified(user),
        Argument::Integer(user.proof_epoch),
    ];
    let otherwise = refusals(user, login, schema_revision, Conflict::Stale);
    let mut statements = vec![Statement::new(dialect.update_user_profile(), arguments).or(otherwise)];
    statements.push(Statement::new(RELEASE_VALUES, vec![Argument::Text(user.id.as_str().to_owned())]));
    statements.extend(values.into_iter().map(|value| user_schemas::claim(&user.id, value)));
    Ok(statements)
}

/// Why a user with this login could not be written.
fn refusals(user: &User, login: String, schema_revision: i64, conflict: Conflict) -> Otherwise {
    let taken = vec![Argument::Text(login), Argument::Text(user.id.as_str().to_owned())];
    let probes = vec![
        Probe::new(LOGIN_TAKEN, taken, Conflict::LoginTaken),
        Probe::new(OTHER_SCHEMA, vec![Argument::Integer(schema_revision)], Conflict::SchemaChanged),
    ];
    Otherwise::FirstFound { probes, conflict }
}

pub(crate) fn update(user: &User) -> Statement {
    let arguments = vec![
        Argument::Text(user.id.as_str().to_owned()),
        Argument::Integer(user.revision),
        Argument::Fixed(user.status.as_str()),
        password(user),
        date(user.activated),
        date(user.status_changed),
        date(user.last_login),
        Argument::Integer(user.last_updated.as_millis()),
        date(user.password_changed),
        verified(user),
        Argument::Integer(user.proof_epoch),
    ];
    Statement::new(UPDATE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

pub(crate) fn note_sign_in(id: &UserId, proof_epoch: i64, at: Timestamp) -> Statement {
    let arguments =
        vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(at.as_millis()), Argument::Integer(proof_epoch)];
    Statement::new(NOTE_SIGN_IN, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

pub(crate) fn delete(id: &UserId, revision: i64) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

fn searched(user: &User, attribute: &str) -> Argument {
    Argument::Text(folded(user.profile.get(attribute).and_then(Value::as_str).unwrap_or_default()))
}

fn password(user: &User) -> Argument {
    Argument::OptionalText(user.password.as_ref().map(|hash| hash.expose_phc().to_owned()))
}

fn verified(user: &User) -> Argument {
    Argument::Integer(user.email_verified.into())
}

fn date(date: Option<Timestamp>) -> Argument {
    Argument::OptionalInteger(date.map(Timestamp::as_millis))
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: String,
    status: String,
    profile: String,
    password_hash: Option<String>,
    created_ms: i64,
    activated_ms: Option<i64>,
    status_changed_ms: Option<i64>,
    last_login_ms: Option<i64>,
    last_updated_ms: i64,
    password_changed_ms: Option<i64>,
    revision: i64,
    email_verified: i64,
    proof_epoch: i64,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let what = || format!("user {}", row.id);
        Ok(Self {
            status: UserStatus::parse(&row.status).ok_or_else(|| unknown("user", &row.id))?,
            profile: object(&row.profile, &what)?,
            password: row.password_hash.map(PasswordHash::from_phc),
            created: Timestamp::from_millis(row.created_ms),
            activated: row.activated_ms.map(Timestamp::from_millis),
            status_changed: row.status_changed_ms.map(Timestamp::from_millis),
            last_login: row.last_login_ms.map(Timestamp::from_millis),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            password_changed: row.password_changed_ms.map(Timestamp::from_millis),
            revision: row.revision,
            email_verified: row.email_verified == 1,
            proof_epoch: row.proof_epoch,
            id: UserId::from_text(row.id),
        })
    }
}

impl Store {
    /// The user of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, UserRow, select!("WHERE id = $1"), id)?;
        row.map(User::try_from).transpose()
    }

    /// The user with this login, as logins are compared.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        if !can_be_stored(login) {
            return Ok(None);
        }
        let folded = folded_login(login);
        let row =
            fetch!(self.database(), fetch_optional, UserRow, select!("WHERE folded_login = $1"), folded.as_str())?;
        row.map(User::try_from).transpose()
    }

    /// The user who has this value of an attribute that must be unique.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn user_by_unique_value(&self, value: &UniqueValue) -> Result<Option<User>, StoreError> {
        if !can_be_stored(&value.key) || !can_be_stored(&value.attribute) {
            return Ok(None);
        }
        let sql = select!("WHERE id = (SELECT user_id FROM user_values WHERE attribute = $1 AND value = $2)");
        let (attribute, key) = (value.attribute.as_str(), value.key.as_str());
        let row = fetch!(self.database(), fetch_optional, UserRow, sql, attribute, key)?;
        row.map(User::try_from).transpose()
    }

    /// The users who are LOCKED_OUT.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn locked_users(&self) -> Result<Vec<User>, StoreError> {
        let rows = fetch!(self.database(), fetch_all, UserRow, select!("WHERE status = 'LOCKED_OUT'"))?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// A page of users.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let prefix = folded(query.prefix.as_deref().unwrap_or_default().trim());
        let group = query.group.as_deref().unwrap_or_default();
        if [after, prefix.as_str(), group].iter().any(|text| !can_be_stored(text)) {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let sql = select!(
            "WHERE id > $1 AND (status <> 'DEPROVISIONED' OR $2 = 1) \
             AND ($3 = '' OR substr(folded_login, 1, length($3)) = $3 OR substr(folded_email, 1, length($3)) = $3 \
                  OR substr(folded_first_name, 1, length($3)) = $3 OR substr(folded_last_name, 1, length($3)) = $3) \
             AND ($4 = '' OR EXISTS (SELECT 1 FROM user_groups WHERE id = $4 AND built_in = 1) \
                  OR EXISTS (SELECT 1 FROM group_members WHERE group_id = $4 AND user_id = users.id)) \
             ORDER BY id LIMIT $5"
        );
        let deprovisioned = i64::from(query.deprovisioned);
        let rows =
            fetch!(self.database(), fetch_all, UserRow, sql, after, deprovisioned, prefix.as_str(), group, limit)?;
        rows.into_iter().map(User::try_from).collect()
    }
}
