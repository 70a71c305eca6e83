-- Automatic mail is counted apart by whether it is proven to be by its author; a person's mail is not counted any more.
ALTER TABLE receipt ADD COLUMN verified BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE receipt SET verified = TRUE WHERE automatic AND identity LIKE '%"level":"verified"%';

DROP INDEX receipt_sender;
CREATE INDEX receipt_automatic_sender ON receipt (from_address, counted_at) WHERE automatic;

-- What the limit held that there is no more is filed now.
UPDATE receipt SET state = 'accepted', reason = NULL, due_at = 0, attempts = 0, settlement = NULL, resume_at = NULL, error = NULL
WHERE storm LIKE 'mail-per-sender %' AND state = 'held' AND reason = 'STORM';
UPDATE receipt SET storm = NULL WHERE storm LIKE 'mail-per-sender %';
