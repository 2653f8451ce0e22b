-- What the index holds. Every table can be made again from the ledgers; times are seconds since 1970, money is
-- billionths of a dollar, yes and no are 1 and 0. The same text is run by SQLite and PostgreSQL.

CREATE TABLE repository (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    ledger TEXT,
    -- pass, inconclusive or fail, as the last verification found.
    verdict TEXT,
    records BIGINT NOT NULL,
    fetched BIGINT,
    verified BIGINT,
    fully_verified BIGINT,
    -- Why it could not be brought up to date, if it could not.
    trouble TEXT,
    -- Which price table costs were reckoned by.
    prices TEXT,
    -- By which rules, and with which identity, words were read.
    read_by TEXT,
    branch TEXT,
    head TEXT,
    -- The state of the ledger: what is told of lines holds for one.
    stamp TEXT,
    -- How many owners must sign together, and how many witnesses make a record sealed.
    threshold BIGINT,
    witnesses BIGINT
);

CREATE TABLE chain (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    kind TEXT NOT NULL,
    member TEXT,
    device TEXT,
    pending BIGINT NOT NULL,
    -- How many of its records are in the index, and how many of them witnesses have sealed.
    records BIGINT NOT NULL,
    sealed BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    PRIMARY KEY (repository, chain)
);

CREATE TABLE record (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    -- The git commit that holds it.
    held TEXT NOT NULL,
    kind TEXT NOT NULL,
    time BIGINT NOT NULL,
    good BIGINT NOT NULL,
    -- The session or the commit it is about.
    about TEXT,
    PRIMARY KEY (repository, chain, seq)
);
CREATE INDEX record_bad ON record (repository) WHERE good = 0;

CREATE TABLE session (
    repository BIGINT NOT NULL,
    session TEXT NOT NULL,
    chain TEXT NOT NULL,
    member TEXT NOT NULL,
    agent TEXT NOT NULL,
    version TEXT NOT NULL,
    -- Its first prompt, in short.
    title TEXT,
    started BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    segments BIGINT NOT NULL,
    prompts BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    plans BIGINT NOT NULL,
    compactions BIGINT NOT NULL,
    subagents BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    -- Requests whose cost nobody can tell.
    unknown BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    redactions BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    -- How many payloads were stored with it: without any nothing was said that could be read.
    payloads BIGINT NOT NULL,
    -- How many of its segments were read for their words.
    read BIGINT NOT NULL,
    -- When the first and the last of its records were written.
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (repository, session)
);

-- What each of its records adds to a session, for those who ask what was known at a time.
CREATE TABLE segment (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    session TEXT NOT NULL,
    -- When the record was written.
    time BIGINT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    prompts BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    plans BIGINT NOT NULL,
    compactions BIGINT NOT NULL,
    subagents BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    redactions BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    -- How many payloads were stored with it.
    payloads BIGINT NOT NULL,
    PRIMARY KEY (repository, chain, seq)
);

-- What such a record has of conversations, as JSON; not of those without payloads, and not where not all of it could be read.
CREATE TABLE outline (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    text TEXT,
    PRIMARY KEY (repository, chain, seq)
);

CREATE TABLE usage (
    repository BIGINT NOT NULL,
    session TEXT NOT NULL,
    day TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cache_read BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    saved BIGINT NOT NULL,
    PRIMARY KEY (repository, session, day, model)
);

CREATE TABLE tool (
    repository BIGINT NOT NULL,
    session TEXT NOT NULL,
    -- tool, mcp, skill or program.
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (repository, session, kind, name)
);

CREATE TABLE session_file (
    repository BIGINT NOT NULL,
    session TEXT NOT NULL,
    path TEXT NOT NULL,
    edits BIGINT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    PRIMARY KEY (repository, session, path)
);

-- What records say of commits: of each commit the best record.
CREATE TABLE recorded (
    repository BIGINT NOT NULL,
    sha TEXT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    member TEXT NOT NULL,
    time BIGINT NOT NULL,
    day TEXT NOT NULL,
    -- 2 a member's good record, 1 one of a writer who is not enrolled, 0 one that does not hold.
    rank BIGINT NOT NULL,
    -- The commit's tree: another commit with the same one repeats it.
    tree TEXT NOT NULL,
    added BIGINT NOT NULL,
    agent BIGINT NOT NULL,
    human BIGINT NOT NULL,
    unattributed BIGINT NOT NULL,
    -- It was rewritten to a commit that speaks for itself.
    superseded BIGINT NOT NULL,
    PRIMARY KEY (repository, sha)
);

