//! What witnesses have sealed: every seal against the records that are here, and every record against the seal it cites.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, LedgerId, RecordId};
use crate::ledger::copies::Walk;
use crate::ledger::verify::{Chain, Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::merkle::Tree;
use crate::record::body::{Body, Place, Seal, Sealed};
use crate::record::{Citation, Envelope};
use crate::time::Time;

/// All that a witness has sealed: enough to judge its next seal, whatever the number of records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The last record of each chain that its seals cover.
    pub heads: BTreeMap<ChainId, Place>,
    pub tree: Tree,
    /// Its newest seal.
    pub newest: Option<Newest>,
}

/// A seal, as a record may cite it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    pub cited: Citation,
    /// The number of the policy record that it cites: who cites the seal cites no older one.
    pub policy: u64,
    /// When it was made, by the witness's clock.
    pub time: Time,
}

/// A witness whose seals hold.
#[derive(Clone)]
pub struct Witness {
    pub chain: ChainId,
    pub covered: Covered,
}

/// The seals that records may cite.
#[derive(Default)]
pub struct Seals<'a> {
    known: HashMap<Citation, Facts>,
    /// Witnesses' chains that were verified before, up to so many records: their seals are looked up when they are cited.
    verified: Vec<(&'a Walk, usize)>,
    looked_up: RefCell<HashMap<Citation, Option<Facts>>>,
    /// Whether a seal may be missing that was told of already.
    lost: bool,
}

#[derive(Debug, Clone, Copy)]
struct Facts {
    policy: u64,
    good: bool,
}

impl<'a> Seals<'a> {
    /// Takes in a witness's chain and what was found of it.
    pub fn add(&mut self, chain: &Chain, walk: &'a Walk, findings: &[Finding]) {
        let mut missing = findings.iter().chain(&walk.findings).filter(|finding| finding.code == Code::Missing);
        self.lost |= !chain.refused && missing.next().is_some();
        self.verified.push((walk, chain.first));
        for entry in &chain.entries {
            if let Body::Seal(seal) = &entry.body {
                let policy = entry.policy.map_or(0, |cited| cited.n);
                let facts = Facts { policy, good: entry.good && chain.counts() };
                self.known.insert(Citation { n: seal.size, id: entry.id }, facts);
            }
        }
    }

    /// What is wrong with the seal that a record cites.
    pub fn judge(&self, repo: &Repo, envelope: &Envelope) -> Option<Finding> {
        let cited = envelope.seal?;
        let Some(facts) = self.find(repo, cited) else {
            let message = format!("it cites the seal of {} records {}, which is not here", cited.n, cited.id.short());
            return (!self.lost).then(|| Finding::new(Code::Rollback, message));
        };
        if !facts.good {
            return Some(Finding::new(Code::Seal, "it cites a seal that does not hold"));
        }
        (envelope.policy.is_some_and(|policy| policy.n < facts.policy)).then(|| {
            let message = format!("it cites a seal made under policy record {}, and an older policy", facts.policy);
            Finding::new(Code::Policy, message)
        })
    }

    fn find(&self, repo: &Repo, cited: Citation) -> Option<Facts> {
        if let Some(facts) = self.known.get(&cited) {
            return Some(*facts);
        }
        let mut looked_up = self.looked_up.borrow_mut();
        *looked_up
            .entry(cited)
            .or_insert_with(|| self.verified.iter().find_map(|(walk, records)| look_up(repo, walk, *records, cited)))
    }
}

/// Finds a seal among records that were verified before: seals grow along their chain.
fn look_up(repo: &Repo, walk: &Walk, records: usize, cited: Citation) -> Option<Facts> {
    let (mut low, mut high) = (1, records);
    while low < high {
        let middle = low + (high - low) / 2;
        let stored = walk.record(repo, middle).ok()?;
        let Body::Seal(seal) = stored.record.body() else {
            // Only the end of a chain is no seal.
            high = middle;
            continue;
        };
        match seal.size.cmp(&cited.n) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let policy = stored.record.envelope().policy.map_or(0, |policy| policy.n);
                return (stored.record.id() == cited.id).then_some(Facts { policy, good: true });
            }
        }
    }
    None
}

/// The chains of a ledger, as seals speak of them.
pub struct Records<'a> {
    pub repo: &'a Repo,
    pub walks: &'a BTreeMap<ChainId, Walk>,
    /// The ids that were read now: from which number on, and which.
    pub ids: BTreeMap<ChainId, (usize, &'a [RecordId])>,
    pub witnesses: &'a BTreeSet<ChainId>,
}

/// What is here in the place of a record that a seal covers.
enum Here {
    Record(RecordId),
    /// It was read and found to be right before, with all before it.
    Verified,
    /// It is here and cannot be read, or not here, which has been told.
    Untold,
    Nothing,
}

/// What a seal says that is not so, or that cannot be told.
enum Wrong {
    Found(Box<Finding>),
    Untold,
}

/// A seal, and where it stands.
struct Made {
    seq: u64,
    id: RecordId,
    time: Time,
    policy: u64,
    seal: Seal,
}

