-- What several nodes share: who works on a mail or a flow just now, and until when. Times are milliseconds since the Unix
-- epoch.

-- A mail is due from `due_ms` on: at once, after its claim has ended, or after a pause that follows a failure.
ALTER TABLE mails ADD COLUMN due_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mails ADD COLUMN claim TEXT COLLATE "C";
ALTER TABLE mails ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mails ADD COLUMN last_error TEXT;

ALTER TABLE flows ADD COLUMN claim TEXT COLLATE "C";
ALTER TABLE flows ADD COLUMN claimed_until_ms BIGINT NOT NULL DEFAULT 0;

-- Work that one node does for all, such as removing what is over.
CREATE TABLE leases (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until_ms BIGINT NOT NULL
);
