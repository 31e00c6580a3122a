-- Moments are milliseconds since 1970. Identifiers are UUIDs of version 7, made by the program.

-- What time it is, for every node alike: no statement asks for it in another way.
CREATE FUNCTION clock_ms() RETURNS bigint
    LANGUAGE sql VOLATILE
    AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

CREATE TABLE users (
    id            uuid    PRIMARY KEY,
    username      text    NOT NULL,
    -- Computed by the program (accounts::UsernameKey); compared byte by byte.
    username_key  text    COLLATE "C" NOT NULL UNIQUE,
    password_hash text    NOT NULL,
    is_active     boolean NOT NULL,
    created_at    bigint  NOT NULL
);

CREATE TABLE sessions (
    id         uuid     PRIMARY KEY,
    user_id    uuid     NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device     text     NOT NULL,
    created_at bigint   NOT NULL,
    last_used  bigint   NOT NULL,
    expires_at bigint   NOT NULL,
    generation bigint   NOT NULL,
    confirmed  boolean  NOT NULL,
    epoch      bigint   NOT NULL,
    -- [{"generation": 3, "at": 1790000000000}, …], oldest first
    retired    jsonb    NOT NULL,
    -- null while it lasts; 1: ended for a theft
    ended      smallint
)
-- Rotations change no indexed column: with room in the page they stay in it (heap-only tuples).
WITH (fillfactor = 80);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Tries at signing in, and networks from which somebody did: digests, no names and no addresses.
CREATE TABLE sign_in_attempts (
    key   bytea  PRIMARY KEY,
    until bigint NOT NULL
)
WITH (fillfactor = 80);

CREATE INDEX sign_in_attempts_by_end ON sign_in_attempts (until);
