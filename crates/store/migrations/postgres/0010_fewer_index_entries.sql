-- Most hooks are signed for by no key: without them, creating a hook writes a page less.

DROP INDEX inline_hooks_by_hook_key;
CREATE INDEX inline_hooks_by_hook_key ON inline_hooks (hook_key_id) WHERE hook_key_id IS NOT NULL;
