-- People without an account whose mail became an item or a comment. Items and comments refer to them by address.
CREATE TABLE contact (
    address TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);

-- Who handed a message to the mail server, where whoever brought it said so: JSON.
ALTER TABLE receipt ADD COLUMN client TEXT;

-- How sure it is that the author wrote it, and why: JSON, NULL for what was filed before anything was checked.
ALTER TABLE receipt ADD COLUMN identity TEXT;
ALTER TABLE item ADD COLUMN identity TEXT;
ALTER TABLE comment ADD COLUMN identity TEXT;

-- The workspace's own rules, JSON; what is absent has its default.
ALTER TABLE workspace ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
