//! Git notes: a text beside a commit, in a ref of its own.

use std::collections::HashMap;

use gix::note::plumbing::State;

use crate::git::repo::{Kind, RefUpdate, Repo, RepoError, TreeEntry, object_id};
use crate::id::GitId;

/// Entries of folders that are looked at for notes; more is no ref that anybody writes, but one that repeats itself.
const MAX_ENTRIES: usize = 4 << 20;
/// A folder of notes, or a commit of theirs, is never larger.
const MAX_FOLDER_BYTES: usize = 64 << 20;

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
    let mut notes = Notes::of(repo);
    if let Some(tip) = tip {
        notes.collect(&tree_of(repo, tip)?, None, "")?;
    }
    Ok(notes.found)
}

/// Those at one tip of the ref that are not at another one, without reading what both have.
pub fn changed(repo: &Repo, before: &GitId, tip: &GitId) -> Result<Vec<(GitId, GitId)>, RepoError> {
    let mut notes = Notes::of(repo);
    notes.collect(&tree_of(repo, tip)?, Some(&tree_of(repo, before)?), "")?;
    Ok(notes.found)
}

/// The blob of one object's note.
pub fn find(repo: &Repo, name: &str, about: &GitId) -> Result<Option<GitId>, RepoError> {
    let Some(tip) = repo.find_ref(name)? else { return Ok(None) };
    let (mut tree, mut rest) = (tree_of(repo, &tip)?, about.as_str());
    loop {
        let entries = folder(repo, &tree)?;
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

/// The notes that were found so far.
struct Notes<'r> {
    repo: &'r Repo,
    found: Vec<(GitId, GitId)>,
    /// How many entries may still be looked at: one folder can stand in many places.
    left: usize,
}

impl<'r> Notes<'r> {
    fn of(repo: &'r Repo) -> Self {
        Notes { repo, found: Vec::new(), left: MAX_ENTRIES }
    }

    /// Folders spread the hex digits of the objects' ids over several levels, two a level. What the tree that was here
    /// before has, too, is left out.
    fn collect(&mut self, tree: &GitId, before: Option<&GitId>, prefix: &str) -> Result<(), RepoError> {
        let known = before.map(|before| folder(self.repo, before)).transpose()?.unwrap_or_default();
        let known: HashMap<&[u8], &TreeEntry> = known.iter().map(|entry| (&entry.name[..], entry)).collect();
        for entry in folder(self.repo, tree)? {
            let Some(fewer) = self.left.checked_sub(1) else {
                let reason = "there are more entries than notes can have".to_owned();
                return Err(RepoError::Object { id: tree.to_string(), reason });
            };
            self.left = fewer;
            let before = known.get(&entry.name[..]).filter(|known| known.mode == entry.mode).map(|known| &known.id);
            if before == Some(&entry.id) {
                continue;
            }
            let path = format!("{prefix}{}", String::from_utf8_lossy(&entry.name));
            let spreads = matches!(&entry.name[..], [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
            if entry.mode == 0o040_000 && spreads && path.len() < 64 {
                self.collect(&entry.id, before, &path)?;
            } else if let Ok(object) = path.parse() {
                self.found.push((object, entry.id));
            }
        }
        Ok(())
    }
}

fn folder(repo: &Repo, tree: &GitId) -> Result<Vec<TreeEntry>, RepoError> {
    repo.tree_entries(&repo.read_at_most(tree, Kind::Tree, MAX_FOLDER_BYTES)?)
}

fn tree_of(repo: &Repo, commit: &GitId) -> Result<GitId, RepoError> {
    let bytes = repo.read_at_most(commit, Kind::Commit, MAX_FOLDER_BYTES)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let id = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("tree ")?.parse().ok());
    id.ok_or_else(|| RepoError::Object { id: commit.to_string(), reason: "it does not begin with its tree".into() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::digest::Digest;
    use crate::git::testing;

    const REF: &str = "refs/notes/test";

    /// A folder as somebody may have made it: names, whether they are folders, and what stands in these.
    #[derive(Debug, Clone)]
    struct Made(Vec<(Vec<u8>, Option<Made>)>);

    fn names() -> impl Strategy<Value = Vec<u8>> {
        let whole = Digest::of(b"commit").to_string()[..40].to_owned();
        let texts = ["ab", "0f", "AB", "a", "abc", "..", "é", "not a commit"].map(str::to_owned);
        let known = select([&texts[..], &[whole[2..].to_owned(), whole]].concat()).prop_map(String::into_bytes);
        prop_oneof![4 => known, 1 => prop::collection::vec(1..=255u8, 1..6).prop_map(|mut name| {
            name.retain(|byte| *byte != b'/');
            name.push(b'x');
            name
        })]
    }

    fn made() -> impl Strategy<Value = Made> {
        let leaf = prop::collection::vec((names(), Just(None)), 0..4).prop_map(Made);
        leaf.prop_recursive(5, 24, 4, |inner| {
            prop::collection::vec((names(), prop::option::of(inner)), 0..4).prop_map(Made)
        })
    }

    fn store(repo: &Repo, Made(entries): &Made) -> GitId {
        let mut tree = Vec::new();
        for (name, folder) in entries {
            let (mode, id) = match folder {
                Some(folder) => ("40000", store(repo, folder)),
                None => ("100644", repo.write(Kind::Blob, b"a note").unwrap()),
            };
            tree.extend([mode.as_bytes(), b" ", name, b"\0", &hex::decode(id.as_str()).unwrap()].concat());
        }
        repo.write(Kind::Tree, &tree).unwrap()
    }

    fn point(repo: &Repo, commit: &[u8]) {
        let (expected, new) = (repo.find_ref(REF).unwrap(), Some(repo.write(Kind::Commit, commit).unwrap()));
        if expected != new {
            repo.update_refs(&[RefUpdate { name: REF.into(), new, expected }]).unwrap();
        }
    }

    fn commit_of(tree: &GitId) -> Vec<u8> {
        format!("tree {tree}\nauthor x <x> 0 +0000\ncommitter x <x> 0 +0000\n\nx\n").into_bytes()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn notes_in_any_form_are_read_without_harm(made in made()) {
            let folder = testing::Repo::new();
            let repo = Repo::discover(folder.path()).unwrap();
            point(&repo, &commit_of(&store(&repo, &made)));
            let about: GitId = Digest::of(b"commit").to_string()[..40].parse().unwrap();
            let all = all(&repo, REF);
            // What is found by its name is one of all, and what is said to be a note is about an object.
            if let (Ok(all), Ok(Some(one))) = (&all, find(&repo, REF, &about)) {
                prop_assert!(all.contains(&(about, one)) || all.is_empty());
            }
            drop(all);
        }
    }

    #[test]
    fn what_is_no_commit_of_notes_is_an_error() {
        let folder = testing::Repo::new();
        let repo = Repo::discover(folder.path()).unwrap();
        let missing: GitId = "1".repeat(40).parse().unwrap();
        point(&repo, &commit_of(&missing));
        assert!(matches!(all(&repo, REF), Err(RepoError::Missing(id)) if id == missing));
        let blob = repo.write(Kind::Blob, b"x").unwrap();
        point(&repo, &commit_of(&blob));
        assert!(all(&repo, REF).is_err() && find(&repo, REF, &missing).is_err());
    }

    #[test]
    fn folders_that_repeat_themselves_do_not_go_on_for_ever() {
        let folder = testing::Repo::new();
        let repo = Repo::discover(folder.path()).unwrap();
        // Twenty levels of the same 256 folders: more places than there are atoms.
        let mut tree = repo.write(Kind::Tree, b"").unwrap();
        for _ in 0..20 {
            let id = hex::decode(tree.as_str()).unwrap();
            let entries = (0..=255u8).flat_map(|n| [format!("40000 {n:02x}\0").as_bytes(), &id].concat());
            tree = repo.write(Kind::Tree, &entries.collect::<Vec<u8>>()).unwrap();
        }
        let mut notes = Notes { left: 10_000, ..Notes::of(&repo) };
        let told = notes.collect(&tree, None, "").unwrap_err().to_string();
        assert!(told.contains("more entries") && notes.left == 0, "{told}");
        // Nor do folders go down where no note can be.
        let mut deep = repo.write(Kind::Tree, b"").unwrap();
        for _ in 0..200 {
            let id = hex::decode(deep.as_str()).unwrap();
            deep = repo.write(Kind::Tree, &[b"40000 x\0", &id[..]].concat()).unwrap();
        }
        let mut notes = Notes { left: 10_000, ..Notes::of(&repo) };
        notes.collect(&deep, None, "").unwrap();
        assert_eq!((notes.left, notes.found.len()), (9_999, 0));
    }
}
