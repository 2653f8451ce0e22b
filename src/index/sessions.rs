//! Sessions as pages show them.

use sqlx::AssertSqlSafe;

use crate::index::rows::Value;
use crate::index::select::{Where, row};
use crate::index::{AsOf, Database, Filter, IndexError};

row! {
    /// A session in short.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SessionRow {
        pub repository: String,
        pub session: String,
        pub member: String,
        pub agent: String,
        pub version: String,
        pub title: Option<String>,
        /// Seconds since 1970.
        pub started: i64,
        pub ended: i64,
        pub active_seconds: i64,
        pub segments: i64,
        pub prompts: i64,
        pub turns: i64,
        pub plans: i64,
        pub compactions: i64,
        pub subagents: i64,
        pub requests: i64,
        pub tokens: i64,
        pub output: i64,
        /// Billionths of a dollar: what is known of it, and how many requests are not.
        pub cost: i64,
        pub unknown: i64,
        pub calls: i64,
        pub failed: i64,
        pub added: i64,
        pub removed: i64,
        pub redactions: i64,
        pub gaps: i64,
    }
}

/// Where a page of a list begins: after the row with this time and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub time: i64,
    pub id: String,
}

row! {
    /// A session's tokens of one model.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct UsageRow {
        pub model: String,
        pub requests: i64,
        pub input: i64,
        pub output: i64,
        pub cache_read: i64,
        pub cache_write: i64,
        pub cost: i64,
        pub unknown: i64,
        pub saved: i64,
    }
}

row! {
    /// A tool, MCP tool, skill or program that was used.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ToolRow {
        pub kind: String,
        pub name: String,
        pub calls: i64,
        pub failed: i64,
    }
}

row! {
    /// A file that a session changed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FileRow {
        pub path: String,
        pub edits: i64,
        pub added: i64,
        pub removed: i64,
    }
}

row! {
    /// A commit that draws on a session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DrawnRow {
        pub sha: String,
        pub subject: Option<String>,
        pub time: i64,
        pub added: i64,
        pub agent: i64,
    }
}

/// Of fewer uses in all a model is rare.
const RARE: i64 = 5_000;

const SESSION: &str =
    "SELECT r.name AS repository, s.session, s.member, s.agent, s.version, s.title, s.started, s.ended,
    s.active_seconds, s.segments, s.prompts, s.turns, s.plans, s.compactions, s.subagents, s.requests, s.tokens,
    s.output, s.cost, s.unknown, s.calls, s.failed, s.added, s.removed, s.redactions, s.gaps
    FROM session s JOIN repository r ON r.id = s.repository";

/// What is summed of a session's records.
const SUMS: [&str; 17] = [
    "active_seconds",
    "prompts",
    "turns",
    "plans",
    "compactions",
    "subagents",
    "requests",
    "tokens",
    "output",
    "cost",
    "unknown",
    "calls",
    "failed",
    "added",
    "removed",
    "redactions",
    "gaps",
];

/// The sessions of which some records were written by a time and others later, as the former tell them. SQLite would begin with all
/// records of that time, but for the joins that name an order.
fn known_at(time: i64) -> String {
    let sums = SUMS.map(|sum| format!("CAST(SUM(g.{sum}) AS BIGINT) AS {sum}")).join(", ");
    let known = format!(
        "(WITH n AS MATERIALIZED (SELECT repository, session, member, agent, version, title FROM session
        WHERE segments > 1 AND last > {time} AND first <= {time})
        SELECT n.repository, n.session, n.member, n.agent, n.version, n.title, MIN(g.started) AS started,
        MAX(g.ended) AS ended, COUNT(*) AS segments, {sums}
        FROM n CROSS JOIN record k CROSS JOIN segment g
        WHERE k.repository = n.repository AND k.about = n.session AND k.kind = 'session'
        AND g.repository = k.repository AND g.chain = k.chain AND g.seq = k.seq AND g.time <= {time}
        GROUP BY n.repository, n.session, n.member, n.agent, n.version, n.title)"
    );
    SESSION.replace("FROM session s", &format!("FROM {known} s"))
}

