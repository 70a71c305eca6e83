-- What people need to work in the browser: passwords (Argon2id, as PHC strings), their language, and notes among members.
ALTER TABLE person ADD COLUMN password TEXT;
-- Subtag of the language in which the pages are; empty for what the browser asks for.
ALTER TABLE person ADD COLUMN language TEXT;
-- What the person gets who shows by mail that the address is theirs: whoever has the code has typed it.
ALTER TABLE registration ADD COLUMN password TEXT;
-- Failed attempts to sign in, by the digest of the address, so that guessing is slowed down.
CREATE TABLE signin_failure (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX signin_failure_address ON signin_failure (address, at);
CREATE INDEX signin_failure_at ON signin_failure (at);
-- Whether only members of the workspace see it.
ALTER TABLE comment ADD COLUMN internal BOOLEAN NOT NULL DEFAULT FALSE;
