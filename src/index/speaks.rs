//! Who may speak of a session: ids of sessions are public, and anybody can write a record with one.

use std::collections::HashMap;

use crate::id::GitId;
use crate::index::outline::{Held, Outline};
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};
use crate::ledger::query::spoken_notes;

row! {
    /// Who wrote a record.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WriterRow {
        pub chain: String,
        /// Whose the chain is; what a writer calls itself whom nobody has enrolled.
        pub member: Option<String>,
        pub pending: i64,
    }
}

row! {
    /// A record of a session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SegmentRow {
        pub about: String,
        pub held: String,
        pub chain: String,
        pub seq: i64,
        pub member: Option<String>,
        pub pending: i64,
        /// How many payloads were stored with it.
        pub payloads: i64,
        pub outline: Option<String>,
    }
}

/// The good records of a session that are told together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// In the order in which they are told.
    pub records: Vec<Held>,
    /// The git commits that hold their amendments, in no order.
    pub amendments: Vec<GitId>,
    /// Nobody has enrolled who wrote them.
    pub pending: bool,
    /// So many more are there, of others.
    pub left_out: usize,
}

impl Spoken {
    /// Those of the writer who is asked for. Else those of enrolled writers; where none of them has the session, all.
    fn of(rows: &[SegmentRow], writer: Option<&WriterRow>) -> Self {
        let any_enrolled = rows.iter().any(|row| row.pending == 0);
        let speaks = |row: &&SegmentRow| match writer {
            Some(writer) => writer.is_of(row),
            None => row.pending == 0 || !any_enrolled,
        };
        let told: Vec<&SegmentRow> = rows.iter().filter(speaks).collect();
        Spoken {
            records: told.iter().filter_map(|row| row.told()).collect(),
            amendments: Vec::new(),
            pending: told.iter().any(|row| row.pending != 0),
            left_out: rows.len() - told.len(),
        }
    }

    /// Whether nothing of what was said was stored with any of them.
    pub fn has_nothing(&self) -> bool {
        self.amendments.is_empty() && self.records.iter().all(Held::has_nothing)
    }

    /// The git commits of those that have something of what was said; an amendment may stand for any of them.
    pub fn telling(&self) -> Vec<&GitId> {
        let all = !self.amendments.is_empty();
        let records = self.records.iter().filter(|held| all || !held.has_nothing());
        records.map(|held| &held.commit).chain(&self.amendments).collect()
    }

    /// What whoever reads it is to know.
    pub fn notes(&self) -> Vec<String> {
        spoken_notes(self.pending, self.left_out)
    }
}

impl SegmentRow {
    fn told(&self) -> Option<Held> {
        let outline = match self.payloads {
            0 => Some(Outline::default()),
            _ => self.outline.as_deref().and_then(Outline::of_text),
        };
        Some(Held { commit: self.held.parse().ok()?, chain: self.chain.clone(), seq: self.seq, outline })
    }
}

impl WriterRow {
    /// Whether a record is of the same writer. A member may have several chains; a name that is only claimed is nobody's.
    fn is_of(&self, row: &SegmentRow) -> bool {
        let enrolled = self.pending == 0 && row.pending == 0;
        self.chain == row.chain || (enrolled && self.member.is_some() && self.member == row.member)
    }
}

impl Database {
    /// The good records of a session that are told together; of one writer alone, where a record of theirs leads to it.
    pub async fn spoken(
        &self,
        repository: i64,
        session: &str,
        writer: Option<&WriterRow>,
    ) -> Result<Spoken, IndexError> {
        let mut all = self.spoken_in(repository, &[session], writer).await?;
        Ok(all.remove(session).unwrap_or_default())
    }

