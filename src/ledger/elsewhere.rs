//! What the records of other commits say of a commit's lines: those it was rewritten from, and those with the same lines.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::attribution::carry::carry_known;
use crate::attribution::content::{KnownLines, KnownRange, Which};
use crate::attribution::lines;
use crate::attribution::trace::TraceRange;
use crate::git::history;
use crate::id::{ChainId, GitId, RecordId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::query::Book;
use crate::ledger::traces::{Evidence, Found, Traces, file_at};
use crate::ledger::verify::Entry;
use crate::record::body::{Body, SAME_PATCH};

/// How many other names of a file that is new to look for.
const MAX_NAMES: usize = 200;

/// Whose records are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sources {
    All,
    /// Of all writers but this one.
    OfOthers(ChainId),
}

/// What records say of lines, wherever these stand now.
pub struct Elsewhere<'b> {
    ledger: &'b Ledger,
    book: &'b Book<'b>,
    /// The records of agents' lines in each file, the newest first.
    on_path: BTreeMap<&'b RepoPath, Vec<&'b Entry>>,
    known: HashMap<(Rc<RepoPath>, Sources), Rc<KnownLines<u32>>>,
    /// What may have been renamed to the new files of a commit.
    renamed: HashMap<GitId, Rc<KnownLines<u32>>>,
    /// What the numbers in `known` stand for.
    ranges: Vec<(RecordId, TraceRange)>,
}

impl<'b> Elsewhere<'b> {
    pub fn new(ledger: &'b Ledger, book: &'b Book<'b>) -> Self {
        let mut on_path: BTreeMap<&RepoPath, Vec<&Entry>> = BTreeMap::new();
        for entry in book.commit_records() {
            let Body::Commit(body) = &entry.body else { continue };
            for file in body.files.iter().filter(|file| file.agent > 0) {
                on_path.entry(&file.path).or_default().push(entry);
            }
        }
        // Of two records of the same lines the older one saw them made: it is added last and so counts.
        on_path.values_mut().for_each(|entries| entries.sort_by_key(|entry| std::cmp::Reverse(entry.time)));
        Elsewhere { ledger, book, on_path, known: HashMap::new(), renamed: HashMap::new(), ranges: Vec::new() }
    }

    /// What is known of each line of a file of a commit.
    pub fn find(
        &mut self,
        traces: &mut Traces<'_>,
        commit: &GitId,
        path: &Rc<RepoPath>,
        sources: Sources,
    ) -> Vec<Option<Found>> {
        let linked = self.book.rewritten_from(commit);
        let on_path = self.on_path.get(&**path).into_iter().flatten().any(|entry| sources.has(entry));
        if linked.is_empty() && !on_path && sources != Sources::All {
            return Vec::new();
        }
        let Some(bytes) = file_at(self.ledger, commit, path) else { return Vec::new() };
        let parent = history::first_parent(&self.ledger.repo, commit);
        let before = parent.as_ref().and_then(|parent| file_at(self.ledger, parent, path));
        let mut found = vec![None; lines::count(&bytes)];

        for (entry, level) in linked {
            let mut known = KnownLines::default();
            for path in self.names(commit, entry, path) {
                self.add(&mut known, traces, entry, path);
            }
            // Where the whole change is the same, a copy in it is a copy there.
            let which = match level {
                SAME_PATCH.. => Which::SameChange,
                _ => Which::NotIn(before.as_deref().unwrap_or_default()),
            };
            self.take(&mut found, &known.find(&bytes, which), Evidence::Linked);
        }
        let known = match on_path {
            true => Some(self.known(traces, path, sources)),
            false if before.is_none() && sources == Sources::All => Some(self.known_by_other_names(traces, commit)),
            false => None,
        };
        if let Some(known) = known {
            let before = before.as_deref().unwrap_or_default();
            self.take(&mut found, &known.find(&bytes, Which::NotIn(before)), Evidence::Content);
            // Lines that the commit only wrapped or indented anew, or moved.
            let carried = carry_known(&known.find(before, Which::Any), before, &bytes);
            self.take(&mut found, &carried, Evidence::Content);
        }
        found
    }

