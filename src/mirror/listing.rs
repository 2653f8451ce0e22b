//! The files of the branch that is shown, on their way into the index.

use std::collections::HashSet;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::git::last_changes::last_changes;
use crate::git::repo::Repo;
use crate::git::tree_diff;
use crate::host::clock::Deadline;
use crate::id::{GitId, RepoPath};
use crate::index::{Changed, Database};
use crate::mirror::MirrorError;

/// How long it may take to find what changed each file last. What is not found then is not told; the files are.
const PATIENCE: Duration = Duration::from_secs(120);

/// Takes in what a branch has changed since `before`, or all of its files.
pub fn add_files(
    repo: &Repo,
    database: &Database,
    handle: &Handle,
    repository: i64,
    (before, tip): (Option<&GitId>, &GitId),
) -> Result<(), MirrorError> {
    let files = match before {
        Some(before) => tree_diff::files(repo, before, tip)?,
        None => tree_diff::all(repo, tip)?,
    };
    let here: HashSet<RepoPath> =
        files.iter().filter(|(_, file)| file.is_some()).map(|(path, _)| path.clone()).collect();
    let last = last_changes(repo, tip, before, here, &Deadline::after(PATIENCE))?;
    let changed: Vec<Changed> = files
        .into_iter()
        .map(|(path, file)| {
            let last = file.map(|_| last.get(&path).map(ToString::to_string).unwrap_or_default());
            (path.to_string(), last)
        })
        .collect();
    handle.block_on(database.add_files(repository, &changed, before.is_none()))?;
    Ok(())
}
