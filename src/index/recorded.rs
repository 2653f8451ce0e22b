//! What records say of commits on its way into the index: of each commit the best record, as `log` chooses it.

use std::cmp::Reverse;
use std::collections::HashMap;

use sqlx::{Any, AssertSqlSafe, Row, Transaction};

use crate::index::IndexError;
use crate::index::rows::{Meets, Rows, Table, Value};

static RECORDED: Table = Table {
    name: "recorded",
    columns: &[
        ("repository", Meets::Key),
        ("sha", Meets::Key),
        ("chain", Meets::New),
        ("seq", Meets::New),
        ("record", Meets::New),
        ("member", Meets::New),
        ("time", Meets::New),
        ("day", Meets::New),
        ("rank", Meets::New),
        ("tree", Meets::New),
        ("added", Meets::New),
        ("agent", Meets::New),
        ("human", Meets::New),
        ("unattributed", Meets::New),
        ("superseded", Meets::New),
    ],
};

static COMMIT_SESSION: Table = Table {
    name: "commit_session",
    columns: &[
        ("repository", Meets::Key),
        ("chain", Meets::Key),
        ("seq", Meets::Key),
        ("session", Meets::Key),
        ("sha", Meets::New),
    ],
};

static COMMIT_FILE: Table = Table {
    name: "commit_file",
    columns: &[
        ("repository", Meets::Key),
        ("chain", Meets::Key),
        ("seq", Meets::Key),
        ("path", Meets::Key),
        ("sha", Meets::New),
        ("added", Meets::New),
        ("agent", Meets::New),
        ("human", Meets::New),
        ("unattributed", Meets::New),
    ],
};

/// So many commits are asked for at a time.
const ASKED: usize = 500;

/// A member's good record, one of a writer who is not enrolled, one that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Bad = 0,
    Pending = 1,
    Good = 2,
}

/// A record about a commit.
pub struct Recorded {
    pub chain: Value,
    pub seq: u64,
    pub record: Value,
    pub member: Value,
    /// Seconds since 1970, and the day.
    pub time: i64,
    pub day: Value,
    pub rank: Rank,
    pub tree: Value,
    /// Added lines, those of agents, of people and of nobody known: of all files, and of each.
    pub total: Counts,
    pub sessions: Vec<Value>,
    pub files: Vec<(Value, Counts)>,
}

type Counts = [Value; 4];

impl Recorded {
    fn worth(&self) -> (i64, Reverse<i64>) {
        (self.rank as i64, Reverse(self.time))
    }
}

/// Records about commits that are not in the index yet, the best one of each.
#[derive(Default)]
pub struct Commits(HashMap<String, Recorded>);

impl Commits {
    pub fn add(&mut self, sha: String, recorded: Recorded) {
        match self.0.get(&sha) {
            Some(known) if known.worth() >= recorded.worth() => {}
            _ => {
                self.0.insert(sha, recorded);
            }
        }
    }

    /// Writes those that are better than what is there, and forgets all.
    pub async fn write(&mut self, repository: i64, into: &mut Transaction<'static, Any>) -> Result<(), IndexError> {
        let mut new = std::mem::take(&mut self.0);
        let shas: Vec<String> = new.keys().cloned().collect();
        let mut worse = Vec::new();
        for some in shas.chunks(ASKED) {
            let sql = format!(
                "SELECT sha, rank, time, chain, seq FROM recorded WHERE repository = $1 AND sha IN ({})",
                listed(2, some.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(repository);
            for sha in some {
                query = query.bind(sha);
            }
            for row in query.fetch_all(&mut **into).await? {
                let (sha, worth) = (row.get::<String, _>(0), (row.get::<i64, _>(1), Reverse(row.get::<i64, _>(2))));
                if new.get(&sha).is_some_and(|new| new.worth() <= worth) {
                    new.remove(&sha);
                } else {
                    worse.push((row.get::<String, _>(3), row.get::<i64, _>(4)));
                }
            }
        }
        for (chain, seq) in worse {
            for sql in [
                "DELETE FROM commit_session WHERE repository = $1 AND chain = $2 AND seq = $3",
                "DELETE FROM commit_file WHERE repository = $1 AND chain = $2 AND seq = $3",
            ] {
                sqlx::query(sql).bind(repository).bind(&chain).bind(seq).execute(&mut **into).await?;
            }
        }
        let mut tables = [Rows::new(&RECORDED), Rows::new(&COMMIT_SESSION), Rows::new(&COMMIT_FILE)];
        for (sha, recorded) in new {
            rows(repository, &sha, recorded, &mut tables);
        }
        for table in &mut tables {
            table.write(into).await?;
        }
        Ok(())
    }
}

fn rows(repository: i64, sha: &str, recorded: Recorded, [commits, sessions, files]: &mut [Rows; 3]) {
    let Recorded {
        chain, seq, record, member, time, day, rank, tree, total: [added, agent, human, unattributed], ..
    } = recorded;
    commits.add(vec![
        repository.into(),
        sha.into(),
        chain.clone(),
        seq.into(),
        record,
        member,
        time.into(),
        day,
        (rank as i64).into(),
        tree,
        added,
        agent,
        human,
        unattributed,
        false.into(),
    ]);
    // What a bad record claims is told of nothing.
    if rank == Rank::Bad {
        return;
    }
    for session in recorded.sessions {
        let place = [repository.into(), chain.clone(), seq.into()];
        sessions.add(place.into_iter().chain([session, sha.into()]).collect());
    }
    for (path, counts) in recorded.files {
        let values = [repository.into(), chain.clone(), seq.into(), path, sha.into()];
        files.add(values.into_iter().chain(counts).collect());
    }
}

/// `$2, $3, $4`: so many parameters from a number on.
pub fn listed(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
