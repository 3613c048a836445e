//! Administrator roles as rows, and the guard that one administrator stays.

use hookwright_model::Timestamp;
use hookwright_model::admin_role::{AdminRole, RoleAssignment};
use hookwright_model::id::{AdminRoleId, UserId};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::unknown;

const INSERT: &str = "INSERT INTO user_roles (id, user_id, role, created_ms) \
     SELECT $1, users.id, $3, $4 FROM users WHERE users.id = $2 ON CONFLICT DO NOTHING";

const HAS_ROLE: &str = "SELECT id FROM user_roles WHERE user_id = $1 AND role = $2";

const DELETE: &str = "DELETE FROM user_roles WHERE id = $1 AND user_id = $2";

/// Makes those who take administrators away wait for each other. A statement of its own before the change, so that the check
/// after it sees what the others wrote, also where PostgreSQL shows each statement what was committed when it began.
const LOCK: &str = "UPDATE tallies SET value = value + 1 WHERE name = 'administrators'";

const CHECK: &str = "UPDATE tallies SET value = value WHERE name = 'administrators' AND EXISTS \
     (SELECT 1 FROM user_roles JOIN users ON users.id = user_roles.user_id \
      WHERE user_roles.role = 'SUPER_ADMIN' AND users.status NOT IN ('STAGED', 'SUSPENDED', 'DEPROVISIONED'))";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT user_roles.id, user_id, role, user_roles.created_ms FROM user_roles ", $rest)
    };
}

pub(crate) fn insert(role: &RoleAssignment) -> Statement {
    let user = Argument::Text(role.user.as_str().to_owned());
    let kind = Argument::Fixed(role.role.as_str());
    let arguments = vec![
        Argument::Text(role.id.as_str().to_owned()),
        user.clone(),
        kind.clone(),
        Argument::Integer(role.created.as_millis()),
    ];
    let probes = vec![Probe::new(HAS_ROLE, vec![user, kind], Conflict::AlreadyThere)];
    Statement::new(INSERT, arguments).or(Otherwise::FirstFound { probes, conflict: Conflict::Reference })
}

pub(crate) fn delete(id: &AdminRoleId, user: &UserId) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Text(user.as_str().to_owned())];
    Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

pub(crate) fn lock() -> Statement {
    Statement::new(LOCK, Vec::new()).or(Otherwise::Damage("the tally of administrators is gone"))
}

pub(crate) fn check() -> Statement {
    Statement::new(CHECK, Vec::new()).or(Otherwise::Conflict(Conflict::LastAdministrator))
}

/// A row as it is read.
#[derive(sqlx::FromRow)]
struct RoleRow {
    id: String,
    user_id: String,
    role: String,
    created_ms: i64,
}

impl TryFrom<RoleRow> for RoleAssignment {
    type Error = StoreError;

    fn try_from(row: RoleRow) -> Result<Self, StoreError> {
        Ok(Self {
            role: AdminRole::parse(&row.role).ok_or_else(|| unknown("role", &row.id))?,
            id: AdminRoleId::from_text(row.id),
            user: UserId::from_text(row.user_id),
            created: Timestamp::from_millis(row.created_ms),
        })
    }
}

impl Store {
    /// The roles of a user, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn roles_of_user(&self, user: &str) -> Result<Vec<RoleAssignment>, StoreError> {
        if !can_be_stored(user) {
            return Ok(Vec::new());
        }
        let sql = select!("WHERE user_id = $1 ORDER BY created_ms, id");
        let rows = fetch!(self.database(), fetch_all, RoleRow, sql, user)?;
        rows.into_iter().map(RoleAssignment::try_from).collect()
    }

    /// The oldest assignment of the super administrator's role to somebody whose account is in force.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn first_administrator(&self) -> Result<Option<RoleAssignment>, StoreError> {
        let sql = select!(
            "JOIN users ON users.id = user_id \
             WHERE role = 'SUPER_ADMIN' AND status NOT IN ('STAGED', 'SUSPENDED', 'DEPROVISIONED') \
             ORDER BY user_roles.created_ms, user_roles.id LIMIT 1"
        );
        let row = fetch!(self.database(), fetch_optional, RoleRow, sql)?;
        row.map(RoleAssignment::try_from).transpose()
    }
}
