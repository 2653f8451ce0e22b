-- Indexes of what there are as many of as records, in another order than records come in. Kept up while very many come, each of them
-- is written all over for every few records: they are put off until an index that was empty has its first ledger.
CREATE INDEX IF NOT EXISTS record_by_id ON record (record);
CREATE INDEX IF NOT EXISTS record_by_about ON record (repository, about);
CREATE INDEX IF NOT EXISTS record_by_time ON record (time);
CREATE INDEX IF NOT EXISTS recorded_by_day ON recorded (repository, day);
CREATE INDEX IF NOT EXISTS recorded_by_tree ON recorded (repository, tree);
CREATE INDEX IF NOT EXISTS recorded_by_member ON recorded (repository, member, sha);
CREATE INDEX IF NOT EXISTS commit_session_by_session ON commit_session (repository, session);
CREATE INDEX IF NOT EXISTS commit_file_by_path ON commit_file (repository, path, agent, sha);
CREATE INDEX IF NOT EXISTS session_by_end ON session (ended, session);
CREATE INDEX IF NOT EXISTS session_by_name ON session (session);
CREATE INDEX IF NOT EXISTS session_by_place ON session (repository, ended, session);
CREATE INDEX IF NOT EXISTS session_by_member ON session (member, ended, session);
CREATE INDEX IF NOT EXISTS session_by_writer ON session (repository, member, ended, session);
CREATE INDEX IF NOT EXISTS session_by_agent ON session (agent, ended, session);
CREATE INDEX IF NOT EXISTS session_by_agent_here ON session (repository, agent, ended, session);
-- Of which some records may be of before a time, and others of after it.
CREATE INDEX IF NOT EXISTS session_across ON session (last, first) WHERE segments > 1;
-- Whose words are to be read: few, once all have been.
CREATE INDEX IF NOT EXISTS session_unread ON session (repository, ended) WHERE read < segments AND payloads > 0;
CREATE INDEX IF NOT EXISTS usage_by_model ON usage (model, repository, session);
