-- Mail is read in processes of its own, so nothing has to be remembered of one that died.
ALTER TABLE receipt DROP COLUMN crashes;
ALTER TABLE receipt DROP COLUMN suspect;
ALTER TABLE receipt DROP COLUMN crash_run;
