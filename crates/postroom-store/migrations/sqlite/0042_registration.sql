-- Accounts that were asked for or offered. Links and codes are stored as digests. A void one was asked for by a stranger for an
-- address that has an account or may not have one: it leads nowhere, but counts.
CREATE TABLE registration (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    invited BOOLEAN NOT NULL,
    memberships TEXT NOT NULL,
    link_hash BLOB NOT NULL UNIQUE,
    code_hash BLOB UNIQUE,
    void BOOLEAN NOT NULL,
    by_stranger BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When somebody showed that the address is theirs.
    proven_at BIGINT,
    -- When it became an account, was refused or withdrawn.
    ended_at BIGINT
);
CREATE INDEX registration_address ON registration (address, created_at);
CREATE INDEX registration_created ON registration (created_at);
CREATE INDEX registration_expires ON registration (expires_at);
