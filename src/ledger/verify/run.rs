//! The chains of writers and witnesses: each record in its place, and each chain as the others speak of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::chain::{self, Head, Kind};
use crate::digest::Digest;
use crate::finding::{Code, Finding, Severity};
use crate::git::repo::Repo;
use crate::host::progress::Bar;
use crate::id::{ChainId, GitId, LedgerId, PackedId, RecordId};
use crate::ledger::check;
use crate::ledger::copies::Walk;
use crate::ledger::payload::Payloads;
use crate::ledger::seals::{Records, Seals, Witness};
use crate::ledger::seen::{Cache, CachedChain};
use crate::ledger::verify::{Chain, Entry, Options, PolicyChain};
use crate::ledger::workers::Workers;
use crate::ledger::{encryption, pruned, references, store};
use crate::record::body::{Body, Place, Shelf};
use crate::record::signature::PublicKey;
use crate::record::{Record, Verified};
use crate::roster::{History, Standing};
use crate::time::Time;

/// What was found of one chain.
struct Found {
    findings: Vec<Finding>,
    /// The shelves of which pieces were pruned.
    pruned: BTreeSet<Shelf>,
    /// The records with payloads in plain text that should be encrypted.
    plain: Vec<Place>,
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
    pub bar: &'a Bar,
}

impl Run<'_> {
    /// Verifies every chain but the policy chain, and remembers those of which nothing is wrong.
    pub fn verify(mut self, cache: &mut Cache) -> (Vec<Chain>, Vec<Witness>, Vec<Finding>) {
        let (mut chains, mut found) = (Vec::new(), Vec::new());
        // Seals first: records cite them.
        for kind in [Kind::Seal, Kind::Log] {
            let is_one = |id: &ChainId| *id != ChainId::Policy && self.witnesses.contains(id) == (kind == Kind::Seal);
            for (id, walk) in self.walks.iter().filter(|(id, _)| is_one(id)) {
                let (chain, its) = self.chain(*id, kind, walk, cache.chains.get(id));
                if kind == Kind::Seal {
                    self.seals.add(&chain, walk, &its.findings);
                }
                chains.push(chain);
                found.push(its);
            }
        }
        let mut referred = references::judge(&self.workers.repo(), &self.policy.history, self.walks, &mut chains);
        let mut sealed = self.sealed(&chains, cache);
        let (mut witnesses, mut findings) = (Vec::new(), Vec::new());
        for (chain, mut its) in chains.iter_mut().zip(found) {
            if chain.refused {
                // Others may speak of its records, which is judged by now; they themselves are settled.
                (chain.entries, chain.commits) = (Vec::new(), Vec::new());
                continue;
            }
            its.findings.extend(referred.findings.remove(&chain.id).unwrap_or_default());
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
                let known = CachedChain { tip, head, key, pruned, plain, targets, covered, unsealed };
                cache.chains.insert(chain.id, known);
            }
            findings.extend(its.findings);
            findings.extend(its.pruned.iter().map(pruned::told));
            findings.extend(its.plain.iter().map(|place| encryption::told_plain(chain.id, place)));
        }
        chains.sort_by_key(|chain| chain.id);
        (chains, witnesses, findings)
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

    fn chain(&self, id: ChainId, kind: Kind, walk: &Walk, cached: Option<&CachedChain>) -> (Chain, Found) {
        let mut chain = Chain::new(id, kind, walk.len());
        chain.refused = self.policy.history.has_refused(id);
        let mut findings = Vec::new();
        let (mut pruned, mut plain, mut gone) = (BTreeSet::new(), Vec::new(), Vec::new());

        let known = cached.and_then(|cached| Some((cached, walk.position(&cached.tip)?)));
        let (start, mut head) = match known {
            Some((cached, at)) => {
                chain.key = cached.key;
                pruned.clone_from(&cached.pruned);
                plain.clone_from(&cached.plain);
                (at + 1, Some(cached.head))
            }
            None => {
                let (key, found) = opening_key(&self.workers.repo(), id, walk.walked(walk.first).as_ref());
                chain.key = key;
                findings.extend(found);
                (0, None)
            }
        };
        chain.first = start;
        self.name(&mut chain);
        let Some(key) = chain.key else { return (chain, Found { findings, pruned, plain }) };
        if self.options.entries {
            for stored in self.workers.map(0..start, self.bar, |repo, at| walk.record(repo, at)) {
                match stored {
                    Ok(stored) => chain.entries.push(Entry::of(stored.commit, stored.record, true)),
                    Err(error) => findings.push(Finding::new(error.code, error.message).chain(id)),
                }
            }
        }

        chain.known = chain.entries.len();
        let writer = check::Writer { chain: id, key: key.verifier(), walk, payloads: self.payloads };
        let check = |repo: &Repo, numbers| writer.check(repo, numbers);
        for checked in self.workers.in_rounds(start..walk.len(), self.bar, check) {
            // What follows a record that is not here can only be taken at its word.
            if let (Some(head), Some(envelope)) = (&mut head, checked.envelope())
                && head.id == MISSING
            {
                head.id = RecordId(envelope.prev);
            }
            let mut found = checked.findings;
            gone.extend(checked.gone);
            match checked.record {
                Some(Ok(record)) => {
                    found.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    found.extend(self.standing(&mut chain, &key, &record));
                    if self.encryption.is_broken_by(&record) {
                        plain.push(Place { seq: record.envelope().seq, id: record.id() });
                    }
                    let good = !chain.refused && found.iter().all(|f| f.severity != Severity::Error);
                    self.keep(&mut chain, Entry::of(checked.commit, record, good));
                }
                Some(Err(record)) => {
                    found.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    self.keep(&mut chain, Entry::of(checked.commit, *record, false));
                }
                None => {}
            }
            let missing = found.iter().any(|finding| finding.code == Code::Missing);
            let next = checked.head.unwrap_or_else(|| unread(head, if missing { MISSING } else { UNREADABLE }));
            chain.ids.push(next.id);
            head = Some(next.after(head.as_ref()));
            findings.extend(found);
        }
        chain.head = head;
        chain.drawn.finish();
        let (more, missing) = pruned::judge(&self.workers.repo(), walk, &self.policy.keeping, id, &gone);
        pruned.extend(more);
        findings.extend(missing);
        if chain.pending {
            let who = chain.member.clone().unwrap_or_default();
            let role = if chain.seals { " --role witness" } else { "" };
            let message = format!(
                "the key of {who} is not enrolled; an owner enrols it with: git tracevault member add {}{role}",
                id.short()
            );
            findings.push(Finding::new(Code::Pending, message).chain(id));
        }
        (chain, Found { findings, pruned, plain })
    }

    /// Keeps a record where somebody wants them all, or where others are judged by what it says: a ledger may have millions.
    fn keep(&self, chain: &mut Chain, entry: Entry) {
        // Its id is the next one.
        let at = chain.first + chain.ids.len();
        chain.drawn.take_in(at, &entry);
        match &entry.body {
            _ if self.options.entries || self.options.new_entries || !entry.good => chain.entries.push(entry),
            Body::Seal(_) | Body::Amend(_) | Body::Link(_) => chain.entries.push(entry),
            Body::Commit(body) => chain.commits.push((PackedId::from(&body.commit), at)),
            _ => {}
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
