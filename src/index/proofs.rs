//! What a proof of a record is made from: the first seal that covers it, and the hashes of the tree that the seal signs.

use std::collections::HashMap;
use std::ops::Range;

use crate::digest::Digest;
use crate::id::{GitId, RecordId};
use crate::index::columns::{BLOCKS, COVERED};
use crate::index::rows::{Rows, Value};
use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};
use crate::merkle::{self, BLOCK, Blocks};

/// The leaves of so many blocks are read at once.
const READ_TOGETHER: usize = 16;
/// What so many seals cover is written at once.
const SEALS_TOGETHER: i64 = 64;

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

/// Witnesses are few, and what they cover is as much as the ledger: SQLite, which would begin with that, takes tables that are
/// joined crosswise in the order in which they stand.
const FIRST_SEAL: &str = "SELECT v.witness, c.member, v.n, r.record, r.time, r.held
    FROM chain c CROSS JOIN covered v CROSS JOIN record r
    WHERE c.repository = $1 AND c.kind = 'seal' AND c.pending = 0
    AND v.repository = c.repository AND v.witness = c.chain AND v.chain = $2
    AND v.seq = (SELECT MAX(w.seq) FROM covered w WHERE w.repository = c.repository AND w.witness = c.chain
        AND w.chain = $2 AND w.seq <= $3)
    AND v.seq + v.length > $3 AND r.repository = v.repository AND r.chain = v.witness AND r.seq = v.n
    AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.repository = v.repository AND f.chain = v.witness
        AND f.severity = 'error')
    ORDER BY r.time, r.record LIMIT 1";

impl SealRow {
    /// The git commit that holds it, as an id.
    pub fn commit(&self) -> Option<GitId> {
        self.held.parse().ok()
    }
}

impl Database {
    /// The first seal that covers a record, of the witness who covered it first. A witness of whom a seal does not hold seals
    /// nothing.
    pub async fn first_seal(&self, repository: i64, chain: &str, seq: i64) -> Result<Option<SealRow>, IndexError> {
        let values = vec![repository.into(), chain.into(), seq.into()];
        Ok(self.rows_of(FIRST_SEAL.to_owned(), values).await?.pop())
    }

    /// The number of a record in a witness's tree, and the hashes beside its way to the root of the tree as the witness's
    /// record `n` signs it; `None` where they are not known.
    pub async fn inclusion(
        &self,
        repository: i64,
        (witness, n): (&str, i64),
        (chain, seq): (&str, i64),
    ) -> Result<Option<(u64, Vec<Digest>)>, IndexError> {
        let sql = "SELECT
            (SELECT leaf + length FROM covered WHERE repository = $1 AND witness = $2 AND n <= $3
                ORDER BY n DESC, leaf DESC LIMIT 1),
            (SELECT leaf + $5 - seq FROM covered WHERE repository = $1 AND witness = $2 AND chain = $4 AND seq <= $5
                AND seq + length > $5 ORDER BY seq DESC LIMIT 1)";
        let of = sqlx::query_as::<_, (Option<i64>, Option<i64>)>(sql).bind(repository).bind(witness).bind(n);
        let (Some(size), Some(index)) = of.bind(chain).bind(seq).fetch_one(&self.pool).await? else { return Ok(None) };
        let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let (size, index) = (number(size), number(index));
        let mut asked = Where::default();
        let full = (size / BLOCK) as u64;
        asked.and("repository = ? AND witness = ? AND number < ?", [repository.into(), witness.into(), full.into()]);
        // One text instead of many rows: it is read several times as fast.
        let select = "SELECT string_agg(root, ' ' ORDER BY number) FROM block";
        let roots: Vec<(Option<String>,)> = self.select(select, &asked, "").await?;
        let roots = roots.iter().filter_map(|(roots,)| roots.as_deref()).flat_map(str::split_ascii_whitespace);
        let roots = roots.map_while(|root| root.parse().ok()).collect();
        let mut blocks = Blocks { size, roots, ..Blocks::default() };
        for block in Blocks::needed(size, index) {
            let end = size.min((block + 1) * BLOCK);
            blocks.leaves.insert(block, self.leaves(repository, witness, block * BLOCK..end).await?);
        }
        Ok(blocks.inclusion(index).map(|path| (index as u64, path)))
    }

    /// Takes over what new seals cover: which records, in the order of their witness's tree, and the roots of its full blocks. All
    /// records are to be there.
    pub async fn cover(&self, repository: i64) -> Result<(), IndexError> {
        let witnesses = sqlx::query_scalar::<_, String>("SELECT DISTINCT witness FROM sealed WHERE repository = $1");
        for witness in witnesses.bind(repository).fetch_all(&self.pool).await? {
            let size = self.add_covered(repository, &witness).await?;
            self.add_blocks(repository, &witness, size).await?;
        }
        Ok(())
    }

