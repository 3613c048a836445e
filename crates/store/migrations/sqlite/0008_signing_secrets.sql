-- What the calls of hooks are signed with (Standard Webhooks). Whoever changes them gives the hook another revision.

CREATE TABLE signing_secrets (
    id            TEXT    NOT NULL PRIMARY KEY,
    hook_id       TEXT    NOT NULL REFERENCES inline_hooks (id) ON DELETE CASCADE,
    algorithm     TEXT    NOT NULL CHECK (algorithm IN ('hmac-sha256', 'ed25519')),
    public_key    TEXT,
    sealed_secret BLOB    NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER
) STRICT;
CREATE INDEX signing_secrets_by_hook ON signing_secrets (hook_id);
