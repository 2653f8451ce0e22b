//! The end of a verification: its findings, how far witnesses have sealed, and what follows from all records together.

use sqlx::{Any, Transaction};

use crate::index::alerts;
use crate::index::columns::FINDING;
use crate::index::decided::{self, Decision};
use crate::index::rows::Rows;
use crate::index::{Database, IndexError, habits};
use crate::ledger::verify::Report;

/// A commit that was rewritten to one with a record of its own counts there, and only there.
const SUPERSEDED: &str = "WITH RECURSIVE newer (old, sha) AS (
        SELECT old, sha FROM link WHERE repository = $1
        UNION SELECT newer.old, link.sha FROM newer JOIN link ON link.repository = $1 AND link.old = newer.sha
    )
    UPDATE recorded SET superseded = 1 WHERE repository = $1 AND superseded = 0 AND sha IN (
        SELECT newer.old FROM newer JOIN recorded own
        ON own.repository = $1 AND own.sha = newer.sha AND own.rank > 0 WHERE newer.old <> newer.sha
    )";

const LINES: &str = "INSERT INTO daily_lines (repository, day, author, commits, added, agent, human, unattributed)
    SELECT r.repository, r.day, COALESCE(c.email, r.member), COUNT(*), CAST(SUM(r.added) AS BIGINT),
        CAST(SUM(r.agent) AS BIGINT), CAST(SUM(r.human) AS BIGINT), CAST(SUM(r.unattributed) AS BIGINT)
    FROM recorded r LEFT JOIN code c ON c.repository = r.repository AND c.sha = r.sha
    WHERE r.repository = $1 AND r.day = $2 AND r.rank > 0 AND r.superseded = 0
    GROUP BY r.repository, r.day, COALESCE(c.email, r.member)";

/// When something was done, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    pub fetched: Option<i64>,
    pub verified: i64,
    /// Whether everything was verified anew.
    pub full: bool,
}

impl Database {
    /// Takes over what a verification found of a whole repository.
    pub async fn settle(
        &self,
        repository: i64,
        report: &Report,
        decisions: &[Decision],
        done: Done,
    ) -> Result<(), IndexError> {
        let mut all = self.pool.begin().await?;
        findings(repository, report, &mut all).await?;
        alerts::settle(repository, &report.findings, done.verified, &mut all).await?;
        decided::write(repository, report, decisions, &mut all).await?;
        for chain in &report.chains {
            let set = "UPDATE chain SET sealed = $3, pending = $4 WHERE repository = $1 AND chain = $2";
            let sealed = i64::try_from(report.sealed(chain.id)).unwrap_or(i64::MAX);
            let query = sqlx::query(set).bind(repository).bind(chain.id.to_string()).bind(sealed);
            query.bind(i64::from(chain.pending)).execute(&mut *all).await?;
        }
        sqlx::query(SUPERSEDED).bind(repository).execute(&mut *all).await?;
        sqlx::query("DELETE FROM daily_lines WHERE repository = $1").bind(repository).execute(&mut *all).await?;
        // Day by day: what is grouped is sorted in memory before.
        let days = sqlx::query_scalar::<_, String>("SELECT DISTINCT day FROM recorded WHERE repository = $1");
        for day in days.bind(repository).fetch_all(&mut *all).await? {
            sqlx::query(LINES).bind(repository).bind(day).execute(&mut *all).await?;
        }
        habits::settle(self.dialect, repository, &mut all).await?;
        let verdict = report.verdict().to_string();
        let set = "UPDATE repository SET ledger = $2, verdict = $3, records = $4, fetched = COALESCE($5, fetched),
            verified = $6, fully_verified = CASE WHEN $7 = 1 THEN $6 ELSE fully_verified END, trouble = NULL,
            threshold = $8, witnesses = $9 WHERE id = $1";
        let query =
            sqlx::query(set).bind(repository).bind(report.ledger.map(|ledger| ledger.to_string())).bind(verdict);
        let query =
            query.bind(i64::try_from(report.records).unwrap_or(i64::MAX)).bind(done.fetched).bind(done.verified);
        let roster = report.history.newest();
        let query = query.bind(i64::from(done.full)).bind(roster.map(|roster| i64::from(roster.threshold())));
        query.bind(roster.map(|roster| i64::from(roster.witnesses()))).execute(&mut *all).await?;
        Ok(all.commit().await?)
    }
}

async fn findings(repository: i64, report: &Report, all: &mut Transaction<'static, Any>) -> Result<(), IndexError> {
    sqlx::query("DELETE FROM finding WHERE repository = $1").bind(repository).execute(&mut **all).await?;
    let mut rows = Rows::new(&FINDING);
    for (place, finding) in report.findings.iter().enumerate() {
        rows.add(vec![
            repository.into(),
            (place as u64).into(),
            finding.severity.as_str().into(),
            finding.code.as_str().into(),
            finding.chain.as_deref().into(),
            finding.seq.into(),
            finding.record.as_deref().into(),
            finding.message.as_str().into(),
            finding.decided.as_ref().map(|decided| decided.decision.as_str()).into(),
        ]);
    }
    rows.write(all).await
}
