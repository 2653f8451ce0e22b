//! A push before it is let in: the repository as it would be, from what git keeps apart until a hook has spoken.
//!
//! It is a bare repository of its own in a temporary folder: refs as the push would leave them, and objects borrowed from
//! the quarantine (git-receive-pack(1), "Quarantine Environment") and from the repository itself.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git::repo::{Repo, RepoError};
use crate::host::{env, files};
use crate::id::GitId;

/// Why a push cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    #[error("line {line} of what git tells the hook is not `<old> <new> <ref>`")]
    Input { line: usize },
    #[error("cannot put the push where it can be looked at, in {}", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("objects lie in a folder with a line break in its name")]
    Objects,
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// A ref that a push moves, makes (no `old`) or deletes (no `new`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub name: String,
    pub old: Option<GitId>,
    pub new: Option<GitId>,
}

impl Move {
    /// What git gives a `pre-receive` hook on standard input (githooks(5)): a line a ref.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, IncomingError> {
        let id = |text: &str| text.parse().ok().map(|id: GitId| (!id.is_null()).then_some(id));
        let parse = |line: &str| {
            let mut fields = line.splitn(3, ' ');
            let (old, new, name) = (id(fields.next()?)?, id(fields.next()?)?, fields.next()?);
            name.starts_with("refs/").then(|| Move { name: name.to_owned(), old, new })
        };
        text.lines().enumerate().map(|(at, line)| parse(line).ok_or(IncomingError::Input { line: at + 1 })).collect()
    }
}

/// The repository as a push would leave it. It is gone with this value, and nothing of it stays.
pub struct Incoming {
    folder: tempfile::TempDir,
}

impl Incoming {
    /// The push that this program was started for as a hook of `here`.
    pub fn of(here: &Repo, moves: &[Move]) -> Result<Self, IncomingError> {
        let folder = tempfile::tempdir().map_err(|source| IncomingError::Folder { path: env::temp_dir(), source })?;
        let incoming = Incoming { folder };
        incoming.fill(here, moves)?;
        Ok(incoming)
    }

    pub fn repo(&self) -> Result<Repo, RepoError> {
        Repo::open_apart(self.folder.path())
    }

    fn fill(&self, here: &Repo, moves: &[Move]) -> Result<(), IncomingError> {
        let path = self.folder.path();
        let failed = |source| IncomingError::Folder { path: path.to_owned(), source };
        let alternates = alternates(here)?;
        let common = here.common_dir();
        let fill = || -> io::Result<()> {
            fs::create_dir_all(path.join("objects/info"))?;
            fs::create_dir_all(path.join("refs"))?;
            fs::write(path.join("objects/info/alternates"), alternates)?;
            fs::write(path.join("config"), config(&common, &here.object_format()))?;
            for file in ["HEAD", "shallow"] {
                if let Some(bytes) = files::read_if_exists(&common.join(file))? {
                    fs::write(path.join(file), bytes)?;
                }
            }
            Ok(())
        };
        fill().map_err(failed)?;
        let mut refs: BTreeMap<String, GitId> = here.refs("refs/")?.into_iter().collect();
        for Move { name, new, .. } in moves {
            match new {
                Some(new) => refs.insert(name.clone(), new.clone()),
                None => refs.remove(name),
            };
        }
        let lines = refs.iter().map(|(name, id)| format!("{id} {name}\n"));
        let packed: String = ["# pack-refs with: sorted \n".to_owned()].into_iter().chain(lines).collect();
        fs::write(path.join("packed-refs"), packed).map_err(failed)
    }
}

/// What is configured for the repository itself holds, but for what makes it that one.
fn config(common: &Path, format: &str) -> String {
    let path = common.join("config").to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "[include]\n\tpath = \"{path}\"\n[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = {format}\n"
    )
}

/// The folders of objects that a push may need: its own, and the repository's.
fn alternates(here: &Repo) -> Result<String, IncomingError> {
    let mut folders = env::git_object_folders();
    folders.push(here.common_dir().join("objects"));
    let mut text = String::new();
    for folder in folders {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let folder = folder.to_str().filter(|folder| !folder.contains('\n')).ok_or(IncomingError::Objects)?;
        text += folder;
        text += "\n";
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_tells_a_hook_is_read_or_refused() {
        let (old, new, null) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let text = format!("{old} {new} refs/heads/a b\n{null} {new} refs/x\n{old} {null} refs/y\n");
        let moves = Move::parse_all(&text).unwrap();
        let (old, new): (GitId, GitId) = (old.parse().unwrap(), new.parse().unwrap());
        let named = |name: &str, old: Option<&GitId>, new: Option<&GitId>| Move {
            name: name.into(),
            old: old.cloned(),
            new: new.cloned(),
        };
        let expected = [
            named("refs/heads/a b", Some(&old), Some(&new)),
            named("refs/x", None, Some(&new)),
            named("refs/y", Some(&old), None),
        ];
        assert_eq!(moves, expected);
        for odd in ["x", "a b refs/x", &format!("{old} {new}"), &format!("{old} {new} HEAD"), &format!("{text}\n")] {
            assert!(matches!(Move::parse_all(odd), Err(IncomingError::Input { .. })), "{odd:?}");
        }
    }
}
