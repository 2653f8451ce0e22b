//! What the records of other commits say of a commit's lines: those it was rewritten from, and those with the same lines.

mod squashed;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::attribution::carry::carry_known;
use crate::attribution::content::{KnownLines, KnownRange, Recorded, Which};
use crate::attribution::labels::Origin;
use crate::attribution::lines;
use crate::attribution::trace::TraceRange;
use crate::git::ancestry::Ancestry;
use crate::git::history::{self, Trees};
use crate::git::tree_diff;
use crate::id::{ChainId, GitId, RecordId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::query::Book;
use crate::ledger::squashes::Squashes;
use crate::ledger::traces::{Evidence, Found, Traces, file_at};
use crate::ledger::verify::Entry;
use crate::record::body::SAME_PATCH;
use crate::time::Time;

/// How many other names of a file that is new to look for.
const MAX_NAMES: usize = 200;
/// How many seconds the clock of a commit may be behind that of one that it was made from.
const CLOCKS_DIFFER: i64 = 120;
/// How many lines must be the same, standing together, to be taken for those of another commit's record.
const FEW: usize = 2;
/// The same where the writer of the commit's own record knew of no agent.
const MANY: usize = 3;

/// Whose records are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    All,
    /// Of all writers but this one.
    OfOthers(ChainId),
}

/// A file of a commit, whose lines are asked about.
struct Asked<'a> {
    commit: &'a GitId,
    path: &'a RepoPath,
    bytes: Vec<u8>,
    /// The file in the first parent.
    before: Option<Vec<u8>>,
}

/// A record that may speak of the lines.
#[derive(Clone)]
struct Witness<'b> {
    entry: &'b Entry,
    /// The name that the file has in it.
    path: RepoPath,
    says: Says,
}

/// A range of lines that a record speaks of.
struct Range<'b> {
    entry: &'b Entry,
    range: TraceRange,
    /// How many lines of the file the record says to be somebody's.
    lines: u32,
}

/// What a record is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Says {
    /// Whose its lines are, and which are nobody's known.
    All,
    /// Whose its lines are.
    Whose,
    /// The same, of lines that count for no more than themselves: it has none of an agent's.
    Nobodys,
}

/// What records say of lines, wherever these stand now.
///
/// Lines come from earlier commits: never from one that the commit is an ancestor of, or that is younger by its clock; and
/// what was committed before the ledger was founded comes from none.
pub struct Elsewhere<'b> {
    ledger: &'b Ledger,
    book: &'b Book<'b>,
    /// The records of agents' lines in each file.
    agents: BTreeMap<&'b RepoPath, Vec<&'b Entry>>,
    /// Those of other lines alone, once they are needed.
    nobodys: Option<HashMap<&'b RepoPath, Vec<&'b Entry>>>,
    recorded: HashMap<(RecordId, RepoPath, Says), Rc<Recorded<u32>>>,
    /// What may have been renamed to the new files of a commit.
    renamed: HashMap<GitId, Vec<&'b RepoPath>>,
    /// What the numbers in what is known stand for.
    ranges: Vec<Range<'b>>,
    founded: Option<Time>,
    times: HashMap<GitId, Option<Time>>,
    ancestry: Ancestry<'b>,
    trees: RefCell<Trees>,
    squashes: Option<Squashes<'b>>,
}

impl<'b> Elsewhere<'b> {
    pub fn new(ledger: &'b Ledger, book: &'b Book<'b>) -> Self {
        Elsewhere {
            ledger,
            book,
            agents: on_path(book, |agent| agent > 0),
            nobodys: None,
            recorded: HashMap::new(),
            renamed: HashMap::new(),
            ranges: Vec::new(),
            founded: None,
            times: HashMap::new(),
            ancestry: Ancestry::new(&ledger.repo),
            trees: RefCell::default(),
            squashes: None,
        }
    }

