-- What differs from Okta's ways of calling, for each hook.

-- JSON; nothing where all is as Okta has it.
ALTER TABLE inline_hooks ADD COLUMN settings TEXT;
-- The private key of the client certificate that stands in the settings.
ALTER TABLE inline_hooks ADD COLUMN sealed_client_key BLOB;
