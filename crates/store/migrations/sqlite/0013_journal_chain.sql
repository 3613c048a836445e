-- The journal proves itself: each chunk has an HMAC over itself and the one before it, by a key that is not in the database.
-- Chunks of before have none.

ALTER TABLE journal ADD COLUMN chain INTEGER;
-- Its number among the chunks of its kind in its chain.
ALTER TABLE journal ADD COLUMN link INTEGER;
ALTER TABLE journal ADD COLUMN key_id BLOB;
ALTER TABLE journal ADD COLUMN hmac BLOB;

-- Where each chain ends.
CREATE TABLE journal_chains (
    chain            INTEGER NOT NULL PRIMARY KEY,
    -- Chunks up to this number are from before.
    began            INTEGER NOT NULL,
    executions_links INTEGER NOT NULL,
    executions_hmac  BLOB    NOT NULL,
    events_links     INTEGER NOT NULL,
    events_hmac      BLOB    NOT NULL,
    key_id           BLOB    NOT NULL,
    mac              BLOB    NOT NULL
) STRICT;

-- Runs of chunks that retention has removed.
CREATE TABLE journal_gaps (
    chain      INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('executions', 'events')),
    first_link INTEGER NOT NULL,
    last_link  INTEGER NOT NULL,
    first_seq  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    -- That of the last one.
    hmac       BLOB    NOT NULL,
    key_id     BLOB    NOT NULL,
    mac        BLOB    NOT NULL,
    PRIMARY KEY (chain, kind, first_link)
) STRICT, WITHOUT ROWID;
