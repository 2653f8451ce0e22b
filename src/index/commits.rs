//! Commits as pages show them: what git says of them beside what the ledger says.

use crate::index::select::{Where, row};
use crate::index::sessions::After;
use crate::index::{Database, Filter, IndexError};

row! {
    /// A commit of the branch that is shown.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CommitRow {
        pub repository: String,
        pub sha: String,
        pub author: String,
        pub email: String,
        /// Seconds since 1970.
        pub time: i64,
        pub subject: String,
        /// Its best record: 2 a member's, 1 of a writer who is not enrolled, 0 one that does not hold.
        pub rank: Option<i64>,
        pub record: Option<String>,
        /// Who recorded it.
        pub member: Option<String>,
        /// Whether witnesses have sealed the record.
        pub sealed: i64,
        /// Whether it is a rewritten form of a commit that has a record.
        pub linked: i64,
        pub added: Option<i64>,
        pub agent: Option<i64>,
        pub human: Option<i64>,
        pub unattributed: Option<i64>,
    }
}

row! {
    /// A file of a commit.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CommitFileRow {
        pub path: String,
        pub added: i64,
        pub agent: i64,
        pub human: i64,
        pub unattributed: i64,
    }
}

impl CommitRow {
    /// `sealed`, `signed`, `linked`, `pending`, `bad` or `missing`.
    pub fn state(&self) -> &'static str {
        match (self.rank, self.linked) {
            (Some(2), _) if self.sealed != 0 => "sealed",
            (Some(2), _) => "signed",
            (_, linked) if linked != 0 => "linked",
            (Some(1), _) => "pending",
            (Some(_), _) => "bad",
            (None, _) => "missing",
        }
    }
}

const COMMIT: &str =
    "SELECT p.name AS repository, c.sha, c.author, c.email, c.time, c.subject, r.rank, r.record, r.member,
    CASE WHEN r.seq < n.sealed THEN 1 ELSE 0 END AS sealed,
    CASE WHEN EXISTS (SELECT 1 FROM link l JOIN recorded o ON o.repository = l.repository AND o.sha = l.old
        AND o.rank > 0 WHERE l.repository = c.repository AND l.sha = c.sha) THEN 1 ELSE 0 END AS linked,
    r.added, r.agent, r.human, r.unattributed
    FROM code c JOIN repository p ON p.id = c.repository
    LEFT JOIN recorded r ON r.repository = c.repository AND r.sha = c.sha
    LEFT JOIN chain n ON n.repository = r.repository AND n.chain = r.chain";

impl Database {
    /// Commits, the latest first; at most `count` of them.
    pub async fn commits(
        &self,
        filter: &Filter,
        after: Option<&After>,
        count: i64,
    ) -> Result<Vec<CommitRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "c.repository", Some("r.member"));
        asked.and_if("c.email = ?", filter.author.as_deref());
        asked.and_if("c.time >= ?", filter.since);
        asked.and_if("c.time < ?", filter.until);
        if let Some(After { time, id }) = after {
            let values = [(*time).into(), (*time).into(), id.as_str().into()];
            asked.and("(c.time < ? OR (c.time = ? AND c.sha < ?))", values);
        }
        self.select(COMMIT, &asked, &format!("ORDER BY c.time DESC, c.sha DESC LIMIT {count}")).await
    }

    /// The commits whose names begin with `prefix`; at most `count` of them.
    pub async fn commits_named(&self, filter: &Filter, prefix: &str, count: i64) -> Result<Vec<CommitRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "c.repository", Some("r.member"));
        // Hexadecimal digits sort before 'g'.
        asked.and("c.sha >= ? AND c.sha < ?", [prefix.into(), format!("{prefix}g").into()]);
        self.select(COMMIT, &asked, &format!("ORDER BY c.sha LIMIT {count}")).await
    }

    pub async fn files_of_commit(&self, repository: i64, sha: &str) -> Result<Vec<CommitFileRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND sha = ?", [repository.into(), sha.into()]);
        let select = "SELECT path, added, agent, human, unattributed FROM commit_file";
        self.select(select, &asked, "ORDER BY path LIMIT 1000").await
    }

    /// The sessions that a commit draws on.
    pub async fn sessions_of_commit(&self, repository: i64, sha: &str) -> Result<Vec<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND sha = ?", [repository.into(), sha.into()]);
        let found: Vec<(String,)> =
            self.select("SELECT session FROM commit_session", &asked, "ORDER BY session LIMIT 200").await?;
        Ok(found.into_iter().map(|(session,)| session).collect())
    }
}
