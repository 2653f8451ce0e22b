//! The copies of each chain that this repository has: its own, and those seen at remotes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::finding::{Code, Finding};
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::{ChainId, GitId};
use crate::ledger::payload::{Payloads, SHELF};
use crate::ledger::refs::{Holds, Prefix, SEEN};
use crate::ledger::steps::Steps;
use crate::ledger::store::{self, Files, Header, StoreError, Stored};
use crate::ledger::{Ledger, LedgerError};
use crate::record::{Record, Unverified};

/// All refs of a ledger, by what they hold.
#[derive(Default)]
pub struct Copies {
    /// A chain's tips, with the names of the refs that are there.
    pub chains: BTreeMap<ChainId, Vec<(String, GitId)>>,
    /// The chains that witnesses write.
    pub witnesses: BTreeSet<ChainId>,
    /// Payload refs: name, whose they are, tip.
    pub payloads: Vec<(String, ChainId, GitId)>,
    /// The refs that keep what is under hold: name, tip.
    pub holds: Vec<(String, GitId)>,
    pub findings: Vec<Finding>,
}

impl Copies {
    /// Lists the refs of this clone and of every remote seen here.
    pub fn list(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut copies = Copies::default();
        for (name, tip) in ledger.repo.refs_and_links(&ledger.prefix.dir())? {
            copies.add(&ledger.prefix, name, tip);
        }
        for (name, tip) in ledger.repo.refs_and_links(&format!("{SEEN}/"))? {
            let remote = name[SEEN.len() + 1..].split('/').next().unwrap_or_default();
            copies.add(&Prefix::seen_in(remote), name, tip);
        }
        Ok(copies)
    }

    fn add(&mut self, prefix: &Prefix, name: String, tip: Option<GitId>) {
        // A symbolic ref has no place among ours.
        let holds = tip.and_then(|tip| Some((prefix.read(&name)?, tip)));
        match holds {
            Some((holds @ (Holds::Chain(chain) | Holds::Seals(chain)), tip)) => {
                if holds == Holds::Seals(chain) {
                    self.witnesses.insert(chain);
                }
                let tips = self.chains.entry(chain).or_default();
                if !tips.iter().any(|(_, known)| *known == tip) {
                    tips.push((name, tip));
                }
            }
            Some((Holds::Payload(_, _, chain), tip)) => self.payloads.push((name, chain, tip)),
            Some((Holds::Hold(_), tip)) => self.holds.push((name, tip)),
            None => {
                let message = format!("{name} holds nothing that this program knows");
                self.findings.push(Finding::new(Code::UnknownRef, message));
            }
        }
    }

    /// Where payload blobs are, over all payload refs, and what is wrong with those refs.
    pub fn payload_blobs(&self, repo: &Repo) -> (Payloads, Vec<Finding>) {
        let mut payloads = Payloads::default();
        let mut findings = Vec::new();
        for (name, chain, tip) in &self.payloads {
            let (code, what) = match payloads.add(repo, *chain, tip) {
                // What is not here is missed by the records that need it.
                Ok(()) | Err(RepoError::Missing(_)) => continue,
                Err(RepoError::TooLarge { .. }) => (Code::Limit, "is larger than a payload ref can be"),
                Err(RepoError::Object { id, .. }) if id == SHELF => {
                    (Code::Envelope, "holds something else than pieces")
                }
                Err(_) => (Code::Object, "cannot be read"),
            };
            findings.push(Finding::new(code, format!("{name} {what}")).chain(chain));
        }
        for (_, tip) in &self.holds {
            // Whatever else is there, nothing depends on it.
            drop(payloads.add_held(repo, tip));
        }
        (payloads, findings)
    }
}

/// A chain's commits, first to last, and what is wrong with its copies.
#[derive(Default)]
pub struct Walk {
    /// The number of the first commit that was walked: those before it were, when the chain was verified before.
    pub first: usize,
    /// Empty where no copy is here from its beginning.
    steps: Steps,
    /// What stands before the first step.
    parent: Option<GitId>,
    pub findings: Vec<Finding>,
    /// What stands before `first`, the last one first, as far as it was asked for.
    before: Mutex<Before>,
}

