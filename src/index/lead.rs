//! Which of several machines verifies and writes: the one that holds a lock of PostgreSQL's, as long as its connection lives.

use sqlx::{AnyConnection, Connection as _};

use crate::index::{Database, Dialect, IndexError};

/// The lock's number: of this program's, and of no other's by chance.
const LOCK: i64 = 0x7472_6163_6576;

/// That this machine is the one. Whoever drops it leaves it to others.
pub struct Lead(Option<AnyConnection>);

impl Database {
    /// Takes the lead; `None` where another machine has it. An index in a file is one machine's alone.
    pub async fn lead(&self) -> Result<Option<Lead>, IndexError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(Some(Lead(None)));
        }
        // Of the session, not of a transaction: it ends with the connection, also where the machine dies.
        let mut connection = self.pool.acquire().await?.detach();
        let taken: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut connection).await?;
        if !taken {
            connection.close().await?;
            return Ok(None);
        }
        Ok(Some(Lead(Some(connection))))
    }
}

/// What stands before the name of a repository that is to be looked at.
const WORD: &str = "wanted ";

impl Database {
    /// Leaves word for the machine that verifies that a repository has something new: another one may have heard of it.
    pub async fn leave_word(&self, repository: &str) -> Result<(), IndexError> {
        if self.dialect == Dialect::Postgres {
            let leave = sqlx::query("INSERT INTO kept (name, value) VALUES ($1, '') ON CONFLICT DO NOTHING");
            leave.bind(format!("{WORD}{repository}")).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// The repositories that word was left of, each once.
    pub async fn take_words(&self) -> Result<Vec<String>, IndexError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let take = sqlx::query_scalar::<_, String>("DELETE FROM kept WHERE name LIKE $1 RETURNING name");
        let names = take.bind(format!("{WORD}%")).fetch_all(&self.pool).await?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(WORD)).map(str::to_owned).collect())
    }
}

impl Lead {
    /// Whether it is still this machine.
    pub async fn holds(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(connection) => connection.ping().await.is_ok(),
        }
    }
}
