-- Whether a server takes logins that are bound to the TLS connection: one that did is believed to do so from then on, and one
-- that refused and took the same without the binding is not asked again.
CREATE TABLE bound_login (
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    works BOOLEAN NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (host, port)
);
