-- Words of sessions and commits. `owner` is the member whose session it is: not everybody may read all of them.
CREATE TABLE words (
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    kind TEXT NOT NULL,
    repository BIGINT NOT NULL,
    target TEXT NOT NULL,
    owner TEXT NOT NULL,
    time BIGINT NOT NULL,
    vector TSVECTOR GENERATED ALWAYS AS
        (setweight(to_tsvector('english', title), 'A') || to_tsvector('english', body)) STORED
);
CREATE INDEX words_by_vector ON words USING GIN (vector);
CREATE INDEX words_by_target ON words (repository, kind, target);
-- Calls that failed: `gist` has the words by which an error is known again, `told` all that is said of it, as JSON.
CREATE TABLE failure (
    gist TEXT NOT NULL,
    told TEXT NOT NULL,
    repository BIGINT NOT NULL,
    session TEXT NOT NULL,
    owner TEXT NOT NULL,
    time BIGINT NOT NULL,
    vector TSVECTOR GENERATED ALWAYS AS (to_tsvector('simple', gist)) STORED
);
CREATE INDEX failure_by_vector ON failure USING GIN (vector);
CREATE INDEX failure_by_session ON failure (repository, session);
