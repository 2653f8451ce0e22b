//! Numbers over time and by what they are of, from the roll-ups: a chart reads some thousand rows, whatever the ledgers hold.

use crate::index::select::{Where, row};
use crate::index::{Database, Filter, IndexError};
use crate::time::Time;

/// What usage is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Day,
    Month,
    Model,
    Member,
    Agent,
    Repository,
}

impl By {
    /// The column, of a table that has days, members and agents.
    fn column(self) -> &'static str {
        match self {
            By::Day => "d.day",
            By::Month => "SUBSTR(d.day, 1, 7)",
            By::Model => "d.model",
            By::Member => "d.member",
            By::Agent => "d.agent",
            By::Repository => "r.name",
        }
    }
}

row! {
    /// Tokens and money of one thing at one time.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct UsageSum {
        /// The day or month; empty where all times are one.
        pub at: String,
        pub of: String,
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

impl UsageSum {
    pub fn tokens(&self) -> i64 {
        [self.input, self.output, self.cache_read, self.cache_write].into_iter().fold(0, i64::saturating_add)
    }
}

row! {
    /// Lines that commits add.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct LinesSum {
        pub at: String,
        pub of: String,
        pub commits: i64,
        pub added: i64,
        pub agent: i64,
        pub human: i64,
        pub unattributed: i64,
    }
}

row! {
    /// How long sessions were active.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct WorkSum {
        pub at: String,
        pub of: String,
        pub segments: i64,
        pub prompts: i64,
        pub active_seconds: i64,
    }
}

row! {
    /// A tool and how often it was used.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ToolSum {
        pub kind: String,
        pub name: String,
        pub calls: i64,
        pub failed: i64,
    }
}

impl Database {
    /// Usage by `by` over time (`None` for all times as one), in the order of time.
    pub async fn usage(&self, filter: &Filter, over: Option<By>, by: By) -> Result<Vec<UsageSum>, IndexError> {
        let sums = sums(&["requests", "input", "output", "cache_read", "cache_write", "cost", "unknown", "saved"]);
        let (before, after) = grouped("daily_usage", &sums, over, by.column());
        let mut asked = spans(filter, "d.member");
        asked.and_if("d.member = ?", filter.member.as_deref());
        asked.and_if("d.agent = ?", filter.agent.as_deref());
        asked.and_if("d.model = ?", filter.model.as_deref());
        self.select(&before, &asked, &after).await
    }

    /// The lines of commits by their author, or by repository.
    pub async fn lines(&self, filter: &Filter, over: Option<By>, by: By) -> Result<Vec<LinesSum>, IndexError> {
        let column = if by == By::Member { "d.author" } else { by.column() };
        let sums = sums(&["commits", "added", "agent", "human", "unattributed"]);
        let (before, after) = grouped("daily_lines", &sums, over, column);
        let mut asked = spans(filter, "d.author");
        asked.and_if("d.author = ?", filter.author.as_deref());
        self.select(&before, &asked, &after).await
    }

    /// How long sessions were active.
    pub async fn work(&self, filter: &Filter, over: Option<By>, by: By) -> Result<Vec<WorkSum>, IndexError> {
        let (before, after) =
            grouped("daily_work", &sums(&["segments", "prompts", "active_seconds"]), over, by.column());
        let mut asked = spans(filter, "d.member");
        asked.and_if("d.member = ?", filter.member.as_deref());
        asked.and_if("d.agent = ?", filter.agent.as_deref());
        self.select(&before, &asked, &after).await
    }

    /// Tools, MCP tools, skills and programs by their calls, the most first; at most `count` of them.
    pub async fn tools(&self, filter: &Filter, count: i64) -> Result<Vec<ToolSum>, IndexError> {
        let select = format!("SELECT d.kind, d.name, {} FROM daily_tool d", sums(&["calls", "failed"]));
        let mut asked = spans(filter, "d.member");
        asked.and_if("d.member = ?", filter.member.as_deref());
        asked.and_if("d.agent = ?", filter.agent.as_deref());
        let end = format!("GROUP BY d.kind, d.name ORDER BY calls DESC, d.kind, d.name LIMIT {count}");
        self.select(&select, &asked, &end).await
    }
}

/// PostgreSQL sums whole numbers to numerics, which are read as nothing.
fn sums(columns: &[&str]) -> String {
    let sum = |column: &&str| format!("CAST(SUM(d.{column}) AS BIGINT) AS {column}");
    columns.iter().map(sum).collect::<Vec<_>>().join(", ")
}

fn grouped(table: &str, sums: &str, over: Option<By>, of: &str) -> (String, String) {
    let at = over.map_or("''", By::column);
    let before =
        format!("SELECT {at} AS at, {of} AS of, {sums} FROM {table} d JOIN repository r ON r.id = d.repository");
    (before, "GROUP BY 1, 2 ORDER BY 1, 2".to_owned())
}

/// The rows of the filter's repositories and days, and of its reader; `whose` is the column that names a member.
fn spans(filter: &Filter, whose: &'static str) -> Where {
    let mut asked = Where::default();
    asked.within(filter, "d.repository", Some(whose));
    let day = |seconds: i64| Time::from_unix(seconds).day();
    asked.and_if("d.day >= ?", filter.since.map(day));
    asked.and_if("d.day < ?", filter.until.map(day));
    asked
}
