//! Habits: which skills and MCP servers sessions used, and what sessions with them took, beside all sessions of the same team.

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

/// Sums of sessions. What has no price is left out with its lines.
const SUMS: &str = "CAST(COUNT(*) AS BIGINT) AS sessions,
    CAST(SUM(CASE WHEN s.unknown = 0 THEN s.cost ELSE 0 END) AS BIGINT) AS cost,
    CAST(SUM(CASE WHEN s.unknown = 0 THEN s.added ELSE 0 END) AS BIGINT) AS lines";

impl Database {
    /// All sessions by repository, in order of their names.
    pub async fn habits_by_repository(&self, filter: &Filter) -> Result<Vec<HabitRow>, IndexError> {
        self.habits(filter, "r.name").await
    }

    /// All sessions by member, in order of their ids.
    pub async fn habits_by_member(&self, filter: &Filter) -> Result<Vec<HabitRow>, IndexError> {
        self.habits(filter, "s.member").await
    }

    async fn habits(&self, filter: &Filter, of: &str) -> Result<Vec<HabitRow>, IndexError> {
        let select = format!(
            "SELECT {of} AS of, CAST(SUM(s.calls) AS BIGINT) AS calls, CAST(SUM(s.failed) AS BIGINT) AS failed, {SUMS}
            FROM session s JOIN repository r ON r.id = s.repository"
        );
        self.select(&select, &sessions(filter), "GROUP BY 1 ORDER BY 1").await
    }

    /// Skills and MCP servers by repository, the most used first; at most `count` of them.
    pub async fn uses(&self, filter: &Filter, count: i64) -> Result<Vec<UseRow>, IndexError> {
        let find = match self.dialect {
            Dialect::Sqlite => "INSTR",
            Dialect::Postgres => "STRPOS",
        };
        // The server in `mcp__server__tool`.
        let end = format!("{find}(SUBSTR(t.name, 6), '__')");
        let select = format!(
            "SELECT r.name AS repository, u.kind, u.name, CAST(SUM(u.calls) AS BIGINT) AS calls,
            CAST(SUM(u.failed) AS BIGINT) AS failed, {SUMS}
            FROM (SELECT t.repository, t.session, 'server' AS kind, SUBSTR(t.name, 6, {end} - 1) AS name,
                    SUM(t.calls) AS calls, SUM(t.failed) AS failed
                FROM tool t WHERE t.kind = 'mcp' AND {end} > 1 GROUP BY 1, 2, 3, 4
                UNION ALL
                SELECT t.repository, t.session, t.kind, t.name, t.calls, t.failed FROM tool t WHERE t.kind = 'skill') u
            JOIN session s ON s.repository = u.repository AND s.session = u.session
            JOIN repository r ON r.id = s.repository"
        );
        let after = format!("GROUP BY 1, 2, 3 ORDER BY sessions DESC, 1, 2, 3 LIMIT {count}");
        self.select(&select, &sessions(filter), &after).await
    }
}

/// The sessions of the filter's repository and days, and of its reader.
fn sessions(filter: &Filter) -> Where {
    let mut asked = Where::default();
    asked.within(filter, "s.repository", Some("s.member"));
    asked.and_if("s.ended >= ?", filter.since);
    asked.and_if("s.ended < ?", filter.until);
    asked
}
