//! The copies of each chain that this repository has: its own, and those seen at remotes.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Code, Finding};
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::{ChainId, GitId};
use crate::ledger::payload::{Payloads, SHELF};
use crate::ledger::refs::{Holds, Prefix, SEEN};
use crate::ledger::store::{self, Files, Header, StoreError, Stored};
use crate::ledger::{Ledger, LedgerError};

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
    /// Empty where no copy is here from its beginning.
    pub commits: Vec<GitId>,
    /// The commits' headers, so that none is read twice; `None` for one that cannot be read.
    pub headers: Vec<Option<Header>>,
    pub findings: Vec<Finding>,
}

impl Walk {
    /// Reads the record with this number.
    pub fn record(&self, repo: &Repo, at: usize) -> Result<Stored, StoreError> {
        self.files(repo, at)?.parse()
    }

    /// The files of the record with this number.
    pub fn files(&self, repo: &Repo, at: usize) -> Result<Files, StoreError> {
        match &self.headers[at] {
            Some(header) => Files::read_under(repo, &self.commits[at], header),
            None => Files::read(repo, &self.commits[at]),
        }
    }
}

/// Follows a chain's copies to their beginnings. They must be one line; the longest is taken.
pub fn walk(repo: &Repo, chain: ChainId, tips: &[(String, GitId)]) -> Walk {
    let mut findings = Vec::new();
    let mut lines: Vec<(&str, Walk)> = Vec::new();
    for (name, tip) in tips {
        // A tip that stands in a line already walked is a shorter copy of it.
        if lines.iter().any(|(_, line)| line.commits.contains(tip)) {
            continue;
        }
        match ancestry(repo, tip) {
            Ok(line) => lines.push((name, line)),
            // Without its beginning nothing can be told of a line, not even the numbers of its records.
            Err(commit) => {
                let message = format!("{name}: commit {commit} is not here");
                findings.push(Finding::new(Code::Missing, message).chain(chain));
            }
        }
    }
    lines.sort_by_key(|(_, line)| std::cmp::Reverse(line.commits.len()));
    let mut lines = lines.into_iter();
    let Some((first, longest)) = lines.next() else { return Walk { findings, ..Walk::default() } };
    for (name, line) in lines {
        let apart = line.commits.iter().zip(&longest.commits).take_while(|(a, b)| a == b).count();
        if apart < line.commits.len() {
            let message = format!("{name} and {first} have different records from number {apart} on; both are kept");
            findings.push(Finding::new(Code::Fork, message).chain(chain).seq(apart as u64));
        }
    }
    Walk { findings, ..longest }
}

/// The commits of a chain from its beginning to `tip`.
pub fn line_of(repo: &Repo, tip: &GitId) -> Result<Vec<GitId>, RepoError> {
    ancestry(repo, tip).map(|walk| walk.commits).map_err(RepoError::Missing)
}

/// The line from the beginning to `tip`, or the commit that is not here.
fn ancestry(repo: &Repo, tip: &GitId) -> Result<Walk, GitId> {
    let mut line = Walk::default();
    let mut next = Some(tip.clone());
    while let Some(commit) = next {
        let header = match repo.read_at_most(&commit, Kind::Commit, store::MAX_WRAPPING_BYTES) {
            Ok(bytes) => store::header(&bytes).ok(),
            Err(RepoError::Missing(_)) => return Err(commit),
            // Whatever else is wrong with it is found when the record is read, as the first of its line.
            Err(_) => None,
        };
        next = header.as_ref().and_then(|header| header.parent.clone());
        line.commits.push(commit);
        line.headers.push(header);
    }
    line.commits.reverse();
    line.headers.reverse();
    Ok(line)
}
