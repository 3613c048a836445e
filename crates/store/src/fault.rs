//! What the drivers say, and what it means.

/// What a driver said.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The driver of PostgreSQL, and of reads from SQLite.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// The driver of writes to SQLite.
    #[error(transparent)]
    Rusqlite(#[from] rusqlite::Error),
}

/// Reads or writes fail.
pub(crate) const BROKEN_DISK: &str = "the disk does not work";

/// What an error of a driver means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another process holds the lock: the same statement may work in a moment.
    Busy,
    /// The transaction lost against another and was rolled back: the same transaction may work at once.
    Retry,
    /// The connection is gone, or none is to be had.
    Away,
    /// There is no room for it; something smaller may still fit.
    Full,
    /// The engine can't do it now.
    Unavailable(&'static str),
    /// A unique index refused it.
    Duplicate,
    /// A reference would lead nowhere.
    Reference,
    /// The database contradicts itself.
    Damaged,
    /// Anything else: a fault of ours.
    Refused,
}

/// Sorts the errors of both drivers.
pub(crate) fn classify(error: &DriverError) -> Fault {
    match error {
        DriverError::Sqlx(error) => classify_sqlx(error),
        DriverError::Rusqlite(error) => match error.sqlite_error() {
            Some(error) => classify_sqlite(error.extended_code.cast_unsigned()),
            None => Fault::Refused,
        },
    }
}

/// Sorts the errors of sqlx.
pub(crate) fn classify_sqlx(error: &sqlx::Error) -> Fault {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().unwrap_or_default();
            // SQLite's codes are numbers of up to four digits, SQLSTATE has five characters.
            match code.parse::<u32>() {
                Ok(number) if code.len() < 5 => classify_sqlite(number),
                _ => classify_sqlstate(&code),
            }
        }
        E::PoolClosed => Fault::Unavailable("it is closed"),
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::WorkerCrashed | E::Protocol(_) | E::BeginFailed => Fault::Away,
        _ => Fault::Refused,
    }
}

/// <https://www.sqlite.org/rescode.html>; the low byte of an extended code is the primary one.
const fn classify_sqlite(code: u32) -> Fault {
    match (code, code & 0xff) {
        (1555 | 2067, _) => Fault::Duplicate,
        (787, _) => Fault::Reference,
        (_, 5 | 6) => Fault::Busy,
        (_, 7) => Fault::Unavailable("memory is short"),
        (_, 8) => Fault::Unavailable("it is read-only"),
        (_, 10) => Fault::Unavailable(BROKEN_DISK),
        (_, 13) => Fault::Full,
        (_, 14) => Fault::Unavailable("its file can't be opened"),
        (_, 11 | 26) => Fault::Damaged,
        _ => Fault::Refused,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn classify_sqlstate(code: &str) -> Fault {
    match code {
        "40001" | "40P01" => Fault::Retry,
        "23503" | "23001" => Fault::Reference,
        "23505" => Fault::Duplicate,
        "25006" => Fault::Unavailable("it is read-only"),
        "53100" => Fault::Full,
        "55P03" => Fault::Unavailable("a lock was held too long"),
        "57014" => Fault::Unavailable("the statement took too long"),
        "XX001" | "XX002" => Fault::Damaged,
        "57P01" | "57P02" | "57P03" | "57P05" => Fault::Away,
        _ => match code.get(..2) {
            Some("08") => Fault::Away,
            Some("53") => Fault::Unavailable("the server is short of resources"),
            Some("57") => Fault::Unavailable("an operator intervened"),
            Some("58") => Fault::Unavailable("the server's disk does not work"),
            Some("28" | "3D") => Fault::Unavailable("the server does not let us in"),
            _ => Fault::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        assert_eq!(classify_sqlite(5), Fault::Busy);
        assert_eq!(classify_sqlite(517), Fault::Busy);
        assert_eq!(classify_sqlite(2067), Fault::Duplicate);
        assert_eq!(classify_sqlite(787), Fault::Reference);
        assert_eq!(classify_sqlite(275), Fault::Refused);
        assert_eq!(classify_sqlite(13), Fault::Full);
        assert_eq!(classify_sqlite(1034), Fault::Unavailable("the disk does not work"));
        assert_eq!(classify_sqlstate("40001"), Fault::Retry);
        assert_eq!(classify_sqlstate("23503"), Fault::Reference);
        assert_eq!(classify_sqlstate("57P01"), Fault::Away);
        assert_eq!(classify_sqlstate("53300"), Fault::Unavailable("the server is short of resources"));
        assert_eq!(classify_sqlstate("42P01"), Fault::Refused);
    }
}
