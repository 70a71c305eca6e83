-- What limits count by, and which storm holds a receipt. `automatic` is mail that a machine wrote; lists are not among it.
ALTER TABLE receipt ADD COLUMN automatic BOOLEAN NOT NULL DEFAULT FALSE;
-- When it arrived, or when its turn came after a storm held it; NULL where it does not count, as old mail does not.
ALTER TABLE receipt ADD COLUMN counted_at BIGINT;
-- The storm that holds it, or has held it last.
ALTER TABLE receipt ADD COLUMN storm TEXT;
-- When it is looked whether its turn has come; NULL where it never files itself.
ALTER TABLE receipt ADD COLUMN resume_at BIGINT;

CREATE INDEX receipt_sender ON receipt (from_address, counted_at, automatic) WHERE counted_at IS NOT NULL;
CREATE INDEX receipt_automatic ON receipt (mailbox_id, counted_at) WHERE automatic;
CREATE INDEX receipt_automatic_item ON receipt (item_number, counted_at) WHERE automatic;
CREATE INDEX receipt_storm ON receipt (storm, counted_at) WHERE storm IS NOT NULL;
CREATE INDEX receipt_resume ON receipt (resume_at, storm) WHERE resume_at IS NOT NULL;
