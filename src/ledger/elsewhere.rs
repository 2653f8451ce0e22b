//! What the records of other commits say of a commit's lines: those it was rewritten from, and those with the same lines.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::attribution::carry::carry_known;
use crate::attribution::content::{KnownLines, KnownRange, Which};
use crate::attribution::lines;
use crate::attribution::trace::TraceRange;
use crate::git::history::{self, Trees};
use crate::git::tree_diff;
use crate::id::{ChainId, GitId, RecordId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::query::Book;
use crate::ledger::traces::{Evidence, Found, Traces, file_at};
use crate::ledger::verify::Entry;
use crate::record::body::{Body, SAME_PATCH};
use crate::time::Time;

/// How many other names of a file that is new to look for.
const MAX_NAMES: usize = 200;
/// So many sets of files that may have been renamed are remembered at once.
const MAX_RENAMED: usize = 64;
/// So many seconds may clocks differ: what was committed longer before a record's commit repeats nothing of it.
const CLOCKS: i64 = 86_400;

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
    /// What of these files may have been renamed to the new files of commits.
    renamed: HashMap<Vec<&'b RepoPath>, Rc<KnownLines<u32>>>,
    /// When the first commit was made whose record speaks of a file, in Unix seconds; `None` where that is not known.
    first: HashMap<&'b RepoPath, Option<i64>>,
    /// The files that may have been renamed, by the commit they may be new in.
    gone: Option<(GitId, Vec<&'b RepoPath>)>,
    trees: RefCell<Trees>,
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
        Elsewhere {
            ledger,
            book,
            on_path,
            known: HashMap::new(),
            renamed: HashMap::new(),
            first: HashMap::new(),
            gone: None,
            trees: RefCell::default(),
            ranges: Vec::new(),
        }
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
        let made = history::committed_at(&self.ledger.repo, commit);
        let on_path = on_path && self.is_not_before(path, made);
        let parent = history::first_parent(&self.ledger.repo, commit);
        let is_new = || parent.as_ref().is_none_or(|parent| self.is_gone(self.tree_of(parent).as_ref(), path));
        // A new file without records of its own may be another one that was renamed.
        let by_other_names =
            !on_path && sources == Sources::All && is_new() && !self.gone_names(commit, made).is_empty();
        if linked.is_empty() && !on_path && !by_other_names {
            return Vec::new();
        }
        let Some(bytes) = file_at(self.ledger, commit, path) else { return Vec::new() };
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
            false if by_other_names => Some(self.known_by_other_names(traces, commit, made)),
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
        let tree = self.tree_of(commit);
        let gone = |path: &&RepoPath| self.is_gone(tree.as_ref(), path);
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
    fn known_by_other_names(
        &mut self,
        traces: &mut Traces<'_>,
        commit: &GitId,
        made: Option<Time>,
    ) -> Rc<KnownLines<u32>> {
        let paths = self.gone_names(commit, made).to_vec();
        if let Some(known) = self.renamed.get(&paths) {
            return known.clone();
        }
        let mut known = KnownLines::default();
        for path in &paths {
            for entry in self.on_path.get(path).cloned().unwrap_or_default() {
                self.add(&mut known, traces, entry, path);
            }
        }
        let known = Rc::new(known);
        // The files that are gone are mostly the same from one commit to the next.
        if self.renamed.len() >= MAX_RENAMED {
            self.renamed.clear();
        }
        self.renamed.insert(paths, known.clone());
        known
    }

    /// The files with records that are not there in a commit, made at this time, and were not made after it.
    fn gone_names(&mut self, commit: &GitId, made: Option<Time>) -> &[&'b RepoPath] {
        if self.gone.as_ref().is_none_or(|(known, _)| known != commit) {
            let paths: Vec<&RepoPath> = self.on_path.keys().copied().collect();
            let tree = self.tree_of(commit);
            let mut gone = Vec::new();
            for path in paths {
                if gone.len() < MAX_NAMES && self.is_not_before(path, made) && self.is_gone(tree.as_ref(), path) {
                    gone.push(path);
                }
            }
            self.gone = Some((commit.clone(), gone));
        }
        self.gone.as_ref().map_or(&[], |(_, gone)| gone)
    }

    /// Whether what was committed at this time may repeat what a record says of a file: it was not there before.
    fn is_not_before(&mut self, path: &RepoPath, made: Option<Time>) -> bool {
        let Some((path, entries)) = self.on_path.get_key_value(path) else { return false };
        let repo = &self.ledger.repo;
        let first = *self.first.entry(path).or_insert_with(|| {
            let time = |entry: &&Entry| match &entry.body {
                Body::Commit(body) => history::committed_at(repo, &body.commit).map(Time::unix),
                _ => None,
            };
            entries.iter().map(time).collect::<Option<Vec<i64>>>()?.into_iter().min()
        });
        made.zip(first).is_none_or(|(made, first)| made.unix() + CLOCKS >= first)
    }

    fn tree_of(&self, commit: &GitId) -> Option<GitId> {
        tree_diff::tree_of(&self.ledger.repo, commit).ok()
    }

    fn is_gone(&self, tree: Option<&GitId>, path: &RepoPath) -> bool {
        tree.is_none_or(|tree| !self.trees.borrow_mut().has(&self.ledger.repo, tree, path))
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
