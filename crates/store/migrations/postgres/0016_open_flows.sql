-- A code that was exchanged stays until its time is over: a retry of its client is told from somebody else's try.
ALTER TABLE flow_codes ADD COLUMN taken_ms BIGINT;
-- What the open flows of one client network are counted under, where they are counted; NULL once a flow has ended.
ALTER TABLE flows ADD COLUMN network BYTEA;
CREATE INDEX flows_by_network ON flows (network, expires_ms) WHERE network IS NOT NULL;
