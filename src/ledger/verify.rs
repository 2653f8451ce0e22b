//! Verifying a ledger: copies, policy chain, every writer's chain, against what is pinned and what was seen before.
//!
//! Records are checked in parallel, in batches; what depends on their order is judged afterwards, in order, so
//! that the verdict is the same on one thread and on many.

use std::collections::BTreeMap;

use crate::chain::{self, Head, Kind};
use crate::digest::Digest;
use crate::finding::{Code, Finding, Severity, Verdict, verdict};
use crate::git::repo::Repo;
use crate::host::progress::Bar;
use crate::id::{ChainId, GitId, LedgerId, RecordId};
use crate::ledger::check;
use crate::ledger::copies::{self, Copies, Walk};
use crate::ledger::payload::Payloads;
use crate::ledger::refs::NOTES;
use crate::ledger::seals::{Records, Seals, Tail, Witness};
use crate::ledger::seen::{Cache, CachedChain, Seen};
use crate::ledger::workers::Workers;
use crate::ledger::{Ledger, LedgerError, store};
use crate::record::body::{Body, Commit, Place};
use crate::record::object::{SIGNATURE_FILE, policy_signature_file};
use crate::record::signature::PublicKey;
use crate::record::{Citation, Record, RecordError, Verified};
use crate::roster::{History, Roster, Standing};
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

    fn of<State>(commit: GitId, record: Record<State>, good: bool) -> Self {
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
    /// Who the roster says it is, or the writer itself claims to be.
    pub member: Option<String>,
    pub pending: bool,
    pub head: Option<Head>,
    pub records: u64,
    /// Whether a witness writes it.
    pub seals: bool,
    /// The ids of its records from number `first` on; those before it were verified before.
    pub first: usize,
    pub ids: Vec<RecordId>,
    /// The records that too few witnesses have sealed.
    pub tail: Option<Tail>,
    /// The records that were read: all of them, or those not verified before.
    pub entries: Vec<Entry>,
}

impl Chain {
    /// A chain of so many records, of which nothing is known yet.
    pub fn new(id: ChainId, kind: Kind, records: usize) -> Self {
        Chain {
            id,
            key: None,
            member: None,
            pending: false,
            head: None,
            records: records as u64,
            seals: kind == Kind::Seal,
            first: 0,
            ids: Vec::new(),
            tail: None,
            entries: Vec::new(),
        }
    }
}

/// What came of it.
pub struct Report {
    pub ledger: Option<LedgerId>,
    pub chains: Vec<Chain>,
    pub history: History,
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
    pub fn verdict(&self) -> Verdict {
        verdict(&self.findings)
    }

    /// Finds which records too few witnesses have sealed.
    fn find_tails(&mut self, repo: &Repo, walks: &BTreeMap<ChainId, Walk>) {
        let tail = |chain: ChainId| {
            let (from, walk) = (self.sealed(chain), walks.get(&chain)?);
            let records = (walk.commits.len() as u64).checked_sub(from).filter(|records| *records > 0)?;
            // Where it cannot be read, it has been waiting for ever.
            let record = walk.record(repo, usize::try_from(from).ok()?);
            let time = record.map_or_else(|_| Time::default(), |stored| stored.record.envelope().time);
            Some(Tail { from, records, time })
        };
        let policy_tail = tail(ChainId::Policy);
        let tails: Vec<_> = self.chains.iter().map(|chain| if chain.seals { None } else { tail(chain.id) }).collect();
        self.policy_tail = policy_tail;
        for (chain, tail) in self.chains.iter_mut().zip(tails) {
            chain.tail = tail;
        }
    }

    /// Every record that was read.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chains.iter().flat_map(|chain| &chain.entries)
    }
}

