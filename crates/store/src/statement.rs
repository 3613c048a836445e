//! Statements as data: a text that both engines understand, its arguments, and what it means if it touches nothing.
//!
//! Because they are data, they travel to SQLite's writer, and a lost race can be run again.

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

use crate::change::Conflict;
use crate::error::StoreError;

/// A value for a placeholder. Not `Debug`: it may be a sealed secret or a name.
#[derive(Clone)]
pub(crate) enum Argument {
    Integer(i64),
    OptionalInteger(Option<i64>),
    Fixed(&'static str),
    Text(String),
    OptionalText(Option<String>),
    Bytes(Vec<u8>),
    OptionalBytes(Option<Vec<u8>>),
}

/// What a statement must do for its commit to go on.
#[derive(Clone)]
pub(crate) enum Expect {
    /// It may touch any number of rows.
    Anything,
    /// It may touch any number of rows, and a unique index that refuses it is this conflict.
    NoDuplicate(Conflict),
    /// It must touch exactly one row.
    OneRow(Otherwise),
}

/// What it means that a statement touched no row.
#[derive(Clone)]
pub(crate) enum Otherwise {
    /// This conflict.
    Conflict(Conflict),
    /// The conflict of the first of these queries that finds a row, or else the last one.
    FirstFound { probes: Vec<Probe>, conflict: Conflict },
    /// The database is not as we left it.
    Damage(&'static str),
}

/// A query that tells why a statement touched no row.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) sql: &'static str,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) conflict: Conflict,
}

impl Probe {
    pub(crate) const fn new(sql: &'static str, arguments: Vec<Argument>, conflict: Conflict) -> Self {
        Self { sql, arguments, conflict }
    }
}

/// A row more in a table that may have so many. Comes before the row, so that writers wait for each other at the tally and the
/// limit is exact.
#[derive(Clone)]
pub(crate) struct Count {
    pub(crate) table: &'static str,
    pub(crate) limit: i64,
    /// What it means that there are as many already.
    pub(crate) full: Otherwise,
}

const COUNT: &str = "UPDATE tallies SET value = value + $2 WHERE name = $1 AND value + $2 <= $3";

impl Count {
    pub(crate) fn new(table: &'static str, limit: u64, full: Otherwise) -> Self {
        Self { table, limit: i64::try_from(limit).unwrap_or(i64::MAX), full }
    }

    /// Counts so many rows at once.
    pub(crate) fn statement(&self, rows: i64) -> Statement {
        let arguments = vec![Argument::Fixed(self.table), Argument::Integer(rows), Argument::Integer(self.limit)];
        Statement::new(COUNT, arguments).or(self.full.clone())
    }
}

const COUNT_DOWN: &str = "UPDATE tallies SET value = value - 1 WHERE name = $1 AND value > 0";

/// A row less in a table that is counted; before the row, as [`Count`] is. Where none is left, somebody else took the row.
pub(crate) fn count_down(table: &'static str) -> Statement {
    Statement::new(COUNT_DOWN, vec![Argument::Fixed(table)]).or(Otherwise::Conflict(Conflict::Stale))
}

/// One statement.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) expect: Expect,
}

impl Statement {
    pub(crate) fn new(sql: &'static str, arguments: Vec<Argument>) -> Self {
        Self { sql, arguments, expect: Expect::Anything }
    }

    pub(crate) fn or(self, otherwise: Otherwise) -> Self {
        Self { expect: Expect::OneRow(otherwise), ..self }
    }

    pub(crate) fn unless_duplicate(self, conflict: Conflict) -> Self {
        Self { expect: Expect::NoDuplicate(conflict), ..self }
    }

    pub(crate) const fn is_checked(&self) -> bool {
        matches!(self.expect, Expect::OneRow(_))
    }

    pub(crate) fn postgres_arguments(&self) -> Result<PgArguments, StoreError> {
        let mut arguments = PgArguments::default();
        for argument in &self.arguments {
            let added = match argument {
                Argument::Integer(value) => arguments.add(value),
                Argument::OptionalInteger(value) => arguments.add(value),
                Argument::Fixed(value) => arguments.add(value),
                Argument::Text(value) => arguments.add(value),
                Argument::OptionalText(value) => arguments.add(value),
                Argument::Bytes(value) => arguments.add(value),
                Argument::OptionalBytes(value) => arguments.add(value),
            };
            added.map_err(|error| StoreError::from_driver(sqlx::Error::Encode(error)))?;
        }
        Ok(arguments)
    }
}
