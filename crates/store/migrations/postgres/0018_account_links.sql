-- Links with which somebody sets a password without the one of before, under the SHA-256 of the token.

CREATE TABLE account_links (
    sha256      BYTEA  NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    user_id     TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose     TEXT   NOT NULL,
    -- A link of an earlier epoch is worth nothing.
    proof_epoch BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL
);
CREATE INDEX account_links_by_user ON account_links (user_id);
CREATE INDEX account_links_by_end ON account_links (expires_ms);
