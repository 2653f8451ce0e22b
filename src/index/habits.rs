//! Habits: which skills and MCP servers sessions used, and what sessions with them took, beside all sessions of the same team.

use sqlx::{Any, AssertSqlSafe, Transaction};

use crate::index::select::{Where, row};
use crate::index::{Database, Dialect, Filter, IndexError};

row! {
    /// Sessions of a repository, or of a member.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct HabitRow {
        /// The repository's name, or the member's id.
        pub of: String,
        pub sessions: i64,
        pub calls: i64,
        pub failed: i64,
        /// Money and lines written of those sessions whose cost is known.
        pub cost: i64,
        pub lines: i64,
    }
}

row! {
    /// A skill or an MCP server, and the sessions of a repository that used it.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct UseRow {
        pub repository: String,
        /// skill or server.
        pub kind: String,
        pub name: String,
        pub sessions: i64,
        /// Its own calls, and how many of them failed; of skills nobody counts failures.
        pub calls: i64,
        pub failed: i64,
        /// Money and lines written of those sessions whose cost is known.
        pub cost: i64,
        pub lines: i64,
    }
}

const SUMS: &str = "CAST(SUM(d.sessions) AS BIGINT) AS sessions, CAST(SUM(d.calls) AS BIGINT) AS calls,
    CAST(SUM(d.failed) AS BIGINT) AS failed, CAST(SUM(d.cost) AS BIGINT) AS cost, CAST(SUM(d.lines) AS BIGINT) AS lines";

/// What is rolled up of sessions. What has no price is left out with its lines.
const SESSIONS: &str = "COUNT(*), CAST(SUM(CALLS) AS BIGINT), CAST(SUM(FAILED) AS BIGINT),
    CAST(SUM(CASE WHEN s.unknown = 0 THEN s.cost ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE WHEN s.unknown = 0 THEN s.added ELSE 0 END) AS BIGINT)";

const DAY: i64 = 86_400;

impl Database {
    /// All sessions by repository, in order of their names.
    pub async fn habits_by_repository(&self, filter: &Filter) -> Result<Vec<HabitRow>, IndexError> {
        self.habits(filter, "r.name").await
    }

    /// All sessions by member, in order of their ids.
    pub async fn habits_by_member(&self, filter: &Filter) -> Result<Vec<HabitRow>, IndexError> {
        self.habits(filter, "d.member").await
    }

    async fn habits(&self, filter: &Filter, of: &str) -> Result<Vec<HabitRow>, IndexError> {
        let select = format!("SELECT {of} AS of, {SUMS} FROM daily_habit d JOIN repository r ON r.id = d.repository");
        self.select(&select, &days(filter), "GROUP BY 1 ORDER BY 1").await
    }

    /// Skills and MCP servers by repository, the most used first; at most `count` of them.
    pub async fn uses(&self, filter: &Filter, count: i64) -> Result<Vec<UseRow>, IndexError> {
        let select = format!(
            "SELECT r.name AS repository, d.kind, d.name, {SUMS} FROM daily_use d
            JOIN repository r ON r.id = d.repository"
        );
        let after = format!("GROUP BY 1, 2, 3 ORDER BY sessions DESC, 1, 2, 3 LIMIT {count}");
        self.select(&select, &days(filter), &after).await
    }
}

/// Rolls a repository's sessions up anew: whose they are and when they ended, later records may say otherwise.
pub(super) async fn settle(
    dialect: Dialect,
    repository: i64,
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    for table in ["daily_habit", "daily_use"] {
        let old = AssertSqlSafe(format!("DELETE FROM {table} WHERE repository = $1"));
        sqlx::query(old).bind(repository).execute(&mut **all).await?;
    }
    let find = match dialect {
        Dialect::Sqlite => "INSTR",
        Dialect::Postgres => "STRPOS",
    };
    // The server in `mcp__server__tool`.
    let end = format!("{find}(SUBSTR(t.name, 6), '__')");
    let of = |calls: &str| {
        SESSIONS.replace("CALLS", &format!("{calls}.calls")).replace("FAILED", &format!("{calls}.failed"))
    };
    let habits = format!(
        "INSERT INTO daily_habit (repository, day, member, sessions, calls, failed, cost, lines)
        SELECT s.repository, s.ended / {DAY}, s.member, {} FROM session s WHERE s.repository = $1
        GROUP BY s.repository, s.ended / {DAY}, s.member",
        of("s")
    );
    let uses = format!(
        "INSERT INTO daily_use (repository, day, member, kind, name, sessions, calls, failed, cost, lines)
        SELECT s.repository, s.ended / {DAY}, s.member, u.kind, u.name, {}
        FROM (SELECT t.repository, t.session, 'server' AS kind, SUBSTR(t.name, 6, {end} - 1) AS name,
                SUM(t.calls) AS calls, SUM(t.failed) AS failed
            FROM tool t WHERE t.repository = $1 AND t.kind = 'mcp' AND {end} > 1 GROUP BY 1, 2, 3, 4
            UNION ALL
            SELECT t.repository, t.session, t.kind, t.name, t.calls, t.failed FROM tool t
            WHERE t.repository = $1 AND t.kind = 'skill') u
        JOIN session s ON s.repository = u.repository AND s.session = u.session
        GROUP BY s.repository, s.ended / {DAY}, s.member, u.kind, u.name",
        of("u")
    );
    for sql in [habits, uses] {
        sqlx::query(AssertSqlSafe(sql)).bind(repository).execute(&mut **all).await?;
    }
    Ok(())
}

