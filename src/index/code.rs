//! The commits of the branch that a repository shows.

use crate::git::history::CommitInfo;
use crate::index::columns::CODE;
use crate::index::rows::Rows;
use crate::index::{Database, IndexError};

/// So many are written in one transaction.
const BATCH: usize = 5_000;

impl Database {
    /// Takes in the commits that a branch has new, and where it ends now; `anew` forgets those it had.
    pub async fn add_code(
        &self,
        repository: i64,
        commits: &[CommitInfo],
        (branch, head): (&str, &str),
        anew: bool,
    ) -> Result<(), IndexError> {
        if anew {
            sqlx::query("DELETE FROM code WHERE repository = $1").bind(repository).execute(&self.pool).await?;
        }
        for some in commits.chunks(BATCH) {
            let mut rows = Rows::new(&CODE);
            for commit in some {
                rows.add(vec![
                    repository.into(),
                    commit.id.as_str().into(),
                    commit.author_name.as_str().into(),
                    commit.author_email.as_str().into(),
                    commit.time.into(),
                    commit.subject.as_str().into(),
                ]);
            }
            let mut all = self.pool.begin().await?;
            rows.write(&mut all).await?;
            all.commit().await?;
        }
        let set = sqlx::query("UPDATE repository SET branch = $2, head = $3 WHERE id = $1");
        set.bind(repository).bind(branch).bind(head).execute(&self.pool).await?;
        Ok(())
    }
}
