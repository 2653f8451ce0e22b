//! The chains of writers and witnesses: each record in its place, and each chain as the others speak of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use crate::chain::{self, Head, Kind};
use crate::digest::Digest;
use crate::finding::{Code, Finding, Severity};
use crate::git::repo::Repo;
use crate::host::progress::Bar;
use crate::id::{ChainId, GitId, LedgerId, PackedId, RecordId};
use crate::ledger::check::{self, Checked};
use crate::ledger::copies::Walk;
use crate::ledger::named::Named;
use crate::ledger::payload::Payloads;
use crate::ledger::pruned::{self, Gone};
use crate::ledger::replaced::{self, Replacement};
use crate::ledger::seals::{Records, Seals, Witness};
use crate::ledger::seen::{Cache, CachedChain};
use crate::ledger::store::{self, StoreError};
use crate::ledger::verify::{Chain, Entry, Options, PolicyChain};
use crate::ledger::workers::Workers;
use crate::ledger::{encryption, references};
use crate::record::body::{Body, Place, Shelf};
use crate::record::signature::PublicKey;
use crate::record::{Record, Unverified, Verified};
use crate::roster::{History, Standing};
use crate::time::Time;

/// What was found of one chain.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    /// The shelves of which pieces were pruned.
    pruned: BTreeSet<Shelf>,
    /// Pieces that are not here: why, can be told only when all chains are read.
    gone: Vec<Gone>,
    /// The amendments that replace payloads.
    replacements: Vec<Replacement>,
    /// The records with payloads in plain text that should be encrypted.
    plain: Vec<Place>,
}

/// Who wants to see every good record, in the order of its chain, while a ledger is verified.
pub trait Reader {
    /// The number of the first record of this chain that is wanted; those that were verified before are read again.
    fn from(&mut self, chain: &Chain) -> u64;
    /// A record, whether it holds or not, unless its chain was refused; the chain as it is known so far.
    fn take(&mut self, chain: &Chain, entry: &Entry);
}

/// A chain whose records are not read yet.
struct Begun<'a> {
    kind: Kind,
    walk: &'a Walk,
    chain: Chain,
    /// The last record that was verified before.
    head: Option<Head>,
    found: Found,
    /// The records to read: none where nobody can tell whose they are.
    numbers: Range<usize>,
}

impl<'a> Begun<'a> {
    fn work(&self, payloads: &'a Payloads) -> Option<Work<'a>> {
        let key = self.chain.key?.verifier();
        let writer = check::Writer { chain: self.chain.id, key, walk: self.walk, payloads };
        Some(Work { writer, first: self.chain.first })
    }
}

/// What a thread does for a chain.
struct Work<'a> {
    writer: check::Writer<'a>,
    /// The number of the first record that was not verified before.
    first: usize,
}

/// A record that was verified before, or one that was checked now.
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
enum Got {
    Known(Box<Result<(GitId, Record<Unverified>), StoreError>>),
    New(Checked),
}

impl Work<'_> {
    fn read(&self, repo: &Repo, numbers: Range<usize>) -> Vec<Got> {
        let known = numbers.start..self.first.min(numbers.end);
        let new = self.first.max(numbers.start)..numbers.end;
        let known = known.map(|at| Got::Known(Box::new(self.writer.walk.known_record(repo, at))));
        known.chain(self.writer.check(repo, new).into_iter().map(Got::New)).collect()
    }
}

/// One verification, seen from the chains of writers and witnesses.
pub struct Run<'a> {
    pub workers: &'a Workers,
    pub ledger: LedgerId,
    pub policy: &'a PolicyChain,
    pub payloads: &'a Payloads,
    pub walks: &'a BTreeMap<ChainId, Walk>,
    /// The chains that are witnesses'.
    pub witnesses: &'a BTreeSet<ChainId>,
    /// The seals that were read.
    pub seals: Seals<'a>,
    /// Which rules ask for encryption.
    pub encryption: encryption::Asked,
    pub options: &'a Options,
    pub reader: Option<RefCell<&'a mut dyn Reader>>,
    pub bar: &'a Bar,
}

