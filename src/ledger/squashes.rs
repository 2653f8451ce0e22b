//! Commits that have the very tree of a recorded one: squashes and rebases of a branch, made where no hook of ours ran.

use std::collections::{HashMap, HashSet};

use crate::git::ancestry::Ancestry;
use crate::id::GitId;
use crate::ledger::query::Book;
use crate::ledger::verify::Entry;

/// How many commits of a branch to look at, at most.
const MAX_COMMITS: usize = 1000;

/// Recorded commits by their trees.
pub struct Squashes<'b> {
    by_tree: HashMap<&'b GitId, Vec<&'b GitId>>,
    by_commit: HashMap<&'b GitId, &'b Entry>,
}

impl<'b> Squashes<'b> {
    pub fn new(book: &'b Book<'b>) -> Self {
        let mut squashes = Squashes { by_tree: HashMap::new(), by_commit: HashMap::new() };
        for entry in book.commit_records().filter(|entry| !book.is_pending(entry)) {
            let Some(body) = entry.as_commit() else { continue };
            squashes.by_tree.entry(&body.tree).or_default().push(&body.commit);
            squashes.by_commit.insert(&body.commit, entry);
        }
        squashes
    }

    /// The records of the branches that a commit with this tree has all of: of their commits, as far as its parent does
    /// not come after them.
    pub fn of(&self, tree: &GitId, parent: Option<&GitId>, ancestry: &mut Ancestry<'_>) -> Vec<&'b Entry> {
        let mut open = self.by_tree.get(tree).cloned().unwrap_or_default();
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
}
