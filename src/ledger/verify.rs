//! Verifying a ledger: copies, policy chain, every writer's chain, against what is pinned and what was seen before.
//!
//! Records are checked in parallel, in batches; what depends on their order is judged afterwards, in order, so
//! that the verdict is the same on one thread and on many.

mod policy;
mod run;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

pub use policy::PolicyChain;
pub use run::Reader;
use run::Run;

use crate::chain::{Head, Kind};
use crate::compliance::Keeping;
use crate::finding::{Code, Finding, Verdict, verdict};
use crate::git::repo::Repo;
use crate::host::progress::Bar;
use crate::id::{ChainId, GitId, LedgerId, PackedId, RecordId};
use crate::ledger::copies::{self, Copies, Walk};
use crate::ledger::encryption::Asked;
use crate::ledger::named::Named;
use crate::ledger::payload::Payloads;
use crate::ledger::references::Drawn;
use crate::ledger::refs::NOTES;
use crate::ledger::seals::{Seals, Tail, Witness};
use crate::ledger::seen::{Cache, CachedChain, Seen};
use crate::ledger::workers::Workers;
use crate::ledger::{Ledger, LedgerError, links};
use crate::record::body::{Body, Commit, Place};
use crate::record::signature::PublicKey;
use crate::record::{Citation, Record};
use crate::roster::History;
use crate::time::Time;

/// How to verify.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The ledger that must be the one, `--ledger`; else what this clone or user has pinned.
    pub pinned: Option<LedgerId>,
    /// Check everything anew, whatever was verified before.
    pub full: bool,
    /// Threads to use; 0 for as many as the machine has.
    pub threads: usize,
    /// Give every record back, those verified before too.
    pub entries: bool,
    /// Give every record back that was not verified before.
    pub new_entries: bool,
    /// Look at the notes, too, if they changed since they were last found to be right.
    pub notes: bool,
}

/// A record that was read, and what it is worth.
pub struct Entry {
    pub chain: ChainId,
    pub seq: u64,
    pub id: RecordId,
    pub commit: GitId,
    pub time: Time,
    pub policy: Option<Citation>,
    pub seal: Option<Citation>,
    pub body: Body,
    /// Whether its signature, place and writer's right hold.
    pub good: bool,
}

impl Entry {
    /// What it says of a commit, if it is a commit record.
    pub fn as_commit(&self) -> Option<&Commit> {
        match &self.body {
            Body::Commit(body) => Some(body),
            _ => None,
        }
    }

    /// A record that was read at a commit.
    pub fn of<State>(commit: GitId, record: Record<State>, good: bool) -> Self {
        let envelope = record.envelope();
        Entry {
            chain: envelope.chain,
            seq: envelope.seq,
            id: record.id(),
            commit,
            time: envelope.time,
            policy: envelope.policy,
            seal: envelope.seal,
            good,
            body: record.into_body(),
        }
    }
}

/// One writer's chain.
pub struct Chain {
    pub id: ChainId,
    pub key: Option<PublicKey>,
    /// Who the newest roster says it is that knows its key, or the writer itself claims to be.
    pub member: Option<String>,
    pub pending: bool,
    /// Whether its key was closed before anybody enrolled it: none of its records counts, nothing is found of them, and none is
    /// given back.
    pub refused: bool,
    pub head: Option<Head>,
    pub records: u64,
    /// Whether a witness writes it.
    pub seals: bool,
    /// The ids of its records from number `first` on; those before it were verified before.
    pub first: usize,
    pub ids: Vec<RecordId>,
    /// The records that too few witnesses have sealed.
    pub tail: Option<Tail>,
    /// The records that were read, if they are asked for; else those that others are judged by, and not verified before.
    pub entries: Vec<Entry>,
    /// The commits that good records which are not among these speak of, and where in the chain these are.
    pub commits: Named,
    /// How many of these were verified before.
    pub known: usize,
    /// What the records from `first` on say of sessions, and of those that commits draw on.
    pub drawn: Drawn,
}

impl Chain {
    /// A chain of so many records, of which nothing is known yet.
    pub fn new(id: ChainId, kind: Kind, records: usize) -> Self {
        Chain {
            id,
            key: None,
            member: None,
            pending: false,
            refused: false,
            head: None,
            records: records as u64,
            seals: kind == Kind::Seal,
            first: 0,
            ids: Vec::new(),
            tail: None,
            entries: Vec::new(),
            commits: Named::default(),
            known: 0,
            drawn: Drawn::default(),
        }
    }

    /// Whether an owner has let its writer in, so that its good records count.
    pub fn counts(&self) -> bool {
        !self.pending && !self.refused
    }
}

/// What came of it.
pub struct Report {
    pub ledger: Option<LedgerId>,
    pub chains: Vec<Chain>,
    pub history: History,
    /// What the policy chain says of keeping.
    pub keeping: Keeping,
    pub findings: Vec<Finding>,
    /// Records looked at, or known from before.
    pub records: u64,
    pub payloads: Payloads,
    /// The witnesses whose seals hold.
    pub witnesses: Vec<Witness>,
    /// The records of the policy chain that too few of them have sealed.
    pub policy_tail: Option<Tail>,
}

