//! Commits that have the very tree of a recorded one: squashes and rebases of a branch, made where no hook of ours ran.

use std::collections::{HashMap, HashSet};

use crate::git::ancestry::Ancestry;
use crate::id::GitId;
use crate::ledger::query::Book;
use crate::ledger::verify::Entry;
use crate::record::body::Commit;
use crate::time::Time;

/// How many commits of a branch to look at, at most.
const MAX_COMMITS: usize = 1000;

/// Recorded commits by their trees.
pub struct Squashes<'b> {
    by_tree: HashMap<&'b GitId, Vec<&'b GitId>>,
    by_commit: HashMap<&'b GitId, &'b Entry>,
    /// The oldest first.
    by_time: Vec<(&'b Entry, &'b Commit)>,
}

impl<'b> Squashes<'b> {
    pub fn new(book: &'b Book<'b>) -> Self {
        let mut squashes = Squashes { by_tree: HashMap::new(), by_commit: HashMap::new(), by_time: Vec::new() };
        for entry in book.commit_records().filter(|entry| !book.is_pending(entry)) {
            let Some(body) = entry.as_commit() else { continue };
            squashes.by_tree.entry(&body.tree).or_default().push(&body.commit);
            squashes.by_commit.insert(&body.commit, entry);
            squashes.by_time.push((entry, body));
        }
        squashes.by_time.sort_by_key(|(entry, _)| entry.time);
        squashes
    }

    /// The records of the branches that a commit with this tree has all of: of their commits, as far as its parent does
    /// not come after them.
    pub fn of(&self, tree: &GitId, parent: Option<&GitId>, ancestry: &mut Ancestry<'_>) -> Vec<&'b Entry> {
        self.branch(self.by_tree.get(tree).cloned().unwrap_or_default(), parent, ancestry)
    }

    /// The records of these commits and of those before them, as far as the parent does not come after them.
    pub fn branch(
        &self,
        mut open: Vec<&'b GitId>,
        parent: Option<&GitId>,
        ancestry: &mut Ancestry<'_>,
    ) -> Vec<&'b Entry> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        while let Some(commit) = open.pop().filter(|_| seen.len() < MAX_COMMITS) {
            let Some(entry) = self.by_commit.get(commit) else { continue };
            let Some(body) = entry.as_commit() else { continue };
            if !seen.insert(commit) || parent.is_some_and(|parent| ancestry.is_ancestor(commit, parent)) {
                continue;
            }
            found.push(*entry);
            open.extend(&body.parents);
        }
        found
    }
    /// The records until then, the newest first.
    pub fn until(&self, then: Time) -> impl Iterator<Item = (&'b Entry, &'b Commit)> {
        let end = self.by_time.partition_point(|(entry, _)| entry.time <= then);
        self.by_time[..end].iter().rev().copied()
    }
}
