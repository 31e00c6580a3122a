-- Addresses are compared by another function. The program computes the keys anew behind this (postgres/rekey.rs), and
-- then makes the index over verified ones again.
DROP INDEX users_by_verified_email;
DROP INDEX users_by_email;
-- Of very many accounts with one address the first and the last are read.
CREATE INDEX users_by_email ON users (email_key, id);
