//! The servers' audit logs, as pages list and filter them. What is true of a log stands in its file.

use crate::audit_log::Entry;
use crate::index::columns::AUDIT_ENTRY;
use crate::index::rows::Rows;
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};

row! {
    /// An entry of a log.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AuditRow {
        /// The log: the chain id of the key that signs it.
        pub log: String,
        pub seq: i64,
        pub time: i64,
        pub action: String,
        pub actor: Option<String>,
        pub proof: Option<String>,
        pub peer: Option<String>,
        pub repository: Option<String>,
        pub resource: Option<String>,
        pub detail: Option<String>,
    }
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct Audited {
    /// Of these repositories alone; of all, and what is about none, without it.
    pub repositories: Option<Vec<String>>,
    pub action: Option<String>,
    pub actor: Option<String>,
    /// What the resource begins with.
    pub resource: Option<String>,
    pub since: Option<i64>,
    pub until: Option<i64>,
}

impl Database {
    /// How many entries of a log are here.
    pub async fn entries_of(&self, log: &str) -> Result<u64, IndexError> {
        let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM audit_entry WHERE log = $1");
        Ok(u64::try_from(count.bind(log).fetch_one(&self.pool).await?).unwrap_or(0))
    }

    /// Takes in entries of a log, all or none.
    pub async fn add_entries(&self, log: &str, entries: &[Entry]) -> Result<(), IndexError> {
        let mut rows = Rows::new(&AUDIT_ENTRY);
        for entry in entries {
            rows.add(vec![
                log.into(),
                entry.seq.into(),
                entry.time.unix().into(),
                entry.action.as_str().into(),
                entry.actor.as_deref().into(),
                entry.proof.as_deref().into(),
                entry.peer.as_deref().into(),
                entry.repository.as_deref().into(),
                entry.resource.as_deref().into(),
                entry.detail.as_deref().into(),
            ]);
        }
        let mut all = self.pool.begin().await?;
        rows.write(&mut all).await?;
        Ok(all.commit().await?)
    }

    /// Entries, the latest first, from before `after` (a time, and a log with a number) on; at most `count`.
    pub async fn audited(
        &self,
        wanted: &Audited,
        after: Option<(i64, &str, i64)>,
        count: i64,
    ) -> Result<Vec<AuditRow>, IndexError> {
        let mut asked = Where::default();
        if let Some(repositories) = &wanted.repositories {
            let any = match repositories.is_empty() {
                true => "1 = 0".to_owned(),
                false => format!("repository IN ({})", vec!["?"; repositories.len()].join(", ")),
            };
            asked.push(any, repositories.iter().map(|name| name.as_str().into()));
        }
        asked.and_if("action = ?", wanted.action.as_deref());
        asked.and_if("actor = ?", wanted.actor.as_deref());
        if let Some(resource) = &wanted.resource {
            asked.and("SUBSTR(resource, 1, LENGTH(?)) = ?", [resource.as_str().into(), resource.as_str().into()]);
        }
        asked.and_if("time >= ?", wanted.since);
        asked.and_if("time < ?", wanted.until);
        if let Some((time, log, seq)) = after {
            asked.and(
                "(time < ? OR (time = ? AND (log < ? OR (log = ? AND seq < ?))))",
                [time.into(), time.into(), log.into(), log.into(), seq.into()],
            );
        }
        let select = "SELECT log, seq, time, action, actor, proof, peer, repository, resource, detail FROM audit_entry";
        self.select(select, &asked, &format!("ORDER BY time DESC, log DESC, seq DESC LIMIT {count}")).await
    }
}