    /// What is known of each line of a file of a commit.
    pub fn find(
        &mut self,
        traces: &mut Traces<'_>,
        commit: &GitId,
        path: &RepoPath,
        sources: Sources,
    ) -> Vec<Option<Found>> {
        let linked = self.book.rewritten_from(commit);
        let has_agents = self.agents.get(path).into_iter().flatten().any(|entry| sources.has(entry));
        let parent = history::first_parent(&self.ledger.repo, commit);
        // A new file may be another one that was renamed, also where records speak of it: a branch may have them alone.
        let may_be_renamed = sources == Sources::All
            && parent.as_ref().is_none_or(|parent| self.is_gone(self.tree_of(parent).as_ref(), path));
        let squashed = match sources {
            Sources::All => self.squashed(commit, parent.as_ref()),
            Sources::OfOthers(_) => Vec::new(),
        };
        if linked.is_empty() && squashed.is_empty() && !has_agents && !may_be_renamed {
            return Vec::new();
        }
        let Some(bytes) = file_at(self.ledger, commit, path) else { return Vec::new() };
        let before = parent.as_ref().and_then(|parent| file_at(self.ledger, parent, path));
        let mut found = vec![None; lines::count(&bytes)];
        let asked = Asked { commit, path, bytes, before };
        if !linked.is_empty() {
            self.find_linked(traces, &asked, linked, &mut found);
        }
        if !squashed.is_empty() {
            self.find_squashed(traces, &asked, &squashed, &mut found);
        }
        if has_agents && sources == Sources::All {
            self.find_same(traces, &asked, &mut found);
        }
        let mut names = if may_be_renamed { self.gone(commit) } else { Vec::new() };
        names.extend(has_agents.then_some(path));
        if !names.is_empty() {
            self.find_content(traces, &asked, &names, sources, &mut found);
        }
        if may_be_renamed {
            self.find_copied(traces, &asked, &mut found);
        }
        found
    }

