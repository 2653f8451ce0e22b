//! The database behind the index: SQLite in one file, or PostgreSQL. Both run the same texts of SQL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, AssertSqlSafe, Executor};

use crate::host::{files, random};
use crate::index::IndexError;

/// Which tables there are. An index of other tables is made again: nothing is in it that the ledgers do not have.
const VERSION: &str = "15";

const TABLES: &str = include_str!("schema/tables.sql");
/// What stays when the index is made again.
const KEPT: &str = include_str!("schema/kept.sql");
/// Indexes that may be put off.
pub(super) const LATE: &str = include_str!("schema/late.sql");
const SEARCH_SQLITE: &str = include_str!("schema/search_sqlite.sql");
const SEARCH_POSTGRES: &str = include_str!("schema/search_postgres.sql");

/// Connections that are kept; a page asks for one at a time.
const CONNECTIONS: u32 = 8;

/// Which of the two it is, where their SQL differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Where the index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// A `postgres://` URL, which may hold a password.
    Server(String),
}

impl FromStr for Place {
    type Err = String;

    /// A `postgres://` or `postgresql://` URL, or the path of a file, which `sqlite:` may stand before.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Place::Server(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").map_or(text, |rest| rest.strip_prefix("//").unwrap_or(rest));
        if path.is_empty() || path.contains("://") {
            return Err(format!("{text:?} is neither a file nor a postgres:// URL"));
        }
        Ok(Place::File(path.into()))
    }
}

impl Place {
    fn dialect(&self) -> Dialect {
        match self {
            Place::File(_) => Dialect::Sqlite,
            Place::Server(_) => Dialect::Postgres,
        }
    }

    fn url(&self) -> String {
        match self {
            Place::File(path) => format!("sqlite://{}?mode=rwc", percent_encoded(path)),
            Place::Server(url) => url.clone(),
        }
    }
}

/// Bytes beyond these would mean something in a URL.
fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes.map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// An open index.
#[derive(Debug, Clone)]
pub struct Database {
    pub pool: AnyPool,
    pub dialect: Dialect,
}

impl Database {
    /// Opens the index, and makes it where there is none, or one of another version.
    pub async fn open(place: &Place) -> Result<Self, IndexError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = place.dialect();
        if let Place::File(path) = place {
            // It has what was said in sessions. SQLite gives its other files the same mode.
            let open = files::private_options().create(true).append(true).open(path);
            open.map_err(|source| IndexError::File { path: path.clone(), source })?;
        }
        let options = AnyConnectOptions::from_str(&place.url())?;
        let begin = match dialect {
            // Readers go on while something is written; a write that the machine lost with its power is made again.
            Dialect::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000; \
                 PRAGMA cache_size = -6000; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8000;"
            }
            Dialect::Postgres => "SET TIME ZONE 'UTC';",
        };
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(begin).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        let database = Database { pool, dialect };
        database.make().await?;
        Ok(database)
    }

    /// Whether the tables are those of this version.
    async fn is_made(&self) -> bool {
        let version = sqlx::query_scalar::<_, String>("SELECT value FROM meta WHERE name = 'version'");
        version.fetch_one(&self.pool).await.is_ok_and(|version| version == VERSION)
    }

    async fn make(&self) -> Result<(), IndexError> {
        if self.is_made().await {
            return Ok(());
        }
        let feed = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &random::bytes32()).to_string();
        let mut all = self.pool.begin().await?;
        if self.dialect == Dialect::Postgres {
            // Another machine may be at it.
            all.execute("SELECT pg_advisory_xact_lock(7463827)").await?;
            if self.is_made().await {
                return Ok(());
            }
        }
        for table in tables() {
            all.execute(AssertSqlSafe(format!("DROP TABLE IF EXISTS {table}"))).await?;
        }
        for statement in statements(KEPT) {
            all.execute(AssertSqlSafe(statement)).await?;
        }
        let keep = "INSERT INTO kept (name, value) VALUES ('feed', $1) ON CONFLICT DO NOTHING";
        sqlx::query(keep).bind(feed).execute(&mut *all).await?;
        let search = match self.dialect {
            Dialect::Sqlite => SEARCH_SQLITE,
            Dialect::Postgres => SEARCH_POSTGRES,
        };
        for statement in [TABLES, LATE, search].into_iter().flat_map(statements) {
            all.execute(AssertSqlSafe(statement)).await?;
        }
        all.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)").await?;
        let version = sqlx::query("INSERT INTO meta (name, value) VALUES ('version', $1)").bind(VERSION);
        version.execute(&mut *all).await?;
        all.commit().await?;
        Ok(())
    }
}

/// The tables that hold what ledgers say.
pub fn tables() -> impl Iterator<Item = &'static str> {
    let made = TABLES.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("));
    made.chain(["words", "failure", "meta"])
}

/// A script's statements, without what is said about them; no text in ours has a semicolon.
pub(super) fn statements(script: &str) -> Vec<String> {
    let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.join("\n");
    code.split(';').map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_files_or_servers() {
        for (text, path) in [("a/b.sqlite", "a/b.sqlite"), ("sqlite:///a/b", "/a/b"), ("sqlite:b c", "b c")] {
            assert_eq!(text.parse(), Ok(Place::File(path.into())), "{text}");
        }
        let server = "postgres://ada:secret@db/index";
        assert_eq!(server.parse(), Ok(Place::Server(server.into())));
        for wrong in ["", "sqlite:", "mysql://db/index"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        assert_eq!(Place::File("/a b/ü?#.db".into()).url(), "sqlite:///a%20b/%C3%BC%3F%23.db?mode=rwc");
    }

    #[tokio::test]
    async fn an_index_of_another_version_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("index %20?.sqlite"));
        let index = Database::open(&place).await.unwrap();
        #[cfg(unix)]
        if let Place::File(path) = &place {
            assert_eq!(files::mode(path).map(|mode| mode & 0o777), Some(0o600));
        }
        let count = "SELECT count(*) FROM link";
        sqlx::query("INSERT INTO link (repository, sha, old, level) VALUES (1, 'a', 'b', 3)")
            .execute(&index.pool)
            .await
            .unwrap();
        drop(index);
        let index = Database::open(&place).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&index.pool).await.unwrap(), 1);
        sqlx::query("UPDATE meta SET value = '0'").execute(&index.pool).await.unwrap();
        drop(index);
        let index = Database::open(&place).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&index.pool).await.unwrap(), 0);
    }
}
