-- Whether the user has proved the email address, or an administrator vouches for it. Of the users of before, nobody knows better.

ALTER TABLE users ADD COLUMN email_verified BIGINT NOT NULL DEFAULT 1 CHECK (email_verified IN (0, 1));
