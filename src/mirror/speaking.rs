//! The records that speak of the lines of a file. A ledger may have millions: only those are read from the mirror that
//! `Origins` would ask for, so that its answer is the one that it gives from all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tokio::runtime::Handle;

use crate::git::ancestry::Ancestry;
use crate::git::history::{self, Trees};
use crate::git::tree_diff;
use crate::id::{GitId, RepoPath};
use crate::index::{Database, HeldRow};
use crate::ledger::Ledger;
use crate::ledger::verify::{Entry, Report};
use crate::mirror::MirrorError;
use crate::record::body::Commit;

/// How many commits of a branch that was squashed to look at, and how many names of a file that may have been renamed; as
/// many as `Elsewhere` does.
const MAX_COMMITS: usize = 1000;
const MAX_NAMES: usize = 200;

/// Looks for records.
struct Search<'m> {
    ledger: &'m Ledger,
    database: &'m Database,
    handle: &'m Handle,
    repository: i64,
    /// What was found, by the git commit that holds it.
    found: BTreeMap<String, (Entry, bool)>,
    /// The commits that what was found speaks of, and where their records are in it.
    recorded: HashMap<GitId, String>,
}

/// The good records of these commits themselves. Blocks.
pub fn about(
    ledger: &Ledger,
    database: &Database,
    handle: &Handle,
    repository: i64,
    sources: &BTreeSet<(GitId, RepoPath)>,
) -> Result<Report, MirrorError> {
    let mut search = Search::new(ledger, database, handle, repository);
    search.about(sources.iter().map(|(commit, _)| commit.to_string()).collect())?;
    Ok(Report::of_records(search.found.into_values()))
}

/// The good records that say whose the lines are which these commits brought to these files. Blocks.
pub fn speaking(
    ledger: &Ledger,
    database: &Database,
    handle: &Handle,
    repository: i64,
    sources: &BTreeSet<(GitId, RepoPath)>,
) -> Result<Report, MirrorError> {
    let mut search = Search::new(ledger, database, handle, repository);
    let commits: BTreeSet<&GitId> = sources.iter().map(|(commit, _)| commit).collect();
    search.about(commits.iter().map(ToString::to_string).collect())?;
    // Of what was committed before the ledger was founded, no other record says anything.
    let founded = ledger.founded()?;
    let later: Vec<&(GitId, RepoPath)> = sources
        .iter()
        .filter(|(commit, _)| history::committed_at(&ledger.repo, commit).is_some_and(|time| time >= founded))
        .collect();
    search.linked(later.iter().map(|(commit, _)| commit.to_string()).collect())?;
    search.on_files(later.iter().map(|(_, path)| path.to_string()).collect())?;
    let unrecorded: Vec<_> = later.into_iter().filter(|(commit, _)| !search.recorded.contains_key(commit)).collect();
    let squashes: BTreeSet<&GitId> = unrecorded.iter().map(|(commit, _)| commit).collect();
    for commit in squashes {
        search.squashed(commit)?;
    }
    search.renamed(&unrecorded)?;
    Ok(Report::of_records(search.found.into_values()))
}

impl<'m> Search<'m> {
    fn new(ledger: &'m Ledger, database: &'m Database, handle: &'m Handle, repository: i64) -> Self {
        Search { ledger, database, handle, repository, found: BTreeMap::new(), recorded: HashMap::new() }
    }

    /// Reads the records that are not read yet.
    fn read(&mut self, rows: Vec<HeldRow>) -> Result<(), MirrorError> {
        for HeldRow { held, pending } in rows {
            if self.found.contains_key(&held) {
                continue;
            }
            let Ok(commit) = held.parse::<GitId>() else { continue };
            let stored = self.ledger.read("a record", &commit)?;
            let entry = Entry::of(commit, stored.record, true);
            self.recorded.extend(entry.as_commit().map(|body| (body.commit.clone(), held.clone())));
            self.found.insert(held, (entry, pending != 0));
        }
        Ok(())
    }

    /// The records of commits.
    fn about(&mut self, commits: Vec<String>) -> Result<(), MirrorError> {
        let rows = self.handle.block_on(self.database.records_about(self.repository, &commits))?;
        self.read(rows)
    }

