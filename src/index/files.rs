//! The files of the branch that a repository shows: which there are, and what changed each of them last.

use sqlx::AssertSqlSafe;

use crate::index::recorded::listed;
use crate::index::rows::{Meets, Rows, Table, Value};
use crate::index::select::row;
use crate::index::{Database, IndexError};

static FILE: Table =
    Table { name: "file", columns: &[("repository", Meets::Key), ("path", Meets::Key), ("last", Meets::New)] };

/// So many are written, or asked for, in one statement.
const BATCH: usize = 5_000;
const ASKED: usize = 500;

row! {
    /// A file of the branch that is shown.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FileAt {
        pub repository: String,
        pub path: String,
        /// The commit that changed it last; empty where that was not found.
        pub last: String,
        pub time: Option<i64>,
        pub subject: Option<String>,
        /// How many lines it has, and how many of them are agents', where somebody has looked at it.
        pub lines: Option<i64>,
        pub agent: Option<i64>,
    }
}

/// A file that a branch has, and the commit that changed it last; or a file that it has no longer.
pub type Changed = (String, Option<String>);

const FILES: &str = "SELECT p.name AS repository, f.path, f.last, c.time, c.subject, g.lines, g.agent FROM file f
    JOIN repository p ON p.id = f.repository
    LEFT JOIN code c ON c.repository = f.repository AND c.sha = f.last
    LEFT JOIN gutter g ON g.repository = f.repository AND g.path = f.path AND g.sha = f.last";

impl Database {
    /// Takes in which files of the branch are others now; `anew` forgets those it had.
    pub async fn add_files(&self, repository: i64, changed: &[Changed], anew: bool) -> Result<(), IndexError> {
        let mut all = self.pool.begin().await?;
        if anew {
            sqlx::query("DELETE FROM file WHERE repository = $1").bind(repository).execute(&mut *all).await?;
        }
        for some in changed.chunks(BATCH) {
            let mut rows = Rows::new(&FILE);
            for (path, last) in some {
                match last {
                    Some(last) => rows.add(vec![repository.into(), path.as_str().into(), last.as_str().into()]),
                    None => {
                        let gone = sqlx::query("DELETE FROM file WHERE repository = $1 AND path = $2");
                        gone.bind(repository).bind(path).execute(&mut *all).await?;
                    }
                }
            }
            rows.write(&mut all).await?;
        }
        Ok(all.commit().await?)
    }

    /// Those of these files that the branch has.
    pub async fn files_at(&self, repository: i64, paths: &[String]) -> Result<Vec<FileAt>, IndexError> {
        let mut found = Vec::new();
        for some in paths.chunks(ASKED) {
            let sql = format!("{FILES} WHERE f.repository = $1 AND f.path IN ({})", listed(2, some.len()));
            let values = some.iter().map(|path| Value::from(path.as_str()));
            found.extend(self.rows_of(sql, [repository.into()].into_iter().chain(values).collect()).await?);
        }
        Ok(found)
    }

    /// The files of these repositories whose paths have this text in them, however it is cased: first the one that is called
    /// so, then those whose name it is, then the shortest; at most `count`.
    pub async fn files_named(&self, repositories: &[i64], text: &str, count: i64) -> Result<Vec<FileAt>, IndexError> {
        if repositories.is_empty() {
            return Ok(Vec::new());
        }
        let escaped = escaped(&text.to_lowercase());
        let texts = [format!("%{escaped}%").into(), text.into(), format!("%/{escaped}").into()];
        let sql = format!(
            "{FILES} WHERE LOWER(f.path) LIKE $1 ESCAPE '!' AND f.repository IN ({})
            ORDER BY CASE WHEN f.path = $2 THEN 0 WHEN LOWER(f.path) LIKE $3 ESCAPE '!' THEN 1 ELSE 2 END,
            LENGTH(f.path), f.path, p.name LIMIT {count}",
            listed(4, repositories.len())
        );
        let values: Vec<Value> = texts.into_iter().chain(repositories.iter().map(|id| Value::from(*id))).collect();
        self.rows_of(sql, values).await
    }

    /// Files of the branch of which it is not kept whose their lines are, or not for this state of the ledger, those that were
    /// changed last first; at most `count`.
    pub async fn files_untold(&self, repository: i64, stamp: &str, count: i64) -> Result<Vec<FileAt>, IndexError> {
        let sql = format!(
            "{FILES} WHERE f.repository = $1 AND f.last <> '' AND (g.stamp IS NULL OR g.stamp <> $2)
            ORDER BY c.time DESC, f.path LIMIT {count}"
        );
        self.rows_of(sql, vec![repository.into(), stamp.into()]).await
    }

    /// Forgets whose the lines are of files as the branch does not have them any more.
    pub async fn forget_gutters(&self, repository: i64) -> Result<(), IndexError> {
        let gone = "DELETE FROM gutter WHERE repository = $1 AND NOT EXISTS (SELECT 1 FROM file f
            WHERE f.repository = gutter.repository AND f.path = gutter.path AND f.last = gutter.sha)";
        sqlx::query(AssertSqlSafe(gone)).bind(repository).execute(&self.pool).await?;
        Ok(())
    }
}

/// A text as `LIKE … ESCAPE '!'` means it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            out.push('!');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Place;

    #[tokio::test]
    async fn files_are_found_by_a_part_of_their_path() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("i"))).await.unwrap();
        let shop = index.enter("shop", "u").await.unwrap().id;
        let file = |path: &str| (path.to_owned(), Some("a".to_owned()));
        let all = ["src/cart.rs", "cart.rs", "src/old/cart.rs.txt", "a_b", "a%b", "axb", "Größe"];
        index.add_files(shop, &all.map(file), false).await.unwrap();
        let found = async |text: &str| -> Vec<String> {
            let found = index.files_named(&[shop], text, 10).await.unwrap();
            found.into_iter().map(|file| file.path).collect()
        };
        assert_eq!(found("cart.rs").await, ["cart.rs", "src/cart.rs", "src/old/cart.rs.txt"]);
        assert_eq!(found("CART.RS").await, ["src/cart.rs", "cart.rs", "src/old/cart.rs.txt"]);
        assert_eq!(found("a_b").await, ["a_b"]);
        assert_eq!(found("%").await, ["a%b"]);
        assert_eq!(found("old/").await, ["src/old/cart.rs.txt"]);
        assert_eq!(found("x").await.len(), 2, "axb and the one that ends in .txt");
        index.add_files(shop, &[("cart.rs".into(), None)], false).await.unwrap();
        assert_eq!(found("cart.rs").await, ["src/cart.rs", "src/old/cart.rs.txt"]);
        assert_eq!(index.files_at(shop, &["axb".into(), "gone".into()]).await.unwrap().len(), 1);
        index.add_files(shop, &[file("new")], true).await.unwrap();
        assert_eq!(found("").await, ["new"]);
    }
}