    /// By the records of commits that this one was rewritten from, as links say.
    fn find_linked(
        &mut self,
        traces: &mut Traces<'_>,
        asked: &Asked<'_>,
        linked: Vec<(&'b Entry, u32)>,
        found: &mut [Option<Found>],
    ) {
        let mut some_lines = Vec::new();
        for (entry, level) in linked {
            if !self.is_source(asked.commit, entry) {
                continue;
            }
            let names = self.names(asked, entry);
            let witnesses = names.into_iter().map(|path| Witness { entry, path, says: Says::All });
            if level < SAME_PATCH {
                some_lines.extend(witnesses);
                continue;
            }
            // Where the whole change is the same, a copy in it is a copy there.
            let known = self.known(traces, witnesses.collect());
            self.take(found, &known.find(&asked.bytes, Which::SameChange), Evidence::Linked);
        }
        if some_lines.is_empty() {
            return;
        }
        let mut others = self.nobodys(asked);
        others.retain(|other| some_lines.iter().all(|linked| linked.entry.id != other.entry.id));
        some_lines.extend(others);
        let which = Which::New { before: asked.before.as_deref().unwrap_or_default(), least: 1 };
        let known = self.known(traces, some_lines).find(&asked.bytes, which);
        self.take(found, &known, Evidence::Linked);
    }

    /// By the records of commits that added the same lines.
    fn find_content(
        &mut self,
        traces: &mut Traces<'_>,
        asked: &Asked<'_>,
        names: &[&RepoPath],
        sources: Sources,
        found: &mut [Option<Found>],
    ) {
        let mut witnesses = Vec::new();
        for path in names {
            let entries = self.agents.get(path).cloned().unwrap_or_default();
            let entries = entries.into_iter().filter(|entry| sources.has(entry));
            witnesses.extend(entries.map(|entry| Witness { entry, path: (*path).clone(), says: Says::Whose }));
        }
        witnesses.retain(|witness| self.is_older(asked.commit, witness.entry));
        if witnesses.is_empty() {
            return;
        }
        witnesses.extend(self.nobodys(asked));
        let least = if sources == Sources::All { FEW } else { MANY };
        let before = asked.before.as_deref().unwrap_or_default();
        let look_for = |known: &KnownLines<u32>, least: usize| {
            let added = known.find(&asked.bytes, Which::New { before, least });
            // Lines that the commit only wrapped or indented anew, or moved.
            let carried = carry_known(&known.find(before, Which::Once { least }), before, &asked.bytes);
            added.into_iter().zip(carried).map(|(added, carried)| added.or(carried)).collect::<Vec<_>>()
        };
        let look = |known: &KnownLines<u32>| (look_for(known, MANY), look_for(known, least));
        let known = self.known(traces, witnesses.clone());
        let mut lines = self.weigh(look(&known));
        // Clocks are seldom wrong: what came before what is looked up only for what was found.
        let mut sources: Vec<&Entry> = lines.iter().flatten().map(|at| self.ranges[*at as usize].entry).collect();
        sources.dedup_by_key(|entry| entry.id);
        if !sources.into_iter().all(|entry| self.is_source(asked.commit, entry)) {
            witnesses.retain(|witness| self.is_source(asked.commit, witness.entry));
            let known = self.known(traces, witnesses);
            lines = self.weigh(look(&known));
        }
        self.take(found, &lines, Evidence::Content);
    }

    /// Of lines that were found together with many, and of all that were found, those that count: where few stand
    /// together, half of what their record has of the file must be there. Everybody begins a file with the same few.
    fn weigh(&self, (many, mut all): (Vec<Option<u32>>, Vec<Option<u32>>)) -> Vec<Option<u32>> {
        let mut found: HashMap<RecordId, u32> = HashMap::new();
        for at in all.iter().flatten() {
            *found.entry(self.ranges[*at as usize].entry.id).or_default() += 1;
        }
        for (known, _) in all.iter_mut().zip(many).filter(|(_, many)| many.is_none()) {
            known.take_if(|at| {
                let Range { entry, lines, .. } = &self.ranges[*at as usize];
                found.get(&entry.id).is_none_or(|found| found.saturating_mul(2) < *lines)
            });
        }
        all
    }

    /// Whether lines of a commit may come from a recorded one.
    pub fn is_source(&mut self, commit: &GitId, entry: &Entry) -> bool {
        let Some(source) = entry.as_commit() else { return false };
        self.is_older(commit, entry) && !self.ancestry.is_ancestor(commit, &source.commit)
    }

    /// Whether a recorded commit changes something, or comes before this one.
    pub fn is_change_or_before(&mut self, commit: &GitId, entry: &Entry) -> bool {
        let Some(source) = entry.as_commit() else { return false };
        source.patch_id.is_some() || self.ancestry.is_ancestor(&source.commit, commit)
    }

    /// Whether it was made before the commit, by the clocks alone.
    fn is_older(&mut self, commit: &GitId, entry: &Entry) -> bool {
        let (Some(time), Some(source)) = (self.time(commit), entry.as_commit()) else { return false };
        let made = self.time(&source.commit).unwrap_or(entry.time);
        source.commit != *commit && self.is_of_ledger(commit) && made.unix() <= time.unix() + CLOCKS_DIFFER
    }

    /// Whether a commit was made since the ledger was founded.
    pub fn is_of_ledger(&mut self, commit: &GitId) -> bool {
        let ledger = self.ledger;
        // Where it cannot be read when that was, nothing is known to be younger.
        let founded = *self.founded.get_or_insert_with(|| ledger.founded().unwrap_or(Time::from_unix(i64::MAX)));
        self.time(commit).is_some_and(|time| time >= founded)
    }

    fn time(&mut self, commit: &GitId) -> Option<Time> {
        if let Some(known) = self.times.get(commit) {
            return *known;
        }
        let time = history::committed_at(&self.ledger.repo, commit);
        self.times.insert(commit.clone(), time);
        time
    }

    /// What a file may have been called in the record of a commit that this one was rewritten from: its own name, and
    /// those that are not there any more.
    fn names(&self, asked: &Asked<'_>, entry: &Entry) -> Vec<RepoPath> {
        let Some(body) = entry.as_commit() else { return Vec::new() };
        let tree = self.tree_of(asked.commit);
        let gone = |path: &&RepoPath| self.is_gone(tree.as_ref(), path);
        let others = body.files.iter().filter(|file| file.agent > 0).map(|file| &file.path);
        let others = others.filter(|other| *other != asked.path).take(MAX_NAMES).filter(gone);
        [asked.path].into_iter().chain(others).cloned().collect()
    }

    /// For files that are new: those with agents' lines that are not there any more, and may have been renamed to them.
    fn gone(&mut self, commit: &GitId) -> Vec<&'b RepoPath> {
        if let Some(known) = self.renamed.get(commit) {
            return known.clone();
        }
        let tree = self.tree_of(commit);
        let gone = |path: &&RepoPath| self.is_gone(tree.as_ref(), path);
        let paths: Vec<&RepoPath> = self.agents.keys().copied().filter(gone).take(MAX_NAMES).collect();
        self.renamed.insert(commit.clone(), paths.clone());
        paths
    }

    fn tree_of(&self, commit: &GitId) -> Option<GitId> {
        tree_diff::tree_of(&self.ledger.repo, commit).ok()
    }

    fn is_gone(&self, tree: Option<&GitId>, path: &RepoPath) -> bool {
        tree.is_none_or(|tree| self.blob(tree, path).is_none())
    }

