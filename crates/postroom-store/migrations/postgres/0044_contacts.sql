-- What was decided about contacts, once for all of their mail; also about addresses that have not written yet.
CREATE TABLE contact_standing (
    address TEXT PRIMARY KEY,
    standing TEXT NOT NULL CHECK (standing IN ('admitted', 'blocked')),
    since BIGINT NOT NULL
);
