-- Mail is read in processes of its own, so nothing has to be remembered of one that died.
ALTER TABLE receipt DROP COLUMN crashes, DROP COLUMN suspect, DROP COLUMN crash_run;
