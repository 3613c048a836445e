//! What truly differs between SQLite and PostgreSQL in what is sent, so that it can be counted: row locks and the order of the
//! journal.

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Inserts a user if the schema that the profile was checked against still holds. On PostgreSQL the schema stays as it
    /// is until the commit, so that a change of it finds every user that was checked against the old one.
    pub(crate) const fn insert_user(self) -> &'static str {
        macro_rules! text {
            ($lock:literal) => {
                concat!(
                    "INSERT INTO users (id, status, folded_login, folded_email, folded_first_name, folded_last_name, \
                     profile, password_hash, created_ms, activated_ms, status_changed_ms, last_login_ms, \
                     last_updated_ms, password_changed_ms, revision, email_verified, proof_epoch) \
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $17, $18 \
                     FROM user_schemas WHERE user_schemas.id = 'default' AND user_schemas.revision = $16",
                    $lock,
                    " ON CONFLICT DO NOTHING"
                )
            };
        }
        match self {
            Self::Sqlite => text!(""),
            Self::Postgres => text!(" FOR SHARE"),
        }
    }

    /// Updates a user with profile and all, as [`Dialect::insert_user`] inserts one.
    pub(crate) const fn update_user_profile(self) -> &'static str {
        macro_rules! text {
            ($lock:literal) => {
                concat!(
                    "UPDATE users SET folded_login = $3, folded_email = $4, folded_first_name = $5, \
                     folded_last_name = $6, profile = $7, status = $9, password_hash = $10, activated_ms = $11, \
                     status_changed_ms = $12, last_login_ms = $13, last_updated_ms = $14, password_changed_ms = $15, \
                     email_verified = $16, proof_epoch = $17, revision = revision + 1 WHERE id = $1 AND revision = $2 \
                     AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.folded_login = $3 AND other.id <> $1) \
                     AND EXISTS (SELECT 1 FROM user_schemas WHERE id = 'default' AND revision = $8",
                    $lock,
                    ")"
                )
            };
        }
        match self {
            Self::Sqlite => text!(""),
            Self::Postgres => text!(" FOR SHARE"),
        }
    }

    /// How many chains the journal has: on PostgreSQL as many as commits may append to it at once without waiting for each
    /// other.
    pub(crate) const fn chains(self) -> i64 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 16,
        }
    }

    /// Waits for all that append to the journal, forgets what retention noted, and keeps others from appending until the
    /// transaction ends.
    pub(crate) const fn lock_chains(self) -> &'static str {
        match self {
            Self::Sqlite => "DELETE FROM journal_gaps",
            Self::Postgres => "LOCK TABLE journal_chains IN EXCLUSIVE MODE; DELETE FROM journal_gaps",
        }
    }

    /// The highest number that a chunk of the journal ever had.
    pub(crate) const fn last_number(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0), \
                 coalesce((SELECT max(seq) FROM journal), 0))"
            }
            Self::Postgres => LAST_NUMBER,
        }
    }

    /// Claims a flow's next input. PostgreSQL does not wait for the disk: a claim that a crash of the database loses has lost
    /// its node's connection too, and costs a second call of the hook at worst.
    pub(crate) const fn claim_flow(self) -> &'static str {
        macro_rules! text {
            ($rest:literal) => {
                concat!(
                    "UPDATE flows SET claim = $3, claimed_until_ms = $4 WHERE id = $1 AND revision = $2 \
                     AND (claimed_until_ms <= $5 OR claimed_until_ms > $6)",
                    $rest
                )
            };
        }
        match self {
            Self::Sqlite => text!(""),
            Self::Postgres => text!(" AND set_config('synchronous_commit', 'off', true) IS NOT NULL"),
        }
    }

    /// Claims mails that are due. On PostgreSQL a row that another node is just claiming is left out, not waited for.
    pub(crate) const fn claim_mails(self) -> &'static str {
        macro_rules! text {
            ($among:literal, $lock:literal) => {
                concat!(
                    "UPDATE mails SET claim = $1, due_ms = $2, attempts = attempts + 1 WHERE id ",
                    $among,
                    "SELECT id FROM mails WHERE sent_ms IS NULL AND created_ms > $3 AND (due_ms <= $4 OR due_ms > $5) \
                     ORDER BY created_ms DESC, id DESC LIMIT $6",
                    $lock
                )
            };
        }
        match self {
            Self::Sqlite => text!("IN (", ")"),
            // An array is made once; a subquery may be run again for each row, and claim more than it should.
            Self::Postgres => text!("= ANY (ARRAY(", " FOR UPDATE SKIP LOCKED))"),
        }
    }

    /// The tables of each version, in order.
    pub(crate) const fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                include_str!("../migrations/sqlite/0001_org.sql"),
                include_str!("../migrations/sqlite/0002_identity.sql"),
                include_str!("../migrations/sqlite/0003_flows.sql"),
                include_str!("../migrations/sqlite/0004_hook_keys.sql"),
                include_str!("../migrations/sqlite/0005_hook_settings.sql"),
                include_str!("../migrations/sqlite/0006_oauth.sql"),
                include_str!("../migrations/sqlite/0007_journal_time.sql"),
                include_str!("../migrations/sqlite/0008_signing_secrets.sql"),
                include_str!("../migrations/sqlite/0009_email_verified.sql"),
                include_str!("../migrations/sqlite/0010_fewer_index_entries.sql"),
                include_str!("../migrations/sqlite/0011_nodes.sql"),
                include_str!("../migrations/sqlite/0012_risen_flows.sql"),
                include_str!("../migrations/sqlite/0013_journal_chain.sql"),
                include_str!("../migrations/sqlite/0014_proof_epoch.sql"),
                include_str!("../migrations/sqlite/0015_roles.sql"),
                include_str!("../migrations/sqlite/0016_open_flows.sql"),
                include_str!("../migrations/sqlite/0017_locks.sql"),
                include_str!("../migrations/sqlite/0018_account_links.sql"),
                include_str!("../migrations/sqlite/0019_sealed_mails.sql"),
            ],
            Self::Postgres => &[
                include_str!("../migrations/postgres/0001_org.sql"),
                include_str!("../migrations/postgres/0002_identity.sql"),
                include_str!("../migrations/postgres/0003_flows.sql"),
                include_str!("../migrations/postgres/0004_hook_keys.sql"),
                include_str!("../migrations/postgres/0005_hook_settings.sql"),
                include_str!("../migrations/postgres/0006_oauth.sql"),
                include_str!("../migrations/postgres/0007_journal_time.sql"),
                include_str!("../migrations/postgres/0008_signing_secrets.sql"),
                include_str!("../migrations/postgres/0009_email_verified.sql"),
                include_str!("../migrations/postgres/0010_fewer_index_entries.sql"),
                include_str!("../migrations/postgres/0011_nodes.sql"),
                include_str!("../migrations/postgres/0012_risen_flows.sql"),
                include_str!("../migrations/postgres/0013_journal_chain.sql"),
                include_str!("../migrations/postgres/0014_proof_epoch.sql"),
                include_str!("../migrations/postgres/0015_roles.sql"),
                include_str!("../migrations/postgres/0016_open_flows.sql"),
                include_str!("../migrations/postgres/0017_locks.sql"),
                include_str!("../migrations/postgres/0018_account_links.sql"),
                include_str!("../migrations/postgres/0019_sealed_mails.sql"),
            ],
        }
    }
}

