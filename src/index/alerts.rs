//! Alerts: findings, repositories in trouble and pushes that the rules stopped, each with the time since which it is known.

use std::collections::HashSet;

use sqlx::{Any, Row, Transaction};
use uuid::Uuid;

use crate::finding::Finding;
use crate::index::rows::{Meets, Rows, Table, Value};
use crate::index::select::{Where, row};
use crate::index::sessions::After;
use crate::index::{Database, IndexError};

/// So many findings of a repository are alerts, the worst of them.
const MOST: usize = 500;

row! {
    /// Something that somebody should look at.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AlertRow {
        /// A UUID that is the same whenever the same is found.
        pub id: String,
        pub repository: String,
        /// `finding`, `trouble` or `check`.
        pub kind: String,
        pub severity: String,
        pub code: String,
        pub chain: Option<String>,
        pub seq: Option<i64>,
        pub record: Option<String>,
        pub message: String,
        pub since: i64,
        pub updated: i64,
        pub gone: Option<i64>,
    }
}

/// As it is written: what is there already stays as it was first seen.
static ALERT: Table = Table {
    name: "alert",
    columns: &[
        ("id", Meets::Key),
        ("repository", Meets::Stays),
        ("kind", Meets::Stays),
        ("severity", Meets::Stays),
        ("code", Meets::Stays),
        ("chain", Meets::Stays),
        ("seq", Meets::Stays),
        ("record", Meets::Stays),
        ("message", Meets::Stays),
        ("since", Meets::Stays),
        ("updated", Meets::Stays),
        ("gone", Meets::Stays),
    ],
};

/// Pushes that were stopped, or would have been: what the rules said was no pass.
const STOPPED: &str = "SELECT s.record, s.chain, s.seq, s.time, s.body FROM said s
    JOIN chain c ON c.repository = s.repository AND c.chain = s.chain
    WHERE s.repository = $1 AND s.kind = 'check' AND c.pending = 0 AND s.body NOT LIKE '%\"verdict\":\"pass\"%'
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.kind = 'check' AND a.record = s.record)";

/// The id of what is told by these words: the same words, the same id.
fn id(words: &[&str]) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("git-tracevault {}", words.join("\n")).as_bytes()).to_string()
}

fn id_of(repository: &str, finding: &Finding) -> String {
    let seq = finding.seq.map(|seq| seq.to_string()).unwrap_or_default();
    let (chain, record) = (finding.chain.as_deref().unwrap_or_default(), finding.record.as_deref().unwrap_or_default());
    id(&["finding", repository, finding.code.as_str(), chain, &seq, record])
}

/// Takes over what a verification found: what is new is known since `now`, what is not found any more is gone.
pub async fn settle(
    repository: i64,
    findings: &[Finding],
    now: i64,
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    let name: String =
        sqlx::query_scalar("SELECT name FROM repository WHERE id = $1").bind(repository).fetch_one(&mut **all).await?;
    let mut rows = Rows::new(&ALERT);
    let mut found = HashSet::new();
    for finding in findings.iter().take(MOST) {
        let id = id_of(&name, finding);
        if found.insert(id.clone()) {
            rows.add(vec![
                id.into(),
                name.as_str().into(),
                "finding".into(),
                finding.severity.as_str().into(),
                finding.code.as_str().into(),
                finding.chain.as_deref().into(),
                finding.seq.into(),
                finding.record.as_deref().into(),
                finding.message.as_str().into(),
                now.into(),
                now.into(),
                Value::NoNumber,
            ]);
        }
    }
    for row in sqlx::query(STOPPED).bind(repository).fetch_all(&mut **all).await? {
        rows.add(stopped(&name, &row));
    }
    rows.write(all).await?;
    turn(&name, &found, now, all).await
}

