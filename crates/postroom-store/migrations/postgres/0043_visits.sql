-- How many visits ended, and how many of them with an error.
ALTER TABLE mailbox ADD COLUMN visits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN failed_visits BIGINT NOT NULL DEFAULT 0;
