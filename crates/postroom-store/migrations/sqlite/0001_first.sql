-- The first schema. DO NOT EDIT: databases in use have it. Changes go into a migration of their own.
-- Instants are microseconds since 1970-01-01 UTC. JSON stands in TEXT. Digests are SHA-256, 32 octets.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE workspace (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    is_default BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX workspace_default ON workspace (is_default) WHERE is_default;

CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- Main addresses and aliases in one table, so that an address belongs to one person.
CREATE TABLE address (
    address TEXT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id),
    main BOOLEAN NOT NULL
);
CREATE INDEX address_person ON address (person_id);

CREATE TABLE member (
    person_id BIGINT NOT NULL REFERENCES person (id),
    workspace_id BIGINT NOT NULL REFERENCES workspace (id),
    role TEXT NOT NULL,
    PRIMARY KEY (person_id, workspace_id)
);

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    access TEXT NOT NULL,
    policy TEXT NOT NULL,
    start_from TEXT NOT NULL,
    every_s BIGINT NOT NULL,
    paused BOOLEAN NOT NULL,
    internal BOOLEAN NOT NULL,
    password BLOB,
    workspace_id BIGINT REFERENCES workspace (id),
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    first_visit_at BIGINT,
    tls_seen BOOLEAN NOT NULL,
    visited_at BIGINT,
    last_visit TEXT,
    failing_since BIGINT,
    failures BIGINT NOT NULL,
    error_code TEXT,
    error_text TEXT
);
CREATE UNIQUE INDEX mailbox_name ON mailbox (name) WHERE removed_at IS NULL;

CREATE TABLE trusted_certificate (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    fingerprint TEXT NOT NULL,
    der BLOB NOT NULL,
    added_at BIGINT NOT NULL,
    UNIQUE (mailbox_id, fingerprint)
);

-- What we know of a folder under one UIDVALIDITY. UIDs below first_uid were there before the first visit; so was mail
-- that arrived before floor_at.
CREATE TABLE epoch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    folder TEXT NOT NULL,
    uid_validity BIGINT NOT NULL,
    first_uid BIGINT NOT NULL,
    floor_at BIGINT,
    is_current BOOLEAN NOT NULL,
    begun_at BIGINT NOT NULL,
    UNIQUE (mailbox_id, folder, uid_validity)
);

-- Messages without a UID that were there before the first visit.
CREATE TABLE before_start (
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    remote_id TEXT NOT NULL,
    PRIMARY KEY (mailbox_id, remote_id)
);

-- Who visits a mailbox. The token grows with every holder and is checked inside each commit of a visit.
CREATE TABLE lease (
    mailbox_id BIGINT PRIMARY KEY REFERENCES mailbox (id),
    holder TEXT,
    token BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE raw (
    sha256 BLOB PRIMARY KEY,
    size BIGINT NOT NULL,
    octets BLOB,
    in_file BOOLEAN NOT NULL
);

CREATE TABLE receipt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id BIGINT NOT NULL REFERENCES mailbox (id),
    remote_id TEXT NOT NULL,
    folder TEXT,
    uid_validity BIGINT,
    uid BIGINT,
    server_size BIGINT,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'deferred', 'filed', 'held')),
    settlement TEXT CHECK (settlement IN ('owed', 'settled', 'kept')),
    how TEXT,
    reason TEXT,
    item_number BIGINT,
    comment_id BIGINT,
    size BIGINT NOT NULL,
    sha256 BLOB REFERENCES raw (sha256),
    message_id TEXT,
    from_address TEXT,
    subject TEXT,
    received_at BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    decided_at BIGINT,
    settled_at BIGINT,
    -- Tries to file it that the database refused.
    attempts BIGINT NOT NULL,
    -- Crashes while it was read alone.
    crashes BIGINT NOT NULL DEFAULT 0,
    suspect BOOLEAN NOT NULL,
    crash_run TEXT,
    -- Set exactly while the receipt waits for intake: 0 for at once.
    due_at BIGINT,
    claimed_by TEXT,
    claimed_until BIGINT,
    claim_token BIGINT NOT NULL,
    released BOOLEAN NOT NULL,
    release_workspace_id BIGINT REFERENCES workspace (id),
    trace TEXT,
    error TEXT,
    UNIQUE (mailbox_id, remote_id),
    CHECK ((due_at IS NOT NULL) = (state IN ('accepted', 'deferred'))),
    CHECK (sha256 IS NOT NULL OR state = 'held')
);
CREATE INDEX receipt_uid ON receipt (mailbox_id, folder, uid_validity, uid, server_size, received_at) WHERE uid IS NOT NULL;
CREATE INDEX receipt_due ON receipt (id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX receipt_claimed ON receipt (claimed_by, claimed_until, mailbox_id) WHERE claimed_by IS NOT NULL;
CREATE INDEX receipt_held ON receipt (id) WHERE state = 'held';
CREATE INDEX receipt_owed ON receipt (mailbox_id, id) WHERE settlement = 'owed';
CREATE INDEX receipt_digest ON receipt (sha256, mailbox_id, id);
CREATE INDEX receipt_state ON receipt (mailbox_id, state, id);

CREATE TABLE item (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt_id BIGINT UNIQUE REFERENCES receipt (id),
    workspace_id BIGINT NOT NULL REFERENCES workspace (id),
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    requester_address TEXT NOT NULL,
    requester_name TEXT NOT NULL,
    assignee_id BIGINT REFERENCES person (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    text TEXT NOT NULL,
    html TEXT
);
CREATE INDEX item_updated ON item (updated_at, number);

CREATE TABLE comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt_id BIGINT UNIQUE REFERENCES receipt (id),
    item_number BIGINT NOT NULL REFERENCES item (number),
    author_address TEXT NOT NULL,
    author_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    text TEXT NOT NULL,
    html TEXT,
    quoted_text TEXT NOT NULL
);
CREATE INDEX comment_item ON comment (item_number, id);

-- Decoded contents: a slice of a raw message, octets here, or octets in a file.
CREATE TABLE blob (
    sha256 BLOB PRIMARY KEY,
    size BIGINT NOT NULL,
    raw_sha256 BLOB REFERENCES raw (sha256),
    slice_offset BIGINT,
    slice_length BIGINT,
    encoding TEXT,
    octets BLOB,
    in_file BOOLEAN NOT NULL
);

CREATE TABLE attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item_number BIGINT NOT NULL REFERENCES item (number),
    comment_id BIGINT REFERENCES comment (id),
    position BIGINT NOT NULL,
    blob_sha256 BLOB NOT NULL REFERENCES blob (sha256),
    size BIGINT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    inline BOOLEAN NOT NULL,
    content_id TEXT
);
CREATE INDEX attachment_item ON attachment (item_number, comment_id, position);

CREATE TABLE participant (
    item_number BIGINT NOT NULL REFERENCES item (number),
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('requester', 'author')),
    PRIMARY KEY (item_number, address)
);

-- One row for everything that happened to an item, in the order in which it became visible.
CREATE TABLE change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    comment_id BIGINT,
    receipt_id BIGINT,
    actor TEXT,
    at BIGINT NOT NULL,
    detail TEXT
);
CREATE INDEX change_item ON change (item_number, id);

CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE signin_link (
    hash BLOB PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- Row 2n is the title and description of item n, row 2n + 1 is comment n.
CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