impl Made {
    fn of(seq: u64, id: RecordId, time: Time, policy: Option<Citation>, body: &Body) -> Option<Self> {
        let Body::Seal(seal) = body else { return None };
        Some(Made { seq, id, time, policy: policy.map_or(0, |cited| cited.n), seal: seal.clone() })
    }
}

impl Records<'_> {
    fn here(&self, chain: ChainId, seq: u64) -> Here {
        let Some(walk) = self.walks.get(&chain) else { return Here::Nothing };
        let at = usize::try_from(seq).unwrap_or(usize::MAX);
        if at >= walk.len() {
            return if walk.is_empty() { Here::Untold } else { Here::Nothing };
        }
        let Some((first, ids)) = self.ids.get(&chain) else { return Here::Untold };
        match at.checked_sub(*first) {
            None => Here::Verified,
            Some(at) => ids.get(at).filter(|id| told(id)).map_or(Here::Untold, |id| Here::Record(*id)),
        }
    }

    /// Judges the seals of a witness: those that are new, where all that it had covered is as it was.
    pub fn judge(&self, chain: &Chain, before: Option<Covered>) -> Result<Witness, Vec<Finding>> {
        let before = before.filter(|covered| covered.heads.iter().all(|(of, head)| self.as_it_was(*of, head)));
        let mut seals = if before.is_none() { self.read_again(chain) } else { Vec::new() };
        let mut covered = before.unwrap_or_default();
        let new = chain.entries.iter().filter(|entry| entry.good && entry.seq >= chain.first as u64);
        seals.extend(new.filter_map(|entry| Made::of(entry.seq, entry.id, entry.time, entry.policy, &entry.body)));

        let mut findings: BTreeMap<ChainId, Finding> = BTreeMap::new();
        let mut untold = false;
        let place = |finding: Finding, seal: &Made| finding.chain(chain.id).seq(seal.seq).record(seal.id);
        for (seal, head) in seals.iter().flat_map(|made| made.seal.heads.iter().map(move |head| (made, head))) {
            match self.head(head) {
                Ok(()) => {}
                Err(Wrong::Untold) => untold = true,
                Err(Wrong::Found(finding)) => drop(findings.entry(head.chain).or_insert(place(*finding, seal))),
            }
        }
        if untold || !findings.is_empty() {
            return Err(findings.into_values().collect());
        }
        for made in &seals {
            match self.seal(&made.seal, &mut covered) {
                Ok(()) => {}
                Err(Wrong::Untold) => return Err(Vec::new()),
                Err(Wrong::Found(finding)) => return Err(vec![place(*finding, made)]),
            }
            let cited = Citation { n: made.seal.size, id: made.id };
            covered.newest = Some(Newest { cited, policy: made.policy, time: made.time });
        }
        Ok(Witness { chain: chain.id, covered })
    }

    /// Whether all records of a chain up to this one are those that were verified before.
    fn as_it_was(&self, chain: ChainId, head: &Place) -> bool {
        match self.here(chain, head.seq) {
            Here::Verified => true,
            // Of the policy chain all is read each time; whose records follow each other.
            Here::Record(id) => chain == ChainId::Policy && id == head.id,
            Here::Untold | Here::Nothing => false,
        }
    }

    /// The seals that were verified before.
    fn read_again(&self, chain: &Chain) -> Vec<Made> {
        let Some(walk) = self.walks.get(&chain.id) else { return Vec::new() };
        let records = (0..chain.first).filter_map(|at| walk.record(self.repo, at).ok()).map(|stored| stored.record);
        let made = |record: crate::record::Record<_>| {
            let envelope = record.envelope();
            Made::of(envelope.seq, record.id(), envelope.time, envelope.policy, record.body())
        };
        records.filter_map(made).collect()
    }

    /// Whether a head that a seal names is here.
    fn head(&self, head: &Sealed) -> Result<(), Wrong> {
        let chain = head.chain.short();
        match self.here(head.chain, head.seq) {
            Here::Verified => Ok(()),
            Here::Record(id) if id == head.id => Ok(()),
            Here::Record(id) => {
                let message = format!(
                    "record {} of chain {chain} is {}, and {} was sealed",
                    head.seq,
                    id.short(),
                    head.id.short()
                );
                Err(Wrong::Found(Box::new(Finding::new(Code::Fork, message))))
            }
            Here::Nothing => {
                let message = format!("record {} of chain {chain} was sealed and is not there", head.seq);
                Err(Wrong::Found(Box::new(Finding::new(Code::Rollback, message))))
            }
            Here::Untold => Err(Wrong::Untold),
        }
    }

    fn seal(&self, seal: &Seal, covered: &mut Covered) -> Result<(), Wrong> {
        let wrong = |message: &str| Err(Wrong::Found(Box::new(Finding::new(Code::Seal, message))));
        if seal.heads.is_empty() || !seal.heads.is_sorted_by(|a, b| a.chain < b.chain) {
            return wrong("its heads are not in their order, or there are none");
        }
        for head in &seal.heads {
            if self.witnesses.contains(&head.chain) {
                return wrong("it covers a witness's chain");
            }
            let from = covered.heads.get(&head.chain).map_or(0, |place| place.seq + 1);
            if head.seq < from {
                return wrong("it names a head that was sealed before, or an older one");
            }
            self.head(head)?;
            for seq in from..=head.seq {
                covered.tree.push(self.id(head.chain, seq).ok_or(Wrong::Untold)?.0.as_bytes());
            }
            covered.heads.insert(head.chain, Place { seq: head.seq, id: head.id });
        }
        if (covered.tree.size(), covered.tree.root()) != (seal.size, seal.root) {
            return wrong("its size and root are not those of the records that it covers");
        }
        Ok(())
    }

    /// The id of a record, read again where it was verified before.
    fn id(&self, chain: ChainId, seq: u64) -> Option<RecordId> {
        match self.here(chain, seq) {
            Here::Record(id) => Some(id),
            Here::Verified => {
                let at = usize::try_from(seq).ok()?;
                Some(self.walks.get(&chain)?.files(self.repo, at).ok()?.id())
            }
            Here::Untold | Here::Nothing => None,
        }
    }
}