impl Database {
    /// Sessions that ended last first; at most `count` of them.
    pub async fn sessions(
        &self,
        filter: &Filter,
        after: Option<&After>,
        count: i64,
    ) -> Result<Vec<SessionRow>, IndexError> {
        let rare = match &filter.model {
            Some(model) => self.is_rare(model).await?,
            None => false,
        };
        let (sql, values) = listed(filter, rare, after, count);
        self.rows_of(sql, values).await
    }

    /// Whether few sessions used a model.
    async fn is_rare(&self, model: &str) -> Result<bool, IndexError> {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM usage WHERE model = $1 LIMIT {RARE}) used");
        let used: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).bind(model).fetch_one(&self.pool).await?;
        Ok(used < RARE)
    }

    /// One session.
    pub async fn session(&self, repository: i64, session: &str) -> Result<Option<SessionRow>, IndexError> {
        let found = self.select(SESSION, &of(repository, session), "").await?;
        Ok(found.into_iter().next())
    }

    /// The sessions whose ids begin with `prefix`; at most `count`.
    pub async fn sessions_named(
        &self,
        filter: &Filter,
        prefix: &str,
        count: i64,
    ) -> Result<Vec<SessionRow>, IndexError> {
        let (sql, values) = named(filter, prefix, count);
        self.rows_of(sql, values).await
    }

    pub async fn usage_of(&self, repository: i64, session: &str) -> Result<Vec<UsageRow>, IndexError> {
        let select =
            "SELECT s.model, CAST(SUM(s.requests) AS BIGINT) AS requests, CAST(SUM(s.input) AS BIGINT) AS input,
            CAST(SUM(s.output) AS BIGINT) AS output, CAST(SUM(s.cache_read) AS BIGINT) AS cache_read,
            CAST(SUM(s.cache_write) AS BIGINT) AS cache_write, CAST(SUM(s.cost) AS BIGINT) AS cost,
            CAST(SUM(s.unknown) AS BIGINT) AS unknown, CAST(SUM(s.saved) AS BIGINT) AS saved FROM usage s";
        self.select(select, &of(repository, session), "GROUP BY s.model ORDER BY s.model").await
    }

    pub async fn tools_of(&self, repository: i64, session: &str) -> Result<Vec<ToolRow>, IndexError> {
        let select = "SELECT s.kind, s.name, s.calls, s.failed FROM tool s";
        self.select(select, &of(repository, session), "ORDER BY s.calls DESC, s.kind, s.name").await
    }

    pub async fn files_of(&self, repository: i64, session: &str) -> Result<Vec<FileRow>, IndexError> {
        let select = "SELECT s.path, s.edits, s.added, s.removed FROM session_file s";
        self.select(select, &of(repository, session), "ORDER BY s.path").await
    }

    /// The git commits that hold the amendments of sessions' records, each with its session. Whether somebody may correct a
    /// record is known only when all of them are read.
    pub(super) async fn amendments_of(
        &self,
        repository: i64,
        sessions: &[&str],
    ) -> Result<Vec<(String, String)>, IndexError> {
        let mut asked = Where::default();
        asked.and("r.repository = ?", [repository.into()]);
        asked.among("r.about", sessions);
        asked.and("r.kind = 'session' AND s.kind = 'amend' AND a.good = 1", []);
        let found = "NOT EXISTS (SELECT 1 FROM finding f WHERE f.repository = s.repository AND f.record = s.record
            AND f.severity = 'error')";
        asked.and(found, []);
        let select = "SELECT r.about, a.held FROM record r
            JOIN said s ON s.repository = r.repository AND s.about = r.record
            JOIN record a ON a.repository = s.repository AND a.chain = s.chain AND a.seq = s.seq";
        self.select(select, &asked, "").await
    }

    /// The amendments of a repository that replace what was said: their records, one after the other.
    pub async fn replacements(&self, repository: i64) -> Result<String, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND kind = 'amend'", [repository.into()]);
        asked.and("body LIKE '%\"reason\":\"secret\"%' AND body LIKE '%\"payloads\"%'", []);
        let all: Vec<(String,)> = self.select("SELECT record FROM said", &asked, "ORDER BY record").await?;
        Ok(all.into_iter().map(|(record,)| record).collect())
    }

    /// The commits that draw on a session, the latest first.
    pub async fn commits_of(&self, repository: i64, session: &str) -> Result<Vec<DrawnRow>, IndexError> {
        let select = "SELECT s.sha, c.subject, r.time, r.added, r.agent FROM commit_session s
            JOIN recorded r ON r.repository = s.repository AND r.sha = s.sha
            LEFT JOIN code c ON c.repository = s.repository AND c.sha = s.sha";
        self.select(select, &of(repository, session), "ORDER BY r.time DESC, s.sha LIMIT 200").await
    }
}

