-- Words of sessions and commits. `owner` is the member whose session it is: not everybody may read all of them.
CREATE VIRTUAL TABLE words USING fts5 (
    title, body, kind UNINDEXED, repository UNINDEXED, target UNINDEXED, owner UNINDEXED, time UNINDEXED,
    tokenize = 'porter unicode61'
);
-- Calls that failed: `gist` has the words by which an error is known again, `told` all that is said of it, as JSON.
CREATE VIRTUAL TABLE failure USING fts5 (
    gist, told UNINDEXED, repository UNINDEXED, session UNINDEXED, owner UNINDEXED, time UNINDEXED,
    tokenize = "unicode61 remove_diacritics 0 tokenchars '_'"
);
-- In how many of them each word is.
CREATE VIRTUAL TABLE IF NOT EXISTS failure_words USING fts5vocab('failure', 'row');
