//! Whether a push may be let in: the ledger only grows, what comes to it holds, and code comes with its records.
//!
//! The push is judged as the repository that it would make ([`Incoming`]), so that the same verification and the same rules
//! hold here as everywhere. What was wrong before the push is not held against it.
//!
//! [`Incoming`]: crate::git::incoming::Incoming

use std::collections::{BTreeMap, HashSet};

use crate::finding::{Code, Finding, Severity};
use crate::git::history;
use crate::git::incoming::Move;
use crate::git::repo::Repo;
use crate::host::clock;
use crate::id::{ChainId, GitId, LedgerId, RecordId};
use crate::ledger::refs::{Holds, SEEN};
use crate::ledger::rules::InForce;
use crate::ledger::seen::Cache;
use crate::ledger::verify::{Options, Report};
use crate::ledger::{Ledger, LedgerError, payload, pruned};
use crate::policy::{self, Policy};
use crate::record::body::Shelf;

/// Without rules code still comes with its records.
const RECORDED: &str = "[[rule]]\nname = \"recorded\"\nlevel = \"block\"\ncondition = \"trace-completeness\"\n";
/// A chain of commits is followed no further than this in search of where it was.
const FURTHEST: usize = 1 << 20;

/// Why a push is not let in.
#[derive(Debug)]
pub enum Refusal {
    /// A ref that must not be moved so.
    Ref { name: String, why: String, hint: &'static str },
    /// The ledger would not hold.
    Ledger(Finding),
    /// The commits do not keep to the rules.
    Code(policy::Report),
}

/// What a push would do.
pub struct Push<'a> {
    /// The repository as it is.
    pub here: &'a Ledger,
    /// And as it would be.
    pub after: &'a mut Ledger,
    pub moves: &'a [Move],
}

