//! Commits as pages show them: what git says of them beside what the ledger says.

use crate::id::GitId;
use crate::index::select::{Where, row};
use crate::index::sessions::After;
use crate::index::{AsOf, Database, Filter, IndexError};

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

/// Commits as records and seals up to a time tell them.
fn known_at(asof: AsOf) -> String {
    let time = asof.time;
    let sealed = format!(
        "CASE WHEN (SELECT COUNT(DISTINCT z.witness) FROM sealed z WHERE z.repository = r.repository
        AND z.chain = r.chain AND z.seq >= r.seq AND z.time <= {time}) >= COALESCE(p.witnesses, 1) THEN 1 ELSE 0 END AS sealed"
    );
    let linked = format!(
        "o.rank > 0 AND o.time <= {time} AND EXISTS (SELECT 1 FROM record k WHERE k.repository = l.repository
        AND k.about = l.sha AND k.kind = 'link' AND k.time <= {time})"
    );
    COMMIT
        .replace("CASE WHEN r.seq < n.sealed THEN 1 ELSE 0 END AS sealed", &sealed)
        .replace("o.rank > 0", &linked)
        .replace("r.sha = c.sha", &format!("r.sha = c.sha AND r.time <= {time}"))
}

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
        asked.and_if("c.time <= ?", filter.asof.map(|asof| asof.time));
        if let Some(After { time, id }) = after {
            let values = [(*time).into(), (*time).into(), id.as_str().into()];
            asked.and("(c.time < ? OR (c.time = ? AND c.sha < ?))", values);
        }
        let select = filter.asof.map_or_else(|| COMMIT.to_owned(), known_at);
        self.select(&select, &asked, &format!("ORDER BY c.time DESC, c.sha DESC LIMIT {count}")).await
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
        asked.and("r.repository = ? AND r.sha = ?", [repository.into(), sha.into()]);
        let select = "SELECT f.path, f.added, f.agent, f.human, f.unattributed FROM recorded r
            JOIN commit_file f ON f.repository = r.repository AND f.chain = r.chain AND f.seq = r.seq";
        self.select(select, &asked, "ORDER BY f.path LIMIT 1000").await
    }

    /// The sessions that a commit draws on.
    pub async fn sessions_of_commit(&self, repository: i64, sha: &str) -> Result<Vec<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("r.repository = ? AND r.sha = ?", [repository.into(), sha.into()]);
        let select = "SELECT s.session FROM recorded r
            JOIN commit_session s ON s.repository = r.repository AND s.chain = r.chain AND s.seq = r.seq";
        let found: Vec<(String,)> = self.select(select, &asked, "ORDER BY s.session LIMIT 200").await?;
        Ok(found.into_iter().map(|(session,)| session).collect())
    }

    /// The sessions in which it may have been said why a line is so, the nearest first: the one that wrote it, the one of the same
    /// writer before that, and those that the line's commits draw on.
    pub async fn sessions_around(
        &self,
        repository: i64,
        own: Option<&str>,
        commits: &[GitId],
    ) -> Result<Vec<String>, IndexError> {
        let mut names: Vec<String> = own.iter().map(|own| (*own).to_owned()).collect();
        if let Some(own) = own {
            names.extend(self.session_before(repository, own).await?);
        }
        for commit in commits {
            for name in self.sessions_of_commit(repository, commit.as_str()).await? {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// The session of the same writer that ended last before this one began, if that was within a day.
    async fn session_before(&self, repository: i64, session: &str) -> Result<Option<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("s.repository = ? AND s.session = ?", [repository.into(), session.into()]);
        asked.and("p.ended <= s.started AND p.ended >= s.started - ?", [DAY.into()]);
        let before = "SELECT p.session FROM session s
            JOIN session p ON p.repository = s.repository AND p.chain = s.chain AND p.session <> s.session";
        let found: Vec<(String,)> =
            self.select(before, &asked, "ORDER BY p.ended DESC, p.session DESC LIMIT 1").await?;
        Ok(found.into_iter().next().map(|(session,)| session))
    }
}

/// In seconds.
const DAY: i64 = 24 * 3600;
