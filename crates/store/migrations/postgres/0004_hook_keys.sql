-- Key pairs that sign for hooks (private_key_jwt).

CREATE TABLE hook_keys (
    id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- A UUID: the kid of what the key signs.
    key_id             TEXT COLLATE "C" NOT NULL UNIQUE,
    name               TEXT COLLATE "C" NOT NULL,
    folded_name        TEXT COLLATE "C" NOT NULL UNIQUE,
    -- The public half, as a JWK spells it.
    modulus            TEXT COLLATE "C" NOT NULL,
    exponent           TEXT COLLATE "C" NOT NULL,
    -- PKCS #8.
    sealed_private_key BYTEA NOT NULL,
    created_ms         BIGINT NOT NULL,
    last_updated_ms    BIGINT NOT NULL,
    revision           BIGINT NOT NULL
);
INSERT INTO tallies (name, value) VALUES ('hook_keys', 0);

-- The key of a hook's channel once more, so that a key that is used can't go.
ALTER TABLE inline_hooks ADD COLUMN hook_key_id TEXT COLLATE "C" REFERENCES hook_keys (id);
CREATE INDEX inline_hooks_by_hook_key ON inline_hooks (hook_key_id);
