//! The user schema as a row, and the values that must be unique.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::user_schema::{SchemaDates, UniqueValue, UserSchema};

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::stored_form::{from_text, to_text};

const INSERT: &str = "INSERT INTO user_schemas (id, definitions, created_ms, last_updated_ms, revision) \
     VALUES ('default', $1, $2, $3, $4) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE user_schemas SET definitions = $2, last_updated_ms = $3, revision = revision + 1 \
     WHERE id = 'default' AND revision = $1";

/// Nothing happens if the value is this user's already or the user has changed; see [`claim`].
const CLAIM_LATER: &str = "INSERT INTO user_values (attribute, value, user_id) SELECT $1, $2, $3 \
     WHERE EXISTS (SELECT 1 FROM users WHERE id = $3 AND revision = $4) \
     AND NOT EXISTS (SELECT 1 FROM user_values WHERE attribute = $1 AND value = $2 AND user_id = $3)";

const CLAIM: &str = "INSERT INTO user_values (attribute, value, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const RELEASE: &str = "DELETE FROM user_values WHERE attribute = $1";

pub(crate) fn insert(schema: &UserSchema) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Text(to_text(&schema.definitions())?),
        Argument::Integer(schema.created.as_millis()),
        Argument::Integer(schema.last_updated.as_millis()),
        Argument::Integer(schema.revision),
    ];
    Ok(Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::AlreadyThere)))
}

pub(crate) fn update(schema: &UserSchema) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Integer(schema.revision),
        Argument::Text(to_text(&schema.definitions())?),
        Argument::Integer(schema.last_updated.as_millis()),
    ];
    Ok(Statement::new(UPDATE, arguments).or(Otherwise::Conflict(Conflict::Stale)))
}

/// A value of a user that is being written.
pub(crate) fn claim(user: &UserId, value: UniqueValue) -> Statement {
    let attribute = value.attribute.clone();
    Statement::new(CLAIM, vec![Argument::Text(value.attribute), Argument::Text(value.key), text(user)])
        .or(Otherwise::Conflict(Conflict::UniqueTaken { attribute }))
}

/// A value of a user who was there before the attribute had to be unique. Another user's value is refused by the index.
pub(crate) fn claim_later(user: &UserId, revision: i64, value: UniqueValue) -> Statement {
    let attribute = value.attribute.clone();
    let arguments =
        vec![Argument::Text(value.attribute), Argument::Text(value.key), text(user), Argument::Integer(revision)];
    Statement::new(CLAIM_LATER, arguments).unless_duplicate(Conflict::UniqueTaken { attribute })
}

pub(crate) fn release(attribute: String) -> Statement {
    Statement::new(RELEASE, vec![Argument::Text(attribute)])
}

fn text(user: &UserId) -> Argument {
    Argument::Text(user.as_str().to_owned())
}

#[derive(sqlx::FromRow)]
struct SchemaRow {
    definitions: String,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
}

impl Store {
    /// The schema of the org's users; `None` before the org is made.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn user_schema(&self) -> Result<Option<UserSchema>, StoreError> {
        let sql = "SELECT definitions, created_ms, last_updated_ms, revision FROM user_schemas WHERE id = 'default'";
        let row: Option<SchemaRow> = fetch!(self.database(), fetch_optional, SchemaRow, sql)?;
        let Some(row) = row else { return Ok(None) };
        let definitions = from_text(&row.definitions, &|| "the user schema".to_owned())?;
        let dates = SchemaDates {
            created: Timestamp::from_millis(row.created_ms),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            revision: row.revision,
        };
        UserSchema::from_definitions(definitions, dates)
            .map(Some)
            .map_err(|error| StoreError::Unreadable(format!("the user schema: {error}")))
    }
}