impl<'a> Run<'a> {
    /// Verifies every chain but the policy chain, and remembers those of which nothing is wrong.
    pub fn verify(mut self, cache: &mut Cache) -> (Vec<Chain>, Vec<Witness>, Vec<Finding>) {
        let (mut chains, mut found) = (Vec::new(), Vec::new());
        // Seals first: records cite them.
        for kind in [Kind::Seal, Kind::Log] {
            for (walk, chain, its) in self.chains(kind, cache) {
                if kind == Kind::Seal {
                    self.seals.add(&chain, walk, &its.findings);
                }
                chains.push(chain);
                found.push(its);
            }
        }
        let mut referred = references::judge(&self.workers.repo(), &self.policy.history, self.walks, &mut chains);
        let replaced = replaced_by(&chains, &mut found);
        let mut sealed = self.sealed(&chains, cache);
        let (mut witnesses, mut findings) = (Vec::new(), Vec::new());
        for (chain, mut its) in chains.iter_mut().zip(found) {
            if chain.refused {
                // Others may speak of its records, which is judged by now; they themselves are settled.
                (chain.entries, chain.commits) = (Vec::new(), Named::default());
                continue;
            }
            its.findings.extend(referred.findings.remove(&chain.id).unwrap_or_default());
            let gone = self.gone(chain.id, &its.gone, &replaced);
            its.pruned.extend(gone.pruned);
            its.findings.extend(gone.findings);
            let mut clean = !chain.pending;
            let covered = match sealed.remove(&chain.id) {
                Some(Ok(witness)) => {
                    let covered = witness.covered.clone();
                    witnesses.push(witness);
                    Some(covered)
                }
                Some(Err(wrong)) => {
                    clean = false;
                    its.findings.extend(wrong);
                    None
                }
                None => None,
            };
            let tip = self.walks.get(&chain.id).and_then(Walk::tip);
            if let (true, true, Some(head), Some(tip)) = (clean, its.findings.is_empty(), chain.head, tip) {
                let known = cache.chains.remove(&chain.id).filter(|_| chain.first > 0);
                let unsealed = known.as_ref().and_then(|known| known.unsealed);
                let mut targets = known.map(|known| known.targets).unwrap_or_default();
                targets.extend(referred.targets.remove(&chain.id).unwrap_or_default());
                let (key, pruned, plain) = (chain.key, its.pruned.clone(), its.plain.clone());
                let (replaced, replacements) = (gone.replaced.clone(), its.replacements);
                let known =
                    CachedChain { tip, head, key, pruned, plain, replaced, replacements, targets, covered, unsealed };
                cache.chains.insert(chain.id, known);
            }
            findings.extend(its.findings);
            findings.extend(its.pruned.iter().map(pruned::told));
            findings.extend(gone.replaced.iter().map(pruned::told_replaced));
            findings.extend(its.plain.iter().map(|place| encryption::told_plain(chain.id, place)));
        }
        chains.sort_by_key(|chain| chain.id);
        (chains, witnesses, findings)
    }

    /// Why pieces of a chain are not here.
    fn gone(&self, chain: ChainId, gone: &[Gone], replaced: &HashSet<RecordId>) -> pruned::Judged {
        let Some(walk) = self.walks.get(&chain).filter(|_| !gone.is_empty()) else { return pruned::Judged::default() };
        pruned::judge(&self.workers.repo(), walk, &self.policy.keeping, (chain, gone), replaced)
    }

    /// What the seals of each enrolled witness cover, or what is wrong with them.
    fn sealed(&self, chains: &[Chain], cache: &Cache) -> BTreeMap<ChainId, Result<Witness, Vec<Finding>>> {
        let policy = self.policy.history.ids();
        let mut ids: BTreeMap<_, _> = chains.iter().map(|chain| (chain.id, (chain.first, &chain.ids[..]))).collect();
        ids.insert(ChainId::Policy, (0, &policy[..]));
        let repo = &self.workers.repo();
        let records = Records { repo, walks: self.walks, ids, witnesses: self.witnesses };
        let judge = |chain: &Chain| {
            let before = cache.chains.get(&chain.id).filter(|_| chain.first > 0);
            (chain.id, records.judge(chain, before.and_then(|known| known.covered.clone())))
        };
        chains.iter().filter(|chain| chain.seals && chain.counts()).map(judge).collect()
    }

