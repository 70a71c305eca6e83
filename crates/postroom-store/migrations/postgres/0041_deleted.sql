-- Octets of held mail that were deleted: the row stays for its digest, without them. A file is removed afterwards.
ALTER TABLE raw ADD COLUMN deleted BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX raw_to_sweep ON raw (sha256) WHERE deleted AND in_file;
