-- People, groups, the user schema, user profile policies, apps, trusted origins.
-- Times are milliseconds since the Unix epoch. Text is compared byte by byte, hence the collation "C". Truth values are 0 and 1.

-- One row: the schema of the org's one type of users.
CREATE TABLE user_schemas (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- JSON: the attributes, Okta's and the org's own.
    definitions     TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    last_updated_ms BIGINT NOT NULL,
    revision        BIGINT NOT NULL
);

CREATE TABLE users (
    id                  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    status              TEXT COLLATE "C" NOT NULL,
    -- As logins are compared: no two users may have the same.
    folded_login        TEXT COLLATE "C" NOT NULL UNIQUE,
    -- What the search by the first letters looks at.
    folded_email        TEXT COLLATE "C" NOT NULL,
    folded_first_name   TEXT COLLATE "C" NOT NULL,
    folded_last_name    TEXT COLLATE "C" NOT NULL,
    -- JSON.
    profile             TEXT NOT NULL,
    -- A PHC string.
    password_hash       TEXT COLLATE "C",
    created_ms          BIGINT NOT NULL,
    activated_ms        BIGINT,
    status_changed_ms   BIGINT,
    last_login_ms       BIGINT,
    last_updated_ms     BIGINT NOT NULL,
    password_changed_ms BIGINT,
    revision            BIGINT NOT NULL
);

-- Values that no two users may share, the login aside.
CREATE TABLE user_values (
    attribute TEXT COLLATE "C" NOT NULL,
    value     TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (attribute, value)
);
CREATE INDEX user_values_by_user ON user_values (user_id);

CREATE TABLE user_groups (
    id                         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name                       TEXT COLLATE "C" NOT NULL,
    folded_name                TEXT COLLATE "C" NOT NULL UNIQUE,
    description                TEXT COLLATE "C",
    built_in                   BIGINT NOT NULL CHECK (built_in IN (0, 1)),
    created_ms                 BIGINT NOT NULL,
    last_updated_ms            BIGINT NOT NULL,
    last_membership_updated_ms BIGINT NOT NULL,
    revision                   BIGINT NOT NULL
);

-- Who is in which group; everybody is in the built-in one, without a row here.
CREATE TABLE group_members (
    group_id TEXT COLLATE "C" NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    user_id  TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE enrollment_policies (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL,
    folded_name     TEXT COLLATE "C" NOT NULL UNIQUE,
    description     TEXT COLLATE "C",
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    priority        BIGINT NOT NULL,
    is_system       BIGINT NOT NULL CHECK (is_system IN (0, 1)),
    source_id       TEXT COLLATE "C" NOT NULL UNIQUE,
    -- What the rule refers to stands here, so that it can't go while the rule needs it.
    inline_hook_id  TEXT COLLATE "C" REFERENCES inline_hooks (id),
    target_group_id TEXT COLLATE "C" REFERENCES user_groups (id),
    -- JSON: the rest of the rule.
    rule            TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    last_updated_ms BIGINT NOT NULL,
    revision        BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_system_policy ON enrollment_policies (is_system) WHERE is_system = 1;
CREATE INDEX enrollment_policies_by_hook ON enrollment_policies (inline_hook_id);
CREATE INDEX enrollment_policies_by_group ON enrollment_policies (target_group_id);

CREATE TABLE applications (
    id                   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name                 TEXT COLLATE "C" NOT NULL,
    label                TEXT COLLATE "C" NOT NULL,
    status               TEXT COLLATE "C" NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    sign_on_mode         TEXT COLLATE "C" NOT NULL,
    -- JSON: what is kept and shown only.
    shown                TEXT NOT NULL,
    client_id            TEXT COLLATE "C" UNIQUE,
    -- JSON: the OAuth client without id and secret.
    oauth                TEXT,
    sealed_client_secret BYTEA,
    policy_id            TEXT COLLATE "C" NOT NULL REFERENCES enrollment_policies (id),
    is_system            BIGINT NOT NULL CHECK (is_system IN (0, 1)),
    created_ms           BIGINT NOT NULL,
    last_updated_ms      BIGINT NOT NULL,
    revision             BIGINT NOT NULL
);
CREATE INDEX applications_by_policy ON applications (policy_id);

CREATE TABLE trusted_origins (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL,
    folded_name     TEXT COLLATE "C" NOT NULL UNIQUE,
    origin          TEXT COLLATE "C" NOT NULL UNIQUE,
    cors            BIGINT NOT NULL CHECK (cors IN (0, 1)),
    redirect        BIGINT NOT NULL CHECK (redirect IN (0, 1)),
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_by      TEXT COLLATE "C" NOT NULL,
    last_updated_by TEXT COLLATE "C" NOT NULL,
    created_ms      BIGINT NOT NULL,
    last_updated_ms BIGINT NOT NULL,
    revision        BIGINT NOT NULL
);
