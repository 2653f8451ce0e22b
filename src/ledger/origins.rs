//! Whose a line of a commit is, by the record of the commit.

use std::collections::HashMap;
use std::rc::Rc;

use serde::Serialize;

use crate::attribution::commit::ContentHash;
use crate::attribution::lines::LineIndex;
use crate::attribution::trace::{self, Trace, TraceFile, TraceRange};
use crate::digest::Digest;
use crate::git::history;
use crate::id::{GitId, RecordId, RepoPath};
use crate::ledger::query::Book;
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};

/// How it is known whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// A record of this very commit.
    Exact,
    /// The record of a commit that this one was rewritten from, and the same bytes.
    Linked,
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

/// The lines of many commits, each trace read once.
pub struct Origins<'b> {
    ledger: &'b Ledger,
    book: &'b Book<'b>,
    commits: HashMap<GitId, Source>,
    files: HashMap<(GitId, Rc<RepoPath>), Rc<[TraceRange]>>,
    /// Traces that could not be read.
    pub troubles: Vec<LedgerError>,
}

/// Where the answers about a commit come from.
#[derive(Clone)]
struct Source {
    evidence: Evidence,
    record: Option<RecordId>,
    trace: Option<Rc<Trace>>,
}

/// A range that speaks of a line.
pub struct Found {
    pub evidence: Evidence,
    pub record: RecordId,
    pub range: TraceRange,
}

impl<'b> Origins<'b> {
    pub fn new(ledger: &'b Ledger, book: &'b Book<'b>) -> Self {
        Origins { ledger, book, commits: HashMap::new(), files: HashMap::new(), troubles: Vec::new() }
    }

    /// What is known of a line that a commit added.
    pub fn line(&mut self, commit: &GitId, path: &Rc<RepoPath>, line: u32) -> Option<Found> {
        let source = self.source(commit);
        let record = source.record?;
        let key = (commit.clone(), path.clone());
        let ranges = match self.files.get(&key) {
            Some(known) => known.clone(),
            None => {
                let ranges = self.ranges(commit, path, &source);
                self.files.insert(key, ranges.clone());
                ranges
            }
        };
        let after = ranges.partition_point(|range| range.start <= line);
        let range = ranges[..after].last().filter(|range| range.end >= line)?;
        Some(Found { evidence: source.evidence, record, range: range.clone() })
    }

    fn source(&mut self, commit: &GitId) -> Source {
        if let Some(known) = self.commits.get(commit) {
            return known.clone();
        }
        let (evidence, entry) = match (self.book.record_of(commit), self.book.same_change(commit)) {
            (Some(entry), _) => (Evidence::Exact, Some(entry)),
            (None, Some(entry)) => (Evidence::Linked, Some(entry)),
            (None, None) => (Evidence::None, None),
        };
        let trace = match entry.map(|entry| self.ledger.trace(entry)) {
            Some(Ok(trace)) => Some(Rc::new(trace)),
            Some(Err(error)) => {
                self.troubles.push(error);
                None
            }
            None => None,
        };
        let source = Source { evidence, record: entry.map(|entry| entry.id), trace };
        self.commits.insert(commit.clone(), source.clone());
        source
    }

    /// The ranges of one file; for a linked commit those whose bytes stand in it at the same lines.
    fn ranges(&self, commit: &GitId, path: &RepoPath, source: &Source) -> Rc<[TraceRange]> {
        let files = source.trace.iter().flat_map(|trace| &trace.files);
        let ranges = files.filter(|file: &&TraceFile| file.path == *path).flat_map(|file| &file.ranges).cloned();
        if source.evidence == Evidence::Exact {
            return ranges.collect();
        }
        let bytes = history::file_at(&self.ledger.repo, commit, path).ok().flatten().unwrap_or_default();
        standing(ranges, &bytes)
    }
}

/// The ranges whose bytes stand at the same lines of a file.
fn standing(ranges: impl Iterator<Item = TraceRange>, bytes: &[u8]) -> Rc<[TraceRange]> {
    let index = LineIndex::new(bytes);
    let same = |range: &TraceRange| {
        let hash = ContentHash(Digest::of(index.bytes(range.start..=range.end))).to_string();
        range.content_hash.as_ref() == Some(&hash)
    };
    ranges.filter(same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::trace::Contributor;

    #[test]
    fn a_range_counts_only_where_its_bytes_still_stand() {
        let range = |start, end, bytes: &[u8]| TraceRange {
            start,
            end,
            contributor: Contributor::Ai,
            model: None,
            url: None,
            content_hash: Some(ContentHash(Digest::of(bytes)).to_string()),
        };
        let untold = TraceRange { content_hash: None, ..range(1, 1, b"") };
        let ranges = [range(1, 2, b"a\nb\n"), range(3, 3, b"c\n"), range(5, 5, b"e"), range(9, 9, b"a\n"), untold];
        let kept = |bytes: &[u8]| standing(ranges.iter().cloned(), bytes).iter().map(|r| r.start).collect::<Vec<_>>();
        assert_eq!(kept(b"a\nb\nc\nd\ne"), [1, 3, 5]);
        assert_eq!(kept(b"a\nb\nC\nd\ne\n"), [1]);
        assert_eq!(kept(b"new\na\nb\nc\n"), [0; 0]);
        assert_eq!(kept(b""), [0; 0]);
    }
}
