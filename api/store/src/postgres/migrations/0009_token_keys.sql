-- Keys that sign access tokens where others verify them. The private half is computed from the secret and the salt.
CREATE TABLE token_keys (
    salt           bytea  PRIMARY KEY,
    -- The id of the secret.
    secret         bytea  NOT NULL,
    public         bytea  NOT NULL,
    created_at     bigint NOT NULL,
    signs_from     bigint NOT NULL,
    -- From when on its successor signs.
    stops_at       bigint,
    -- Milliseconds.
    token_lifetime bigint NOT NULL
);