-- Those two are known by that record, which is after the one before, and not by the commit, which is anywhere.
CREATE TABLE commit_session (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    session TEXT NOT NULL,
    sha TEXT NOT NULL,
    PRIMARY KEY (repository, chain, seq, session)
);

CREATE TABLE commit_file (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    path TEXT NOT NULL,
    sha TEXT NOT NULL,
    added BIGINT NOT NULL,
    agent BIGINT NOT NULL,
    human BIGINT NOT NULL,
    unattributed BIGINT NOT NULL,
    PRIMARY KEY (repository, chain, seq, path)
);

-- Rewritten commits: `level` says how much the two have in common.
CREATE TABLE link (
    repository BIGINT NOT NULL,
    sha TEXT NOT NULL,
    old TEXT NOT NULL,
    level BIGINT NOT NULL,
    PRIMARY KEY (repository, sha, old)
);

-- The commits of the branch that a repository shows.
CREATE TABLE code (
    repository BIGINT NOT NULL,
    sha TEXT NOT NULL,
    author TEXT NOT NULL,
    email TEXT NOT NULL,
    time BIGINT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (repository, sha)
);
CREATE INDEX code_by_time ON code (time, sha);
CREATE INDEX code_by_place ON code (repository, time, sha);
CREATE INDEX code_by_sha ON code (sha);
CREATE INDEX code_by_email ON code (email, time, sha);

-- The files of that branch as it is now; `path` is quoted as git does where it is no plain text.
CREATE TABLE file (
    repository BIGINT NOT NULL,
    path TEXT NOT NULL,
    -- The commit of the branch that changed it last; empty where that was not found.
    last TEXT NOT NULL,
    PRIMARY KEY (repository, path)
);

-- Whose the lines of files are that somebody has looked at: of the branch under the commit that changed the file last,
-- of other commits under a name of theirs.
CREATE TABLE gutter (
    repository BIGINT NOT NULL,
    path TEXT NOT NULL,
    sha TEXT NOT NULL,
    lines BIGINT NOT NULL,
    agent BIGINT NOT NULL,
    human BIGINT NOT NULL,
    unattributed BIGINT NOT NULL,
    -- Where git says that the lines come from, and the file's scopes: that stays.
    blamed TEXT NOT NULL,
    -- Whose they are, and of which state of the ledger that is the answer.
    told TEXT NOT NULL,
    stamp TEXT NOT NULL,
    PRIMARY KEY (repository, path, sha)
);

CREATE TABLE finding (
    repository BIGINT NOT NULL,
    place BIGINT NOT NULL,
    severity TEXT NOT NULL,
    code TEXT NOT NULL,
    chain TEXT,
    seq BIGINT,
    record TEXT,
    message TEXT NOT NULL,
    decided TEXT,
    PRIMARY KEY (repository, place)
);

-- The newest roster, a row a key; a member without a key has one row without it.
CREATE TABLE member (
    repository BIGINT NOT NULL,
    member TEXT NOT NULL,
    place BIGINT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    chain TEXT,
    public_key TEXT,
    -- From which record of its chain on it counts, and whether the chain was closed.
    from_seq BIGINT,
    closed BIGINT NOT NULL,
    PRIMARY KEY (repository, member, place)
);

-- The policy chain's records that hold, whole, with the keys that have signed each: what is in force at any time is
-- folded from them.
CREATE TABLE decision (
    repository BIGINT NOT NULL,
    n BIGINT NOT NULL,
    time BIGINT NOT NULL,
    signers TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (repository, n)
);

-- What writers say beside their work (checks, approvals, corrections): good records' bodies.
CREATE TABLE said (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    kind TEXT NOT NULL,
    time BIGINT NOT NULL,
    -- The record that a correction corrects.
    about TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (repository, chain, seq)
);
CREATE INDEX said_by_about ON said (repository, about);
CREATE INDEX said_by_time ON said (kind, time, record);

-- How far seals reach in each chain, and when they were made by the witness's clock.
CREATE TABLE sealed (
    repository BIGINT NOT NULL,
    witness TEXT NOT NULL,
    n BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (repository, witness, n, chain)
);
CREATE INDEX sealed_by_chain ON sealed (repository, chain, seq);

