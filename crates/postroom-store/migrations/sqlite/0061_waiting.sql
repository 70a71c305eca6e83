-- How visits are planned, and what is remembered of a folder, so that a visit with nothing new asks for nothing.

-- The number of the latest change of a mailbox's settings: whoever waits for one compares it with what he knows.
ALTER TABLE mailbox ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN next_visit_at BIGINT;
-- Whether the next visit is put off because the server asked for that.
ALTER TABLE mailbox ADD COLUMN throttled BOOLEAN NOT NULL DEFAULT FALSE;
-- The process that waits for new mail over a connection that it keeps.
ALTER TABLE mailbox ADD COLUMN waited_by TEXT;
-- Whether the last visit has found what looks like another mailbox.
ALTER TABLE mailbox ADD COLUMN asks BOOLEAN NOT NULL DEFAULT FALSE;
-- Whether a person has said that unknown messages are to be taken after all.
ALTER TABLE mailbox ADD COLUMN accepts_new BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE mailbox ADD COLUMN wire_log BOOLEAN NOT NULL DEFAULT FALSE;

-- Whether the message is still on its server, as far as the last visit could tell.
ALTER TABLE receipt ADD COLUMN on_server BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE receipt SET on_server = FALSE WHERE remote_id LIKE 'push:%' OR remote_id LIKE 'gone:%'
    OR (settlement = 'settled' AND coalesce(how, '') NOT LIKE '%mark-seen%');
-- UIDs from before a change of UIDVALIDITY name nothing any more.
UPDATE receipt SET on_server = FALSE, uid = NULL,
    remote_id = CASE WHEN coalesce(settlement, '') = 'settled' THEN remote_id ELSE 'gone:' || id || ':' || remote_id END
    WHERE uid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM epoch e WHERE e.mailbox_id = receipt.mailbox_id
        AND e.folder = receipt.folder AND e.uid_validity = receipt.uid_validity AND e.is_current);
DROP INDEX receipt_uid;
CREATE INDEX receipt_uid ON receipt (mailbox_id, folder, uid_validity, uid, received_at)
    WHERE uid IS NOT NULL AND on_server;
CREATE INDEX receipt_away ON receipt (mailbox_id, state) WHERE NOT on_server;

-- What a folder showed at the end of the last visit that came to its end in it. A POP3 mailbox or Maildir is one folder
-- without a name. Everything here can be found out again by listing the whole folder.
CREATE TABLE folder (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    name TEXT NOT NULL,
    -- 0 where there is none.
    uid_validity BIGINT NOT NULL,
    -- Every message with this UID or a lower one has its account.
    listed_to BIGINT NOT NULL,
    mod_seq BIGINT,
    -- SHA-256 of the names of all messages in order, and their octets, over POP3.
    names BLOB,
    octets BIGINT,
    present BIGINT NOT NULL,
    before_start BIGINT NOT NULL,
    whole_at BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, name)
);

-- Why a folder could not be read while the others could.
CREATE TABLE folder_failure (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, name)
);

-- Conversations of mailboxes whose log is switched on, without secrets and without mail.
CREATE TABLE wire_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    begun_at BIGINT NOT NULL,
    log TEXT NOT NULL
);
CREATE INDEX wire_log_mailbox ON wire_log (mailbox_id, id);