#[derive(Default)]
struct Before {
    steps: Vec<(GitId, Option<Header>)>,
    /// A commit that is not here.
    lost: Option<GitId>,
}

/// Where a chain was verified up to: a commit, and the number of its record.
pub type Known<'a> = (&'a GitId, usize);

impl Walk {
    /// How many records the chain has.
    pub fn len(&self) -> usize {
        self.first + self.steps.len()
    }

    /// Whether no copy of the chain is here from its beginning.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The commits that were walked, first to last.
    pub fn commits(&self) -> impl Iterator<Item = GitId> {
        self.steps.commits()
    }

    /// The last commit.
    pub fn tip(&self) -> Option<GitId> {
        self.steps.commit(self.steps.len().checked_sub(1)?)
    }

    /// The number of a commit among those that were walked.
    pub fn position(&self, commit: &GitId) -> Option<usize> {
        self.steps.position(commit).map(|at| self.first + at)
    }

    /// The commit with this number, which was walked.
    pub fn commit_at(&self, at: usize) -> GitId {
        self.steps.at(at - self.first)
    }

    /// The commit with this number, if it was walked.
    pub fn walked(&self, at: usize) -> Option<GitId> {
        self.steps.commit(at.checked_sub(self.first)?)
    }

    /// The commit of the record with this number.
    pub fn commit(&self, repo: &Repo, at: usize) -> Option<GitId> {
        self.step(repo, at).map(|(commit, _)| commit)
    }

    /// Reads the record with this number.
    pub fn record(&self, repo: &Repo, at: usize) -> Result<Stored, StoreError> {
        self.files(repo, at)?.parse()
    }

    /// The record with this number, and its commit, where it was verified before.
    pub fn known_record(&self, repo: &Repo, at: usize) -> Result<(GitId, Record<Unverified>), StoreError> {
        match self.step(repo, at) {
            Some((commit, Some(header))) => Ok((commit, store::read_known(repo, &header)?)),
            Some((commit, None)) => Ok((commit.clone(), store::read(repo, &commit)?.record)),
            None => Err(StoreError::missing(format!("record {at} is not here"))),
        }
    }

    /// The files of the record with this number.
    pub fn files(&self, repo: &Repo, at: usize) -> Result<Files, StoreError> {
        match self.step(repo, at) {
            Some((commit, Some(header))) => Files::read_under(repo, &commit, &header),
            Some((commit, None)) => Files::read(repo, &commit),
            None => Err(StoreError::missing(format!("record {at} is not here"))),
        }
    }

    /// What is not here of the commits before those that were walked, if any was asked for.
    pub fn lost(&self, chain: ChainId) -> Option<Finding> {
        let lost = self.before.lock().unwrap_or_else(PoisonError::into_inner).lost.clone()?;
        Some(Finding::new(Code::Missing, format!("commit {lost} is not here")).chain(chain))
    }

    fn step(&self, repo: &Repo, at: usize) -> Option<(GitId, Option<Header>)> {
        if let Some(at) = at.checked_sub(self.first) {
            return Some((self.steps.commit(at)?, self.header(at)));
        }
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let from_last = self.first - 1 - at;
        while before.steps.len() <= from_last && before.lost.is_none() {
            let last = before.steps.last().map(|(_, header)| header.as_ref().and_then(|header| header.parent.clone()));
            let parent = last.unwrap_or_else(|| self.parent.clone())?;
            match step(repo, &parent) {
                Ok(header) => before.steps.push((parent, header)),
                Err(commit) => before.lost = Some(commit),
            }
        }
        before.steps.get(from_last).cloned()
    }

    /// The header of a step.
    fn header(&self, at: usize) -> Option<Header> {
        let (tree, digest) = self.steps.header(at)?;
        let parent = match at.checked_sub(1) {
            Some(before) => self.steps.commit(before),
            None => self.parent.clone(),
        };
        Some(Header { tree, parent, digest })
    }

