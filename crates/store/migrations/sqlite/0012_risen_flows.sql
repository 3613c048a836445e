-- A flow is opened by another state handle after each rise in rights. NULL as long as it is the first one, of which `id` is the
-- SHA-256.
ALTER TABLE flows ADD COLUMN handle BLOB;
-- SHA-256 of the handle before: it opens nothing, but a form that was sent twice is told where the flow went.
ALTER TABLE flows ADD COLUMN previous BLOB;
CREATE UNIQUE INDEX flows_by_handle ON flows (handle) WHERE handle IS NOT NULL;
CREATE INDEX flows_by_previous ON flows (previous) WHERE previous IS NOT NULL;
