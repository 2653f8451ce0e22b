//! Traces: what records say of lines, and where a file's bytes are.

use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::attribution::trace::{self, Trace, TraceRange};
use crate::git::history;
use crate::id::{GitId, RecordId, RepoPath};
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};

/// How it is known whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// A record of this very commit.
    Exact,
    /// The record of a commit that this one was rewritten from, and the same lines.
    Linked,
    /// The record of another commit that added the same lines to this file.
    Content,
    None,
}

impl Ledger {
    /// The trace that a commit record carries; the digest is the one that the record names.
    pub fn trace(&self, entry: &Entry) -> Result<Trace, LedgerError> {
        let stored = self.read(&self.prefix.chain(entry.chain), &entry.commit)?;
        trace::read(stored.trace.as_deref().unwrap_or_default())
            .map_err(|error| LedgerError::Refused(format!("the trace of record {}: {error}", entry.id.short())))
    }
}

/// The traces of many records, each read once.
pub struct Traces<'b> {
    ledger: &'b Ledger,
    read: HashMap<RecordId, Option<Rc<Trace>>>,
    /// Traces that could not be read.
    pub troubles: Vec<LedgerError>,
}

impl<'b> Traces<'b> {
    pub fn new(ledger: &'b Ledger) -> Self {
        Traces { ledger, read: HashMap::new(), troubles: Vec::new() }
    }

    /// The ranges that a record has of a file.
    pub fn ranges(&mut self, entry: &Entry, path: &RepoPath) -> Vec<TraceRange> {
        let trace = match self.read.get(&entry.id) {
            Some(known) => known.clone(),
            None => {
                let trace = self.ledger.trace(entry).map_err(|error| self.troubles.push(error)).ok().map(Rc::new);
                self.read.insert(entry.id, trace.clone());
                trace
            }
        };
        let files = trace.iter().flat_map(|trace| &trace.files).filter(|file| file.path == *path);
        files.flat_map(|file| &file.ranges).cloned().collect()
    }
}

/// A range that speaks of a line.
#[derive(Clone)]
pub struct Found {
    pub evidence: Evidence,
    pub record: RecordId,
    pub range: TraceRange,
}

/// The bytes of a file in a commit, none where either is not here.
pub fn file_at(ledger: &Ledger, commit: &GitId, path: &RepoPath) -> Option<Vec<u8>> {
    history::file_at(&ledger.repo, commit, path).ok().flatten()
}
