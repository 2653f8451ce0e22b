//! What a proof of a record is made from: the first seal that covers it, and all that this seal covers.

use std::collections::HashMap;

use crate::id::{ChainId, GitId, RecordId};
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};
use crate::ledger::prove;

row! {
    /// A seal that covers a record.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SealRow {
        /// The witness's chain, who it is, and the seal's number in it.
        pub witness: String,
        pub member: Option<String>,
        pub n: i64,
        pub record: String,
        pub time: i64,
        /// The git commit that holds it.
        pub held: String,
    }
}

row! {
    /// A place in a chain.
    #[derive(Debug)]
    pub struct PlaceRow {
        pub chain: String,
        pub seq: i64,
        pub record: String,
    }
}

impl SealRow {
    /// The git commit that holds it, as an id.
    pub fn commit(&self) -> Option<GitId> {
        self.held.parse().ok()
    }
}

impl Database {
    /// The first seal that covers a record, of the witness who covered it first.
    pub async fn first_seal(&self, repository: i64, chain: &str, seq: i64) -> Result<Option<SealRow>, IndexError> {
        let mut asked = Where::default();
        let values = [repository.into(), chain.into(), seq.into()];
        asked.and("s.repository = ? AND s.chain = ? AND s.seq >= ? AND c.pending = 0", values);
        let select = "SELECT s.witness, c.member, s.n, s.record, s.time, r.held FROM sealed s
            JOIN record r ON r.repository = s.repository AND r.chain = s.witness AND r.seq = s.n
            JOIN chain c ON c.repository = s.repository AND c.chain = s.witness";
        Ok(self.select(select, &asked, "ORDER BY s.time, s.record LIMIT 1").await?.pop())
    }

    /// The ids that a witness's seals cover up to one of them, in their order.
    pub async fn leaves(&self, repository: i64, witness: &str, n: i64) -> Result<Vec<RecordId>, IndexError> {
        let mut asked = Where::default();
        asked.and("repository = ? AND witness = ? AND n <= ?", [repository.into(), witness.into(), n.into()]);
        // Within a seal the policy chain stands first, then by name.
        let order = "ORDER BY n, CASE WHEN chain = 'policy' THEN 0 ELSE 1 END, chain";
        let heads: Vec<PlaceRow> = self.select("SELECT chain, seq, record FROM sealed", &asked, order).await?;
        let mut asked = Where::default();
        asked.and("repository = ?", [repository.into()]);
        let all: Vec<PlaceRow> =
            self.select("SELECT chain, seq, record FROM record", &asked, "ORDER BY chain, seq").await?;
        let mut ids: HashMap<ChainId, Vec<RecordId>> = HashMap::new();
        for row in &all {
            if let (Ok(chain), Ok(id)) = (row.chain.parse(), row.record.parse()) {
                ids.entry(chain).or_default().push(id);
            }
        }
        let head = |row: &PlaceRow| Some((row.chain.parse().ok()?, u64::try_from(row.seq).ok()?));
        Ok(prove::leaves(&ids, heads.iter().filter_map(head)))
    }
}
