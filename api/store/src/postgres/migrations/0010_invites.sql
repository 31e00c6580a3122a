-- Invitations to register. Whoever has a token may register once.
CREATE TABLE invites (
    id         uuid    PRIMARY KEY,
    -- SHA-256, at most 8
    hashes     bytea[] NOT NULL,
    email      text,
    -- Computed by the program, as in users; compared byte by byte.
    email_key  text    COLLATE "C",
    role       text    NOT NULL,
    created_at bigint  NOT NULL,
    expires_at bigint  NOT NULL
);

CREATE INDEX invites_by_token ON invites USING gin (hashes);
CREATE INDEX invites_by_email ON invites (email_key, id) WHERE email_key IS NOT NULL;
CREATE INDEX invites_by_expiry ON invites (expires_at);
