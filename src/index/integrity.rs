//! Chains, records and findings as pages show them.

use crate::index::select::{Where, row};
use crate::index::{Database, Filter, IndexError};

row! {
    /// A writer's or a witness's chain.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ChainRow {
        pub repository: String,
        pub chain: String,
        /// `log` or `seal`.
        pub kind: String,
        pub member: Option<String>,
        pub device: Option<String>,
        pub pending: i64,
        pub records: i64,
        /// How many of them witnesses have sealed.
        pub sealed: i64,
        /// When its first and its last record were written, by the writer's clock.
        pub first: Option<i64>,
        pub last: Option<i64>,
    }
}

row! {
    /// Something that a verification found.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FindingRow {
        pub repository: String,
        /// `error`, `inconclusive` or `warning`.
        pub severity: String,
        pub code: String,
        pub chain: Option<String>,
        pub seq: Option<i64>,
        pub record: Option<String>,
        pub message: String,
        /// What was decided about it.
        pub decided: Option<String>,
    }
}

row! {
    /// A record, and where it is.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RecordRow {
        pub repository: String,
        pub chain: String,
        pub member: Option<String>,
        pub seq: i64,
        pub record: String,
        /// The git commit that holds it.
        pub held: String,
        pub kind: String,
        pub time: i64,
        pub good: i64,
        pub about: Option<String>,
        pub sealed: i64,
    }
}

const RECORD: &str = "SELECT p.name AS repository, r.chain, c.member, r.seq, r.record, r.held, r.kind, r.time, r.good,
    r.about, CASE WHEN r.seq < c.sealed THEN 1 ELSE 0 END AS sealed
    FROM record r JOIN repository p ON p.id = r.repository
    LEFT JOIN chain c ON c.repository = r.repository AND c.chain = r.chain";

impl Database {
    /// Every chain, by repository and writer.
    pub async fn chains(&self, filter: &Filter) -> Result<Vec<ChainRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "c.repository", Some("c.member"));
        let select = "SELECT p.name AS repository, c.chain, c.kind, c.member, c.device, c.pending, c.records, c.sealed,
            c.first, c.last FROM chain c JOIN repository p ON p.id = c.repository";
        self.select(select, &asked, "ORDER BY p.name, c.kind, c.member, c.chain LIMIT 1000").await
    }

    /// What was found, the worst first; at most `count`.
    pub async fn findings(&self, filter: &Filter, count: i64) -> Result<Vec<FindingRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "f.repository", None);
        let select = "SELECT p.name AS repository, f.severity, f.code, f.chain, f.seq, f.record, f.message, f.decided
            FROM finding f JOIN repository p ON p.id = f.repository";
        // Findings are told worst first within a repository.
        self.select(select, &asked, &format!("ORDER BY p.name, f.place LIMIT {count}")).await
    }

    /// The records whose ids begin with `prefix`; at most `count`.
    pub async fn records_named(&self, filter: &Filter, prefix: &str, count: i64) -> Result<Vec<RecordRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "r.repository", Some("c.member"));
        asked.and("r.record >= ? AND r.record < ?", [prefix.into(), format!("{prefix}g").into()]);
        self.select(RECORD, &asked, &format!("ORDER BY r.record LIMIT {count}")).await
    }

    /// A chain's records from number `from` on; at most `count`.
    pub async fn records_of(
        &self,
        repository: i64,
        chain: &str,
        from: i64,
        count: i64,
    ) -> Result<Vec<RecordRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("r.repository = ? AND r.chain = ? AND r.seq >= ?", [repository.into(), chain.into(), from.into()]);
        self.select(RECORD, &asked, &format!("ORDER BY r.seq LIMIT {count}")).await
    }
}
