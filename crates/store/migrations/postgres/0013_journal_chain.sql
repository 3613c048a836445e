-- The journal proves itself: each chunk has an HMAC over itself and the one before it, by a key that is not in the database.
-- Chunks of before have none.

ALTER TABLE journal ADD COLUMN chain BIGINT;
-- Its number among the chunks of its kind in its chain.
ALTER TABLE journal ADD COLUMN link BIGINT;
ALTER TABLE journal ADD COLUMN key_id BYTEA;
ALTER TABLE journal ADD COLUMN hmac BYTEA;

-- Where each chain ends. A commit takes one that no other commit has.
CREATE TABLE journal_chains (
    chain            BIGINT NOT NULL PRIMARY KEY,
    -- Chunks up to this number are from before.
    began            BIGINT NOT NULL,
    executions_links BIGINT NOT NULL,
    executions_hmac  BYTEA  NOT NULL,
    events_links     BIGINT NOT NULL,
    events_hmac      BYTEA  NOT NULL,
    key_id           BYTEA  NOT NULL,
    mac              BYTEA  NOT NULL
) WITH (fillfactor = 50);

-- Runs of chunks that retention has removed.
CREATE TABLE journal_gaps (
    chain      BIGINT NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('executions', 'events')),
    first_link BIGINT NOT NULL,
    last_link  BIGINT NOT NULL,
    first_seq  BIGINT NOT NULL,
    last_seq   BIGINT NOT NULL,
    -- That of the last one.
    hmac       BYTEA  NOT NULL,
    key_id     BYTEA  NOT NULL,
    mac        BYTEA  NOT NULL,
    PRIMARY KEY (chain, kind, first_link)
);