    /// Verifies the chains of this kind: the records of one are checked while those of another are put in order.
    fn chains(&self, kind: Kind, cache: &Cache) -> Vec<(&'a Walk, Chain, Found)> {
        let is_one = |id: &ChainId| *id != ChainId::Policy && self.witnesses.contains(id) == (kind == Kind::Seal);
        let walks = self.walks.iter().filter(|(id, _)| is_one(id));
        let begun: Vec<Begun> = walks.map(|(id, walk)| self.begin(*id, kind, walk, cache.chains.get(id))).collect();
        let works = begun.iter().filter_map(|begun| Some((begun.work(self.payloads)?, begun.numbers.clone())));
        let works: Vec<(Work, Range<usize>)> = works.collect();
        let jobs = self.workers.batches(works.iter().map(|(work, numbers)| (work, numbers.clone())));
        let read = |repo: &Repo, (work, numbers): &(&Work<'_>, Range<usize>)| {
            let got = work.read(repo, numbers.clone());
            self.bar.step(got.len() as u64);
            got
        };
        self.workers.ahead(&jobs, read, |got| {
            let mut got = got.flatten();
            let finish = |begun: Begun<'a>| {
                let its = begun.numbers.len();
                let (walk, (chain, found)) = (begun.walk, self.finish(begun, got.by_ref().take(its)));
                (walk, chain, found)
            };
            begun.into_iter().map(finish).collect()
        })
    }

    /// What is known of a chain before its records are read.
    fn begin(&self, id: ChainId, kind: Kind, walk: &'a Walk, cached: Option<&CachedChain>) -> Begun<'a> {
        let mut chain = Chain { refused: self.policy.history.has_refused(id), ..Chain::new(id, kind, walk.len()) };
        let mut found = Found::default();
        let known = cached.and_then(|cached| Some((cached, walk.position(&cached.tip)?)));
        let mut head = None;
        match known {
            Some((cached, at)) => {
                chain.key = cached.key;
                chain.first = at + 1;
                head = Some(cached.head);
                found.pruned.clone_from(&cached.pruned);
                found.plain.clone_from(&cached.plain);
                found.gone.clone_from(&cached.replaced);
                found.replacements.clone_from(&cached.replacements);
            }
            None => {
                (chain.key, found.findings) = opening_key(&self.workers.repo(), id, walk.walked(walk.first).as_ref())
            }
        }
        self.name(&mut chain);
        let wanted = match &self.reader {
            _ if self.options.entries => 0,
            Some(reader) => usize::try_from(reader.borrow_mut().from(&chain)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let numbers = if chain.key.is_some() { wanted.min(chain.first)..walk.len() } else { 0..0 };
        Begun { kind, walk, chain, head, found, numbers }
    }

    /// Judges a chain's new records in their order.
    fn finish(&self, begun: Begun<'_>, got: impl Iterator<Item = Got>) -> (Chain, Found) {
        let Begun { kind, walk, mut chain, mut head, mut found, .. } = begun;
        let Some(key) = chain.key else { return (chain, found) };
        let id = chain.id;
        // As they come there would be room for up to twice as many.
        chain.ids.reserve_exact(walk.len().saturating_sub(chain.first));
        for got in got {
            let checked = match got {
                Got::New(checked) => checked,
                Got::Known(known) => {
                    match *known {
                        Ok((commit, record)) => self.keep_known(&mut chain, Entry::of(commit, record, true)),
                        Err(error) => found.findings.push(Finding::new(error.code, error.message).chain(id)),
                    }
                    continue;
                }
            };
            // What follows a record that is not here can only be taken at its word.
            if let (Some(head), Some(envelope)) = (&mut head, checked.envelope())
                && head.id == MISSING
            {
                head.id = RecordId(envelope.prev);
            }
            let mut its = checked.findings;
            found.gone.extend(checked.gone);
            match checked.record {
                Some(Ok(record)) => {
                    its.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    its.extend(self.standing(&mut chain, &key, &record));
                    if self.encryption.is_broken_by(&record) {
                        found.plain.push(Place { seq: record.envelope().seq, id: record.id() });
                    }
                    let good = !chain.refused && its.iter().all(|f| f.severity != Severity::Error);
                    self.keep(&mut chain, Entry::of(checked.commit, record, good));
                }
                Some(Err(record)) => {
                    its.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    self.keep(&mut chain, Entry::of(checked.commit, *record, false));
                }
                None => {}
            }
            let missing = its.iter().any(|finding| finding.code == Code::Missing);
            let next = checked.head.unwrap_or_else(|| unread(head, if missing { MISSING } else { UNREADABLE }));
            chain.ids.push(next.id);
            head = Some(next.after(head.as_ref()));
            found.findings.extend(its);
        }
        chain.head = head;
        chain.drawn.finish();
        chain.commits.finish();
        if chain.pending {
            let who = chain.member.clone().unwrap_or_default();
            let role = if chain.seals { " --role witness" } else { "" };
            let message = format!(
                "the key of {who} is not enrolled; an owner enrols it with: git tracevault member add {}{role}",
                id.short()
            );
            found.findings.push(Finding::new(Code::Pending, message).chain(id));
        }
        (chain, found)
    }

    /// Keeps a record where somebody wants them all, or where others are judged by what it says: a ledger may have millions.
    fn keep(&self, chain: &mut Chain, entry: Entry) {
        // Its id is the next one.
        let at = chain.first + chain.ids.len();
        chain.drawn.take_in(at, &entry);
        self.show(chain, &entry);
        match &entry.body {
            _ if self.options.entries || self.options.new_entries || !entry.good => chain.entries.push(entry),
            Body::Seal(_) | Body::Amend(_) | Body::Link(_) => chain.entries.push(entry),
            Body::Commit(body) => chain.commits.push(&PackedId::from(&body.commit), at),
            _ => {}
        }
    }

    /// The same of a record that was verified before.
    fn keep_known(&self, chain: &mut Chain, entry: Entry) {
        self.show(chain, &entry);
        if self.options.entries {
            chain.entries.push(entry);
            chain.known += 1;
        }
    }

    fn show(&self, chain: &Chain, entry: &Entry) {
        if let Some(reader) = self.reader.as_ref().filter(|_| !chain.refused) {
            reader.borrow_mut().take(chain, entry);
        }
    }

    /// Who the chain belongs to, or did belong to last, if any roster knows.
    fn name(&self, chain: &mut Chain) {
        chain.member = self.policy.history.member(chain.id).map(|member| member.id.clone());
    }

    fn standing(&self, chain: &mut Chain, key: &PublicKey, record: &Record<Verified>) -> Vec<Finding> {
        let envelope = record.envelope();
        if let (Body::Open(open), None) = (record.body(), &chain.member) {
            chain.member = Some(open.member.id.clone());
        }
        let place = Place { seq: envelope.seq, id: record.id() };
        let history = &self.policy.history;
        let findings = match history.standing(key.chain(), place, envelope.policy, record.body()) {
            Standing::Authorised => other_rules(history, record).into_iter().collect(),
            Standing::Pending => {
                // A key on another's chain has been told off already.
                chain.pending = !chain.refused && key.chain() == chain.id;
                Vec::new()
            }
            Standing::Unauthorised(why) => vec![Finding::new(Code::Unauth, why)],
            Standing::Replaced(last) => vec![
                Finding::new(Code::Fork, format!("the chain was closed with record {last} at this number")),
                Finding::new(Code::Unauth, "it stands where another record was the last of its chain"),
            ],
            Standing::UnknownPolicy => self.policy.unknown(envelope.policy).into_iter().collect(),
        };
        let cited = if chain.seals { None } else { self.seals.judge(&self.workers.repo(), envelope) };
        let place = |finding: Finding| finding.chain(chain.id).seq(envelope.seq).record(record.id());
        findings.into_iter().chain(cited).map(place).collect()
    }
}

/// The records whose payloads were replaced, by amendments of whichever chain; notes those that each has.
fn replaced_by(chains: &[Chain], found: &mut [Found]) -> HashSet<RecordId> {
    for (chain, its) in chains.iter().zip(found.iter_mut()) {
        its.replacements.extend(chain.entries[chain.known..].iter().filter_map(Replacement::of));
    }
    replaced::records(found.iter().flat_map(|its| its.replacements.iter().cloned()).collect())
}

/// A check is by the rules that were in force where it stands.
fn other_rules(history: &History, record: &Record<Verified>) -> Option<Finding> {
    let (Body::Check(check), Some(cited)) = (record.body(), record.envelope().policy) else { return None };
    let in_force = history.rules_at(cited.n).map(|rules| rules.set);
    let what = "it was checked by other rules than those in force by the policy it cites";
    (in_force != Some(check.rules)).then(|| Finding::new(Code::Policy, what))
}

/// The id that stands for a record that could not be read: no record can follow it.
const UNREADABLE: RecordId = RecordId(Digest::ZERO);
/// The id that stands for a record that is not here.
const MISSING: RecordId = RecordId(Digest::ONES);

/// What stands for a record without a text.
fn unread(head: Option<Head>, id: RecordId) -> Head {
    match head {
        Some(head) => Head { seq: head.seq + 1, id, ..head },
        None => Head { seq: 0, id, time: Time::default(), policy: None, seal: None, closed: false },
    }
}

/// The key that a chain's first record opens it with.
fn opening_key(repo: &Repo, chain: ChainId, first: Option<&GitId>) -> (Option<PublicKey>, Vec<Finding>) {
    let Some(first) = first else { return (None, Vec::new()) };
    let find = |code, message: String| Finding::new(code, message).chain(chain).seq(0);
    let record = match store::read(repo, first) {
        Ok(stored) => stored.record,
        // What is wrong with it is found again when it is checked with the key it names.
        Err(store::StoreError { record: Some(record), .. }) => *record,
        Err(error) => return (None, vec![find(error.code, error.message)]),
    };
    let Body::Open(open) = record.body() else {
        let message = format!("a chain begins with an open record, not with a {} record", record.body().kind());
        return (None, vec![find(Code::Unauth, message).record(record.id())]);
    };
    let key = open.public_key;
    if key.chain() == chain {
        return (Some(key), Vec::new());
    }
    let message = format!("its key makes the chain {}", key.chain());
    let findings = vec![
        find(Code::ChainKey, message).record(record.id()),
        find(Code::Unauth, "nobody but the key a chain is named after may write it".into()).record(record.id()),
    ];
    (Some(key), findings)
}
