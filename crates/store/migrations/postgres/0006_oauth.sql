-- The authorization server: its keys, what was granted, refresh tokens. Times are milliseconds since the Unix epoch.

CREATE TABLE signing_keys (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    status         TEXT COLLATE "C" NOT NULL,
    -- PKCS #8 in base64.
    sealed_private BYTEA   NOT NULL,
    modulus        TEXT    NOT NULL,
    exponent       TEXT    NOT NULL,
    created_ms     BIGINT NOT NULL,
    expires_ms     BIGINT
);
-- One key signs, one is next.
CREATE UNIQUE INDEX signing_keys_in_use ON signing_keys (status) WHERE status <> 'EXPIRED';

CREATE TABLE oauth_grants (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Of the code that it was exchanged for: a code that comes again ends what it led to.
    code_sha256      BYTEA   NOT NULL UNIQUE CHECK (length(code_sha256) = 32),
    application_id   TEXT COLLATE "C" NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Separated by blanks.
    scopes           TEXT    NOT NULL,
    authenticated_ms BIGINT NOT NULL,
    created_ms       BIGINT NOT NULL,
    expires_ms       BIGINT NOT NULL,
    revoked_ms       BIGINT
);
CREATE INDEX oauth_grants_by_end ON oauth_grants (expires_ms);
CREATE INDEX oauth_grants_by_user ON oauth_grants (user_id);
CREATE INDEX oauth_grants_by_application ON oauth_grants (application_id);

-- Under the SHA-256 of the token.
CREATE TABLE refresh_tokens (
    sha256        BYTEA   NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    grant_id      TEXT COLLATE "C" NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    created_ms    BIGINT NOT NULL,
    first_used_ms BIGINT,
    expires_ms    BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_ms);