    /// How many leaves the witness's tree has then.
    async fn add_covered(&self, repository: i64, witness: &str) -> Result<usize, IndexError> {
        let of_it = || {
            let mut asked = Where::default();
            asked.and("repository = ? AND witness = ?", [repository.into(), witness.into()]);
            asked
        };
        let select = "SELECT chain, MAX(seq + length), MAX(leaf + length), MAX(n) FROM covered";
        let before: Vec<(String, i64, i64, i64)> = self.select(select, &of_it(), "GROUP BY chain").await?;
        let mut size = before.iter().map(|(_, _, end, _)| *end).max().unwrap_or(0);
        let mut next = before.iter().map(|(.., n)| *n + 1).max().unwrap_or(0);
        let mut reached: HashMap<String, i64> = before.into_iter().map(|(chain, seq, ..)| (chain, seq)).collect();
        let last: Vec<(Option<i64>,)> = self.select("SELECT MAX(n) FROM sealed", &of_it(), "").await?;
        let last = last.first().and_then(|(last,)| *last).unwrap_or(-1);
        while next <= last {
            let mut asked = of_it();
            asked.and("n >= ? AND n < ?", [next.into(), (next + SEALS_TOGETHER).into()]);
            next += SEALS_TOGETHER;
            // Within a seal the policy chain stands first, then by name.
            let order = "ORDER BY n, CASE WHEN chain = 'policy' THEN 0 ELSE 1 END, chain";
            let heads: Vec<(i64, String, i64)> = self.select("SELECT n, chain, seq FROM sealed", &asked, order).await?;
            let mut rows = Rows::new(&COVERED);
            for (n, chain, seq) in heads {
                let from = reached.get(&chain).copied().unwrap_or(0);
                let length = seq + 1 - from;
                if length <= 0 {
                    continue;
                }
                let place = [repository.into(), witness.into(), size.into(), n.into(), chain.as_str().into()];
                rows.add(place.into_iter().chain([from.into(), length.into()]).collect());
                // A seal may claim any numbers.
                let Some(longer) = size.checked_add(length) else {
                    next = i64::MAX;
                    break;
                };
                size = longer;
                reached.insert(chain, seq + 1);
            }
            self.write(rows).await?;
        }
        Ok(usize::try_from(size).unwrap_or(0))
    }

    async fn add_blocks(&self, repository: i64, witness: &str, size: usize) -> Result<(), IndexError> {
        let known = "SELECT COUNT(*) FROM block WHERE repository = $1 AND witness = $2";
        let known: i64 = sqlx::query_scalar(known).bind(repository).bind(witness).fetch_one(&self.pool).await?;
        let mut next = usize::try_from(known).unwrap_or(0);
        let full = size / BLOCK;
        let mut together = READ_TOGETHER;
        while next < full {
            let end = full.min(next + together);
            let leaves = self.leaves(repository, witness, next * BLOCK..end * BLOCK).await?;
            if leaves.is_empty() && together > 1 {
                // Of some of them not all records are here; those before are proven all the same.
                together = 1;
                continue;
            }
            let mut rows = Rows::new(&BLOCKS);
            for (number, block) in leaves.chunks_exact(BLOCK).enumerate() {
                let number = (next + number) as u64;
                let root = merkle::root_over(block).to_string();
                rows.add(vec![repository.into(), witness.into(), number.into(), root.into()]);
            }
            self.write(rows).await?;
            if leaves.is_empty() {
                break;
            }
            next = end;
        }
        Ok(())
    }

