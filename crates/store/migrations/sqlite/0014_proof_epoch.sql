-- Counts how often all that rested on an account was ended: what was proved in an earlier epoch counts no longer.

ALTER TABLE users ADD COLUMN proof_epoch INTEGER NOT NULL DEFAULT 0;