impl Report {
    /// Of some records that were verified before and hold, each with whether nobody has enrolled its writer; nothing else is
    /// known.
    pub fn of_records(records: impl IntoIterator<Item = (Entry, bool)>) -> Self {
        let mut chains: BTreeMap<ChainId, Chain> = BTreeMap::new();
        for (entry, pending) in records {
            let chain = chains.entry(entry.chain).or_insert_with(|| Chain::new(entry.chain, Kind::Log, 0));
            chain.pending = pending;
            chain.entries.push(entry);
        }
        let mut chains: Vec<Chain> = chains.into_values().collect();
        chains.iter_mut().for_each(|chain| chain.entries.sort_by_key(|entry| entry.seq));
        Report {
            ledger: None,
            records: chains.iter().map(|chain| chain.entries.len() as u64).sum(),
            chains,
            history: History::default(),
            keeping: Keeping::default(),
            findings: Vec::new(),
            payloads: Payloads::default(),
            witnesses: Vec::new(),
            policy_tail: None,
        }
    }

    pub fn verdict(&self) -> Verdict {
        verdict(&self.findings)
    }

    /// Whether a finding is about a record that counts no more, since an owner closed its chain before it: that is settled,
    /// and whoever had the key cannot stop others with what they go on to write.
    pub fn is_revoked(&self, finding: &Finding) -> bool {
        let chain = finding.chain.as_deref().and_then(|chain| chain.parse().ok());
        let closure = chain.zip(self.history.newest()).and_then(|(chain, roster)| roster.closure(chain));
        let beyond = |last: Option<Place>| last.is_none_or(|last| finding.seq.is_some_and(|seq| seq > last.seq));
        finding.code == Code::Unauth && closure.is_some_and(beyond)
    }

    /// Finds which records too few witnesses have sealed.
    fn find_tails(&mut self, repo: &Repo, walks: &BTreeMap<ChainId, Walk>, cache: &mut Cache) {
        let mut tail = |chain: ChainId| {
            let (from, walk) = (self.sealed(chain), walks.get(&chain)?);
            let records = (walk.len() as u64).checked_sub(from).filter(|records| *records > 0)?;
            let mut cached = cache.chains.get_mut(&chain);
            // It may be far back, in a chain that nobody seals.
            let known = cached.as_ref().and_then(|cached| cached.unsealed).filter(|(number, _)| *number == from);
            let time = match known {
                Some((_, time)) => time,
                None => match walk.record(repo, usize::try_from(from).ok()?) {
                    Ok(stored) => stored.record.envelope().time,
                    // Where it cannot be read, it has been waiting for ever.
                    Err(_) => Time::default(),
                },
            };
            if let Some(cached) = &mut cached {
                cached.unsealed = Some((from, time));
            }
            Some(Tail { from, records, time })
        };
        let policy_tail = tail(ChainId::Policy);
        let tails: Vec<_> =
            self.chains.iter().map(|chain| if chain.seals || chain.refused { None } else { tail(chain.id) }).collect();
        self.policy_tail = policy_tail;
        for (chain, tail) in self.chains.iter_mut().zip(tails) {
            chain.tail = tail;
        }
    }

    /// Reads the records of these commits again that were not kept.
    fn keep_records_of(&mut self, commits: &HashSet<PackedId>, repo: &Repo, walks: &BTreeMap<ChainId, Walk>) {
        for chain in &mut self.chains {
            let Some(walk) = walks.get(&chain.id) else { continue };
            let wanted = chain.commits.iter().filter(|(commit, _)| commits.contains(commit));
            let read = wanted.filter_map(|(_, at)| walk.record(repo, at).ok());
            chain.entries.extend(read.map(|stored| Entry::of(stored.commit, stored.record, true)));
        }
    }

    /// Every record that was kept.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chains.iter().flat_map(|chain| &chain.entries)
    }
}

impl Ledger {
    /// Verifies all that this repository has of its ledger, and remembers how far every chain was seen.
    pub fn verify(&self, options: &Options) -> Result<Report, LedgerError> {
        self.verify_for(options, None)
    }

