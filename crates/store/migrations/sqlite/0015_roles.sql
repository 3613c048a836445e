-- Administrator roles of users, and API tokens that belong to users.

CREATE TABLE user_roles (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (user_id, role)
) STRICT;

-- Locked by whoever takes an administrator away, so that two of them can't take the last two at once.
INSERT INTO tallies (name, value) VALUES ('administrators', 0);

-- Nobody's where the owner was deleted, or until the org has an administrator.
ALTER TABLE api_tokens ADD COLUMN user_id TEXT REFERENCES users (id) ON DELETE SET NULL;
-- Names of Okta's scopes with blanks between them; empty for all that the owner may do.
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);
