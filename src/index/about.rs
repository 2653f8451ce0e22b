//! Which records speak of commits and of files, and where these records are: what is asked before lines are told of.

use crate::index::recorded::listed;
use crate::index::rows::Value;
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};

row! {
    /// A record that holds.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct HeldRow {
        /// The git commit that holds it.
        pub held: String,
        /// Whether nobody has enrolled its writer.
        pub pending: i64,
    }
}

row! {
    /// A link from a commit to the one that it became.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LinkRow {
        pub sha: String,
        pub old: String,
    }
}

/// So many names are asked for in one statement.
const ASKED: usize = 500;

const RECORDED: &str = "SELECT o.held, n.pending FROM recorded r
    JOIN record o ON o.repository = r.repository AND o.chain = r.chain AND o.seq = r.seq
    JOIN chain n ON n.repository = r.repository AND n.chain = r.chain
    WHERE r.repository = $1 AND r.rank > 0 AND r.sha IN";

const LINKED: &str = "SELECT o.held, n.pending FROM record o
    JOIN chain n ON n.repository = o.repository AND n.chain = o.chain
    WHERE o.repository = $1 AND o.kind = 'link' AND o.good = 1 AND o.about IN";

const ON_PATH: &str = "SELECT o.held, n.pending FROM commit_file f
    JOIN recorded r ON r.repository = f.repository AND r.sha = f.sha
    JOIN record o ON o.repository = r.repository AND o.chain = r.chain AND o.seq = r.seq
    JOIN chain n ON n.repository = r.repository AND n.chain = r.chain
    WHERE r.rank = 2 AND f.repository = $1 AND f.path IN";

impl Database {
    /// The best record of each of these commits.
    pub async fn records_about(&self, repository: i64, shas: &[String]) -> Result<Vec<HeldRow>, IndexError> {
        self.of_each(RECORDED, repository, shas).await
    }

    /// The records that link other commits to these.
    pub async fn links_about(&self, repository: i64, shas: &[String]) -> Result<Vec<HeldRow>, IndexError> {
        self.of_each(LINKED, repository, shas).await
    }

    /// The commits that these were rewritten from, as these records say.
    pub async fn links_to(&self, repository: i64, shas: &[String]) -> Result<Vec<LinkRow>, IndexError> {
        self.of_each("SELECT sha, old FROM link WHERE repository = $1 AND sha IN", repository, shas).await
    }

    /// The records of enrolled writers that have lines of these files.
    pub async fn records_on(&self, repository: i64, paths: &[String]) -> Result<Vec<HeldRow>, IndexError> {
        self.of_each(ON_PATH, repository, paths).await
    }

    /// All files of which enrolled writers have recorded an agent's lines, in no order.
    pub async fn agents_files(&self, repository: i64) -> Result<Vec<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("f.repository = ? AND f.agent > 0 AND r.rank = 2", [repository.into()]);
        let select = "SELECT DISTINCT f.path FROM commit_file f
            JOIN recorded r ON r.repository = f.repository AND r.sha = f.sha";
        let found: Vec<(String,)> = self.select(select, &asked, "").await?;
        Ok(found.into_iter().map(|(path,)| path).collect())
    }

    /// The commits with this tree that an enrolled writer has recorded.
    pub async fn commits_with_tree(&self, repository: i64, tree: &str) -> Result<Vec<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND tree = ? AND rank = 2", [repository.into(), tree.into()]);
        let found: Vec<(String,)> = self.select("SELECT sha FROM recorded", &asked, "").await?;
        Ok(found.into_iter().map(|(sha,)| sha).collect())
    }

    /// The rows of a query whose conditions end with a list of names.
    async fn of_each<T>(&self, select: &str, repository: i64, names: &[String]) -> Result<Vec<T>, IndexError>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> + Send + Unpin,
    {
        let mut found = Vec::new();
        for some in names.chunks(ASKED) {
            let values = some.iter().map(|name| Value::from(name.as_str()));
            let sql = format!("{select} ({})", listed(2, some.len()));
            found.extend(self.rows_of(sql, [repository.into()].into_iter().chain(values).collect()).await?);
        }
        Ok(found)
    }
}
