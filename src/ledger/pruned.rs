//! Payloads that are not here: pruned, by a record that covers each piece of them, replaced by an amendment, or missing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::compliance::Keeping;
use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, RecordId};
use crate::ledger::copies::Walk;
use crate::merkle::Tree;
use crate::record::body::{Body, Payload, Place, PrunedShelf, Shelf};

/// Pieces of one payload that are nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub place: Place,
    pub shelf: Shelf,
    pub pieces: Vec<Digest>,
    /// How many pieces the payload has.
    pub of: usize,
}

/// The payloads that a record names.
pub fn payloads(body: &Body) -> &[Payload] {
    match body {
        Body::Session(session) => &session.payloads,
        Body::Amend(amend) => &amend.correction.payloads,
        _ => &[],
    }
}

/// The pieces of each shelf of a chain, in the order in which its records name them.
pub fn shelves(repo: &Repo, chain: ChainId, walk: &Walk) -> BTreeMap<Shelf, Vec<Digest>> {
    let mut shelves: BTreeMap<Shelf, Vec<Digest>> = BTreeMap::new();
    // What cannot be read names nothing.
    for stored in (0..walk.len()).filter_map(|at| walk.record(repo, at).ok()) {
        for payload in payloads(stored.record.body()) {
            let shelf = Shelf { chain, class: payload.class, month: payload.month.clone() };
            shelves.entry(shelf).or_default().extend(payload.pieces.iter().map(|piece| piece.sha256));
        }
    }
    shelves
}

/// What a record of its pruning says of a shelf with these pieces.
pub fn prune(shelf: Shelf, pieces: &[Digest]) -> PrunedShelf {
    let mut tree = Tree::default();
    tree.extend(pieces.iter().map(|piece| &piece.as_bytes()[..]));
    let Shelf { chain, class, month } = shelf;
    PrunedShelf { chain, class, month, pieces: tree.size(), root: tree.root() }
}

/// Why pieces are not here.
#[derive(Default)]
pub struct Judged {
    /// The shelves of which pieces were pruned.
    pub pruned: BTreeSet<Shelf>,
    /// What an amendment replaced.
    pub replaced: Vec<Gone>,
    /// A finding for each payload with pieces that nothing accounts for.
    pub findings: Vec<Finding>,
}

/// Judges the pieces of a chain that are not here; `replaced` are the records whose payloads were replaced.
pub fn judge(
    repo: &Repo,
    walk: &Walk,
    keeping: &Keeping,
    (chain, gone): (ChainId, &[Gone]),
    replaced: &HashSet<RecordId>,
) -> Judged {
    let covered = covered(repo, walk, keeping, chain, gone);
    let mut judged = Judged::default();
    for its in gone {
        let Gone { place, shelf, pieces, of } = its;
        let missing = pieces.iter().filter(|piece| !covered.contains(piece)).count();
        if missing == 0 {
            judged.pruned.insert(shelf.clone());
        } else if replaced.contains(&place.id) {
            judged.replaced.push(its.clone());
        } else {
            let what =
                format!("{missing} of {of} pieces of its {} payload ({}) are not here", shelf.class, shelf.month);
            judged.findings.push(Finding::new(Code::Missing, what).chain(chain).seq(place.seq).record(place.id));
        }
    }
    judged
}

/// What is told of pieces that were replaced.
pub fn told_replaced(gone: &Gone) -> Finding {
    let Gone { place, shelf, pieces, of } = gone;
    let what =
        format!("{} of {of} pieces of its {} payload ({}) were replaced", pieces.len(), shelf.class, shelf.month);
    Finding::new(Code::Replaced, what).chain(shelf.chain).seq(place.seq).record(place.id)
}

/// What is told of a shelf of which pieces were pruned.
pub fn told(shelf: &Shelf) -> Finding {
    let what = format!("{} payloads of {} expired and were pruned", shelf.class, shelf.month);
    Finding::new(Code::Pruned, what).chain(shelf.chain)
}

/// The pieces that good prune records cover: the first so many of a shelf, if theirs is the root that is named.
fn covered(repo: &Repo, walk: &Walk, keeping: &Keeping, chain: ChainId, gone: &[Gone]) -> HashSet<Digest> {
    let wanted = |pruned: &&PrunedShelf| gone.iter().any(|gone| gone.shelf == pruned.shelf());
    let records: Vec<&PrunedShelf> = keeping.pruned(chain).filter(wanted).collect();
    if records.is_empty() {
        return HashSet::new();
    }
    let shelves = shelves(repo, chain, walk);
    let mut covered = HashSet::new();
    for pruned in records {
        let pieces = shelves.get(&pruned.shelf()).map_or(&[][..], Vec::as_slice);
        let count = usize::try_from(pruned.pieces).unwrap_or(usize::MAX);
        if let Some(pieces) = pieces.get(..count)
            && prune(pruned.shelf(), pieces) == *pruned
        {
            covered.extend(pieces);
        }
    }
    covered
}
