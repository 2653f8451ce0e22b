//! Whose the lines of files are, kept for the next who looks: as much as `mirror` makes of it, and the sums.

use crate::index::rows::{Meets, Rows, Table};
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};

static GUTTER: Table = Table {
    name: "gutter",
    columns: &[
        ("repository", Meets::Key),
        ("path", Meets::Key),
        ("sha", Meets::Key),
        ("lines", Meets::New),
        ("agent", Meets::New),
        ("human", Meets::New),
        ("unattributed", Meets::New),
        ("blamed", Meets::New),
        ("told", Meets::New),
        ("stamp", Meets::New),
    ],
};

row! {
    /// What is kept of a file as of a commit.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct GutterRow {
        pub path: String,
        pub sha: String,
        pub lines: i64,
        pub agent: i64,
        pub human: i64,
        pub unattributed: i64,
        /// Where the lines come from: that stays.
        pub blamed: String,
        /// Whose they are, in this state of the ledger.
        pub told: String,
        pub stamp: String,
    }
}

impl Database {
    pub async fn gutter(&self, repository: i64, path: &str, sha: &str) -> Result<Option<GutterRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND path = ? AND sha = ?", [repository.into(), path.into(), sha.into()]);
        let select = "SELECT path, sha, lines, agent, human, unattributed, blamed, told, stamp FROM gutter";
        Ok(self.select(select, &asked, "").await?.into_iter().next())
    }

    pub async fn keep_gutter(&self, repository: i64, row: &GutterRow) -> Result<(), IndexError> {
        let mut rows = Rows::new(&GUTTER);
        rows.add(vec![
            repository.into(),
            row.path.as_str().into(),
            row.sha.as_str().into(),
            row.lines.into(),
            row.agent.into(),
            row.human.into(),
            row.unattributed.into(),
            row.blamed.as_str().into(),
            row.told.as_str().into(),
            row.stamp.as_str().into(),
        ]);
        let mut all = self.pool.begin().await?;
        rows.write(&mut all).await?;
        Ok(all.commit().await?)
    }

    /// The program that ran a session, if the index knows the session.
    pub async fn agent_of(&self, repository: i64, session: &str) -> Result<Option<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND session = ?", [repository.into(), session.into()]);
        let found: Vec<(String,)> = self.select("SELECT agent FROM session", &asked, "").await?;
        Ok(found.into_iter().next().map(|(agent,)| agent))
    }

    /// Notes the state of the ledger that the index has.
    pub async fn stamp(&self, repository: i64, stamp: &str) -> Result<(), IndexError> {
        let note = sqlx::query("UPDATE repository SET stamp = $2 WHERE id = $1").bind(repository).bind(stamp);
        note.execute(&self.pool).await?;
        Ok(())
    }
}
