//! What there is to show beside the work: statements, payloads by shelf, and how many records of each type there are.

use std::collections::BTreeMap;

use crate::index::select::{Where, row};
use crate::index::sessions::After;
use crate::index::{Database, Filter, IndexError};

row! {
    /// A check, an approval or a correction by a member.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SaidRow {
        pub repository: String,
        pub member: String,
        pub record: String,
        pub kind: String,
        pub time: i64,
        /// The record's body as JSON.
        pub body: String,
        /// The record that corrects it or takes it back, if one does.
        pub amended: Option<String>,
    }
}

row! {
    /// Payloads of one class, month and chain.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ShelfRow {
        pub repository: i64,
        pub chain: String,
        pub member: Option<String>,
        pub class: String,
        pub month: String,
        pub pieces: i64,
        pub bytes: i64,
    }
}

row! {
    /// How many records of a type there are.
    #[derive(Debug)]
    pub struct CountRow {
        pub repository: i64,
        pub kind: String,
        pub count: i64,
    }
}

impl Database {
    /// What members said of these types (`check`, `approve`, `amend`), the latest first; at most `count`.
    pub async fn said(
        &self,
        kind: &str,
        filter: &Filter,
        after: Option<&After>,
        count: i64,
    ) -> Result<Vec<SaidRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("s.kind = ? AND c.pending = 0", [kind.into()]);
        // Whether somebody may correct a record is known only when all of them are read.
        let found = "NOT EXISTS (SELECT 1 FROM finding f WHERE f.repository = s.repository AND f.record = s.record
            AND f.severity = 'error')";
        asked.and(found, []);
        asked.within(filter, "s.repository", None);
        asked.and_if("s.time <= ?", filter.asof.map(|asof| asof.time));
        if let Some(After { time, id }) = after {
            let values = [(*time).into(), (*time).into(), id.as_str().into()];
            asked.and("(s.time < ? OR (s.time = ? AND s.record < ?))", values);
        }
        let select = "SELECT p.name AS repository, COALESCE(c.member, '') AS member, s.record, s.kind, s.time, s.body,
            (SELECT MIN(a.record) FROM said a JOIN chain w ON w.repository = a.repository AND w.chain = a.chain
                WHERE a.repository = s.repository AND a.about = s.record AND w.pending = 0 AND NOT EXISTS (
                    SELECT 1 FROM finding f WHERE f.repository = a.repository AND f.record = a.record
                    AND f.severity = 'error')) AS amended
            FROM said s JOIN repository p ON p.id = s.repository
            JOIN chain c ON c.repository = s.repository AND c.chain = s.chain";
        self.select(select, &asked, &format!("ORDER BY s.time DESC, s.record DESC LIMIT {count}")).await
    }

    /// Payloads by shelf: the oldest month first.
    pub async fn shelves(&self, filter: &Filter) -> Result<Vec<ShelfRow>, IndexError> {
        let mut asked = Where::default();
        asked.within(filter, "s.repository", None);
        let select = "SELECT s.repository, s.chain, c.member, s.class, s.month, s.pieces, s.bytes FROM shelf s
            LEFT JOIN chain c ON c.repository = s.repository AND c.chain = s.chain";
        self.select(select, &asked, "ORDER BY s.repository, s.month, c.member, s.chain, s.class LIMIT 20000").await
    }

    /// How many good records of members there are of each type in each repository, up to a time.
    pub async fn counts(&self, filter: &Filter) -> Result<BTreeMap<(i64, String), i64>, IndexError> {
        let mut asked = Where::default();
        asked.and("c.pending = 0", []);
        asked.within(filter, "r.repository", None);
        let select = match filter.asof {
            Some(asof) => {
                asked.and("r.good = 1 AND r.time <= ?", [asof.time.into()]);
                "SELECT r.repository, r.kind, COUNT(*) AS count FROM record r
                JOIN chain c ON c.repository = r.repository AND c.chain = r.chain"
            }
            None => {
                "SELECT r.repository, r.kind, CAST(SUM(r.records) AS BIGINT) AS count FROM counted r
                JOIN chain c ON c.repository = r.repository AND c.chain = r.chain"
            }
        };
        let rows: Vec<CountRow> = self.select(select, &asked, "GROUP BY r.repository, r.kind").await?;
        Ok(rows.into_iter().map(|row| ((row.repository, row.kind), row.count)).collect())
    }
}
