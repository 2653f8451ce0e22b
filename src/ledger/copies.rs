//! The copies of each chain that this repository has: its own, and those seen at remotes.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding};
use crate::git::repo::{Kind, Repo};
use crate::id::{ChainId, GitId};
use crate::ledger::payload::Payloads;
use crate::ledger::refs::{Holds, Prefix, SEEN};
use crate::ledger::{Ledger, LedgerError, store};

/// All refs of a ledger, by what they hold.
#[derive(Default)]
pub struct Copies {
    /// A chain's tips, with the names of the refs that are there.
    pub chains: BTreeMap<ChainId, Vec<(String, GitId)>>,
    /// Tips of payload refs.
    pub payloads: Vec<GitId>,
    pub findings: Vec<Finding>,
}

impl Copies {
    /// Lists the refs of this clone and of every remote seen here.
    pub fn list(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut copies = Copies::default();
        for (name, tip) in ledger.repo.refs(&ledger.prefix.dir())? {
            copies.add(&ledger.prefix, name, tip);
        }
        for (name, tip) in ledger.repo.refs(&format!("{SEEN}/"))? {
            let remote = name[SEEN.len() + 1..].split('/').next().unwrap_or_default();
            copies.add(&Prefix::seen(remote), name, tip);
        }
        Ok(copies)
    }

    fn add(&mut self, prefix: &Prefix, name: String, tip: GitId) {
        match prefix.read(&name) {
            Some(Holds::Chain(chain)) => {
                let tips = self.chains.entry(chain).or_default();
                if !tips.iter().any(|(_, known)| *known == tip) {
                    tips.push((name, tip));
                }
            }
            Some(Holds::Payload(..)) => self.payloads.push(tip),
            None => {
                let message = format!("{name} holds nothing that this program knows");
                self.findings.push(Finding::new(Code::UnknownRef, message));
            }
        }
    }

    /// Where payload blobs are, over all payload refs.
    pub fn payload_blobs(&self, repo: &Repo) -> Payloads {
        let mut payloads = Payloads::default();
        for tip in &self.payloads {
            // A payload ref that cannot be read holds no payload: the records that need it will say so.
            drop(payloads.add(repo, tip));
        }
        payloads
    }
}

/// A chain's commits, first to last, and what is wrong with its copies.
pub struct Walk {
    pub commits: Vec<GitId>,
    pub findings: Vec<Finding>,
}

/// Follows a chain's copies to their beginnings. They must be one line; the longest is taken.
pub fn walk(repo: &Repo, chain: ChainId, tips: &[(String, GitId)]) -> Walk {
    let mut findings = Vec::new();
    let mut lines: Vec<(&str, Vec<GitId>)> = Vec::new();
    for (name, tip) in tips {
        // A tip that stands in a line already walked is a shorter copy of it.
        if lines.iter().any(|(_, line)| line.contains(tip)) {
            continue;
        }
        let (line, lost) = ancestry(repo, tip);
        if let Some(commit) = lost {
            findings.push(Finding::new(Code::Missing, format!("{name}: commit {commit} is not here")).chain(chain));
        }
        lines.push((name, line));
    }
    lines.sort_by_key(|(_, line)| std::cmp::Reverse(line.len()));
    let mut lines = lines.into_iter();
    let Some((first, commits)) = lines.next() else { return Walk { commits: Vec::new(), findings } };
    for (name, line) in lines {
        let apart = line.iter().zip(&commits).take_while(|(a, b)| a == b).count();
        if apart < line.len() {
            let message = format!("{name} and {first} have different records from number {apart} on; both are kept");
            findings.push(Finding::new(Code::Fork, message).chain(chain).seq(apart as u64));
        }
    }
    Walk { commits, findings }
}

/// The commits from the beginning to `tip`, and the one that was missing on the way.
fn ancestry(repo: &Repo, tip: &GitId) -> (Vec<GitId>, Option<GitId>) {
    let mut line = Vec::new();
    let mut next = Some(tip.clone());
    let mut lost = None;
    while let Some(commit) = next {
        match repo.read(&commit) {
            Ok((Kind::Commit, bytes)) => {
                next = store::header(&bytes).ok().and_then(|header| header.parent);
                line.push(commit);
            }
            _ => {
                lost = Some(commit);
                next = None;
            }
        }
    }
    line.reverse();
    (line, lost)
}
