-- What no ledger can tell again: it stays when the index is made anew.

-- Something that somebody should look at, and since when it is known.
CREATE TABLE IF NOT EXISTS alert (
    id TEXT PRIMARY KEY,
    -- By its name: numbers are given anew.
    repository TEXT NOT NULL,
    -- finding, trouble or check.
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    code TEXT NOT NULL,
    chain TEXT,
    seq BIGINT,
    record TEXT,
    message TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- When it was first seen, came back, or went.
    updated BIGINT NOT NULL,
    -- Since when it is not so any more.
    gone BIGINT
);
CREATE INDEX IF NOT EXISTS alert_by_time ON alert (updated, id);
CREATE INDEX IF NOT EXISTS alert_open ON alert (repository, kind) WHERE gone IS NULL;

CREATE TABLE IF NOT EXISTS kept (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