    /// What a file may have been called in the record of a commit that this one was rewritten from: its own name, and
    /// those that are not there any more.
    fn names<'p>(&self, commit: &GitId, entry: &'p Entry, path: &'p RepoPath) -> Vec<&'p RepoPath> {
        let Body::Commit(body) = &entry.body else { return Vec::new() };
        let gone = |path: &&RepoPath| self.is_gone(commit, path);
        let others = body.files.iter().filter(|file| file.agent > 0).map(|file| &file.path);
        [path].into_iter().chain(others.filter(|other| *other != path).take(MAX_NAMES).filter(gone)).collect()
    }

    fn take(&self, found: &mut [Option<Found>], known: &[Option<u32>], evidence: Evidence) {
        for (line, known) in found.iter_mut().zip(known) {
            if let (None, Some(at)) = (&line, known) {
                let (record, range) = &self.ranges[*at as usize];
                *line = Some(Found { evidence, record: *record, range: range.clone() });
            }
        }
    }

    fn known(&mut self, traces: &mut Traces<'_>, path: &Rc<RepoPath>, sources: Sources) -> Rc<KnownLines<u32>> {
        let key = (path.clone(), sources);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let mut known = KnownLines::default();
        let entries = self.on_path.get(&**path).cloned().unwrap_or_default();
        for entry in entries.into_iter().filter(|entry| sources.has(entry)) {
            self.add(&mut known, traces, entry, path);
        }
        let known = Rc::new(known);
        self.known.insert(key, known.clone());
        known
    }

    /// For a file that is new: what records say of files that are not there any more, and may have been renamed to it.
    fn known_by_other_names(&mut self, traces: &mut Traces<'_>, commit: &GitId) -> Rc<KnownLines<u32>> {
        if let Some(known) = self.renamed.get(commit) {
            return known.clone();
        }
        let gone = |path: &&&RepoPath| self.is_gone(commit, path);
        let paths: Vec<&RepoPath> = self.on_path.keys().filter(gone).take(MAX_NAMES).copied().collect();
        let mut known = KnownLines::default();
        for path in paths {
            for entry in self.on_path.get(path).cloned().unwrap_or_default() {
                self.add(&mut known, traces, entry, path);
            }
        }
        let known = Rc::new(known);
        self.renamed.insert(commit.clone(), known.clone());
        known
    }

    fn is_gone(&self, commit: &GitId, path: &RepoPath) -> bool {
        !matches!(history::blob_at(&self.ledger.repo, commit, path), Ok(Some(_)))
    }

    /// Adds what a record says of a file: by its lines where the commit is here, else by the hashes of its ranges.
    fn add(&mut self, known: &mut KnownLines<u32>, traces: &mut Traces<'_>, entry: &Entry, path: &RepoPath) {
        let Body::Commit(body) = &entry.body else { return };
        let mut ranges = Vec::new();
        for range in traces.ranges(entry, path) {
            ranges.push(KnownRange { start: range.start, end: range.end, known: self.ranges.len() as u32 });
            self.ranges.push((entry.id, range));
        }
        match file_at(self.ledger, &body.commit, path) {
            Some(bytes) => known.add(&bytes, &ranges),
            None => {
                for range in ranges {
                    let (_, trace) = &self.ranges[range.known as usize];
                    if let Some(hash) = trace.content_hash() {
                        known.add_hash(range.end - range.start + 1, hash, range.known);
                    }
                }
            }
        }
    }
}

impl Sources {
    fn has(self, entry: &Entry) -> bool {
        match self {
            Sources::All => true,
            Sources::OfOthers(chain) => entry.chain != chain,
        }
    }
}