impl Ledger {
    /// Verifies all that this repository has of its ledger, and remembers how far every chain was seen.
    pub fn verify(&self, options: &Options) -> Result<Report, LedgerError> {
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
        let options = &Options { entries: options.entries || notes.is_some(), ..*options };

        let tips: Vec<_> = copies.chains.iter().collect();
        let bar = Bar::new("chains", tips.len() as u64);
        let walked = workers.map(0..tips.len(), &bar, |repo, at| copies::walk(repo, *tips[at].0, tips[at].1));
        drop(bar);
        let walks: BTreeMap<ChainId, Walk> = tips.iter().map(|(chain, _)| **chain).zip(walked).collect();
        for (chain, walk) in &walks {
            findings.extend(walk.findings.iter().cloned());
            if !walk.commits.is_empty() {
                findings.extend(seen.compare(*chain, &walk.commits));
            }
        }
        findings.extend(seen.lost(&walks));

        let policy_commits = walks.get(&ChainId::Policy).map_or(&[][..], |walk| &walk.commits);
        let policy = PolicyChain::verify(repo, policy_commits);
        if policy_commits.is_empty() && (options.pinned.is_some() || !walks.is_empty()) {
            let message = "the policy chain is not here: nobody's rights can be told (git tracevault fetch)";
            findings.push(Finding::new(Code::Missing, message).chain(ChainId::Policy));
        }
        findings.extend(policy.findings.iter().cloned());
        let ledger = policy.ledger;
        if let (Some(pinned), Some(ledger)) = (options.pinned, ledger)
            && pinned != ledger
        {
            let message = format!("the ledger here is {ledger}; the one that is pinned is {pinned}");
            findings.push(Finding::new(Code::Ledger, message).chain(ChainId::Policy));
        }

        let writers = || walks.iter().filter(|(chain, _)| **chain != ChainId::Policy);
        let total = writers().map(|(_, walk)| walk.commits.len() as u64).sum::<u64>();
        let (mut chains, mut witnesses) = (Vec::new(), Vec::new());
        if let Some(ledger) = options.pinned.or(ledger) {
            cache.keep_for(repo, ledger, &policy.history, &copies, &walks);
            let bar = Bar::new("records", total);
            let seals = Seals::default();
            let (payloads, bar) = (&payloads, &bar);
            let mut run = Run { workers: &workers, ledger, policy: &policy, payloads, seals, options, bar };
            let mut verified = Vec::new();
            // Seals first: records cite them.
            let is_witness = |id: &ChainId| copies.witnesses.contains(id);
            for (id, walk) in writers().filter(|(id, _)| is_witness(id)) {
                let (chain, found) = run.chain(*id, Kind::Seal, walk, cache.chains.get(id));
                run.seals.add(&chain, walk, &found);
                verified.push((chain, walk, found));
            }
            for (id, walk) in writers().filter(|(id, _)| !is_witness(id)) {
                let (chain, found) = run.chain(*id, Kind::Log, walk, cache.chains.get(id));
                verified.push((chain, walk, found));
            }
            let policy_ids = policy.history.ids();
            let mut ids: BTreeMap<_, _> =
                verified.iter().map(|(chain, ..)| (chain.id, (chain.first, &chain.ids[..]))).collect();
            ids.insert(ChainId::Policy, (0, &policy_ids[..]));
            let records = Records { repo, walks: &walks, ids, witnesses: &copies.witnesses };
            let mut covered = BTreeMap::new();
            let mut wrong = BTreeMap::new();
            for (chain, ..) in verified.iter().filter(|(chain, ..)| chain.seals && !chain.pending) {
                let before = cache.chains.get(&chain.id).filter(|_| chain.first > 0);
                match records.judge(chain, before.and_then(|known| known.covered.clone())) {
                    Ok(witness) => drop(covered.insert(chain.id, witness)),
                    Err(findings) => drop(wrong.insert(chain.id, findings)),
                }
            }
            for (chain, walk, mut found) in verified {
                let clean = found.is_empty() && !chain.pending && !wrong.contains_key(&chain.id);
                found.extend(wrong.remove(&chain.id).unwrap_or_default());
                if let (true, Some(head), Some(tip)) = (clean, chain.head, walk.commits.last()) {
                    let covered = covered.get(&chain.id).map(|witness| witness.covered.clone());
                    cache.chains.insert(chain.id, CachedChain { tip: tip.clone(), head, key: chain.key, covered });
                }
                findings.extend(found);
                chains.push(chain);
            }
            chains.sort_by_key(|chain| chain.id);
            witnesses = covered.into_values().collect();
        }
        let records = total + policy.history.citation().map_or(0, |citation| citation.n + 1);
        if !findings.iter().any(|f| matches!(f.code, Code::Rollback | Code::Fork)) {
            seen.advance(&copies, &walks);
        }
        let history = policy.history;
        let mut report = Report { ledger, chains, history, findings, records, payloads, witnesses, policy_tail: None };
        report.find_tails(repo, &walks);
        if let Some(ledger) = options.pinned.or(ledger) {
            self.note_seal(ledger, report.newest_seal())?;
        }
        let found = self.check_links(&mut report, if options.full { None } else { Some(&mut cache.links) });
        report.findings.extend(found);
        if let Some(tip) = notes {
            let found = self.check_notes(&report, &workers)?;
            cache.notes = found.is_empty().then_some(tip);
            report.findings.extend(found);
        }
        seen.save(self)?;
        cache.save(self)?;
        let order = |a: &Finding, b: &Finding| {
            (b.severity, &a.chain, a.seq, a.code).cmp(&(a.severity, &b.chain, b.seq, b.code))
        };
        report.findings.sort_by(order);
        Ok(report)
    }
}

