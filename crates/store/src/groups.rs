//! Groups as rows, and who is in them.

use hookwright_model::Timestamp;
use hookwright_model::group::Group;
use hookwright_model::id::{GroupId, UserId};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;

const INSERT: &str = "INSERT INTO user_groups (id, name, folded_name, description, built_in, created_ms, \
     last_updated_ms, last_membership_updated_ms, revision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE user_groups SET name = $3, folded_name = $4, description = $5, last_updated_ms = $6, \
     revision = revision + 1 WHERE id = $1 AND revision = $2 \
     AND NOT EXISTS (SELECT 1 FROM user_groups AS other WHERE other.folded_name = $4 AND other.id <> $1)";

const DELETE: &str = "DELETE FROM user_groups WHERE id = $1 AND revision = $2 AND built_in = 0";

const NAME_TAKEN: &str = "SELECT id FROM user_groups WHERE folded_name = $1 AND id <> $2";

const ADD_MEMBER: &str = "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const REMOVE_MEMBER: &str = "DELETE FROM group_members WHERE group_id = $1 AND user_id = $2";

const TOUCH: &str = "UPDATE user_groups SET last_membership_updated_ms = $2 \
     WHERE id = $1 AND last_membership_updated_ms < $2";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, description, built_in, created_ms, last_updated_ms, last_membership_updated_ms, \
             revision FROM user_groups ",
            $rest
        )
    };
}

pub(crate) fn insert(group: &Group) -> Statement {
    let arguments = vec![
        Argument::Text(group.id.as_str().to_owned()),
        Argument::Text(group.name.clone()),
        Argument::Text(group.name.to_lowercase()),
        Argument::OptionalText(group.description.clone()),
        Argument::Integer(group.built_in.into()),
        Argument::Integer(group.created.as_millis()),
        Argument::Integer(group.last_updated.as_millis()),
        Argument::Integer(group.last_membership_updated.as_millis()),
        Argument::Integer(group.revision),
    ];
    Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::NameTaken))
}

pub(crate) fn update(group: &Group) -> Statement {
    let arguments = vec![
        Argument::Text(group.id.as_str().to_owned()),
        Argument::Integer(group.revision),
        Argument::Text(group.name.clone()),
        Argument::Text(group.name.to_lowercase()),
        Argument::OptionalText(group.description.clone()),
        Argument::Integer(group.last_updated.as_millis()),
    ];
    let taken = vec![Argument::Text(group.name.to_lowercase()), Argument::Text(group.id.as_str().to_owned())];
    let probes = vec![Probe::new(NAME_TAKEN, taken, Conflict::NameTaken)];
    Statement::new(UPDATE, arguments).or(Otherwise::FirstFound { probes, conflict: Conflict::Stale })
}

pub(crate) fn delete(id: &GroupId, revision: i64) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

pub(crate) fn add_member(group: &GroupId, user: &UserId) -> Statement {
    Statement::new(ADD_MEMBER, membership(group, user))
}

pub(crate) fn remove_member(group: &GroupId, user: &UserId) -> Statement {
    Statement::new(REMOVE_MEMBER, membership(group, user))
}

pub(crate) fn touch(group: &GroupId, at: Timestamp) -> Statement {
    Statement::new(TOUCH, vec![Argument::Text(group.as_str().to_owned()), Argument::Integer(at.as_millis())])
}

fn membership(group: &GroupId, user: &UserId) -> Vec<Argument> {
    vec![Argument::Text(group.as_str().to_owned()), Argument::Text(user.as_str().to_owned())]
}

#[derive(sqlx::FromRow)]
struct GroupRow {
    id: String,
    name: String,
    description: Option<String>,
    built_in: i64,
    created_ms: i64,
    last_updated_ms: i64,
    last_membership_updated_ms: i64,
    revision: i64,
}

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self {
            id: GroupId::from_text(row.id),
            name: row.name,
            description: row.description,
            built_in: row.built_in == 1,
            created: Timestamp::from_millis(row.created_ms),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            last_membership_updated: Timestamp::from_millis(row.last_membership_updated_ms),
            revision: row.revision,
        }
    }
}

impl Store {
    /// The group of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn group(&self, id: &str) -> Result<Option<Group>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, GroupRow, select!("WHERE id = $1"), id)?;
        Ok(row.map(Group::from))
    }

    /// A page of groups in the order of their ids: those after one, and of them those whose name begins with `prefix`,
    /// letter case aside.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn groups(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<Group>, StoreError> {
        let prefix = prefix.to_lowercase();
        if !can_be_stored(&prefix) || !can_be_stored(after) {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql =
            select!("WHERE id > $1 AND ($2 = '' OR substr(folded_name, 1, length($2)) = $2) ORDER BY id LIMIT $3");
        let rows = fetch!(self.database(), fetch_all, GroupRow, sql, after, prefix.as_str(), limit)?;
        Ok(rows.into_iter().map(Group::from).collect())
    }

    /// The groups that a user is in, the built-in one first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn groups_of_user(&self, user: &str) -> Result<Vec<Group>, StoreError> {
        if !can_be_stored(user) {
            return Ok(Vec::new());
        }
        let sql = select!(
            "WHERE built_in = 1 OR id IN (SELECT group_id FROM group_members WHERE user_id = $1) \
             ORDER BY built_in DESC, id"
        );
        let rows = fetch!(self.database(), fetch_all, GroupRow, sql, user)?;
        Ok(rows.into_iter().map(Group::from).collect())
    }
}
