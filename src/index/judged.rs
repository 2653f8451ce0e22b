//! Checks that may be of a commit: those whose last commit is it, or one that came soon after.

use crate::index::select::row;
use crate::index::{Database, IndexError};

row! {
    /// A check that holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CheckRow {
        pub record: String,
        /// The record's body as JSON.
        pub body: String,
    }
}

/// So many commits on a check may end that is of a commit.
const NEAR: i64 = 500;

impl Database {
    /// The checks that end at commits of the branch from this time on, the nearest first and of each the latest first.
    pub async fn checks_from(&self, repository: i64, time: i64, count: i64) -> Result<Vec<CheckRow>, IndexError> {
        let sql = format!(
            "SELECT s.record, s.body FROM (SELECT sha, time FROM code WHERE repository = $1 AND time >= $2
                ORDER BY time, sha LIMIT {NEAR}) e
            CROSS JOIN record k CROSS JOIN said s CROSS JOIN chain c
            WHERE k.repository = $1 AND k.about = e.sha AND k.kind = 'check' AND k.good = 1
            AND s.repository = k.repository AND s.chain = k.chain AND s.seq = k.seq
            AND c.repository = k.repository AND c.chain = k.chain AND c.pending = 0
            AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.repository = s.repository AND f.record = s.record
                AND f.severity = 'error')
            ORDER BY e.time, s.time DESC, s.record LIMIT {count}"
        );
        self.rows_of(sql, vec![repository.into(), time.into()]).await
    }

    /// The commits of the branch up to this one, the latest first; at most `count`.
    pub async fn branch_up_to(&self, repository: i64, sha: &str, count: i64) -> Result<Vec<String>, IndexError> {
        let sql = format!(
            "SELECT c.sha FROM code l JOIN code c ON c.repository = l.repository
                AND (c.time < l.time OR (c.time = l.time AND c.sha <= l.sha))
            WHERE l.repository = $1 AND l.sha = $2 ORDER BY c.time DESC, c.sha DESC LIMIT {count}"
        );
        let found: Vec<(String,)> = self.rows_of(sql, vec![repository.into(), sha.into()]).await?;
        Ok(found.into_iter().map(|(sha,)| sha).collect())
    }
}
