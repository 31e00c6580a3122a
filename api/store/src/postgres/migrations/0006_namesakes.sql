-- Of any number of accounts that gave one address the one with a password is found at once.
CREATE INDEX users_by_unverified_password ON users (email_key, password_hash)
    WHERE NOT is_verified AND email_key IS NOT NULL;