/// Notes what is gone, and what has come back.
async fn turn(
    name: &str,
    found: &HashSet<String>,
    now: i64,
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    let known = "SELECT id, CASE WHEN gone IS NULL THEN 0 ELSE 1 END FROM alert
        WHERE repository = $1 AND kind IN ('finding', 'trouble')";
    for row in sqlx::query(known).bind(name).fetch_all(&mut **all).await? {
        let (id, is_gone) = (row.get::<String, _>(0), row.get::<i64, _>(1) != 0);
        let sql = match (found.contains(&id), is_gone) {
            (true, true) => "UPDATE alert SET gone = NULL, updated = $2 WHERE id = $1",
            // A repository that was brought up to date is in no trouble.
            (false, false) => "UPDATE alert SET gone = $2, updated = $2 WHERE id = $1",
            _ => continue,
        };
        sqlx::query(sql).bind(id).bind(now).execute(&mut **all).await?;
    }
    Ok(())
}

fn stopped(name: &str, row: &sqlx::any::AnyRow) -> Vec<Value> {
    let (record, body) = (row.get::<String, _>(0), row.get::<String, _>(4));
    let time: i64 = row.get(3);
    let told = serde_json::from_str::<crate::record::body::Check>(&body);
    let (severity, message) = match &told {
        Ok(check) => {
            let mut rules: Vec<&str> = check.findings.iter().map(|broken| broken.rule.as_str()).collect();
            rules.dedup();
            let severity = if check.verdict == crate::finding::Verdict::Fail { "error" } else { "inconclusive" };
            let commits = match check.range.commits {
                1 => "1 commit".to_owned(),
                several => format!("{several} commits"),
            };
            let last = check.range.last.short();
            (severity, format!("the rules do not let {commits} up to {last} go: {}", rules.join(", ")))
        }
        Err(error) => ("inconclusive", format!("what the rules said cannot be read: {error}")),
    };
    vec![
        id(&["check", &record]).into(),
        name.into(),
        "check".into(),
        severity.into(),
        "policy".into(),
        row.get::<String, _>(1).into(),
        row.get::<i64, _>(2).into(),
        record.into(),
        message.into(),
        time.into(),
        time.into(),
        Value::NoNumber,
    ]
}

impl Database {
    /// Notes that a repository could not be brought up to date; while that is so it is one alert.
    pub async fn alert_trouble(&self, repository: &str, trouble: &str, now: i64) -> Result<(), IndexError> {
        let open = sqlx::query("SELECT id FROM alert WHERE repository = $1 AND kind = 'trouble' AND gone IS NULL");
        if open.bind(repository).fetch_optional(&self.pool).await?.is_some() {
            return Ok(());
        }
        let insert = "INSERT INTO alert (id, repository, kind, severity, code, message, since, updated)
            VALUES ($1, $2, 'trouble', 'error', 'trouble', $3, $4, $4) ON CONFLICT DO NOTHING";
        let query = sqlx::query(insert).bind(id(&["trouble", repository, &now.to_string()])).bind(repository);
        query.bind(trouble.replace('\0', "\u{fffd}")).bind(now).execute(&self.pool).await?;
        Ok(())
    }

    /// Alerts of these repositories, the newest first; at most `count`.
    pub async fn alerts(
        &self,
        repositories: &[String],
        after: Option<&After>,
        count: i64,
    ) -> Result<Vec<AlertRow>, IndexError> {
        let mut asked = Where::default();
        let any = match repositories.is_empty() {
            true => "1 = 0".to_owned(),
            false => format!("repository IN ({})", vec!["?"; repositories.len()].join(", ")),
        };
        asked.push(any, repositories.iter().map(|name| name.as_str().into()));
        if let Some(After { time, id }) = after {
            asked
                .and("(updated < ? OR (updated = ? AND id < ?))", [(*time).into(), (*time).into(), id.as_str().into()]);
        }
        let select = "SELECT id, repository, kind, severity, code, chain, seq, record, message, since, updated, gone
            FROM alert";
        self.select(select, &asked, &format!("ORDER BY updated DESC, id DESC LIMIT {count}")).await
    }

    /// The id of the feed of this index's alerts: made once, by chance.
    pub async fn feed_id(&self) -> Result<String, IndexError> {
        Ok(sqlx::query_scalar("SELECT value FROM kept WHERE name = 'feed'").fetch_one(&self.pool).await?)
    }
}
