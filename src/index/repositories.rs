//! The repositories that the index knows.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::index::database::tables;
use crate::index::words::UNREAD;
use crate::index::{Database, IndexError};

/// A repository as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    pub id: i64,
    pub name: String,
    pub url: String,
    pub ledger: Option<String>,
    /// `pass`, `inconclusive` or `fail`.
    pub verdict: Option<String>,
    pub records: i64,
    /// Seconds since 1970: when it was last fetched, verified, verified from its first record on.
    pub fetched: Option<i64>,
    pub verified: Option<i64>,
    pub fully_verified: Option<i64>,
    /// Why it could not be brought up to date.
    pub trouble: Option<String>,
    /// The branch whose code is shown, and its last commit.
    pub branch: Option<String>,
    pub head: Option<String>,
    /// The state of the ledger that the index has.
    pub stamp: Option<String>,
    /// How many owners must sign together, and how many witnesses make a record sealed.
    pub threshold: Option<i64>,
    pub witnesses: Option<i64>,
}

impl Repository {
    fn of(row: &AnyRow) -> Self {
        Repository {
            id: row.get(0),
            name: row.get(1),
            url: row.get(2),
            ledger: row.get(3),
            verdict: row.get(4),
            records: row.get(5),
            fetched: row.get(6),
            verified: row.get(7),
            fully_verified: row.get(8),
            trouble: row.get(9),
            branch: row.get(10),
            head: row.get(11),
            stamp: row.get(12),
            threshold: row.get(13),
            witnesses: row.get(14),
        }
    }
}

const ALL: &str = "SELECT id, name, url, ledger, verdict, records, fetched, verified, fully_verified, trouble, branch, \
                   head, stamp, threshold, witnesses FROM repository ORDER BY name";

/// Tables whose rows are not read from a repository.
const OF_NO_REPOSITORY: [&str; 6] = ["repository", "meta", "browser", "device_code", "signed_out", "audit_entry"];

impl Database {
    /// All of them, by name.
    pub async fn repositories(&self) -> Result<Vec<Repository>, IndexError> {
        Ok(sqlx::query(ALL).fetch_all(&self.pool).await?.iter().map(Repository::of).collect())
    }

    /// How many records of a repository are in the index, and how many of its sessions were not read for their words.
    pub async fn progress(&self, repository: i64) -> Result<(i64, i64), IndexError> {
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM record WHERE repository = $1),
             (SELECT COUNT(*) FROM session WHERE repository = $1 AND {UNREAD})"
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(repository).fetch_one(&self.pool).await?)
    }

    /// The last commit of the branch that a repository shows.
    pub async fn head_of(&self, repository: i64) -> Result<Option<String>, IndexError> {
        let head = sqlx::query_scalar("SELECT head FROM repository WHERE id = $1").bind(repository);
        Ok(head.fetch_one(&self.pool).await?)
    }

    /// The repository with this name, which is made if it is new; what was indexed from another URL is forgotten.
    pub async fn enter(&self, name: &str, url: &str) -> Result<Repository, IndexError> {
        let insert = "INSERT INTO repository (id, name, url, records)
            SELECT COALESCE(MAX(id), 0) + 1, $1, $2, 0 FROM repository WHERE 1 = 1 ON CONFLICT DO NOTHING";
        sqlx::query(insert).bind(name).bind(url).execute(&self.pool).await?;
        let here = |all: Vec<Repository>| all.into_iter().find(|repository| repository.name == name);
        let found = here(self.repositories().await?).ok_or(sqlx::Error::RowNotFound)?;
        if found.url == url {
            return Ok(found);
        }
        self.clear(found.id).await?;
        let moved = sqlx::query("UPDATE repository SET url = $2, ledger = NULL WHERE id = $1").bind(found.id).bind(url);
        moved.execute(&self.pool).await?;
        Ok(Repository { url: url.to_owned(), ..found })
    }

    /// Notes by which prices a repository's costs are reckoned; what was reckoned by others is forgotten.
    pub async fn reckon_by(&self, repository: i64, prices: &str) -> Result<(), IndexError> {
        let known = sqlx::query_scalar::<_, Option<String>>("SELECT prices FROM repository WHERE id = $1");
        let known = known.bind(repository).fetch_one(&self.pool).await?;
        if known.as_deref() == Some(prices) {
            return Ok(());
        }
        self.clear(repository).await?;
        let note = sqlx::query("UPDATE repository SET prices = $2 WHERE id = $1").bind(repository).bind(prices);
        note.execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what was read from a repository.
    pub async fn clear(&self, repository: i64) -> Result<(), IndexError> {
        let mut all = self.pool.begin().await?;
        for table in tables().filter(|table| !OF_NO_REPOSITORY.contains(table)) {
            let sql = format!("DELETE FROM {table} WHERE repository = $1");
            sqlx::query(AssertSqlSafe(sql)).bind(repository).execute(&mut *all).await?;
        }
        let reset =
            "UPDATE repository SET verdict = NULL, records = 0, verified = NULL, fully_verified = NULL, head = NULL
            WHERE id = $1";
        sqlx::query(reset).bind(repository).execute(&mut *all).await?;
        Ok(all.commit().await?)
    }

    /// Notes why a repository could not be brought up to date.
    pub async fn note_trouble(&self, repository: i64, trouble: &str) -> Result<(), IndexError> {
        let note = sqlx::query("UPDATE repository SET trouble = $2 WHERE id = $1").bind(repository).bind(trouble);
        note.execute(&self.pool).await?;
        Ok(())
    }
}
