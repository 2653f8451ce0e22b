//! Indexes that are made when an index that was empty has its first ledger: at a million records that is many times as fast as to
//! keep them up.

use sqlx::pool::PoolConnection;
use sqlx::{Any, AssertSqlSafe, Executor, Transaction};

use crate::index::database::{LATE, statements};
use crate::index::{Database, Dialect, IndexError};

/// What SQLite sorts for an index it may put into files: they hold names and numbers only.
const IN_FILES: &str = "PRAGMA temp_store = FILE";
const IN_MEMORY: &str = "PRAGMA temp_store = MEMORY";

/// On PostgreSQL two servers may be at it: there one that makes an index which another makes fails, whether it asks for it or not.
const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(7463828)";

impl Database {
    /// Before a ledger is read: drops them where the index has no record yet.
    pub async fn put_off(&self) -> Result<(), IndexError> {
        let any = sqlx::query_scalar::<_, i64>("SELECT 1 FROM record LIMIT 1").fetch_optional(&self.pool).await?;
        if any.is_some() {
            return Ok(());
        }
        let mut all = self.alone().await?;
        for name in names() {
            all.execute(AssertSqlSafe(format!("DROP INDEX IF EXISTS {name}"))).await?;
        }
        Ok(all.commit().await?)
    }

    /// When it has been read: makes those that are not there, also where somebody was stopped before.
    pub async fn catch_up(&self) -> Result<(), IndexError> {
        if self.dialect == Dialect::Postgres {
            let mut all = self.alone().await?;
            for statement in statements(LATE) {
                all.execute(AssertSqlSafe(statement)).await?;
            }
            return Ok(all.commit().await?);
        }
        let mut connection = self.pool.acquire().await?;
        connection.execute(IN_FILES).await?;
        // Where no file can be made, memory has to do.
        let done = make(&mut connection).await;
        connection.execute(IN_MEMORY).await?;
        if done.is_ok() { Ok(()) } else { make(&mut connection).await }
    }

    /// A transaction while which no other server makes indexes, or drops them.
    async fn alone(&self) -> Result<Transaction<'static, Any>, IndexError> {
        let mut all = self.pool.begin().await?;
        if self.dialect == Dialect::Postgres {
            all.execute(ONE_AT_A_TIME).await?;
        }
        Ok(all)
    }
}

async fn make(connection: &mut PoolConnection<Any>) -> Result<(), IndexError> {
    for statement in statements(LATE) {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(())
}

fn names() -> impl Iterator<Item = &'static str> {
    LATE.lines().filter_map(|line| line.strip_prefix("CREATE INDEX IF NOT EXISTS ")?.split(' ').next())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a server of a test is a program")]
#[path = "../../tests/it/postgres.rs"]
mod postgres;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::index::Place;
    use crate::index::late::postgres::Postgres;

    /// Whoever asks for an index that another server is making would fail when that one is done.
    #[tokio::test]
    async fn servers_that_share_an_index_make_it_one_after_the_other() {
        let postgres = Postgres::start();
        let place = Place::Server(postgres.url());
        let (one, other) = (Database::open(&place).await.unwrap(), Database::open(&place).await.unwrap());
        one.put_off().await.unwrap();
        let mut making = one.alone().await.unwrap();
        for statement in statements(LATE) {
            making.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        let waiting = tokio::spawn(async move { other.catch_up().await });
        // Long enough for the other to come to the first of them.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!waiting.is_finished());
        making.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
        let sql = "SELECT count(*) FROM pg_indexes WHERE indexname = $1";
        let mut found = 0;
        for name in names() {
            found += sqlx::query_scalar::<_, i64>(sql).bind(name).fetch_one(&one.pool).await.unwrap();
        }
        assert_eq!(found, names().count() as i64);
    }

    #[tokio::test]
    async fn they_are_put_off_for_the_first_records_alone() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let there = async || {
            let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = $1";
            let mut there = 0;
            for name in names() {
                there += sqlx::query_scalar::<_, i64>(sql).bind(name).fetch_one(&index.pool).await.unwrap();
            }
            there
        };
        let all = names().count() as i64;
        assert!(all > 5);
        assert_eq!(there().await, all);
        index.put_off().await.unwrap();
        assert_eq!(there().await, 0);
        index.catch_up().await.unwrap();
        assert_eq!(there().await, all);
        let record = "INSERT INTO record (repository, chain, seq, record, held, kind, time, good)
            VALUES (1, 'c', 0, 'r', 'h', 'open', 0, 1)";
        index.pool.execute(record).await.unwrap();
        index.put_off().await.unwrap();
        assert_eq!(there().await, all, "nobody waits for them who reads what is there");
    }
}
