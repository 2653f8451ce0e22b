//! Links: which commit was rewritten to which. Found by comparing, and compared again by whoever reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::attribution::content::{KnownLines, Recorded, Which};
use crate::attribution::lines::{self, LineIndex};
use crate::cost::PriceTable;
use crate::finding::{Code, Finding};
use crate::git::{diff, history};
use crate::host::progress::Bar;
use crate::id::{GitId, PackedId, RecordId};
use crate::ledger::append::Writer;
use crate::ledger::local::Changes;
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::record_commit::CommitFacts;
use crate::ledger::traces::{Evidence, Traces, file_at};
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Commit, Link, SAME_COMMIT, SAME_LINES, SAME_PATCH};

/// A link that was written, or would be.
#[derive(Debug, Serialize)]
pub struct Found {
    pub new: GitId,
    pub old: GitId,
    pub level: u32,
}

impl Writer<'_> {
    /// Links those of these commits that have no record with the recorded commits that they repeat. `dry`: only tells.
    pub fn link(&mut self, commits: &[GitId], dry: bool) -> Result<Vec<Found>, LedgerError> {
        let report = self.ledger.read_all()?;
        let links = self.ledger.find_links(&Book::new(&report, PriceTable::embedded()), commits)?;
        if !dry {
            self.record_links(&links, "link")?;
        }
        Ok(links)
    }

    /// Records links that were found.
    pub fn record_links(&mut self, links: &[Found], found_by: &str) -> Result<(), LedgerError> {
        for Found { new, old, level } in links {
            let body = Link { old: old.clone(), new: new.clone(), found_by: found_by.into(), level: *level };
            self.append(Body::Link(body), None, &[], |_| Ok(Changes::default()))?;
        }
        Ok(())
    }
}

impl Ledger {
    /// Which recorded commits are repeated by those of these that have no record and no link: they have the same tree,
    /// the same patch, or else agents' lines of them. Only earlier commits are, and only since the ledger was founded.
    pub fn find_links(&self, book: &Book<'_>, commits: &[GitId]) -> Result<Vec<Found>, LedgerError> {
        let is_open = |commit: &&GitId| book.record_of(commit).is_none() && book.rewritten_from(commit).is_empty();
        let open: Vec<&GitId> = commits.iter().filter(is_open).collect();
        let mut links = Vec::new();
        // A push mostly has none, and is waited for.
        if open.is_empty() {
            return Ok(links);
        }
        let known = ByChange::new(book);
        let mut origins = Origins::new(self, book);
        let bar = Bar::new("commits", open.len() as u64);
        for commit in open {
            bar.step(1);
            if !origins.elsewhere().is_of_ledger(commit) {
                continue;
            }
            let facts = CommitFacts::read(self, diff::begin(&self.repo, commit))?;
            let is_empty = self.is_empty(&facts);
            let mut found = known.same(&facts, |entry| {
                let elsewhere = origins.elsewhere();
                // That a commit changes nothing makes it no repetition of what it comes after, nor of any change.
                elsewhere.is_source(commit, entry) && !(is_empty && elsewhere.is_change_or_before(commit, entry))
            });
            if found.is_empty() {
                found = of_lines(&mut origins, book, &facts);
            }
            links.extend(found.into_iter().map(|(old, level)| Found { new: commit.clone(), old, level }));
        }
        Ok(links)
    }

    /// Whether a commit has the tree of its only parent.
    fn is_empty(&self, facts: &CommitFacts) -> bool {
        let [parent] = &facts.parents[..] else { return false };
        history::tree(&self.repo, parent).as_deref() == Some(facts.tree.as_str())
    }
}

/// The records of commits by what these change, the oldest first.
struct ByChange<'r> {
    trees: HashMap<&'r GitId, Vec<(&'r Entry, &'r Commit)>>,
    patches: HashMap<&'r GitId, Vec<(&'r Entry, &'r Commit)>>,
}

impl<'r> ByChange<'r> {
    fn new(book: &Book<'r>) -> Self {
        let mut by = ByChange { trees: HashMap::new(), patches: HashMap::new() };
        let mut entries: Vec<&Entry> = book.commit_records().filter(|entry| !book.is_pending(entry)).collect();
        entries.sort_by_key(|entry| (entry.time, entry.id));
        for (entry, body) in entries.into_iter().filter_map(|entry| Some((entry, entry.as_commit()?))) {
            by.trees.entry(&body.tree).or_default().push((entry, body));
            if let Some(patch) = &body.patch_id {
                by.patches.entry(patch).or_default().push((entry, body));
            }
        }
        by
    }

    /// The commit that a commit repeats as a whole, of those that it may come from.
    fn same(&self, facts: &CommitFacts, mut is_source: impl FnMut(&Entry) -> bool) -> Vec<(GitId, u32)> {
        let patch = facts.changes.patch_id.as_ref().and_then(|patch| self.patches.get(patch));
        let mut find = |known: Option<&Vec<(&'r Entry, &'r Commit)>>, is_same: &dyn Fn(&Commit) -> bool| {
            let mut known = known.into_iter().flatten().filter(|(_, body)| is_same(body));
            known.find(|(entry, _)| is_source(entry)).map(|(_, body)| *body)
        };
        let tree = self.trees.get(&facts.tree);
        let same_commit = find(tree, &|old| old.parents == facts.parents).map(|old| (old, SAME_COMMIT));
        // A merge has the tree of what it merges, too; that is another change.
        let found = same_commit.or_else(|| {
            let old = find(patch, &|_| true);
            let old = old.or_else(|| find(tree, &|old| old.parents.len() == facts.parents.len()));
            Some((old?, SAME_PATCH))
        });
        found.map(|(old, level)| (old.commit.clone(), level)).into_iter().collect()
    }
}

