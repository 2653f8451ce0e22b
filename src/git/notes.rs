//! Git notes: a text beside a commit, in a ref of its own.

use std::collections::HashMap;

use gix::note::plumbing::State;

use crate::git::repo::{Kind, RefUpdate, Repo, RepoError, TreeEntry, object_id};
use crate::id::GitId;

/// How often a ref that another process moved meanwhile is tried again.
const ATTEMPTS: usize = 5;

/// Writes notes, in place of what was there, in one commit on the notes ref.
pub fn write(repo: &Repo, name: &str, notes: &[(GitId, Vec<u8>)], who: &str, unix: i64) -> Result<(), RepoError> {
    update(repo, name, who, unix, |_| Ok(notes.to_vec()))
}

/// The same where it depends on what is there which notes are written: `choose` is given the tip of the ref, and again if
/// another process moves the ref meanwhile, so that nothing is written over unseen.
pub fn update<E: From<RepoError>>(
    repo: &Repo,
    name: &str,
    who: &str,
    unix: i64,
    mut choose: impl FnMut(Option<&GitId>) -> Result<Vec<(GitId, Vec<u8>)>, E>,
) -> Result<(), E> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let tip = repo.find_ref(name)?;
        let notes = choose(tip.as_ref())?;
        if notes.is_empty() {
            return Ok(());
        }
        match write_at(repo, name, tip, &notes, who, unix) {
            Err(RepoError::RefMoved { .. }) if attempt < ATTEMPTS => {}
            other => return Ok(other?),
        }
    }
}

/// Writes notes over those of `tip`, if the ref is there still.
fn write_at(
    repo: &Repo,
    name: &str,
    tip: Option<GitId>,
    notes: &[(GitId, Vec<u8>)],
    who: &str,
    unix: i64,
) -> Result<(), RepoError> {
    let failed = |error: &dyn std::fmt::Display| RepoError::Ref { name: name.to_owned(), reason: error.to_string() };
    let root = match &tip {
        Some(tip) => tree_of(repo, tip)?,
        None => repo.write(Kind::Tree, b"")?,
    };
    let objects = &repo.gix().objects;
    let mut state = State::new(object_id(&root)?, objects).map_err(|error| failed(&error))?;
    for (commit, text) in notes {
        let blob = repo.write(Kind::Blob, text)?;
        state.edit(object_id(commit)?, Some(object_id(&blob)?), objects).map_err(|error| failed(&error))?;
    }
    let tree = state.write(objects).map_err(|error| failed(&error))?;
    let parent = tip.as_ref().map(|tip| format!("parent {tip}\n")).unwrap_or_default();
    let who = format!("tracevault <{who}@tracevault> {unix} +0000");
    let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nNotes by git-tracevault\n");
    let new = repo.write(Kind::Commit, text.as_bytes())?;
    repo.update_refs(&[RefUpdate { name: name.to_owned(), new: Some(new), expected: tip }])
}

/// All notes: the object each is about, and the blob with its text.
pub fn all(repo: &Repo, name: &str) -> Result<Vec<(GitId, GitId)>, RepoError> {
    all_at(repo, repo.find_ref(name)?.as_ref())
}

/// The same as they were at a tip of the ref.
pub fn all_at(repo: &Repo, tip: Option<&GitId>) -> Result<Vec<(GitId, GitId)>, RepoError> {
    let mut found = Vec::new();
    if let Some(tip) = tip {
        collect(repo, &tree_of(repo, tip)?, None, "", &mut found)?;
    }
    Ok(found)
}

/// Those at one tip of the ref that are not at another one, without reading what both have.
pub fn changed(repo: &Repo, before: &GitId, tip: &GitId) -> Result<Vec<(GitId, GitId)>, RepoError> {
    let mut found = Vec::new();
    collect(repo, &tree_of(repo, tip)?, Some(&tree_of(repo, before)?), "", &mut found)?;
    Ok(found)
}

/// The blob of one object's note.
pub fn find(repo: &Repo, name: &str, about: &GitId) -> Result<Option<GitId>, RepoError> {
    let Some(tip) = repo.find_ref(name)? else { return Ok(None) };
    let (mut tree, mut rest) = (tree_of(repo, &tip)?, about.as_str());
    loop {
        let entries = repo.tree_entries(&repo.read_checked(&tree, Kind::Tree)?)?;
        let named = |name: &str| entries.iter().find(|entry| entry.name == name.as_bytes());
        if let Some(note) = named(rest) {
            return Ok(Some(note.id.clone()));
        }
        let Some((folder, below)) = rest.split_at_checked(2) else { return Ok(None) };
        match named(folder).filter(|entry| entry.mode == 0o040_000) {
            Some(folder) => (tree, rest) = (folder.id.clone(), below),
            None => return Ok(None),
        }
    }
}

/// Folders spread the hex digits of the objects' ids over several levels. What the tree that was here before has, too, is
/// left out.
fn collect(
    repo: &Repo,
    tree: &GitId,
    before: Option<&GitId>,
    prefix: &str,
    found: &mut Vec<(GitId, GitId)>,
) -> Result<(), RepoError> {
    let entries = |tree: &GitId| repo.tree_entries(&repo.read_checked(tree, Kind::Tree)?);
    let known = before.map(entries).transpose()?.unwrap_or_default();
    let known: HashMap<&[u8], &TreeEntry> = known.iter().map(|entry| (&entry.name[..], entry)).collect();
    for entry in entries(tree)? {
        let before = known.get(&entry.name[..]).filter(|known| known.mode == entry.mode).map(|known| &known.id);
        if before == Some(&entry.id) {
            continue;
        }
        let path = format!("{prefix}{}", String::from_utf8_lossy(&entry.name));
        if entry.mode == 0o040_000 && path.len() < 64 {
            collect(repo, &entry.id, before, &path, found)?;
        } else if let Ok(object) = path.parse() {
            found.push((object, entry.id));
        }
    }
    Ok(())
}

fn tree_of(repo: &Repo, commit: &GitId) -> Result<GitId, RepoError> {
    let bytes = repo.read_checked(commit, Kind::Commit)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let id = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("tree ")?.parse().ok());
    id.ok_or_else(|| RepoError::Object { id: commit.to_string(), reason: "it does not begin with its tree".into() })
}