    /// The same of several sessions, by their ids.
    pub async fn spoken_in(
        &self,
        repository: i64,
        sessions: &[&str],
        writer: Option<&WriterRow>,
    ) -> Result<HashMap<String, Spoken>, IndexError> {
        let mut asked = Where::default();
        asked.and("o.repository = ?", [repository.into()]);
        asked.among("o.about", sessions);
        asked.and("o.kind = 'session' AND o.good = 1", []);
        let select = "SELECT o.about, o.held, o.chain, o.seq, n.member, n.pending, s.payloads, t.text AS outline
            FROM record o JOIN chain n ON n.repository = o.repository AND n.chain = o.chain
            JOIN segment s ON s.repository = o.repository AND s.chain = o.chain AND s.seq = o.seq
            LEFT JOIN outline t ON t.repository = o.repository AND t.chain = o.chain AND t.seq = o.seq";
        let mut rows: HashMap<String, Vec<SegmentRow>> = HashMap::new();
        for row in self.select::<SegmentRow>(select, &asked, "ORDER BY o.time, o.chain, o.seq").await? {
            rows.entry(row.about.clone()).or_default().push(row);
        }
        let spoken = |(session, rows): (String, Vec<SegmentRow>)| (session, Spoken::of(&rows, writer));
        let mut spoken: HashMap<String, Spoken> = rows.into_iter().map(spoken).collect();
        for (session, held) in self.amendments_of(repository, sessions).await? {
            spoken.entry(session).or_default().amendments.extend(held.parse::<GitId>());
        }
        Ok(spoken)
    }

    /// Who wrote a record.
    pub async fn writer_of(&self, repository: i64, record: &str) -> Result<Option<WriterRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("o.repository = ? AND o.record = ?", [repository.into(), record.into()]);
        let select = "SELECT n.chain, n.member, n.pending FROM record o
            JOIN chain n ON n.repository = o.repository AND n.chain = o.chain";
        Ok(self.select(select, &asked, "LIMIT 1").await?.pop())
    }

    /// Who wrote the best record of a commit.
    pub async fn recorder_of(&self, repository: i64, sha: &str) -> Result<Option<WriterRow>, IndexError> {
        let mut asked = Where::default();
        asked.and("o.repository = ? AND o.sha = ? AND o.rank > 0", [repository.into(), sha.into()]);
        let select = "SELECT n.chain, n.member, n.pending FROM recorded o
            JOIN chain n ON n.repository = o.repository AND n.chain = o.chain";
        Ok(self.select(select, &asked, "LIMIT 1").await?.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_puts_words_into_the_session_of_somebody_else() {
        let row = |n: u8, chain: &str, member: &str, pending| SegmentRow {
            about: "s".into(),
            held: format!("{n:040}"),
            chain: chain.into(),
            seq: 1,
            member: Some(member.into()),
            pending,
            payloads: 0,
            outline: None,
        };
        let rows = [row(1, "a", "ada", 0), row(2, "b", "ada", 0), row(3, "m", "ada", 1), row(4, "n", "bob", 0)];
        let told = |rows: &[SegmentRow], writer: Option<(&str, &str, i64)>| {
            let writer = writer.map(|(chain, member, pending)| WriterRow {
                chain: chain.into(),
                member: Some(member.into()),
                pending,
            });
            let spoken = Spoken::of(rows, writer.as_ref());
            let number = |held: &Held| held.commit.as_str().trim_start_matches('0').parse().unwrap();
            let told: Vec<u8> = spoken.records.iter().map(number).collect();
            (told, spoken.pending, spoken.left_out)
        };
        assert_eq!(told(&rows, None), (vec![1, 2, 4], false, 1));
        assert_eq!(told(&rows, Some(("b", "ada", 0))), (vec![1, 2], false, 2), "both her machines");
        assert_eq!(told(&rows, Some(("m", "ada", 1))), (vec![3], true, 3), "a claimed name is no member's");
        assert_eq!(told(&rows, Some(("x", "eve", 0))), (vec![], false, 4));
        assert_eq!(told(&rows[2..3], None), (vec![3], true, 0));
        assert_eq!(Spoken::of(&rows[..3], None).notes().len(), 1);
    }
}