/// Whether an id is that of a record, and does not stand for one that could not be read.
pub fn told(id: &RecordId) -> bool {
    use crate::digest::Digest;
    id.0 != Digest::ZERO && id.0 != Digest::ONES
}

/// The records of a chain that too few witnesses have sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The number of the first of them.
    pub from: u64,
    pub records: u64,
    /// When the first of them was made, as its writer says.
    pub time: Time,
}

impl Tail {
    /// When they began to wait for a seal: their writer's clock is believed between the newest seal and now, and nowhere else.
    pub fn since(&self, newest_seal: Option<Time>, now: Time) -> Time {
        let sealed = newest_seal.unwrap_or_default();
        if self.time > now { sealed } else { self.time.max(sealed) }
    }
}

impl Report {
    /// How many of a chain's records, from the first on, as many witnesses have sealed as there must be.
    pub fn sealed(&self, chain: ChainId) -> u64 {
        let upto = |witness: &Witness| witness.covered.heads.get(&chain).map_or(0, |place| place.seq + 1);
        let mut upto: Vec<u64> = self.witnesses.iter().map(upto).collect();
        upto.sort_unstable_by_key(|upto| std::cmp::Reverse(*upto));
        let needed = self.history.newest().map_or(1, crate::roster::Roster::witnesses);
        upto.get(needed.saturating_sub(1) as usize).copied().unwrap_or_default()
    }

    /// The newest seal of those that hold: the one that covers most.
    pub fn newest_seal(&self) -> Option<Newest> {
        self.witnesses.iter().filter_map(|witness| witness.covered.newest).max_by_key(|newest| newest.cited.n)
    }

    /// When a record was made, by witnesses' clocks: after the seal that it cites, and before the first that covers it.
    /// All records must have been read.
    pub fn bracket(&self, chain: ChainId, seq: u64, cited: Option<Citation>) -> (Option<Time>, Option<Time>) {
        let holds = |chain: &&Chain| self.witnesses.iter().any(|witness| witness.chain == chain.id);
        let seals: Vec<(&Entry, &Seal)> = self
            .chains
            .iter()
            .filter(holds)
            .flat_map(|chain| &chain.entries)
            .filter_map(|entry| match &entry.body {
                Body::Seal(seal) if entry.good => Some((entry, seal)),
                _ => None,
            })
            .collect();
        let after = cited.and_then(|cited| seals.iter().find(|(entry, _)| entry.id == cited.id));
        let covers = |seal: &Seal| seal.heads.iter().any(|head| head.chain == chain && head.seq >= seq);
        let before = seals.iter().filter(|(_, seal)| covers(seal)).map(|(entry, _)| entry.time).min();
        (after.map(|(entry, _)| entry.time), before)
    }
}

/// The newest seal that was verified here, for the next record to cite.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Note {
    ledger: LedgerId,
    newest: Newest,
}

const NOTE: &str = "seal.json";

impl Ledger {
    /// The newest seal that was verified here, if a record under this policy may cite it.
    pub fn newest_seal(&self, policy: Option<Citation>) -> Option<Citation> {
        let bytes = crate::host::files::read_if_exists(&self.dir().join(NOTE)).ok().flatten()?;
        // A note that cannot be read is none: the chain goes on citing what it cited.
        let note: Note = serde_json::from_slice(&bytes).ok()?;
        let fits = Some(note.ledger) == self.id() && policy.is_some_and(|policy| policy.n >= note.newest.policy);
        fits.then_some(note.newest.cited)
    }

    /// Remembers the newest seal that holds.
    pub fn note_seal(&self, ledger: LedgerId, newest: Option<Newest>) -> Result<(), LedgerError> {
        let Some(newest) = newest else { return Ok(()) };
        let note = Note { ledger, newest };
        super::seen::save_changed(self, NOTE, &note)
    }
}