/// The sessions of the filter's repository and days, and of its reader.
fn days(filter: &Filter) -> Where {
    let mut asked = Where::default();
    asked.within(filter, "d.repository", Some("d.member"));
    asked.and_if("d.day >= ?", filter.since.map(|since| since / DAY));
    asked.and_if("d.day < ?", filter.until.map(|until| until / DAY));
    asked
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;
    use crate::index::{Place, Reach};

    /// Pages read the roll-ups, not each session; what has no price counts with neither its money nor its lines.
    #[tokio::test]
    async fn sessions_are_rolled_up_by_the_day_they_ended() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        index.pool.execute("INSERT INTO repository (id, name, url, records) VALUES (1, 'shop', 'u', 0)").await.unwrap();
        let session = "INSERT INTO session (repository, session, chain, member, agent, version, started, ended,
                active_seconds, segments, prompts, turns, plans, compactions, subagents, requests, tokens, output, cost,
                unknown, calls, failed, added, removed, redactions, gaps, payloads, read, first, last)
            VALUES (1, $1, 'c', $2, 'a', 'v', 0, $3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, $4, 5, 1, 10, 0, 0, 0, 0, 0, 0, 0)";
        for (name, member, ended, unknown) in
            [("s1", "ada", DAY - 1, 0), ("s2", "ada", DAY, 0), ("s3", "bob", DAY, 1), ("s4", "bob", 2 * DAY, 0)]
        {
            let query = sqlx::query(session).bind(name).bind(member).bind(ended).bind(unknown);
            query.execute(&index.pool).await.unwrap();
        }
        let tools = "INSERT INTO tool (repository, session, kind, name, calls, failed) VALUES
            (1, 's1', 'mcp', 'mcp__tracker__find', 2, 1), (1, 's1', 'mcp', 'mcp__tracker__open', 1, 0),
            (1, 's3', 'mcp', 'mcp__tracker__find', 4, 4), (1, 's2', 'skill', 'review', 1, 0), (1, 's2', 'tool', 'Edit', 9, 0)";
        index.pool.execute(tools).await.unwrap();
        for _ in 0..2 {
            let mut all = index.pool.begin().await.unwrap();
            settle(index.dialect, 1, &mut all).await.unwrap();
            all.commit().await.unwrap();
        }
        let everybody = Filter { reach: Reach::All, ..Filter::default() };
        let all = index.habits_by_repository(&everybody).await.unwrap();
        let shop = HabitRow { of: "shop".into(), sessions: 4, calls: 20, failed: 4, cost: 21, lines: 30 };
        assert_eq!(all, [shop]);
        let second = Filter { since: Some(DAY), until: Some(2 * DAY), ..everybody.clone() };
        let members = index.habits_by_member(&second).await.unwrap();
        let told: Vec<_> = members.iter().map(|row| (row.of.as_str(), row.sessions, row.cost)).collect();
        assert_eq!(told, [("ada", 1, 7), ("bob", 1, 0)]);
        let uses = index.uses(&everybody, 10).await.unwrap();
        let told: Vec<_> =
            uses.iter().map(|row| (row.name.as_str(), row.sessions, row.calls, row.failed, row.lines)).collect();
        assert_eq!(told, [("tracker", 2, 7, 5, 10), ("review", 1, 1, 0, 10)]);
        let own = Reach::Some { whole: Vec::new(), own: vec![(1, "bob".into())] };
        assert_eq!(index.uses(&Filter { reach: own, ..Filter::default() }, 10).await.unwrap()[0].calls, 4);
    }
}
