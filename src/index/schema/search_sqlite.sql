-- Words of sessions and commits. `owner` is the member whose session it is: not everybody may read all of them.
CREATE VIRTUAL TABLE words USING fts5 (
    title, body, kind UNINDEXED, repository UNINDEXED, target UNINDEXED, owner UNINDEXED, time UNINDEXED,
    tokenize = 'porter unicode61'
);
