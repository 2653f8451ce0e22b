//! Conflicts that were resolved: what lay on either side of them, as the index still remembers.

use std::collections::BTreeMap;

use crate::git::command::GitError;
use crate::git::repo::Repo;
use crate::id::{GitId, RepoPath};

/// The name of the index's extension that remembers it (gitformat-index(5), "Resolve undo").
const EXTENSION: &[u8] = b"REUC";

/// The two sides of a file's conflict, and what they come from; `None` where there is no such file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    pub base: Option<GitId>,
    pub ours: Option<GitId>,
    pub theirs: Option<GitId>,
}

/// The files whose conflicts were resolved since the index was last read anew, by a merge of any kind, a pick, a stash. What
/// was committed since stays in the list: [`Sides::ours`] tells whether a commit is the one.
pub fn conflicts(repo: &Repo) -> Result<BTreeMap<RepoPath, Sides>, GitError> {
    let mut conflicts: BTreeMap<RepoPath, Sides> = BTreeMap::new();
    if !is_remembered(repo) {
        return Ok(conflicts);
    }
    let answer = repo.git().args(["ls-files", "--resolve-undo", "-z"]).run()?;
    for entry in answer.stdout.split(|byte| *byte == 0) {
        // `mode SP object SP stage TAB path`.
        let Some(tab) = entry.iter().position(|byte| *byte == b'\t') else { continue };
        let (head, path) = (String::from_utf8_lossy(&entry[..tab]), &entry[tab + 1..]);
        let mut fields = head.split(' ').skip(1);
        let (Some(Ok(id)), Some(stage)) = (fields.next().map(str::parse::<GitId>), fields.next()) else { continue };
        let Ok(path) = RepoPath::from_bytes(path) else { continue };
        let sides = conflicts.entry(path).or_default();
        match stage {
            "1" => sides.base = Some(id),
            "2" => sides.ours = Some(id),
            "3" => sides.theirs = Some(id),
            _ => {}
        }
    }
    Ok(conflicts)
}

/// Whether the index may remember any: git is only started where it does.
fn is_remembered(repo: &Repo) -> bool {
    let index = std::fs::read(repo.gix().index_path()).unwrap_or_default();
    memchr::memmem::find(&index, EXTENSION).is_some()
}