/// The question that a list of sessions is, and what is bound to it.
fn listed(filter: &Filter, rare: bool, after: Option<&After>, count: i64) -> (String, Vec<Value>) {
    let mut asked = Where::default();
    asked.within(filter, "s.repository", Some("s.member"));
    asked.and_if("s.member = ?", filter.member.as_deref());
    asked.and_if("s.agent = ?", filter.agent.as_deref());
    asked.and_if("s.ended >= ?", filter.since);
    asked.and_if("s.ended < ?", filter.until);
    // In the list's order it would be long before the first that used a rare model: they are looked up and sorted.
    let used = match rare {
        true => "(s.repository, s.session) IN (SELECT u.repository, u.session FROM usage u WHERE u.model = ?)",
        false => {
            "EXISTS (SELECT 1 FROM usage u WHERE u.repository = s.repository AND u.session = s.session AND u.model = ?)"
        }
    };
    asked.and_if(used, filter.model.as_deref());
    if let Some(After { time, id }) = after {
        let values = [(*time).into(), (*time).into(), id.as_str().into()];
        asked.and("(s.ended < ? OR (s.ended = ? AND s.session < ?))", values);
    }
    let end = format!("ORDER BY s.ended DESC, s.session DESC LIMIT {count}");
    let Some(AsOf { time, .. }) = filter.asof else { return (asked.sql(SESSION, &end), asked.values().to_vec()) };
    asked.push(format!("s.ended <= {time}"), []);
    let across = asked.sql(&known_at(time), &end);
    let mut whole = asked;
    whole.push(format!("s.last <= {time}"), []);
    let sql = format!(
        "SELECT * FROM ({}) w UNION ALL SELECT * FROM ({across}) a ORDER BY ended DESC, session DESC LIMIT {count}",
        whole.sql(SESSION, &end)
    );
    (sql, whole.values().to_vec())
}

fn named(filter: &Filter, prefix: &str, count: i64) -> (String, Vec<Value>) {
    let mut asked = Where::default();
    asked.within(filter, "s.repository", Some("s.member"));
    // Ids are of characters before '~'.
    asked.and("s.session >= ? AND s.session < ?", [prefix.into(), format!("{prefix}~").into()]);
    (asked.sql(SESSION, &format!("ORDER BY s.session LIMIT {count}")), asked.values().to_vec())
}

