-- Whose name a password was tried for, so that all failures of one are forgotten together; and who is locked out, found at once.

ALTER TABLE sign_in_failures ADD COLUMN subject BYTEA;
CREATE INDEX sign_in_failures_by_subject ON sign_in_failures (subject) WHERE subject IS NOT NULL;
CREATE INDEX users_locked_out ON users (id) WHERE status = 'LOCKED_OUT';