-- The leaves of a witness's tree in their order: from number `leaf` on, the records of a chain from `seq` on, so many. The witness's
-- record `n` was the first to cover them.
CREATE TABLE covered (
    repository BIGINT NOT NULL,
    witness TEXT NOT NULL,
    leaf BIGINT NOT NULL,
    n BIGINT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    length BIGINT NOT NULL,
    PRIMARY KEY (repository, witness, leaf)
);
CREATE INDEX covered_by_seal ON covered (repository, witness, n, leaf);
CREATE INDEX covered_by_chain ON covered (repository, witness, chain, seq);

-- The roots of full blocks of 256 leaves of a witness's tree.
CREATE TABLE block (
    repository BIGINT NOT NULL,
    witness TEXT NOT NULL,
    number BIGINT NOT NULL,
    root TEXT NOT NULL,
    PRIMARY KEY (repository, witness, number)
);

-- How many good records of each type a chain has.
CREATE TABLE counted (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    kind TEXT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (repository, chain, kind)
);

-- The same by the hour that their writers' clocks showed, in hours since 1970, without those whom nobody has enrolled.
CREATE TABLE hourly_count (
    repository BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    kind TEXT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (repository, hour, kind)
);

-- Payloads by class, month and chain: what is held, expires and is pruned as a whole.
CREATE TABLE shelf (
    repository BIGINT NOT NULL,
    chain TEXT NOT NULL,
    class TEXT NOT NULL,
    month TEXT NOT NULL,
    pieces BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (repository, chain, class, month)
);

-- Roll-ups for the charts.
CREATE TABLE daily_usage (
    repository BIGINT NOT NULL,
    day TEXT NOT NULL,
    member TEXT NOT NULL,
    agent TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cache_read BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    saved BIGINT NOT NULL,
    PRIMARY KEY (repository, day, member, agent, model)
);

CREATE TABLE daily_work (
    repository BIGINT NOT NULL,
    day TEXT NOT NULL,
    member TEXT NOT NULL,
    agent TEXT NOT NULL,
    segments BIGINT NOT NULL,
    prompts BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    PRIMARY KEY (repository, day, member, agent)
);

CREATE TABLE daily_tool (
    repository BIGINT NOT NULL,
    day TEXT NOT NULL,
    member TEXT NOT NULL,
    agent TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (repository, day, member, agent, kind, name)
);

-- Sessions by the day on which they ended, in days since 1970: how many, their calls, and money and lines written of those whose cost
-- is known.
CREATE TABLE daily_habit (
    repository BIGINT NOT NULL,
    day BIGINT NOT NULL,
    member TEXT NOT NULL,
    sessions BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    PRIMARY KEY (repository, day, member)
);

-- The same of those that used a skill or an MCP server (`kind`: skill or server), with its own calls alone.
CREATE TABLE daily_use (
    repository BIGINT NOT NULL,
    day BIGINT NOT NULL,
    member TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sessions BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    PRIMARY KEY (repository, day, member, kind, name)
);

CREATE TABLE daily_lines (
    repository BIGINT NOT NULL,
    day TEXT NOT NULL,
    -- The e-mail address of the commits' author; where the commit is not here, the member that recorded it.
    author TEXT NOT NULL,
    commits BIGINT NOT NULL,
    added BIGINT NOT NULL,
    agent BIGINT NOT NULL,
    human BIGINT NOT NULL,
    unattributed BIGINT NOT NULL,
    PRIMARY KEY (repository, day, author)
);

-- Who is signed in in which browser; what browsers hold is kept as its SHA-256 alone.
CREATE TABLE browser (
    token TEXT PRIMARY KEY,
    expires BIGINT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX browser_by_end ON browser (expires);

-- Codes that pages show, to be signed with members' keys.
CREATE TABLE device_code (
    code TEXT PRIMARY KEY,
    asked BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    -- Who shows it: an address, and what the browser says it is.
    peer TEXT NOT NULL,
    agent TEXT NOT NULL,
    -- The public keys that signed it, with a space between.
    keys TEXT
);

-- When everything was ended that a key, or a member of a repository by an address, was signed in for.
CREATE TABLE signed_out (
    public_key TEXT PRIMARY KEY,
    time BIGINT NOT NULL
);

-- The servers' audit logs, whose truth is in their files.
CREATE TABLE audit_entry (
    log TEXT NOT NULL,
    seq BIGINT NOT NULL,
    time BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT,
    proof TEXT,
    peer TEXT,
    repository TEXT,
    resource TEXT,
    detail TEXT,
    PRIMARY KEY (log, seq)
);
CREATE INDEX audit_by_time ON audit_entry (time, log, seq);
CREATE INDEX audit_by_action ON audit_entry (action, time);
CREATE INDEX audit_by_actor ON audit_entry (actor, time);
