-- Second factors. The body is the program's (model::Factors); the moment is when something in it expires.
CREATE TABLE factors (
    user_id    uuid   PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    body       jsonb  NOT NULL,
    expires_at bigint
);

CREATE INDEX factors_by_expiry ON factors (expires_at) WHERE expires_at IS NOT NULL;
