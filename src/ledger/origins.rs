//! Whose a line of a commit is: by the record of the commit, of those it was rewritten from, of those with the same lines.

use std::collections::HashMap;
use std::rc::Rc;

use crate::attribution::labels::Origin;
use crate::attribution::trace::TraceRange;
use crate::id::{GitId, RepoPath};
use crate::ledger::elsewhere::{Elsewhere, Sources};
use crate::ledger::query::Book;
use crate::ledger::traces::{Evidence, Found, Traces};
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};

/// Whose the lines of many commits are.
pub struct Origins<'b> {
    book: &'b Book<'b>,
    traces: Traces<'b>,
    elsewhere: Elsewhere<'b>,
    files: HashMap<(GitId, Rc<RepoPath>), File<'b>>,
}

/// A file as a commit has it.
struct File<'b> {
    /// The record of the commit, and what it says of the file.
    exact: Option<(&'b Entry, Rc<[TraceRange]>)>,
    /// What other records say of each line, once somebody has asked.
    others: Option<Rc<[Option<Found>]>>,
}

impl<'b> Origins<'b> {
    pub fn new(ledger: &'b Ledger, book: &'b Book<'b>) -> Self {
        Origins { book, traces: Traces::new(ledger), elsewhere: Elsewhere::new(ledger, book), files: HashMap::new() }
    }

    /// Traces that could not be read.
    pub fn troubles(&self) -> &[LedgerError] {
        &self.traces.troubles
    }

    /// Forgets what was found of files, for who asks of one file after the other and of none twice.
    pub fn forget(&mut self) {
        self.files.clear();
    }

    /// What records say of other commits than their own.
    pub fn elsewhere(&mut self) -> &mut Elsewhere<'b> {
        &mut self.elsewhere
    }

    /// What is known of a line that a commit added.
    ///
    /// That the commit's own record knows no agent's hand in it is no proof that there was none: its writer may not have
    /// seen the line being made, as when it was picked from another's branch.
    pub fn line(&mut self, commit: &GitId, path: &Rc<RepoPath>, line: u32) -> Option<Found> {
        let key = (commit.clone(), path.clone());
        if !self.files.contains_key(&key) {
            let exact = self.book.record_of(commit).map(|entry| (entry, self.traces.ranges(entry, path).into()));
            self.files.insert(key.clone(), File { exact, others: None });
        }
        let file = self.files.get_mut(&key)?;
        let exact = file.exact.as_ref().and_then(|(entry, ranges)| {
            let after = ranges.partition_point(|range| range.start <= line);
            let range = ranges[..after].last().filter(|range| range.end >= line)?;
            Some(Found { evidence: Evidence::Exact, record: entry.id, range: range.clone() })
        });
        if exact.as_ref().is_some_and(|found| found.range.origin() != Origin::Unattributed) {
            return exact;
        }
        let others = match &file.others {
            Some(known) => known.clone(),
            None => {
                let sources = match &file.exact {
                    // Whoever recorded the commit knew all of its own.
                    Some((entry, _)) => Sources::OfOthers(entry.chain),
                    None => Sources::All,
                };
                let found = self.elsewhere.find(&mut self.traces, commit, path, sources);
                file.others.insert(found.into()).clone()
            }
        };
        let other = others.get((line as usize).checked_sub(1)?).cloned().flatten();
        match exact {
            Some(exact) => other.filter(|found| matches!(found.range.origin(), Origin::Agent(_))).or(Some(exact)),
            None => other,
        }
    }
}
