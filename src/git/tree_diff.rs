//! Which files differ between the trees of two commits, by name and object; nothing of what is in them.

use std::collections::BTreeMap;

use crate::git::history;
use crate::git::repo::{Kind, Repo, RepoError, TreeEntry};
use crate::id::{GitId, RepoPath};

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub mode: u32,
    pub id: GitId,
}

const FOLDER: u32 = 0o040_000;
const KIND: u32 = 0o170_000;

impl File {
    /// Whether it has bytes of its own: no link and no submodule.
    pub fn is_regular(&self) -> bool {
        self.mode & KIND == 0o100_000
    }
}

/// The files that are others in `after` than in `before`, two commits; `None` for one that is not there any more.
pub fn files(repo: &Repo, before: &GitId, after: &GitId) -> Result<BTreeMap<RepoPath, Option<File>>, RepoError> {
    let mut found = BTreeMap::new();
    compare(repo, Some(tree_of(repo, before)?), Some(tree_of(repo, after)?), &[], &mut found)?;
    Ok(found)
}

/// All files of a commit.
pub fn all(repo: &Repo, commit: &GitId) -> Result<BTreeMap<RepoPath, Option<File>>, RepoError> {
    let mut found = BTreeMap::new();
    compare(repo, None, Some(tree_of(repo, commit)?), &[], &mut found)?;
    Ok(found)
}

/// The files that are others in a commit than in its first parent, or all where it has none.
pub fn of_commit(repo: &Repo, commit: &GitId) -> Result<BTreeMap<RepoPath, Option<File>>, RepoError> {
    let before = history::first_parent(repo, commit).map(|parent| tree_of(repo, &parent)).transpose()?;
    let mut found = BTreeMap::new();
    compare(repo, before, Some(tree_of(repo, commit)?), &[], &mut found)?;
    Ok(found)
}

/// The tree of a commit.
pub fn tree_of(repo: &Repo, commit: &GitId) -> Result<GitId, RepoError> {
    let bytes = repo.read_checked(commit, Kind::Commit)?;
    let line = bytes.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"tree "));
    let tree = line.and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
    tree.ok_or_else(|| RepoError::Object { id: commit.to_string(), reason: "it names no tree".into() })
}

fn compare(
    repo: &Repo,
    before: Option<GitId>,
    after: Option<GitId>,
    folder: &[u8],
    found: &mut BTreeMap<RepoPath, Option<File>>,
) -> Result<(), RepoError> {
    if before == after {
        return Ok(());
    }
    let entries = |tree: Option<GitId>| -> Result<BTreeMap<Vec<u8>, TreeEntry>, RepoError> {
        let Some(tree) = tree else { return Ok(BTreeMap::new()) };
        let list = repo.tree_entries(&repo.read_checked(&tree, Kind::Tree)?)?;
        Ok(list.into_iter().map(|entry| (entry.name.clone(), entry)).collect())
    };
    let (mut old, new) = (entries(before)?, entries(after)?);
    let changed = new.into_iter().map(|(name, entry)| (old.remove(&name), Some(entry), name));
    let changed: Vec<_> = changed.collect();
    let gone = old.into_iter().map(|(name, entry)| (Some(entry), None, name));
    for (old, new, name) in changed.into_iter().chain(gone) {
        let same = |a: &TreeEntry, b: &TreeEntry| a.id == b.id && a.mode == b.mode;
        if old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| same(old, new)) {
            continue;
        }
        let path = if folder.is_empty() { name } else { [folder, b"/", &name].concat() };
        let is_folder = |entry: &&TreeEntry| entry.mode & KIND == FOLDER;
        let folder_of = |entry: &Option<TreeEntry>| entry.as_ref().filter(is_folder).map(|entry| entry.id.clone());
        compare(repo, folder_of(&old), folder_of(&new), &path, found)?;
        let file = new.filter(|entry| !is_folder(&entry)).map(|entry| File { mode: entry.mode, id: entry.id });
        let was_file = old.is_some_and(|entry| !is_folder(&&entry));
        if let (Ok(path), true) = (RepoPath::from_bytes(&path), was_file || file.is_some()) {
            found.insert(path, file);
        }
    }
    Ok(())
}
