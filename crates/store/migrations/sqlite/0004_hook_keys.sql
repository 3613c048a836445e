-- Key pairs that sign for hooks (private_key_jwt).

CREATE TABLE hook_keys (
    id                 TEXT    NOT NULL PRIMARY KEY,
    -- A UUID: the kid of what the key signs.
    key_id             TEXT    NOT NULL UNIQUE,
    name               TEXT    NOT NULL,
    folded_name        TEXT    NOT NULL UNIQUE,
    -- The public half, as a JWK spells it.
    modulus            TEXT    NOT NULL,
    exponent           TEXT    NOT NULL,
    -- PKCS #8.
    sealed_private_key BLOB    NOT NULL,
    created_ms         INTEGER NOT NULL,
    last_updated_ms    INTEGER NOT NULL,
    revision           INTEGER NOT NULL
) STRICT;
INSERT INTO tallies (name, value) VALUES ('hook_keys', 0);

-- The key of a hook's channel once more, so that a key that is used can't go.
ALTER TABLE inline_hooks ADD COLUMN hook_key_id TEXT REFERENCES hook_keys (id);
CREATE INDEX inline_hooks_by_hook_key ON inline_hooks (hook_key_id);
