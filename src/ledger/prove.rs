//! Proofs that a record was sealed, made from what is here.

use std::collections::HashMap;

use crate::digest::Digest;
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::verify::{Chain, Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::merkle;
use crate::record::body::{Body, Seal};
use crate::record::proof::{Extra, Proof};
use crate::record::signature::PublicKey;

impl Ledger {
    /// The proof that a record was sealed, by the first seal that covers it, of the witness who covered it first. All
    /// records must have been read.
    pub fn prove(&self, report: &Report, record: RecordId) -> Result<Proof, LedgerError> {
        let place = report.entries().find(|entry| entry.id == record).map(|entry| (entry.chain, entry.seq));
        let on_policy = || Some((ChainId::Policy, report.history.ids().iter().position(|id| *id == record)? as u64));
        let (chain, seq) = place.or_else(on_policy).ok_or_else(|| LedgerError::Unknown(record.to_string()))?;
        let covers = |seal: &Seal| seal.heads.iter().any(|head| head.chain == chain && head.seq >= seq);
        let holds = |chain: &&Chain| report.witnesses.iter().any(|witness| witness.chain == chain.id);
        let seals = report.chains.iter().filter(holds).flat_map(|witness| {
            witness.entries.iter().filter(|entry| entry.good).filter_map(move |entry| match &entry.body {
                Body::Seal(seal) if covers(seal) => Some((entry.time, witness, entry)),
                _ => None,
            })
        });
        let Some((_, witness, seal)) = seals.min_by_key(|(time, _, entry)| (*time, entry.id)) else {
            let message = format!("no witness has sealed record {} yet (git tracevault fetch)", record.short());
            return Err(LedgerError::Refused(message));
        };
        let leaves = leaves_of(report, witness, seal);
        let index =
            leaves.iter().position(|id| *id == record).ok_or_else(|| LedgerError::Unknown(record.to_string()))?;
        let hashes: Vec<_> = leaves.iter().map(|id| merkle::leaf_hash(id.0.as_bytes())).collect();
        let of = Sealing {
            seal: (self.prefix.seals(witness.id), seal.commit.clone()),
            key: witness.key.ok_or(LedgerError::NoLedger)?,
            index: index as u64,
            path: merkle::inclusion(&hashes, index),
        };
        self.prove_by(of, self.record_bytes(report, chain, record)?)
    }

    /// The proof that the record of these bytes was sealed, by a seal and a place in its tree that are known.
    pub fn prove_by(&self, sealing: Sealing, bytes: Vec<u8>) -> Result<Proof, LedgerError> {
        let Sealing { seal: (name, commit), key, index, path } = sealing;
        let checkpoint = self.read(&name, &commit)?.checkpoint.unwrap_or_default();
        let extra = Extra { record: String::from_utf8_lossy(&bytes).into_owned(), witness: key };
        Ok(Proof { extra, index, path, checkpoint })
    }

    /// `record.json`.
    fn record_bytes(&self, report: &Report, chain: ChainId, record: RecordId) -> Result<Vec<u8>, LedgerError> {
        let name = self.prefix.chain(chain);
        if let Some(entry) = report.entries().find(|entry| entry.id == record) {
            return Ok(self.read(&name, &entry.commit)?.record.bytes().to_vec());
        }
        let mut next = self.repo.find_ref(&name)?;
        while let Some(commit) = next {
            let stored = self.read(&name, &commit)?;
            if stored.record.id() == record {
                return Ok(stored.record.bytes().to_vec());
            }
            next = stored.parent;
        }
        Err(LedgerError::Unknown(record.to_string()))
    }
}

/// A seal, and where a record stands in the tree of what it covers.
pub struct Sealing {
    /// The ref and the git commit that hold it.
    pub seal: (String, GitId),
    /// The witness's.
    pub key: PublicKey,
    /// The record's number, from 0 on, and the hashes beside its way to the root.
    pub index: u64,
    pub path: Vec<Digest>,
}

/// The ids that a seal covers with those before it, in their order.
fn leaves_of(report: &Report, witness: &Chain, last: &Entry) -> Vec<RecordId> {
    let mut ids: HashMap<ChainId, Vec<RecordId>> =
        report.chains.iter().map(|chain| (chain.id, chain.entries.iter().map(|entry| entry.id).collect())).collect();
    ids.insert(ChainId::Policy, report.history.ids());
    let seals = witness.entries.iter().filter(|entry| entry.good && entry.seq <= last.seq);
    let heads = seals.filter_map(|entry| match &entry.body {
        Body::Seal(seal) => Some(seal.heads.iter().map(|head| (head.chain, head.seq))),
        _ => None,
    });
    let mut covered: HashMap<ChainId, usize> = HashMap::new();
    let mut leaves = Vec::new();
    for (chain, seq) in heads.flatten() {
        let from = covered.entry(chain).or_default();
        let to = usize::try_from(seq).unwrap_or(usize::MAX).saturating_add(1);
        leaves.extend_from_slice(ids.get(&chain).and_then(|ids| ids.get(*from..to)).unwrap_or_default());
        *from = to;
    }
    leaves
}
