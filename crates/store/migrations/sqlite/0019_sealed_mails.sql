-- What a mail says is sealed: codes and links in it open accounts. Mails of before have it in `body`, until they expire.
ALTER TABLE mails ADD COLUMN sealed_body BLOB;