    /// The hashes of leaves of a witness's tree; none where not all of their records are here.
    async fn leaves(&self, repository: i64, witness: &str, range: Range<usize>) -> Result<Vec<Digest>, IndexError> {
        let mut asked = Where::default();
        let [from, to] = [range.start, range.end].map(|at| Value::from(at as u64));
        let of_it = [repository.into(), witness.into()];
        let whose = "v.repository = ? AND v.witness = ? AND v.leaf < ? AND v.leaf >= (SELECT MAX(leaf) FROM covered
            WHERE repository = ? AND witness = ? AND leaf <= ?)";
        let bound = of_it.clone().into_iter().chain([to.clone()]).chain(of_it).chain([from.clone()]);
        asked.and(whose, bound);
        // One bound at each end: of two SQLite may search by the wider one, and read as many records as there are leaves for each
        // few of them.
        asked.and("r.seq >= v.seq + CASE WHEN v.leaf < ? THEN ? - v.leaf ELSE 0 END", [from.clone(), from]);
        let end = "r.seq < v.seq + CASE WHEN v.leaf + v.length > ? THEN ? - v.leaf ELSE v.length END";
        asked.and(end, [to.clone(), to]);
        let select = "SELECT string_agg(r.record, ' ' ORDER BY v.leaf, r.seq) FROM covered v
            JOIN record r ON r.repository = v.repository AND r.chain = v.chain";
        let ids: Vec<(Option<String>,)> = self.select(select, &asked, "").await?;
        let ids = ids.iter().filter_map(|(ids,)| ids.as_deref()).flat_map(str::split_ascii_whitespace);
        let hashes = ids.map(|id| Some(merkle::leaf_hash(id.parse::<RecordId>().ok()?.0.as_bytes())));
        let hashes: Vec<Digest> = hashes.collect::<Option<_>>().unwrap_or_default();
        Ok(if hashes.len() == range.len() { hashes } else { Vec::new() })
    }

    async fn write(&self, mut rows: Rows) -> Result<(), IndexError> {
        let mut all = self.pool.begin().await?;
        rows.write(&mut all).await?;
        Ok(all.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Place;
    use crate::index::columns::{RECORD, SEALED};

    /// Seals by what they cover: the chains' numbers and how many of their records.
    async fn index_of(seals: &[Vec<(u32, i64)>], from: usize, index: &Database) -> Vec<(String, i64, Digest)> {
        let (mut reached, mut leaves) = (HashMap::<u32, i64>::new(), Vec::new());
        let [mut records, mut sealed] = [&RECORD, &SEALED].map(Rows::new);
        for (n, heads) in seals.iter().enumerate() {
            for (chain, count) in heads {
                let name = format!("c{chain}");
                let first = *reached.entry(*chain).or_default();
                for seq in first..first + count {
                    let id = Digest::of(format!("{name} {seq}").as_bytes());
                    leaves.push((name.clone(), seq, merkle::leaf_hash(id.as_bytes())));
                    let row = [1i64.into(), name.as_str().into(), seq.into(), id.to_string().into(), "".into()];
                    records
                        .add(row.into_iter().chain(["link".into(), 0i64.into(), true.into(), Value::NoText]).collect());
                }
                reached.insert(*chain, first + count);
                if n >= from {
                    let row = [1i64.into(), "w".into(), (n as i64).into(), name.into(), (first + count - 1).into()];
                    sealed.add(row.into_iter().chain(["".into(), 0i64.into()]).collect());
                }
            }
        }
        index.write(records).await.unwrap();
        index.write(sealed).await.unwrap();
        leaves
    }

    /// However much witnesses have covered, of that one place alone is read.
    #[tokio::test]
    async fn the_first_seal_is_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {FIRST_SEAL}");
        let plan: Vec<(i64, i64, i64, String)> =
            index.rows_of(plan, vec![1i64.into(), "c".into(), 7i64.into()]).await.unwrap();
        let reads = plan.iter().map(|(.., step)| step).find(|step| step.starts_with("SEARCH v ")).unwrap();
        assert!(reads.contains("(repository=? AND witness=? AND chain=? AND seq=?)"), "{plan:#?}");
    }

    #[tokio::test]
    async fn every_record_is_proven_by_every_seal_that_covers_it() {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("i"))).await.unwrap();
        let seals = [
            vec![(1, 1)],
            vec![(1, 200), (2, 7)],
            vec![(2, 300), (3, 1)],
            vec![(1, 0), (3, 255)],
            vec![(1, 9), (2, 5000)],
        ];
        // Some at first, the others later; once the seals are there before the records.
        index_of(&seals[..2], 0, &index).await;
        index.cover(1).await.unwrap();
        index_of(&seals, 2, &index).await;
        sqlx::query("DELETE FROM record WHERE chain = 'c2' AND seq = 20").execute(&index.pool).await.unwrap();
        index.cover(1).await.unwrap();
        let all = index_of(&seals, 2, &index).await;
        index.cover(1).await.unwrap();
        let hashes: Vec<Digest> = all.iter().map(|(.., hash)| *hash).collect();
        let mut size = 0;
        for (n, heads) in seals.iter().enumerate() {
            size += usize::try_from(heads.iter().map(|(_, count)| count).sum::<i64>()).unwrap();
            for at in (0..size).step_by(53).chain([size - 1]) {
                let (chain, seq, _) = &all[at];
                let told = index.inclusion(1, ("w", n as i64), (chain, *seq)).await.unwrap();
                let path = merkle::inclusion(&hashes[..size], at);
                assert_eq!(told, Some((at as u64, path)), "{at} of {size}");
            }
        }
        let none = index.inclusion(1, ("w", 0), ("c2", 3)).await.unwrap();
        assert_eq!(none, None, "it was sealed later");
        assert_eq!(index.inclusion(1, ("w", 9), ("c3", 256)).await.unwrap(), None);
        assert_eq!(index.inclusion(1, ("v", 9), ("c1", 0)).await.unwrap(), None);
    }
}