/// The commits whose agents' lines a commit adds anew.
fn of_lines(origins: &mut Origins<'_>, book: &Book<'_>, facts: &CommitFacts) -> Vec<(GitId, u32)> {
    let mut records: Vec<RecordId> = Vec::new();
    for file in facts.changes.files.iter().filter(|file| !file.binary && !file.added.is_empty()) {
        let path = std::rc::Rc::new(file.path.clone());
        for line in &file.added {
            let found = origins.line(&facts.commit, &path, *line);
            if let Some(found) = found.filter(|found| found.evidence == Evidence::Content)
                && !records.contains(&found.record)
            {
                records.push(found.record);
            }
        }
    }
    let commits = book.commit_records().filter(|entry| records.contains(&entry.id));
    let mut found: Vec<_> = commits.filter_map(|entry| Some((entry.as_commit()?.commit.clone(), SAME_LINES))).collect();
    found.sort();
    found
}

/// The commits that good links say others were rewritten from.
pub fn linked(report: &Report) -> HashSet<PackedId> {
    let links = report.entries().filter(|entry| entry.good);
    let old = links.filter_map(|entry| if let Body::Link(link) = &entry.body { Some(&link.old) } else { None });
    old.map(PackedId::from).collect()
}

impl Ledger {
    /// Compares again what good links of others claim, as far as both commits are here: they count for no more than is
    /// found. `found` is what was found before; without it all links are compared, this clone's own too.
    pub fn check_links(&self, report: &mut Report, mut found: Option<&mut BTreeMap<RecordId, u32>>) -> Vec<Finding> {
        let (mut links, mut findings) = (Vec::new(), Vec::new());
        let own = self.own_chain().filter(|_| found.is_some());
        for entry in report.entries().filter(|entry| entry.good && Some(entry.chain) != own) {
            if let Body::Link(link) = &entry.body {
                links.push((entry.id, link.clone()));
            }
        }
        if links.is_empty() {
            return findings;
        }
        let book = Book::new(report, PriceTable::embedded());
        let mut traces = Traces::new(self);
        let mut levels: HashMap<RecordId, u32> = HashMap::new();
        for (record, link) in links {
            let known = found.as_ref().and_then(|found| found.get(&record).copied());
            let level = known.or_else(|| self.level(&mut traces, book.record_of(&link.old)?, &link));
            if let Some(level) = level {
                levels.insert(record, level);
                if let Some(found) = &mut found {
                    found.insert(record, level);
                }
            }
        }
        for entry in report.chains.iter_mut().flat_map(|chain| &mut chain.entries) {
            let (Body::Link(link), Some(level)) = (&mut entry.body, levels.get(&entry.id).copied()) else { continue };
            if level < link.level {
                let (old, new, claimed) = (link.old.short(), link.new.short(), link.level);
                let message = format!("it links {old} to {new} at level {claimed}; they have level {level} in common");
                let finding = Finding::new(Code::Link, message).chain(entry.chain).seq(entry.seq).record(entry.id);
                findings.push(finding);
                link.level = level;
            }
        }
        findings
    }

    /// How much a commit has in common with a recorded one, or as much as the link claims; `None` where it is not here.
    fn level(&self, traces: &mut Traces<'_>, old: &Entry, link: &Link) -> Option<u32> {
        let (body, new) = (old.as_commit()?, &link.new);
        let mut facts = CommitFacts::header(self, new).ok()?;
        if facts.tree == body.tree {
            return Some(if facts.parents == body.parents { SAME_COMMIT } else { SAME_PATCH });
        }
        // What the patch is, git has to say; it is asked only where it matters.
        let patch = body.patch_id.as_ref().filter(|_| link.level >= SAME_PATCH);
        if patch.is_some() {
            facts = CommitFacts::read(self, diff::begin(&self.repo, new)).ok()?;
        }
        if patch.is_some() && patch == facts.changes.patch_id.as_ref() {
            return Some(SAME_PATCH);
        }
        let common = body.files.iter().any(|file| {
            let Some(bytes) = file_at(self, new, &file.path) else { return false };
            let ranges = traces.ranges(old, &file.path);
            if let Some(old) = file_at(self, &body.commit, &file.path) {
                let new: HashSet<&[u8]> = lines::split(&bytes).filter(|line| lines::is_telling(line)).collect();
                let old = LineIndex::new(&old);
                return ranges
                    .iter()
                    .any(|range| lines::split(old.bytes(range.start..=range.end)).any(|line| new.contains(line)));
            }
            let mut recorded = Recorded::default();
            for range in ranges {
                if let Some(hash) = range.content_hash() {
                    recorded.add_hash(range.end - range.start + 1, hash, ());
                }
            }
            let mut known = KnownLines::default();
            known.add(&recorded);
            known.find(&bytes, Which::Any).iter().any(Option::is_some)
        });
        Some(if common { SAME_LINES } else { 0 })
    }
}
