//! What there is to show beside the work: statements, payloads by shelf, and how many records of each type there are.

use std::collections::BTreeMap;

use crate::index::rows::Value;
use crate::index::select::{Where, row};
use crate::index::sessions::After;
use crate::index::{AsOf, Database, Filter, IndexError};

/// In seconds.
pub(super) const HOUR: i64 = 3_600;

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
        let (sql, values) = counted(filter);
        let rows: Vec<CountRow> = self.rows_of(sql, values).await?;
        Ok(rows.into_iter().map(|row| ((row.repository, row.kind), row.count)).collect())
    }
}

/// How many records there are is asked of the roll-ups; up to a time of those of the full hours, and of the records of the last one. What
/// owners decided is in neither: it is read when all of it is known.
fn counted(filter: &Filter) -> (String, Vec<Value>) {
    let within = |column| {
        let mut asked = Where::default();
        asked.within(filter, column, None);
        asked
    };
    let (mut asked, mut decided) = (within("r.repository"), within("p.id"));
    decided.and("r.repository = p.id AND r.chain = 'policy'", []);
    let (mut before, mut rolled) = (String::new(), asked.clone());
    let rolled = match filter.asof {
        None => {
            rolled.and("c.pending = 0", []);
            let sums = "SELECT r.repository, r.kind, r.records FROM counted r
                JOIN chain c ON c.repository = r.repository AND c.chain = r.chain";
            rolled.sql(sums, "")
        }
        Some(AsOf { time, .. }) => {
            let hour = time / HOUR;
            decided.push(format!("r.time <= {time}"), []);
            rolled.push(format!("r.hour < {hour}"), []);
            asked.and("c.pending = 0", []);
            // By their time, and not all of a repository.
            before = format!(
                "WITH last AS MATERIALIZED (SELECT repository, chain, kind FROM record
                    WHERE time >= {} AND time <= {time} AND good = 1 AND chain <> 'policy')",
                hour * HOUR
            );
            let last = "SELECT r.repository, r.kind, 1 AS records FROM last r
                JOIN chain c ON c.repository = r.repository AND c.chain = r.chain";
            let hours = rolled.sql("SELECT r.repository, r.kind, r.records FROM hourly_count r", "");
            format!("{hours} UNION ALL {}", asked.sql(last, ""))
        }
    };
    let decided = decided.sql("SELECT r.repository, r.kind, 1 AS records FROM repository p CROSS JOIN record r", "");
    let sql = format!(
        "{before} SELECT n.repository, n.kind, CAST(SUM(n.records) AS BIGINT) AS count
        FROM ({rolled} UNION ALL {decided}) n GROUP BY n.repository, n.kind"
    );
    (sql, asked.values().to_vec())
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;
    use crate::index::{Database, Place, Reach};

    /// Up to a second, and at a million records without reading more of them than those of an hour.
    #[tokio::test]
    async fn records_are_counted_up_to_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        index.pool.execute("INSERT INTO chain (repository, chain, kind, pending, records, sealed) VALUES (1, 'c', 'log', 0, 0, 0), (1, 'p', 'log', 1, 0, 0)").await.unwrap();
        for (seq, time, chain, good) in
            [(0, 3_599, "c", 1), (1, 7_200, "c", 1), (2, 7_300, "c", 1), (3, 7_250, "c", 0), (0, 7_250, "p", 1)]
        {
            let record = "INSERT INTO record (repository, chain, seq, record, held, kind, time, good)
                VALUES (1, $1, $2, 'r', 'h', 'check', $3, $4)";
            let query = sqlx::query(record).bind(chain).bind(seq).bind(time).bind(good);
            query.execute(&index.pool).await.unwrap();
            if (chain, good) == ("c", 1) {
                let count = "INSERT INTO hourly_count VALUES (1, $1, 'check', 1) ON CONFLICT (repository, hour, kind)
                    DO UPDATE SET records = hourly_count.records + 1";
                sqlx::query(count).bind(time / HOUR).execute(&index.pool).await.unwrap();
            }
        }
        for (time, count) in [(3_598, 0), (3_599, 1), (7_199, 1), (7_200, 2), (7_299, 2), (7_300, 3), (99_999, 3)] {
            let asof = Some(AsOf { time, policy: None });
            let filter = Filter { reach: Reach::All, asof, ..Filter::default() };
            let counts = index.counts(&filter).await.unwrap();
            assert_eq!(counts.get(&(1, "check".to_owned())).copied().unwrap_or_default(), count, "{time}");
            for repository in [None, Some(1)] {
                let (sql, values) = counted(&Filter { repository, ..filter.clone() });
                let plan: Vec<(i64, i64, i64, String)> =
                    index.rows_of(format!("EXPLAIN QUERY PLAN {sql}"), values).await.unwrap();
                let reads = |by: &str| plan.iter().any(|(.., step)| step.contains(by));
                assert!(reads("record_by_time") && reads("r USING INDEX sqlite_autoindex_record_1"), "{plan:#?}");
            }
        }
    }
}
