-- What the calls of hooks are signed with (Standard Webhooks). Whoever changes them gives the hook another revision.

CREATE TABLE signing_secrets (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hook_id       TEXT COLLATE "C" NOT NULL REFERENCES inline_hooks (id) ON DELETE CASCADE,
    algorithm     TEXT COLLATE "C" NOT NULL CHECK (algorithm IN ('hmac-sha256', 'ed25519')),
    public_key    TEXT COLLATE "C",
    sealed_secret BYTEA NOT NULL,
    created_ms    BIGINT NOT NULL,
    expires_ms    BIGINT
);
CREATE INDEX signing_secrets_by_hook ON signing_secrets (hook_id);