    /// The links to commits, to those that these lead to, and so on, and the records of all of them.
    fn linked(&mut self, mut commits: Vec<String>) -> Result<(), MirrorError> {
        let mut seen: HashSet<String> = commits.iter().cloned().collect();
        while !commits.is_empty() {
            let rows = self.handle.block_on(self.database.links_about(self.repository, &commits))?;
            self.read(rows)?;
            let rows = self.handle.block_on(self.database.links_to(self.repository, &commits))?;
            commits = rows.into_iter().map(|row| row.old).filter(|old| seen.insert(old.clone())).collect();
            self.about(commits.clone())?;
        }
        Ok(())
    }

    /// The records that have lines of files.
    fn on_files(&mut self, mut paths: Vec<String>) -> Result<(), MirrorError> {
        paths.sort_unstable();
        paths.dedup();
        let rows = self.handle.block_on(self.database.records_on(self.repository, &paths))?;
        self.read(rows)
    }

    /// The records of the branches that a commit has all of.
    fn squashed(&mut self, commit: &GitId) -> Result<(), MirrorError> {
        let ledger = self.ledger;
        let Ok(tree) = tree_diff::tree_of(&ledger.repo, commit) else { return Ok(()) };
        let mut open = self.handle.block_on(self.database.commits_with_tree(self.repository, tree.as_str()))?;
        let parent = history::first_parent(&ledger.repo, commit);
        let (mut ancestry, mut seen) = (Ancestry::new(&ledger.repo), HashSet::new());
        while !open.is_empty() && seen.len() < MAX_COMMITS {
            self.about(open.clone())?;
            let mut parents = Vec::new();
            for commit in open.iter().filter_map(|commit| commit.parse::<GitId>().ok()) {
                let is_before = parent.as_ref().is_some_and(|parent| ancestry.is_ancestor(&commit, parent));
                if let (Some(body), false) = (self.body_of(&commit), is_before) {
                    parents.extend(body.parents.iter().map(ToString::to_string));
                }
            }
            open = parents.into_iter().filter(|parent| seen.insert(parent.clone())).collect();
        }
        Ok(())
    }

    fn body_of(&self, commit: &GitId) -> Option<&Commit> {
        self.found.get(self.recorded.get(commit)?)?.0.as_commit()
    }

    /// The records of files that may have been renamed to one that is new in its commit and that no record tells of.
    fn renamed(&mut self, unrecorded: &[&(GitId, RepoPath)]) -> Result<(), MirrorError> {
        let ledger = self.ledger;
        let told: HashSet<RepoPath> = self.agents_files();
        let (mut trees, mut asked) = (Trees::default(), HashSet::new());
        let mut has = |commit: &GitId, path: &RepoPath| {
            tree_diff::tree_of(&ledger.repo, commit).is_ok_and(|tree| trees.find(&ledger.repo, &tree, path).is_some())
        };
        let mut all: Option<Vec<RepoPath>> = None;
        for (commit, path) in unrecorded.iter().copied().filter(|(_, path)| !told.contains(path)) {
            let parent = history::first_parent(&ledger.repo, commit);
            if parent.is_some_and(|parent| has(&parent, path)) || !asked.insert(commit) {
                continue;
            }
            let all = match &mut all {
                Some(all) => &*all,
                none => {
                    let paths = self.handle.block_on(self.database.agents_files(self.repository))?;
                    let mut paths: Vec<RepoPath> = paths.into_iter().filter_map(|path| path.parse().ok()).collect();
                    paths.sort_unstable();
                    &*none.insert(paths)
                }
            };
            let gone: Vec<String> =
                all.iter().filter(|path| !has(commit, path)).take(MAX_NAMES).map(ToString::to_string).collect();
            self.on_files(gone)?;
        }
        Ok(())
    }

    /// The files of which enrolled writers' records have an agent's lines, as far as these were read.
    fn agents_files(&self) -> HashSet<RepoPath> {
        let enrolled = self.found.values().filter(|(_, pending)| !pending).filter_map(|(entry, _)| entry.as_commit());
        let files = enrolled.flat_map(|body| &body.files).filter(|file| file.agent > 0);
        files.map(|file| file.path.clone()).collect()
    }
}