/// The policy chain, verified in order: each record by the rights the one before gave.
pub struct PolicyChain {
    pub ledger: Option<LedgerId>,
    pub history: History,
    pub findings: Vec<Finding>,
    /// How many records there are, those after a break too.
    pub records: u64,
}

impl PolicyChain {
    pub fn verify(repo: &Repo, commits: &[GitId]) -> Self {
        let mut chain = PolicyChain { ledger: None, history: History::default(), findings: Vec::new(), records: 0 };
        chain.records = commits.len() as u64;
        let mut head = None;
        for commit in commits {
            match chain.next(repo, commit, head.as_ref()) {
                Ok(next) => head = Some(next.after(head.as_ref())),
                // Whoever breaks the policy chain freezes it: nothing after the break counts.
                Err(findings) => {
                    chain.findings.extend(findings);
                    break;
                }
            }
        }
        chain
    }

    fn next(&mut self, repo: &Repo, commit: &GitId, head: Option<&Head>) -> Result<Head, Vec<Finding>> {
        let stored = store::read(repo, commit)
            .map_err(|error| vec![Finding::new(error.code, error.message).chain(ChainId::Policy)])?;
        let record = &stored.record;
        let ledger = *self.ledger.get_or_insert_with(|| record.ledger());
        let findings = chain::follow(head, record, ledger, ChainId::Policy, Kind::Policy);
        if !findings.is_empty() {
            return Err(findings);
        }
        let place = |code, message: String| {
            vec![Finding::new(code, message).chain(ChainId::Policy).seq(record.envelope().seq).record(record.id())]
        };
        if record.envelope().policy != self.history.citation() {
            return Err(place(Code::Policy, "it does not cite the policy record before it".into()));
        }
        let (signers, verified) =
            policy_signers(&stored, self.history.newest()).map_err(|(code, why)| place(code, why))?;
        let Some(verified) = verified else {
            return Err(place(Code::Sig, "it has no signature".into()));
        };
        self.history.extend(&verified, &signers).map_err(|error| {
            use crate::roster::RosterError::{Threshold, Unauthorised};
            let code = match error {
                Threshold { .. } => Code::PolicyThreshold,
                Unauthorised => Code::Unauth,
                _ => Code::Policy,
            };
            place(code, error.to_string())
        })?;
        Ok(Head::of(record))
    }
}

impl PolicyChain {
    /// What it means that a record cites a policy record which is not among the good ones.
    fn unknown(&self, cited: Option<Citation>) -> Option<Finding> {
        let good = self.history.citation().map_or(0, |newest| newest.n + 1);
        match cited {
            None => Some(Finding::new(Code::Policy, "it cites no policy record")),
            Some(cited) if cited.n < good => {
                Some(Finding::new(Code::Policy, format!("policy record {} is another than the one it cites", cited.n)))
            }
            // What is missing has been told, once.
            Some(_) if self.records == 0 || self.findings.iter().any(|f| f.code == Code::Missing) => None,
            Some(cited) if cited.n < self.records => {
                Some(Finding::new(Code::Policy, format!("it cites policy record {}, which does not hold", cited.n)))
            }
            Some(cited) => Some(Finding::new(
                Code::Rollback,
                format!("it cites policy record {}; now the policy chain has {} records", cited.n, self.records),
            )),
        }
    }
}

/// The keys that have signed a policy record, and the record, if there is one.
type Signed = (Vec<PublicKey>, Option<Record<Verified>>);

