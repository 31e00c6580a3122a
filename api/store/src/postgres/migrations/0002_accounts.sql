ALTER TABLE users
    -- How often the password was changed.
    ADD COLUMN password_version bigint  NOT NULL DEFAULT 0,
    ADD COLUMN email            text,
    -- Computed by the program (accounts::EmailKey); compared byte by byte.
    ADD COLUMN email_key        text    COLLATE "C",
    ADD COLUMN is_verified      boolean NOT NULL DEFAULT false,
    ADD COLUMN full_name        text,
    ADD COLUMN role             text    NOT NULL DEFAULT 'user',
    ADD COLUMN last_login       bigint;

-- A sign-in notes when it was, and changes nothing that is indexed.
ALTER TABLE users SET (fillfactor = 80);

CREATE INDEX users_by_email ON users (email_key);
-- An address that nobody verified blocks nobody.
CREATE UNIQUE INDEX users_by_verified_email ON users (email_key) WHERE is_verified;
CREATE INDEX active_admins ON users (id) WHERE role = 'admin' AND is_active;

CREATE TABLE one_time_tokens (
    -- SHA-256
    hash       bytea  PRIMARY KEY,
    user_id    uuid   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- {"ResetPassword": "alice@example.org"}
    purpose    jsonb  NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- What happened. No reference to users: the event of a deletion outlives its user.
CREATE TABLE events (
    id         uuid   PRIMARY KEY,
    at         bigint NOT NULL,
    user_id    uuid   NOT NULL,
    by_user    uuid,
    what       jsonb  NOT NULL,
    session_id uuid,
    address    text,
    device     text
);

CREATE INDEX events_by_user ON events (user_id, id);
CREATE INDEX events_by_age ON events (at);

CREATE TABLE letters (
    id            uuid   PRIMARY KEY,
    created_at    bigint NOT NULL,
    due_at        bigint NOT NULL,
    tries         bigint NOT NULL,
    recipient     text   NOT NULL,
    recipient_key text   COLLATE "C" NOT NULL,
    -- null while nobody has looked up whose address it is
    user_id       uuid   REFERENCES users (id) ON DELETE CASCADE,
    about         jsonb  NOT NULL
);

CREATE INDEX letters_by_due ON letters (due_at, id);
CREATE INDEX letters_by_user ON letters (user_id);
CREATE INDEX letters_by_recipient ON letters (recipient_key);

-- Whoever was disabled signs in again once they are allowed to.
DELETE FROM sessions s USING users u WHERE u.id = s.user_id AND NOT u.is_active;