fn of(repository: i64, session: &str) -> Where {
    let mut asked = Where::default();
    asked.and("s.repository = ?", [repository.into()]);
    asked.and("s.session = ?", [session.into()]);
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Place, Reach};

    /// How SQLite goes about a question.
    async fn plan(index: &Database, (sql, values): (String, Vec<Value>)) -> Vec<String> {
        let plan: Vec<(i64, i64, i64, String)> =
            index.rows_of(format!("EXPLAIN QUERY PLAN {sql}"), values).await.unwrap();
        plan.into_iter().map(|(.., step)| step).collect()
    }

    fn reads(plan: &[String], by: &str) -> bool {
        plan.iter().any(|step| step.split(' ').any(|word| word == by))
    }

    /// A list reads its first rows and no others: in an index that has them in the list's order.
    #[tokio::test]
    async fn lists_are_read_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let all = || Filter { reach: Reach::All, ..Filter::default() };
        let here = || Filter { repository: Some(7), ..all() };
        let (ada, codex) = (Some("ada@example.com".to_owned()), Some("codex".to_owned()));
        let own = Reach::Some { whole: Vec::new(), own: vec![(7, "ada@example.com".to_owned())] };
        let whole = Reach::Some { whole: vec![7, 8], own: Vec::new() };
        for (filter, by) in [
            (all(), "session_by_end"),
            (here(), "session_by_place"),
            (Filter { reach: whole.clone(), ..here() }, "session_by_place"),
            (Filter { reach: whole, ..all() }, "session_by_end"),
            (Filter { reach: own, ..all() }, "session_by_writer"),
            (Filter { member: ada.clone(), ..all() }, "session_by_member"),
            (Filter { member: ada, ..here() }, "session_by_writer"),
            (Filter { agent: codex.clone(), ..all() }, "session_by_agent"),
            (Filter { agent: codex, ..here() }, "session_by_agent_here"),
        ] {
            for after in [None, Some(After { time: 7, id: "a".to_owned() })] {
                let plan = plan(&index, listed(&filter, false, after.as_ref(), 50)).await;
                let sorts = plan.iter().any(|step| step.contains("B-TREE"));
                assert!(reads(&plan, by) && !sorts, "{by} {filter:?} {after:?}: {plan:#?}");
            }
        }
    }

    /// Names are looked up, whoever asks, and in every repository at once; as of a time those sessions alone are summed anew of
    /// which there are later records.
    #[tokio::test]
    async fn names_are_looked_up_and_other_times_are_not_read_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let whole = Reach::Some { whole: vec![7, 8], own: Vec::new() };
        for reach in [Reach::All, whole] {
            let all = Filter { reach, ..Filter::default() };
            let steps = plan(&index, named(&all, "ab", 30)).await;
            assert!(reads(&steps, "session_by_name"), "{steps:#?}");
            let asof = Some(AsOf { time: 9, policy: None });
            let steps = plan(&index, listed(&Filter { asof, ..all }, false, None, 50)).await;
            for by in ["session_by_end", "session_across", "record_by_about"] {
                assert!(reads(&steps, by), "{by}: {steps:#?}");
            }
            assert!(!steps.iter().any(|step| step.starts_with("SCAN g")), "{steps:#?}");
        }
    }

    /// Of the sessions that used a rare model no others are read, and no common one is counted to its end.
    #[tokio::test]
    async fn sessions_of_a_rare_model_are_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let usage = "INSERT INTO usage WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $2)
            SELECT 7, 's' || n, '2026-01-01', $1, 1, 1, 1, 1, 1, 1, 0, 0 FROM n";
        for (model, used) in [("common", RARE), ("rare", 3)] {
            sqlx::query(usage).bind(model).bind(used).execute(&index.pool).await.unwrap();
        }
        assert!(index.is_rare("rare").await.unwrap() && index.is_rare("unknown").await.unwrap());
        assert!(!index.is_rare("common").await.unwrap());
        let filter = Filter { reach: Reach::All, model: Some("rare".to_owned()), ..Filter::default() };
        let plan = plan(&index, listed(&filter, true, None, 50)).await;
        let both = plan.iter().any(|step| step.contains("(repository=? AND session=?)"));
        assert!(reads(&plan, "usage_by_model") && both, "{plan:#?}");
    }
}
