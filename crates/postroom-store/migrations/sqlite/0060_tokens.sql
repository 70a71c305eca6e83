-- Tokens by which programs use the API in somebody's name. Only digests are stored.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    person_id BIGINT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it stops working by itself; empty for never.
    expires_at BIGINT,
    -- When it was last used, to the hour.
    used_at BIGINT
);