impl Push<'_> {
    /// Why it is not let in; nothing if it is. What was verified is remembered for the next push.
    pub fn judge(self) -> Result<Vec<Refusal>, LedgerError> {
        let mut refusals: Vec<Refusal> = self.moves.iter().filter_map(|moved| self.rewrites(moved)).collect();
        if !refusals.is_empty() {
            return Ok(refusals);
        }
        // The policy chain only grows: the ledger that is here is the one that stays.
        let pinned = self.here.config.pinned.map_or_else(|| founded(self.here), |pinned| Ok(Some(pinned)))?;
        self.after.config.pinned = pinned.map_or_else(|| founded(self.after), |pinned| Ok(Some(pinned)))?;
        Cache::load(self.here)?.save(self.after)?;
        if self.moves.iter().any(|moved| self.is_ledgers(moved)) {
            refusals.extend(self.ledger(pinned)?);
        }
        if refusals.is_empty() {
            refusals.extend(self.code()?);
        }
        if refusals.is_empty() {
            Cache::load(self.after)?.save(self.here)?;
        }
        Ok(refusals)
    }

    fn is_ledgers(&self, moved: &Move) -> bool {
        moved.name.starts_with(&self.here.prefix.dir())
    }

    /// Refs that nobody may move so, whatever they lead to.
    fn rewrites(&self, moved: &Move) -> Option<Refusal> {
        let refuse = |why: &str, hint| Some(Refusal::Ref { name: moved.name.clone(), why: why.to_owned(), hint });
        if moved.name.starts_with("refs/replace/") && moved.new.is_some() {
            return refuse(
                "would show other objects in the place of those that were signed",
                "push without refs/replace",
            );
        }
        if moved.name.starts_with(&format!("{SEEN}/")) {
            return refuse("is of one clone alone", "push branches and tags (git push --all, git push --tags)");
        }
        if !self.is_ledgers(moved) {
            return None;
        }
        let holds = self.here.prefix.read(&moved.name);
        match (&moved.old, &moved.new, holds) {
            (_, Some(_), None) => refuse("holds nothing that a ledger has", "git tracevault push"),
            (_, None, Some(Holds::Chain(_) | Holds::Seals(_))) => {
                refuse("would be deleted; the ledger is append-only", "git tracevault fetch, and leave it as it is")
            }
            (Some(old), Some(new), _) if !goes_on(&self.after.repo, old, new) => {
                refuse("would be rewritten; the ledger is append-only", "git tracevault sync")
            }
            _ => None,
        }
    }

    /// What would be wrong with the ledger that is not wrong now.
    fn ledger(&self, pinned: Option<LedgerId>) -> Result<Vec<Refusal>, LedgerError> {
        let pinned_after = self.after.config.pinned;
        let report = self.after.verify(&Options { pinned: pinned_after, new_entries: true, ..Options::default() })?;
        let mut refusals = Vec::new();
        for moved in self.moves.iter().filter(|moved| self.is_ledgers(moved)) {
            refusals.extend(self.place(&report, moved)?);
        }
        if !refusals.is_empty() {
            return Ok(refusals);
        }
        let mut found: Vec<Finding> = report.findings.iter().filter(|finding| weighs(finding)).cloned().collect();
        if !found.is_empty() {
            let before = self.here.verify(&Options { pinned, ..Options::default() })?;
            let known: HashSet<_> = before.findings.iter().map(key).collect();
            found.retain(|finding| !known.contains(&key(finding)));
            let ends = self.ends()?;
            found.retain(|finding| !revoked(finding, &ends));
        }
        Ok(found.into_iter().map(Refusal::Ledger).collect())
    }

    /// The number of the last record that each chain had before the push.
    fn ends(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        let mut ends = BTreeMap::new();
        for (name, tip) in self.here.repo.refs(&self.here.prefix.dir())? {
            if let Some(Holds::Chain(chain) | Holds::Seals(chain)) = self.here.prefix.read(&name) {
                ends.insert(chain.to_string(), self.here.read(&name, &tip)?.record.envelope().seq);
            }
        }
        Ok(ends)
    }

    /// Payloads and holds are signed by nobody: what comes to them must be what a record names, and goes where one lets it. A
    /// chain comes while somebody may enrol its key.
    fn place(&self, report: &Report, moved: &Move) -> Result<Option<Refusal>, LedgerError> {
        let refuse = |why: String, hint| Ok(Some(Refusal::Ref { name: moved.name.clone(), why, hint }));
        match (self.here.prefix.read(&moved.name), &moved.new) {
            (Some(Holds::Payload(class, month, chain)), None) => {
                let shelf = Shelf { chain, class, month };
                match report.keeping.lets_go(&shelf, clock::now()) {
                    Some(_) => Ok(None),
                    None => refuse("holds payloads that no prune record lets go".into(), "git tracevault prune"),
                }
            }
            (Some(Holds::Payload(_, _, chain)), Some(new)) => match self.unnamed(report, chain, moved, new)? {
                0 => Ok(None),
                n => refuse(format!("has {n} pieces that no record of its chain names"), "git tracevault push"),
            },
            // Nobody can enrol that key any more: what it writes would lie here for nothing.
            (Some(Holds::Chain(chain) | Holds::Seals(chain)), Some(_)) if report.history.has_refused(chain) => refuse(
                "is the chain of a key that was closed before anybody enrolled it".into(),
                "git tracevault init --new-key",
            ),
            (Some(Holds::Hold(case)), new) => match (report.keeping.holds().contains_key(&case), new) {
                (true, None) => refuse(format!("is held for {case}"), "git tracevault release"),
                (false, Some(_)) => refuse(format!("nothing is held for {case}"), "git tracevault hold, then push"),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// How many of the pieces that come to a shelf no record of its chain names.
    fn unnamed(&self, report: &Report, chain: ChainId, moved: &Move, new: &GitId) -> Result<usize, LedgerError> {
        let repo = &self.after.repo;
        let before = moved.old.as_ref().map(|old| payload::shelf(repo, old)).transpose()?.unwrap_or_default();
        let mut pieces: HashSet<_> = payload::shelf(repo, new)?.into_keys().collect();
        pieces.retain(|piece| !before.contains_key(piece));
        let take_out = |report: &Report, pieces: &mut HashSet<_>| {
            let entries = report.entries().filter(|entry| entry.chain == chain);
            for payload in entries.flat_map(|entry| pruned::payloads(&entry.body)) {
                for piece in &payload.pieces {
                    pieces.remove(&piece.sha256);
                }
            }
        };
        take_out(report, &mut pieces);
        if !pieces.is_empty() {
            // Records that were here before may name what was missing.
            take_out(&self.after.read_all()?, &mut pieces);
        }
        Ok(pieces.len())
    }

    /// What the rules say of the commits that come to protected branches.
    fn code(&self) -> Result<Option<Refusal>, LedgerError> {
        let apart = [self.here.prefix.dir(), "refs/notes/".to_owned(), "refs/replace/".to_owned()];
        let is_code = |name: &str| !apart.iter().any(|prefix| name.starts_with(prefix.as_str()));
        let coming = || self.moves.iter().filter(|moved| is_code(&moved.name) && moved.new.is_some());
        let Some(first) = coming().next() else { return Ok(None) };
        let policy = match self.after.rules()? {
            InForce::Rules(rules) => or_recorded(Policy::read(&rules.toml)),
            InForce::None if self.after.config.pinned.is_some() => Policy::read(RECORDED),
            InForce::None => {
                let (name, why) = (first.name.clone(), "comes without a ledger, and there is none here".to_owned());
                let hint = "git tracevault init, commit the file that it writes, and push again";
                return Ok(Some(Refusal::Ref { name, why, hint }));
            }
            InForce::Untold(why) => {
                return Err(LedgerError::Refused(format!("which rules are in force cannot be told: {why}")));
            }
        };
        let tips: Vec<GitId> =
            coming().filter(|moved| policy.branches.have(&moved.name)).filter_map(|moved| moved.new.clone()).collect();
        let judged = |(name, _): &(String, GitId)| is_code(name) && policy.branches.have(name);
        let before: Vec<GitId> = self.here.repo.refs("refs/")?.into_iter().filter(judged).map(|(_, id)| id).collect();
        let commits = match tips.is_empty() {
            true => Vec::new(),
            false => history::not_in(&self.after.repo, &tips, &before)?,
        };
        if commits.is_empty() {
            return Ok(None);
        }
        let report = self.after.judge(&policy, &commits)?;
        let blocks = report.verdict != crate::finding::Verdict::Pass;
        Ok(blocks.then_some(Refusal::Code(report)))
    }
}

/// Whether a finding keeps a push out. Keys that are not enrolled may write: what they say counts when they are.
fn weighs(finding: &Finding) -> bool {
    finding.severity > Severity::Warning && finding.code != Code::Pending
}

/// Whether a finding is about a record that was here already and counts no more, since a closure takes its right away: nothing
/// that was let in before may keep a key from being revoked.
fn revoked(finding: &Finding, ends: &BTreeMap<String, u64>) -> bool {
    let end = finding.chain.as_ref().and_then(|chain| ends.get(chain));
    matches!(finding.code, Code::Unauth | Code::Fork) && end.zip(finding.seq).is_some_and(|(end, seq)| seq <= *end)
}

/// A policy without a rule says nothing of records, and is no leave to go without them.
fn or_recorded(policy: Policy) -> Policy {
    match policy.rules.is_empty() {
        true => Policy { rules: Policy::read(RECORDED).rules, ..policy },
        false => policy,
    }
}

/// What makes two findings the same.
fn key(finding: &Finding) -> (Code, Option<String>, Option<u64>, Option<String>, String) {
    (finding.code, finding.chain.clone(), finding.seq, finding.record.clone(), finding.message.clone())
}

/// The ledger whose policy chain is here.
pub fn founded(ledger: &Ledger) -> Result<Option<LedgerId>, LedgerError> {
    let name = ledger.prefix.chain(ChainId::Policy);
    let Some(tip) = ledger.repo.find_ref(&name)? else { return Ok(None) };
    let record = ledger.read(&name, &tip)?.record;
    let RecordId(id) = record.id();
    Ok(Some(if record.envelope().seq == 0 { LedgerId(id) } else { record.envelope().ledger }))
}

/// Whether a line of commits goes on from where it was. Refs of a ledger are lines: what has two parents does not go on.
fn goes_on(repo: &Repo, old: &GitId, new: &GitId) -> bool {
    let mut at = new.clone();
    for _ in 0..FURTHEST {
        if at == *old {
            return true;
        }
        match &history::parent_ids(repo, &at)[..] {
            [parent] => at = parent.clone(),
            _ => return false,
        }
    }
    false
}
