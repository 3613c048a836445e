-- Times are milliseconds since the Unix epoch. Text is compared byte by byte, hence the collation "C".

CREATE TABLE inline_hooks (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL,
    -- The name in lower case: no two hooks may differ by letter case alone.
    folded_name     TEXT COLLATE "C" NOT NULL UNIQUE,
    hook_type       TEXT COLLATE "C" NOT NULL,
    version         TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    -- JSON as text, without the secret: jsonb would lose the order of members.
    channel         TEXT NOT NULL,
    sealed_secret   BYTEA,
    metadata        TEXT,
    created_ms      BIGINT NOT NULL,
    last_updated_ms BIGINT NOT NULL,
    revision        BIGINT NOT NULL
);

-- How many rows a limited table has, so that a limit is checked without counting; its row is the lock that makes the
-- check exact.
CREATE TABLE tallies (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL CHECK (value >= 0)
);
INSERT INTO tallies (name, value) VALUES ('inline_hooks', 0);

CREATE TABLE api_tokens (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    sha256       BYTEA NOT NULL UNIQUE CHECK (length(sha256) = 32),
    created_ms   BIGINT NOT NULL,
    last_used_ms BIGINT NOT NULL,
    expires_ms   BIGINT NOT NULL,
    revoked_ms   BIGINT
);

-- Executions and events in the order they were written. A row is a chunk of many. The sequence is set, so that its last
-- value is below the first number from the start.
CREATE SEQUENCE journal_seq AS BIGINT MINVALUE 0 START 0;
SELECT setval('journal_seq', 0, true);
CREATE TABLE journal (
    seq      BIGINT NOT NULL PRIMARY KEY,
    kind     TEXT COLLATE "C" NOT NULL CHECK (kind IN ('executions', 'events')),
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    items    BIGINT NOT NULL,
    octets   BIGINT NOT NULL,
    -- One bit for each verdict that occurs in the chunk.
    verdicts BIGINT NOT NULL,
    -- The last eight characters of each execution's id.
    id_tails BYTEA NOT NULL,
    body     BYTEA NOT NULL
);
CREATE INDEX journal_by_kind ON journal (kind, seq);
CREATE INDEX journal_by_time ON journal (kind, last_ms, seq, first_ms);

-- Which chunks hold executions of a hook.
CREATE TABLE journal_hooks (
    hook_id TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
    PRIMARY KEY (hook_id, seq)
);
CREATE INDEX journal_hooks_by_seq ON journal_hooks (seq);

-- The keys that secrets here may be sealed with, each with a value that only this key opens.
CREATE TABLE sealing_keys (
    id     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    canary BYTEA NOT NULL
);

-- Written to find out whether writing works.
CREATE TABLE readiness (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    beats BIGINT NOT NULL
);
INSERT INTO readiness (id, beats) VALUES (1, 0);