    /// What a tree has of this name, if it is here.
    fn blob(&self, tree: &GitId, path: &RepoPath) -> Option<GitId> {
        self.trees.borrow_mut().find(&self.ledger.repo, tree, path)
    }

    /// The records of nobody's lines of this file: where they have the same lines, these are no agent's.
    fn nobodys(&mut self, asked: &Asked<'_>) -> Vec<Witness<'b>> {
        let book = self.book;
        let known = self.nobodys.get_or_insert_with(|| on_path(book, |agent| agent == 0).into_iter().collect());
        let mut entries = known.get(asked.path).cloned().unwrap_or_default();
        entries.retain(|entry| self.is_older(asked.commit, entry));
        let witness = |entry| Witness { entry, path: asked.path.clone(), says: Says::Nobodys };
        entries.into_iter().map(witness).collect()
    }

    /// What records say of lines, all together. Of two of the same lines the older one saw them made: it is added last
    /// and so counts.
    fn known(&mut self, traces: &mut Traces<'_>, mut witnesses: Vec<Witness<'b>>) -> KnownLines<u32> {
        witnesses.sort_by_key(|witness| std::cmp::Reverse(witness.entry.time));
        let mut known = KnownLines::default();
        for witness in witnesses {
            known.add(&self.recorded(traces, &witness));
        }
        known
    }

    /// What a record says of a file: by its lines where the commit is here, else by the hashes of its ranges.
    fn recorded(&mut self, traces: &mut Traces<'_>, witness: &Witness<'b>) -> Rc<Recorded<u32>> {
        let Witness { entry, path, says } = witness;
        let key = (entry.id, path.clone(), *says);
        if let Some(known) = self.recorded.get(&key) {
            return known.clone();
        }
        let mut ranges = Vec::new();
        let mut lines = 0;
        let first = self.ranges.len();
        for range in traces.ranges(entry, path) {
            let told = *says == Says::All || range.origin() != Origin::Unattributed;
            ranges.push(KnownRange {
                start: range.start,
                end: range.end,
                known: told.then_some(self.ranges.len() as u32),
            });
            lines = if told {
                range.end.saturating_sub(range.start).saturating_add(1).saturating_add(lines)
            } else {
                lines
            };
            self.ranges.push(Range { entry, range, lines: 0 });
        }
        self.ranges[first..].iter_mut().for_each(|range| range.lines = lines);
        let bytes = entry.as_commit().and_then(|body| file_at(self.ledger, &body.commit, path));
        let recorded = match (bytes, says) {
            (Some(bytes), Says::Nobodys) => Recorded::alone(&bytes, &ranges),
            (Some(bytes), _) => Recorded::of(&bytes, ranges),
            (None, _) => {
                let mut recorded = Recorded::default();
                for KnownRange { start, end, known } in ranges {
                    let hash = known.and_then(|at| Some((at, self.ranges[at as usize].range.content_hash()?)));
                    if let Some((at, hash)) = hash {
                        recorded.add_hash(end - start + 1, hash, at);
                    }
                }
                recorded
            }
        };
        let recorded = Rc::new(recorded);
        self.recorded.insert(key, recorded.clone());
        recorded
    }

    fn take(&self, found: &mut [Option<Found>], known: &[Option<u32>], evidence: Evidence) {
        for (line, known) in found.iter_mut().zip(known) {
            if let (None, Some(at)) = (&line, known) {
                let Range { entry, range, .. } = &self.ranges[*at as usize];
                *line = Some(Found { evidence, record: entry.id, range: range.clone() });
            }
        }
    }
}

/// The good records of enrolled writers by the files of which they have lines, as many of an agent's as `wanted` says.
fn on_path<'b>(book: &'b Book<'b>, wanted: impl Fn(u64) -> bool) -> BTreeMap<&'b RepoPath, Vec<&'b Entry>> {
    let mut on_path: BTreeMap<&RepoPath, Vec<&Entry>> = BTreeMap::new();
    for entry in book.commit_records().filter(|entry| !book.is_pending(entry)) {
        for file in entry.as_commit().into_iter().flat_map(|body| &body.files).filter(|file| wanted(file.agent)) {
            on_path.entry(&file.path).or_default().push(entry);
        }
    }
    on_path
}

impl Sources {
    fn has(self, entry: &Entry) -> bool {
        match self {
            Sources::All => true,
            Sources::OfOthers(chain) => entry.chain != chain,
        }
    }
}
