-- The quotation in the description, as a comment has it; so a comment that became an item can become a comment again.
ALTER TABLE item ADD COLUMN quoted_text TEXT NOT NULL DEFAULT '';

-- The second item that a change involves, and the change that this one takes back.
ALTER TABLE change ADD COLUMN other_item BIGINT;
ALTER TABLE change ADD COLUMN undoes BIGINT;
CREATE INDEX change_other ON change (other_item, id) WHERE other_item IS NOT NULL;
CREATE UNIQUE INDEX change_undoes ON change (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX change_comment ON change (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX change_reopened ON change (item_number, at) WHERE kind = 'reopened';

-- Which items a Message-ID belongs to.
CREATE INDEX receipt_message_id ON receipt (message_id, id) WHERE item_number IS NOT NULL;

CREATE TABLE tag (
    item_number BIGINT NOT NULL REFERENCES item (number),
    name TEXT NOT NULL,
    PRIMARY KEY (item_number, name)
);
CREATE INDEX tag_name ON tag (name, item_number);

CREATE TABLE item_link (
    item_number BIGINT NOT NULL REFERENCES item (number),
    kind TEXT NOT NULL CHECK (kind IN ('mentions', 'continues')),
    target BIGINT NOT NULL REFERENCES item (number),
    PRIMARY KEY (item_number, kind, target)
);
CREATE INDEX item_link_target ON item_link (target, kind, item_number);

-- People who may want to take part in an item. Nobody has access by standing here.
CREATE TABLE proposal (
    item_number BIGINT NOT NULL REFERENCES item (number),
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('recipient', 'reply-key', 'moved')),
    -- Whose reply key it was, and the item that was opened with it.
    key_of TEXT,
    from_item BIGINT,
    declined BOOLEAN NOT NULL,
    proposed_at BIGINT NOT NULL,
    PRIMARY KEY (item_number, address)
);

-- Keys that sign reply keys, sealed. The newest signs, all are recognised.
CREATE TABLE reply_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- An agent can add people: one more role.
CREATE TABLE participant_now (
    item_number BIGINT NOT NULL REFERENCES item (number),
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('requester', 'author', 'added')),
    PRIMARY KEY (item_number, address)
);
INSERT INTO participant_now (item_number, address, name, role) SELECT item_number, address, name, role FROM participant;
DROP TABLE participant;
ALTER TABLE participant_now RENAME TO participant;