    /// The same, and lets somebody see the records meanwhile.
    pub fn verify_for(&self, options: &Options, reader: Option<&mut dyn Reader>) -> Result<Report, LedgerError> {
        let workers = Workers::new(&self.repo, options.threads)?;
        let repo = &workers.repo();
        let copies = Copies::list(self)?;
        let mut findings = copies.findings.clone();
        let (payloads, found) = copies.payload_blobs(repo);
        findings.extend(found);
        let mut seen = Seen::load(self)?;
        let mut cache = if options.full { Cache::default() } else { Cache::load(self)? };
        let notes = if options.notes { self.repo.find_ref(NOTES)? } else { None };
        let notes = notes.filter(|tip| cache.notes.as_ref() != Some(tip));

        let tips: Vec<_> = copies.chains.iter().collect();
        let bar = Bar::new("chains", tips.len() as u64);
        // What was verified before need not be walked, but by those who want all of it.
        let known = |chain| cache.chains.get(chain).filter(|_| !options.entries).map(CachedChain::place);
        let walked =
            workers.map(0..tips.len(), &bar, |repo, at| copies::walk(repo, *tips[at].0, tips[at].1, known(tips[at].0)));
        drop(bar);
        let mut walks: BTreeMap<ChainId, Walk> = tips.iter().map(|(chain, _)| **chain).zip(walked).collect();
        let policy_commits: Vec<GitId> = walks.get(&ChainId::Policy).into_iter().flat_map(Walk::commits).collect();
        let policy = PolicyChain::verify(repo, &policy_commits);
        if policy_commits.is_empty() && (options.pinned.is_some() || !walks.is_empty()) {
            let message = "the policy chain is not here: nobody's rights can be told (git tracevault fetch)";
            findings.push(Finding::new(Code::Missing, message).chain(ChainId::Policy));
        }
        let policy_records = policy_commits.len();
        findings.extend(policy.findings.iter().cloned());
        let ledger = policy.ledger;
        if let Some(ledger) = options.pinned.or(ledger) {
            cache.keep_for(repo, ledger, &policy.history, (&copies, &payloads), &walks);
            // What has to be verified again is walked from its beginning.
            for (chain, walk) in walks.iter_mut().filter(|(chain, _)| !cache.chains.contains_key(chain)) {
                if let (Some(tips), true) = (copies.chains.get(chain), walk.first > 0) {
                    *walk = copies::walk(repo, *chain, tips, None);
                }
            }
        }
        for (chain, walk) in walks.iter().filter(|(chain, _)| !policy.history.has_refused(**chain)) {
            findings.extend(walk.findings.iter().cloned());
            if !walk.is_empty() {
                findings.extend(seen.compare(repo, *chain, walk));
            }
        }
        findings.extend(seen.lost(&walks, &policy.history));
        if let (Some(pinned), Some(ledger)) = (options.pinned, ledger)
            && pinned != ledger
        {
            let message = format!("the ledger here is {ledger}; the one that is pinned is {pinned}");
            findings.push(Finding::new(Code::Ledger, message).chain(ChainId::Policy));
        }

        let total = (walks.values().map(Walk::len).sum::<usize>() - policy_records) as u64;
        let (mut chains, mut witnesses) = (Vec::new(), Vec::new());
        if let Some(ledger) = options.pinned.or(ledger) {
            let bar = &Bar::new("records", total);
            let run = Run {
                workers: &workers,
                ledger,
                policy: &policy,
                payloads: &payloads,
                walks: &walks,
                witnesses: &copies.witnesses,
                seals: Seals::default(),
                encryption: Asked::of(&policy.history),
                options,
                reader: reader.map(|reader| RefCell::new(reader as &mut dyn Reader)),
                bar,
            };
            let found;
            (chains, witnesses, found) = run.verify(&mut cache);
            findings.extend(found);
        }
        let records = total + policy.history.citation().map_or(0, |citation| citation.n + 1);
        if !findings.iter().any(|f| matches!(f.code, Code::Rollback | Code::Fork)) {
            seen.advance(&copies, &walks);
        }
        let (history, keeping) = (policy.history, policy.keeping);
        let mut report =
            Report { ledger, chains, history, keeping, findings, records, payloads, witnesses, policy_tail: None };
        report.find_tails(repo, &walks, &mut cache);
        let settled = |chain: &ChainId| report.history.has_refused(*chain);
        let lost = walks.iter().filter(|(chain, _)| !settled(chain)).filter_map(|(chain, walk)| walk.lost(*chain));
        let lost: Vec<_> = lost.collect();
        report.findings.extend(lost);
        if let Some(ledger) = options.pinned.or(ledger) {
            self.note_seal(ledger, report.newest_seal())?;
        }
        let linked = links::linked(&report);
        report.keep_records_of(&linked, repo, &walks);
        let found = self.check_links(&mut report, if options.full { None } else { Some(&mut cache.links) });
        report.findings.extend(found);
        if let Some(tip) = notes {
            let found = self.check_notes(&report, &walks, &workers, (&tip, cache.notes.as_ref()))?;
            cache.notes = found.is_empty().then_some(tip);
            report.findings.extend(found);
        }
        seen.save(self)?;
        cache.save(self)?;
        let order = |a: &Finding, b: &Finding| {
            (b.severity, &a.chain, a.seq, a.code).cmp(&(a.severity, &b.chain, b.seq, b.code))
        };
        report.findings.sort_by(order);
        for finding in &mut report.findings {
            let chain = finding.chain.as_deref().unwrap_or_default();
            finding.decided = report.keeping.decision(finding.code.as_str(), chain, finding.seq);
        }
        Ok(report)
    }
}
