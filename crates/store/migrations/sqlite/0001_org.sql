-- Times are milliseconds since the Unix epoch. Text is compared byte by byte.

CREATE TABLE inline_hooks (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    -- The name in lower case: no two hooks may differ by letter case alone.
    folded_name     TEXT    NOT NULL UNIQUE,
    hook_type       TEXT    NOT NULL,
    version         TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    -- JSON, without the secret.
    channel         TEXT    NOT NULL,
    sealed_secret   BLOB,
    metadata        TEXT,
    created_ms      INTEGER NOT NULL,
    last_updated_ms INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT;

-- How many rows a limited table has, so that a limit is checked without counting.
CREATE TABLE tallies (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT;
INSERT INTO tallies (name, value) VALUES ('inline_hooks', 0);

CREATE TABLE api_tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    sha256       BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    revoked_ms   INTEGER
) STRICT;

-- Executions and events in the order they were written. A row is a chunk of many; body comes last, so that the other
-- columns are read without it.
CREATE TABLE journal (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL CHECK (kind IN ('executions', 'events')),
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL,
    items    INTEGER NOT NULL,
    octets   INTEGER NOT NULL,
    -- One bit for each verdict that occurs in the chunk.
    verdicts INTEGER NOT NULL,
    -- The last eight characters of each execution's id.
    id_tails BLOB    NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
CREATE INDEX journal_by_kind ON journal (kind, seq);
CREATE INDEX journal_by_time ON journal (kind, last_ms, seq, first_ms);

-- Which chunks hold executions of a hook.
CREATE TABLE journal_hooks (
    hook_id TEXT    NOT NULL,
    seq     INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
    PRIMARY KEY (hook_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_hooks_by_seq ON journal_hooks (seq);

-- The keys that secrets here may be sealed with, each with a value that only this key opens.
CREATE TABLE sealing_keys (
    id     TEXT NOT NULL PRIMARY KEY,
    canary BLOB NOT NULL
) STRICT;

-- Written to find out whether writing works.
CREATE TABLE readiness (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL
) STRICT;
INSERT INTO readiness (id, beats) VALUES (1, 0);