/// The members' keys that have signed a policy record, by its signature files. Each file must be a member's: one that
/// is not would be a place to hide something.
fn policy_signers(stored: &store::Stored, roster: Option<&Roster>) -> Result<Signed, (Code, String)> {
    // A record is signed by those whom it makes members, too: the genesis record by its owners, a change by new ones.
    let set = match stored.record.body() {
        Body::Genesis(genesis) => &genesis.members[..],
        Body::Roster(change) => &change.set[..],
        _ => &[],
    };
    let mut keys: Vec<PublicKey> = set.iter().flat_map(|m| &m.keys).map(|key| key.public_key).collect();
    keys.extend(roster.into_iter().flat_map(Roster::open_keys));
    keys.sort_unstable_by_key(PublicKey::chain);
    keys.dedup();
    let mut signers = Vec::new();
    let mut verified = None;
    for (name, signature) in &stored.signatures {
        if name == SIGNATURE_FILE {
            return Err((Code::Envelope, "there is a signature that names no key".into()));
        }
        let mut answer = Err((Code::Sig, format!("{name} is no member's signature")));
        for key in keys.iter().filter(|key| *name == policy_signature_file(&key.number())) {
            match stored.record.clone().verify(&key.verifier(), signature) {
                Ok(record) => answer = Ok((key, record)),
                // Two keys may have one number; a signature is then one of them's.
                Err(_) if answer.is_ok() => {}
                Err(rejected) => {
                    let error = RecordError::from(rejected.error);
                    answer = Err((error.code(), format!("{name}: {error}")));
                }
            }
        }
        let (key, record) = answer?;
        signers.push(*key);
        verified = Some(record);
    }
    Ok((signers, verified))
}

/// One verification, seen from a chain.
struct Run<'a> {
    workers: &'a Workers,
    ledger: LedgerId,
    policy: &'a PolicyChain,
    payloads: &'a Payloads,
    seals: Seals<'a>,
    options: &'a Options,
    bar: &'a Bar,
}

impl Run<'_> {
    fn chain(&self, id: ChainId, kind: Kind, walk: &Walk, cached: Option<&CachedChain>) -> (Chain, Vec<Finding>) {
        let commits = &walk.commits;
        let mut chain = Chain::new(id, kind, commits.len());
        let mut findings = Vec::new();

        let known = cached.and_then(|cached| Some((cached, commits.iter().rposition(|commit| *commit == cached.tip)?)));
        let (start, mut head) = match known {
            Some((cached, at)) => {
                chain.key = cached.key;
                (at + 1, Some(cached.head))
            }
            None => {
                let (key, found) = opening_key(&self.workers.repo(), id, commits.first());
                chain.key = key;
                findings.extend(found);
                (0, None)
            }
        };
        chain.first = start;
        self.name(&mut chain);
        let Some(key) = chain.key else { return (chain, findings) };
        if self.options.entries {
            for stored in self.workers.map(0..start, self.bar, |repo, at| walk.record(repo, at)) {
                match stored {
                    Ok(stored) => chain.entries.push(Entry::of(stored.commit, stored.record, true)),
                    Err(error) => findings.push(Finding::new(error.code, error.message).chain(id)),
                }
            }
        }

        let writer = check::Writer { chain: id, key: key.verifier(), walk, payloads: self.payloads };
        let check = |repo: &Repo, numbers| writer.check(repo, numbers);
        for checked in self.workers.map_batches(start..commits.len(), self.bar, check) {
            // What follows a record that is not here can only be taken at its word.
            if let (Some(head), Some(envelope)) = (&mut head, checked.envelope())
                && head.id == MISSING
            {
                head.id = RecordId(envelope.prev);
            }
            let mut found = checked.findings;
            match checked.record {
                Some(Ok(record)) => {
                    found.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    found.extend(self.standing(&mut chain, &key, &record));
                    let good = found.iter().all(|f| f.severity != Severity::Error);
                    chain.entries.push(Entry::of(checked.commit, record, good));
                }
                Some(Err(record)) => {
                    found.extend(chain::follow(head.as_ref(), &record, self.ledger, id, kind));
                    chain.entries.push(Entry::of(checked.commit, *record, false));
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
        if chain.pending {
            let who = chain.member.clone().unwrap_or_default();
            let message = format!(
                "the key of {who} is not enrolled; an owner enrols it with: git tracevault member add {}",
                id.short()
            );
            findings.push(Finding::new(Code::Pending, message).chain(id));
        }
        (chain, findings)
    }

    /// Who the chain belongs to, if the roster knows.
    fn name(&self, chain: &mut Chain) {
        let enrolled = self.policy.history.newest().and_then(|roster| roster.enrolment(chain.id));
        chain.member = enrolled.map(|(member, _)| member.id.clone());
    }

    fn standing(&self, chain: &mut Chain, key: &PublicKey, record: &Record<Verified>) -> Vec<Finding> {
        let envelope = record.envelope();
        if let (Body::Open(open), None) = (record.body(), &chain.member) {
            chain.member = Some(open.member.id.clone());
        }
        let place = Place { seq: envelope.seq, id: record.id() };
        let findings = match self.policy.history.standing(key.chain(), place, envelope.policy, record.body()) {
            Standing::Authorised => Vec::new(),
            Standing::Pending => {
                // A key on another's chain has been told off already.
                chain.pending = key.chain() == chain.id;
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
