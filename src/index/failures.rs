//! Calls that failed, and looking for those that failed alike.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};

use crate::index::recorded::listed;
use crate::index::select::{Where, row};
use crate::index::words::Unread;
use crate::index::{Database, Dialect, Filter, IndexError};
use crate::session::failures::{Failure, gist, likeness};

/// A call that failed like the one asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    pub session: String,
    pub member: String,
    /// Seconds since 1970.
    pub time: i64,
    /// How much of the two errors is alike, from 0 to 100.
    pub likeness: u32,
    pub told: Told,
}

/// What is kept of a call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub call: String,
    pub tool: String,
    pub input: String,
    pub error: String,
    /// The turn in the session, counted from 0.
    pub turn: usize,
    pub passed: Option<Passing>,
}

/// The same call when it passed, and what succeeded between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passing {
    pub call: String,
    pub input: String,
    pub between: Vec<String>,
}

row! {
    /// A row as it is kept.
    pub struct Found {
        pub gist: String,
        pub told: String,
        pub session: String,
        pub owner: String,
        pub time: i64,
    }
}

row! {
    /// In how many calls a word is.
    pub struct Common {
        pub term: String,
        pub doc: i64,
    }
}

/// So many words of an error are looked for, the rarest, and no more of them than are together in so many calls, but always
/// some; so many calls are compared that have one.
const WORDS: usize = 24;
const TOGETHER: i64 = 2_000;
const ALWAYS: usize = 3;
const COMPARED: i64 = 200;
/// What is less like it is not told.
const LEAST: u32 = 30;

const SELECT: &str = "SELECT f.gist, f.told, f.session, f.owner, CAST(f.time AS BIGINT) AS time FROM failure f";

impl Told {
    fn of(failure: &Failure) -> Self {
        let passed = failure.passed.as_ref().map(|passed| Passing {
            call: passed.call.to_string(),
            input: passed.input.clone(),
            between: passed.between.clone(),
        });
        Told {
            call: failure.call.to_string(),
            tool: failure.tool.clone(),
            input: failure.input.clone(),
            error: failure.error.clone(),
            turn: failure.turn,
            passed,
        }
    }
}

/// Takes in the calls of a session that failed.
pub async fn add(
    repository: i64,
    session: &Unread,
    owner: &str,
    failures: &[Failure],
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    let insert = "INSERT INTO failure (gist, told, repository, session, owner, time) VALUES ($1, $2, $3, $4, $5, $6)";
    for failure in failures {
        let gist = joined(&gist(&failure.error));
        let Ok(told) = serde_json::to_string(&Told::of(failure)) else { continue };
        let time = failure.at.map_or(session.ended, |at| at.div_euclid(1000));
        let query = sqlx::query(insert).bind(gist).bind(told.replace('\0', "\u{fffd}")).bind(repository);
        query.bind(&session.session).bind(owner).bind(time).execute(&mut **all).await?;
    }
    Ok(())
}

/// Forgets those of a session.
pub async fn forget(repository: i64, session: &str, all: &mut Transaction<'static, Any>) -> Result<(), IndexError> {
    let old = sqlx::query("DELETE FROM failure WHERE repository = $1 AND session = $2");
    old.bind(repository).bind(session).execute(&mut **all).await?;
    Ok(())
}

fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

impl Database {
    /// Calls that failed with an error like this one, the most alike first, and of those equally alike the latest; at most
    /// `count`.
    pub async fn failures_like(
        &self,
        filter: &Filter,
        error: &str,
        count: usize,
    ) -> Result<Vec<FailureRow>, IndexError> {
        let asked_about = gist(error);
        if asked_about.is_empty() {
            return Ok(Vec::new());
        }
        let words = self.telling(&asked_about).await?;
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let mut asked = Where::default();
        let order = match self.dialect {
            Dialect::Sqlite => {
                asked.and("failure MATCH ?", [words.join(" OR ").into()]);
                "bm25(failure)"
            }
            Dialect::Postgres => {
                asked.and("f.vector @@ websearch_to_tsquery('simple', ?)", [words.join(" or ").into()]);
                "ts_rank(f.vector, websearch_to_tsquery('simple', $1)) DESC"
            }
        };
        asked.within(filter, "f.repository", Some("f.owner"));
        let last = format!("ORDER BY {order} LIMIT {COMPARED}");
        let found: Vec<Found> = match self.dialect {
            // As where words are searched for: what was said in a call is read of few.
            Dialect::Sqlite => {
                let first = asked.sql("SELECT f.rowid AS place FROM failure f", &last);
                let sql = SELECT
                    .replace("failure f", &format!("({first}) first CROSS JOIN failure f ON f.rowid = first.place"));
                self.rows_of(sql, asked.values().to_vec()).await?
            }
            Dialect::Postgres => self.select(SELECT, &asked, &last).await?,
        };
        let mut alike: Vec<FailureRow> = found.into_iter().filter_map(|found| of(found, &asked_about)).collect();
        alike.sort_by_key(|row| std::cmp::Reverse((row.likeness, row.told.passed.is_some(), row.time)));
        alike.truncate(count);
        Ok(alike)
    }

    /// The words that tell the most: those that are in the fewest calls, but in some. PostgreSQL does not count them; of
    /// those the longest.
    async fn telling(&self, words: &BTreeSet<String>) -> Result<Vec<String>, IndexError> {
        if self.dialect == Dialect::Postgres {
            let mut words: Vec<String> = words.iter().cloned().collect();
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            words.truncate(WORDS);
            return Ok(words);
        }
        let values = words.iter().map(|word| word.as_str().into()).collect();
        let sql = format!("SELECT term, doc FROM failure_words WHERE term IN ({})", listed(1, words.len()));
        let mut known: Vec<Common> = self.rows_of(sql, values).await?;
        known.sort_by_key(|common| common.doc);
        let (mut together, mut telling) = (0, Vec::new());
        for Common { term, doc } in known.into_iter().take(WORDS) {
            together += doc;
            if telling.len() >= ALWAYS && together > TOGETHER {
                break;
            }
            telling.push(term);
        }
        Ok(telling)
    }
}

fn of(found: Found, asked: &BTreeSet<String>) -> Option<FailureRow> {
    let known = found.gist.split(' ').map(str::to_owned).collect();
    let likeness = Some(likeness(asked, &known)).filter(|likeness| *likeness >= LEAST)?;
    let told = serde_json::from_str(&found.told).ok()?;
    Some(FailureRow { session: found.session, member: found.owner, time: found.time, likeness, told })
}
