-- TLS is remembered of a host, not of one mailbox on it; and what the last connection of each mailbox showed is kept, so that
-- what runs out soon, or goes in clear, can be said before it hurts.
CREATE TABLE tls_host (
    host TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
INSERT INTO tls_host (host, seen_at)
    SELECT lower((access::json ->> 'host')), max(created_at) FROM mailbox
    WHERE tls_seen AND (access::json ->> 'host') IS NOT NULL GROUP BY 1;
ALTER TABLE mailbox DROP COLUMN tls_seen;

CREATE TABLE connection (
    mailbox_id BIGINT PRIMARY KEY REFERENCES mailbox (id),
    protected BOOLEAN NOT NULL,
    fingerprint TEXT,
    not_after BIGINT,
    since BIGINT NOT NULL
);

-- Unknown for certificates that were added before.
ALTER TABLE trusted_certificate ADD COLUMN not_after BIGINT;
