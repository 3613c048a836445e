//! Trusted origins as rows.

use hookwright_model::Timestamp;
use hookwright_model::id::TrustedOriginId;
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::trusted_origin::TrustedOrigin;

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::unknown;

const INSERT: &str = "INSERT INTO trusted_origins (id, revision, name, folded_name, origin, cors, redirect, status, \
     created_by, last_updated_by, created_ms, last_updated_ms) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE trusted_origins SET name = $3, folded_name = $4, origin = $5, cors = $6, redirect = $7, \
     status = $8, created_by = $9, last_updated_by = $10, created_ms = $11, last_updated_ms = $12, \
     revision = revision + 1 WHERE id = $1 AND revision = $2 AND NOT EXISTS \
     (SELECT 1 FROM trusted_origins AS other WHERE (other.folded_name = $4 OR other.origin = $5) AND other.id <> $1)";

const DELETE: &str = "DELETE FROM trusted_origins WHERE id = $1 AND revision = $2";

const NAME_TAKEN: &str = "SELECT id FROM trusted_origins WHERE folded_name = $1 AND id <> $2";

const ORIGIN_TAKEN: &str = "SELECT id FROM trusted_origins WHERE origin = $1 AND id <> $2";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, origin, cors, redirect, status, created_by, last_updated_by, created_ms, \
             last_updated_ms, revision FROM trusted_origins ",
            $rest
        )
    };
}

pub(crate) fn insert(origin: &TrustedOrigin) -> Statement {
    write(INSERT, origin, Conflict::AlreadyThere)
}

pub(crate) fn update(origin: &TrustedOrigin) -> Statement {
    write(UPDATE, origin, Conflict::Stale)
}

fn write(sql: &'static str, origin: &TrustedOrigin, conflict: Conflict) -> Statement {
    let folded_name = origin.name.to_lowercase();
    let id = || Argument::Text(origin.id.as_str().to_owned());
    let arguments = vec![
        id(),
        Argument::Integer(origin.revision),
        Argument::Text(origin.name.clone()),
        Argument::Text(folded_name.clone()),
        Argument::Text(origin.origin.clone()),
        Argument::Integer(origin.cors.into()),
        Argument::Integer(origin.redirect.into()),
        Argument::Fixed(origin.status.as_str()),
        Argument::Text(origin.created_by.clone()),
        Argument::Text(origin.last_updated_by.clone()),
        Argument::Integer(origin.created.as_millis()),
        Argument::Integer(origin.last_updated.as_millis()),
    ];
    let probes = vec![
        Probe::new(NAME_TAKEN, vec![Argument::Text(folded_name), id()], Conflict::NameTaken),
        Probe::new(ORIGIN_TAKEN, vec![Argument::Text(origin.origin.clone()), id()], Conflict::OriginTaken),
    ];
    Statement::new(sql, arguments).or(Otherwise::FirstFound { probes, conflict })
}

pub(crate) fn delete(id: &TrustedOriginId, revision: i64) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

#[derive(sqlx::FromRow)]
struct OriginRow {
    id: String,
    name: String,
    origin: String,
    cors: i64,
    redirect: i64,
    status: String,
    created_by: String,
    last_updated_by: String,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
}

impl TryFrom<OriginRow> for TrustedOrigin {
    type Error = StoreError;

    fn try_from(row: OriginRow) -> Result<Self, StoreError> {
        Ok(Self {
            status: LifecycleStatus::parse(&row.status).ok_or_else(|| unknown("trusted origin", &row.id))?,
            id: TrustedOriginId::from_text(row.id),
            name: row.name,
            origin: row.origin,
            cors: row.cors == 1,
            redirect: row.redirect == 1,
            created_by: row.created_by,
            last_updated_by: row.last_updated_by,
            created: Timestamp::from_millis(row.created_ms),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            revision: row.revision,
        })
    }
}

impl Store {
    /// The trusted origin of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn trusted_origin(&self, id: &str) -> Result<Option<TrustedOrigin>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, OriginRow, select!("WHERE id = $1"), id)?;
        row.map(TrustedOrigin::try_from).transpose()
    }

    /// A page of trusted origins in the order of their ids, those after one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn trusted_origins(&self, after: &str, limit: usize) -> Result<Vec<TrustedOrigin>, StoreError> {
        if !can_be_stored(after) {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            fetch!(self.database(), fetch_all, OriginRow, select!("WHERE id > $1 ORDER BY id LIMIT $2"), after, limit)?;
        rows.into_iter().map(TrustedOrigin::try_from).collect()
    }

    /// Whether pages of this origin may call the org: it is trusted for CORS, and switched on.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn is_cors_origin(&self, origin: &str) -> Result<bool, StoreError> {
        if !can_be_stored(origin) {
            return Ok(false);
        }
        let sql = select!("WHERE origin = $1 AND cors = 1 AND status = 'ACTIVE'");
        Ok(fetch!(self.database(), fetch_optional, OriginRow, sql, origin)?.is_some())
    }
}
