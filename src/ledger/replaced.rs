//! Payloads that held a secret: the records whose payloads an amendment replaced, and what stands in their place.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{ChainId, RecordId};
use crate::ledger::pruned;
use crate::ledger::verify::{Entry, Report};
use crate::record::body::{Amend, AmendReason, Body, Payload};
use crate::time::Time;

/// An amendment that replaces the payloads of a record. Of several the last one by time, chain and number counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replacement {
    of: RecordId,
    time: Time,
    chain: ChainId,
    seq: u64,
    by: RecordId,
}

impl Replacement {
    /// What a record replaces, if it holds.
    pub fn of(entry: &Entry) -> Option<Self> {
        let of = replaces(&entry.body).filter(|_| entry.good)?.record;
        Some(Replacement { of, time: entry.time, chain: entry.chain, seq: entry.seq, by: entry.id })
    }
}

/// The amendment, if it is one that replaces payloads.
pub fn replaces(body: &Body) -> Option<&Amend> {
    match body {
        Body::Amend(amend) if amend.reason == AmendReason::Secret && !amend.correction.payloads.is_empty() => {
            Some(amend)
        }
        _ => None,
    }
}

/// The records whose payloads others took the place of: those that were amended, and all of their amendments but the last.
pub fn records(mut all: Vec<Replacement>) -> HashSet<RecordId> {
    all.sort_unstable();
    let earlier = all.windows(2).filter(|pair| pair[0].of == pair[1].of).map(|pair| pair[0].by);
    all.iter().map(|its| its.of).chain(earlier).collect()
}

/// The pieces that only payloads have whose place others took.
pub fn pieces(report: &Report) -> HashSet<Digest> {
    let gone = records(report.entries().filter_map(Replacement::of).collect());
    let (old, standing): (Vec<&Entry>, Vec<&Entry>) = report.entries().partition(|entry| gone.contains(&entry.id));
    let mut pieces: HashSet<Digest> = old.into_iter().flat_map(digests).collect();
    standing.into_iter().flat_map(digests).for_each(|piece| _ = pieces.remove(&piece));
    pieces
}

fn digests(entry: &Entry) -> impl Iterator<Item = Digest> {
    pruned::payloads(&entry.body).iter().flat_map(|its| &its.pieces).map(|piece| piece.sha256)
}

/// What stands in the place of records' payloads.
#[derive(Default)]
pub struct Instead<'r>(BTreeMap<RecordId, (Replacement, &'r [Payload])>);

impl<'r> Instead<'r> {
    /// By the good amendments among these records.
    pub fn of(entries: impl Iterator<Item = &'r Entry>) -> Self {
        let mut all: BTreeMap<RecordId, (Replacement, &'r [Payload])> = BTreeMap::new();
        for entry in entries {
            let (Some(its), Some(amend)) = (Replacement::of(entry), replaces(&entry.body)) else { continue };
            match all.get(&its.of) {
                Some((known, _)) if *known > its => {}
                _ => drop(all.insert(its.of, (its, &amend.correction.payloads))),
            }
        }
        Instead(all)
    }

    /// The payloads that count of a record with these, and the chain on whose shelves they stand.
    pub fn payloads(&self, entry: &Entry, own: &'r [Payload]) -> (ChainId, &'r [Payload]) {
        self.0.get(&entry.id).map_or((entry.chain, own), |(its, payloads)| (its.chain, payloads))
    }

    /// What stands in the place of a record's payloads, if anything does.
    pub fn get(&self, record: &RecordId) -> Option<&'r [Payload]> {
        self.0.get(record).map(|(_, payloads)| *payloads)
    }
}
