//! Statements as data: a text that both engines understand, its arguments, and what it means if it touches nothing.
//!
//! Because they are data, the SQLite writer can send many of them in one message, and a lost race can be run again.

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

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

/// Adds an argument to those of either engine: the same text, but two types of `arguments`.
macro_rules! add_argument {
    ($arguments:expr, $argument:expr) => {
        match $argument {
            Argument::Integer(value) => $arguments.add(value),
            Argument::OptionalInteger(value) => $arguments.add(value),
            Argument::Fixed(value) => $arguments.add(value),
            Argument::Text(value) => $arguments.add(value),
            Argument::OptionalText(value) => $arguments.add(value),
            Argument::Bytes(value) => $arguments.add(value),
            Argument::OptionalBytes(value) => $arguments.add(value),
        }
        .map_err(|error| StoreError::from_sqlx(sqlx::Error::Encode(error)))
    };
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

    pub(crate) fn sqlite_arguments(&self) -> Result<SqliteArguments, StoreError> {
        let mut arguments = SqliteArguments::default();
        add_to_sqlite(self.arguments.clone(), &mut arguments)?;
        Ok(arguments)
    }

    pub(crate) fn postgres_arguments(&self) -> Result<PgArguments, StoreError> {
        let mut arguments = PgArguments::default();
        for argument in &self.arguments {
            add_argument!(arguments, argument)?;
        }
        Ok(arguments)
    }
}

/// By value: a chunk of the journal is large, and sqlx takes it over as it is.
fn add_to_sqlite(values: Vec<Argument>, arguments: &mut SqliteArguments) -> Result<(), StoreError> {
    for argument in values {
        add_argument!(arguments, argument)?;
    }
    Ok(())
}

/// Several statements in one text, for SQLite: one message to its thread instead of one for each.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) arguments: SqliteArguments,
    /// For each statement in the text: whether it must touch exactly one row.
    pub(crate) must_touch: Vec<bool>,
    /// Whether the text comes often enough to be kept prepared.
    pub(crate) is_common: bool,
    arguments_so_far: usize,
}

impl Script {
    /// A script whose first statement is this text without placeholders.
    pub(crate) fn beginning_with(sql: &'static str) -> Self {
        Self { text: format!("{sql};"), must_touch: vec![false], ..Self::default() }
    }

    /// Adds a statement; its placeholders count on from the last one.
    pub(crate) fn add(&mut self, statement: Statement) -> Result<(), StoreError> {
        append_renumbered(&mut self.text, statement.sql, self.arguments_so_far);
        self.text.push(';');
        self.arguments_so_far += statement.arguments.len();
        self.must_touch.push(statement.is_checked());
        add_to_sqlite(statement.arguments, &mut self.arguments)
    }
}

/// Copies a text whose placeholders `$1`, `$2`, … are moved up by `offset`. Our texts hold no `$` in quotes.
fn append_renumbered(target: &mut String, sql: &str, offset: usize) {
    let mut parts = sql.split('$');
    target.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let number: usize = number.parse().unwrap_or(0);
        target.push('$');
        target.push_str(&(number + offset).to_string());
        target.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on_from_one_statement_to_the_next() {
        let mut script = Script::beginning_with("BEGIN");
        let both = Statement::new("UPDATE a SET b = $1 WHERE c = $2", vec![Argument::Integer(1), Argument::Integer(2)]);
        script.add(both.clone()).unwrap();
        script.add(both.or(Otherwise::Damage("gone"))).unwrap();
        assert_eq!(script.text, "BEGIN;UPDATE a SET b = $1 WHERE c = $2;UPDATE a SET b = $3 WHERE c = $4;");
        assert_eq!(script.must_touch, [false, false, true]);
    }

    #[test]
    fn a_placeholder_may_be_used_twice_and_stand_at_the_end() {
        let mut text = String::new();
        append_renumbered(&mut text, "SELECT $1, $2 WHERE $1 < $10", 5);
        assert_eq!(text, "SELECT $6, $7 WHERE $6 < $15");
        append_renumbered(&mut text, "; SELECT 1", 5);
        assert_eq!(text, "SELECT $6, $7 WHERE $6 < $15; SELECT 1");
    }
}
