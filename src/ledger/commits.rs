//! What the records say of commits: which are recorded, linked, missing or bad.

use std::collections::HashMap;

use serde::Serialize;

use crate::id::{GitId, LedgerId};
use crate::ledger::remote::Remote;
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;

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
            Body::Commit(commit) => raise(&commit.commit, if entry.good { State::Signed } else { State::Bad }),
            Body::Link(link) if entry.good && link.level > 0 => raise(&link.new, State::Linked),
            _ => {}
        }
    }
    states
}

/// The best record of each commit: a good one before a bad one, an enrolled writer's before another's, an earlier one
/// before a later one.
pub fn records(report: &Report) -> HashMap<GitId, &Entry> {
    let mut records: HashMap<GitId, (bool, &Entry)> = HashMap::new();
    for chain in &report.chains {
        for entry in &chain.entries {
            if let Body::Commit(commit) = &entry.body {
                let new = (!chain.pending, entry);
                records.entry(commit.commit.clone()).and_modify(|known| better(known, new)).or_insert(new);
            }
        }
    }
    records.into_iter().map(|(commit, (_, entry))| (commit, entry)).collect()
}

fn better<'a>(known: &mut (bool, &'a Entry), other: (bool, &'a Entry)) {
    let rank = |(enrolled, entry): &(bool, &Entry)| (entry.good, *enrolled, std::cmp::Reverse(entry.time));
    if rank(&other) > rank(known) {
        *known = other;
    }
}

impl Ledger {
    /// The ledger that is trusted here: by this clone, or by this user for one of the remotes.
    pub fn pinned(&self) -> Result<Option<LedgerId>, LedgerError> {
        if self.config.pinned.is_some() {
            return Ok(self.config.pinned);
        }
        let names = crate::git::command::Git::in_dir(&self.repo.home()).arg("remote").run()?.text();
        for name in names.lines() {
            if let Some(known) = crate::config::known_ledger(Remote::new(self, name).url())? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}