    /// Whether a tip stands in this line, so that it is a shorter copy of it.
    fn has(&self, repo: &Repo, tip: &GitId) -> bool {
        let before = |seq: &usize| *seq < self.first && self.commit(repo, *seq).as_ref() == Some(tip);
        self.position(tip).is_some() || (self.first > 0 && number(repo, tip).as_ref().is_some_and(before))
    }
}

/// The number that the record at a commit says it has.
fn number(repo: &Repo, commit: &GitId) -> Option<usize> {
    usize::try_from(store::read(repo, commit).ok()?.record.envelope().seq).ok()
}

/// Follows a chain's copies to their beginnings, or to where the chain was verified up to. They must be one line; the
/// longest is taken.
pub fn walk(repo: &Repo, chain: ChainId, tips: &[(String, GitId)], known: Option<Known<'_>>) -> Walk {
    let mut findings = Vec::new();
    let mut lines: Vec<(&str, Walk)> = Vec::new();
    for (name, tip) in tips {
        if lines.iter().any(|(_, line)| line.has(repo, tip)) {
            continue;
        }
        match ancestry(repo, tip, known) {
            Ok(line) => lines.push((name, line)),
            // Without its beginning nothing can be told of a line, not even the numbers of its records.
            Err(commit) => {
                let message = format!("{name}: commit {commit} is not here");
                findings.push(Finding::new(Code::Missing, message).chain(chain));
            }
        }
    }
    // Where copies may differ before what was verified, or are not whole, they are compared from their beginnings.
    let parted = lines.windows(2).any(|pair| pair[0].1.first != pair[1].1.first);
    if known.is_some() && (parted || !findings.is_empty()) {
        return walk(repo, chain, tips, None);
    }
    lines.sort_by_key(|(_, line)| std::cmp::Reverse(line.steps.len()));
    let mut lines = lines.into_iter();
    let Some((first, longest)) = lines.next() else { return Walk { findings, ..Walk::default() } };
    for (name, line) in lines {
        let same = line.steps.common(&longest.steps);
        if same < line.steps.len() {
            let apart = line.first + same;
            let message = format!("{name} and {first} have different records from number {apart} on; both are kept");
            findings.push(Finding::new(Code::Fork, message).chain(chain).seq(apart as u64));
        }
    }
    Walk { findings, ..longest }
}

/// The commits of a chain from its beginning to `tip`.
pub fn line_of(repo: &Repo, tip: &GitId) -> Result<Vec<GitId>, RepoError> {
    ancestry(repo, tip, None).map(|walk| walk.commits().collect()).map_err(RepoError::Missing)
}

/// The line to `tip` from the beginning, or from where it was verified up to; or the commit that is not here.
fn ancestry(repo: &Repo, tip: &GitId, known: Option<Known<'_>>) -> Result<Walk, GitId> {
    let mut line = Walk::default();
    let mut next = Some(tip.clone());
    while let Some(commit) = next {
        let header = step(repo, &commit)?;
        next = header.as_ref().and_then(|header| header.parent.clone());
        if let (Some((_, number)), Some(_)) = (known.filter(|(tip, _)| **tip == commit), &header) {
            line.first = number;
            line.parent = next.take();
        }
        line.steps.push(&commit, header.as_ref().map(|header| (&header.tree, header.digest)));
    }
    line.steps = line.steps.reversed();
    Ok(line)
}

/// The header of a commit of a chain, or the commit, if it is not here.
fn step(repo: &Repo, commit: &GitId) -> Result<Option<Header>, GitId> {
    match repo.read_at_most(commit, Kind::Commit, store::MAX_WRAPPING_BYTES) {
        Ok(bytes) => Ok(store::header(&bytes).ok()),
        Err(RepoError::Missing(_)) => Err(commit.clone()),
        // Whatever else is wrong with it is found when the record is read, as the first of its line.
        Err(_) => Ok(None),
    }
}