/// SQLite: the chain's head, and the highest number of a chunk.
pub(crate) const READ_HEAD: &str = "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0), \
     coalesce((SELECT max(seq) FROM journal), 0)), chain, began, executions_links, executions_hmac, events_links, \
     events_hmac, key_id, mac FROM (SELECT 1) LEFT JOIN journal_chains ON chain = 0";

macro_rules! take_head {
    ($which:literal) => {
        concat!(
            "WITH turn AS MATERIALIZED \
             (SELECT pg_advisory_xact_lock_shared((x'48'::bigint << 56) | last_value) FROM journal_seq), \
             taken AS MATERIALIZED (SELECT chain, began, executions_links, executions_hmac, events_links, events_hmac, \
             key_id, mac FROM journal_chains ",
            $which,
            ") SELECT nextval('journal_seq') AS seq, taken.* FROM turn CROSS JOIN generate_series(1, $1) \
             LEFT JOIN taken ON true"
        )
    };
}

/// PostgreSQL: takes a chain that no other commit has, and as many numbers of the journal as chunks are to be appended.
///
/// PostgreSQL hands out numbers before transactions commit. Each writer therefore first takes a shared advisory lock
/// whose key tells the last number before its own; [`SETTLED_HORIZON`] looks for these locks.
pub(crate) const TAKE_HEAD: &str = take_head!("ORDER BY chain LIMIT 1 FOR UPDATE SKIP LOCKED");
/// PostgreSQL: the same, and waits for the chain `$2`. A commit takes its chain last and nothing behind it, so that none
/// waits for another in a circle.
pub(crate) const AWAIT_HEAD: &str = take_head!("WHERE chain = $2 FOR UPDATE");

/// PostgreSQL: the last number given out. Asked before [`SETTLED_HORIZON`].
pub(crate) const LAST_NUMBER: &str = "SELECT last_value FROM journal_seq";

/// PostgreSQL: the lowest number that a transaction under way may still fill, less one; see [`TAKE_HEAD`].
/// An advisory lock with a key of 64 bits shows its upper half as `classid` and its lower half as `objid`.
pub(crate) const SETTLED_HORIZON: &str = "SELECT min(((classid::bigint & x'00ffffff'::bigint) << 32) | objid::bigint) \
     FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint >> 24) = x'48'::bigint \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// PostgreSQL: what each connection is told first. `synchronous_commit` is raised where it is lower than `on`.
pub(crate) const SESSION_SETTINGS: &str = "SELECT \
     set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
                WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false), \
     set_config('lock_timeout', '5s', false), \
     set_config('statement_timeout', '5s', false), \
     set_config('idle_in_transaction_session_timeout', '30s', false)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_number_of_migrations() {
        assert_eq!(Dialect::Sqlite.migrations().len(), Dialect::Postgres.migrations().len());
    }
}
