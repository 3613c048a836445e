-- Sign-in flows, sessions, failures, mails. Times are milliseconds since the Unix epoch.

-- Under the SHA-256 of the state handle.
CREATE TABLE flows (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    -- Names the present state: a form that is sent twice does its work once.
    attempt        TEXT    NOT NULL UNIQUE,
    application_id TEXT    NOT NULL,
    -- JSON.
    state          TEXT    NOT NULL,
    created_ms     INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL,
    revision       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX flows_by_end ON flows (expires_ms);

-- What a client exchanges for tokens, once, under the SHA-256 of the code.
CREATE TABLE flow_codes (
    sha256           BLOB    NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    application_id   TEXT    NOT NULL,
    user_id          TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- JSON: what the client asked for.
    client           TEXT    NOT NULL,
    authenticated_ms INTEGER NOT NULL,
    expires_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX flow_codes_by_end ON flow_codes (expires_ms);
CREATE INDEX flow_codes_by_user ON flow_codes (user_id);

-- Under the SHA-256 of the token.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_ms);

-- Browsers that somebody signed in with, under the SHA-256 of their secret.
CREATE TABLE known_browsers (
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (sha256, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_browsers_by_user ON known_browsers (user_id);
CREATE INDEX known_browsers_by_end ON known_browsers (expires_ms);

-- Wrong passwords, by name, by name and browser, and by address; the key is a SHA-256.
CREATE TABLE sign_in_failures (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    count      INTEGER NOT NULL,
    first_ms   INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failures_by_end ON sign_in_failures (expires_ms);

CREATE TABLE mails (
    id         TEXT    NOT NULL PRIMARY KEY,
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    sent_ms    INTEGER,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_by_end ON mails (expires_ms);
CREATE INDEX mails_by_time ON mails (created_ms);
