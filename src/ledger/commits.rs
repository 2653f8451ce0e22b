//! What the records say of commits: which are recorded, linked, missing or bad.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use crate::id::{GitId, LedgerId};
use crate::ledger::remote::Remote;
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;
use crate::time::Time;

/// What is known of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No record speaks of it.
    Missing,
    /// A record speaks of it and does not hold.
    Bad,
    /// It is a rewritten form of a commit that has a good record.
    Linked,
    /// A good record speaks of it.
    Signed,
    /// A good record speaks of it, and as many witnesses as there must be have sealed it.
    Sealed,
}

impl State {
    /// The state of a commit that has this record.
    pub fn of(report: &Report, entry: &Entry) -> State {
        match entry.good {
            false => State::Bad,
            true if entry.seq < report.sealed(entry.chain) => State::Sealed,
            true => State::Signed,
        }
    }
}

/// The state of every commit that a record speaks of. A good record outweighs a bad one.
pub fn states(report: &Report) -> HashMap<GitId, State> {
    let mut states: HashMap<GitId, State> = HashMap::new();
    let mut raise = |commit: &GitId, state: State| {
        let known = states.entry(commit.clone()).or_insert(state);
        *known = (*known).max(state);
    };
    for entry in report.entries() {
        match &entry.body {
            Body::Commit(commit) => raise(&commit.commit, State::of(report, entry)),
            Body::Link(link) if entry.good && link.level > 0 => raise(&link.new, State::Linked),
            _ => {}
        }
    }
    states
}

/// The best record of each commit: a good one before a bad one, a member's before that of a key which nobody has
/// enrolled, an earlier one before a later one.
pub fn records(report: &Report) -> HashMap<GitId, &Entry> {
    let mut records: HashMap<GitId, (Rank, &Entry)> = HashMap::new();
    for chain in &report.chains {
        for entry in &chain.entries {
            let Body::Commit(commit) = &entry.body else { continue };
            let rank = (entry.good, chain.counts(), Reverse(entry.time));
            let best = records.entry(commit.commit.clone()).or_insert((rank, entry));
            if rank > best.0 {
                *best = (rank, entry);
            }
        }
    }
    records.into_iter().map(|(commit, (_, entry))| (commit, entry)).collect()
}

/// Whether it is good, and a member's, and when it says it was written.
type Rank = (bool, bool, Reverse<Time>);

impl Ledger {
    /// The ledger that is trusted here: by this clone, or by this user for one of the remotes.
    pub fn pinned(&self) -> Result<Option<LedgerId>, LedgerError> {
        if self.config.pinned.is_some() {
            return Ok(self.config.pinned);
        }
        let names = self.repo.git().arg("remote").run()?.text();
        for name in names.lines() {
            if let Some(known) = crate::config::known_ledger(Remote::new(self, name).url())? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}
