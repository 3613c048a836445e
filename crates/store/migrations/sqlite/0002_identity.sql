-- People, groups, the user schema, user profile policies, apps, trusted origins.
-- Times are milliseconds since the Unix epoch. Text is compared byte by byte. Truth values are 0 and 1.

-- One row: the schema of the org's one type of users.
CREATE TABLE user_schemas (
    id              TEXT    NOT NULL PRIMARY KEY,
    -- JSON: the attributes, Okta's and the org's own.
    definitions     TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    last_updated_ms INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id                  TEXT    NOT NULL PRIMARY KEY,
    status              TEXT    NOT NULL,
    -- As logins are compared: no two users may have the same.
    folded_login        TEXT    NOT NULL UNIQUE,
    -- What the search by the first letters looks at.
    folded_email        TEXT    NOT NULL,
    folded_first_name   TEXT    NOT NULL,
    folded_last_name    TEXT    NOT NULL,
    -- JSON.
    profile             TEXT    NOT NULL,
    -- A PHC string.
    password_hash       TEXT,
    created_ms          INTEGER NOT NULL,
    activated_ms        INTEGER,
    status_changed_ms   INTEGER,
    last_login_ms       INTEGER,
    last_updated_ms     INTEGER NOT NULL,
    password_changed_ms INTEGER,
    revision            INTEGER NOT NULL
) STRICT;

-- Values that no two users may share, the login aside.
CREATE TABLE user_values (
    attribute TEXT NOT NULL,
    value     TEXT NOT NULL,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (attribute, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_values_by_user ON user_values (user_id);

CREATE TABLE user_groups (
    id                         TEXT    NOT NULL PRIMARY KEY,
    name                       TEXT    NOT NULL,
    folded_name                TEXT    NOT NULL UNIQUE,
    description                TEXT,
    built_in                   INTEGER NOT NULL CHECK (built_in IN (0, 1)),
    created_ms                 INTEGER NOT NULL,
    last_updated_ms            INTEGER NOT NULL,
    last_membership_updated_ms INTEGER NOT NULL,
    revision                   INTEGER NOT NULL
) STRICT;

-- Who is in which group; everybody is in the built-in one, without a row here.
CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE enrollment_policies (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    folded_name     TEXT    NOT NULL UNIQUE,
    description     TEXT,
    status          TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    priority        INTEGER NOT NULL,
    is_system       INTEGER NOT NULL CHECK (is_system IN (0, 1)),
    source_id       TEXT    NOT NULL UNIQUE,
    -- What the rule refers to stands here, so that it can't go while the rule needs it.
    inline_hook_id  TEXT REFERENCES inline_hooks (id),
    target_group_id TEXT REFERENCES user_groups (id),
    -- JSON: the rest of the rule.
    rule            TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    last_updated_ms INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_system_policy ON enrollment_policies (is_system) WHERE is_system = 1;
CREATE INDEX enrollment_policies_by_hook ON enrollment_policies (inline_hook_id);
CREATE INDEX enrollment_policies_by_group ON enrollment_policies (target_group_id);

CREATE TABLE applications (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    label                TEXT    NOT NULL,
    status               TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    sign_on_mode         TEXT    NOT NULL,
    -- JSON: what is kept and shown only.
    shown                TEXT    NOT NULL,
    client_id            TEXT UNIQUE,
    -- JSON: the OAuth client without id and secret.
    oauth                TEXT,
    sealed_client_secret BLOB,
    policy_id            TEXT    NOT NULL REFERENCES enrollment_policies (id),
    is_system            INTEGER NOT NULL CHECK (is_system IN (0, 1)),
    created_ms           INTEGER NOT NULL,
    last_updated_ms      INTEGER NOT NULL,
    revision             INTEGER NOT NULL
) STRICT;
CREATE INDEX applications_by_policy ON applications (policy_id);

CREATE TABLE trusted_origins (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    folded_name     TEXT    NOT NULL UNIQUE,
    origin          TEXT    NOT NULL UNIQUE,
    cors            INTEGER NOT NULL CHECK (cors IN (0, 1)),
    redirect        INTEGER NOT NULL CHECK (redirect IN (0, 1)),
    status          TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_by      TEXT    NOT NULL,
    last_updated_by TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    last_updated_ms INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT;
