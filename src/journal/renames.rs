//! What a call moved: a file that is new where another is gone, with its bytes or most of its lines, is that file.

use crate::attribution::likeness;
use crate::digest::Digest;
use crate::id::RepoPath;
use crate::journal::snapshot::Changes;
use crate::journal::states::States;
use crate::session::event::FileState;

/// How many files are compared line by line, and how large they may be: the agent waits.
const MAX_PAIRS: usize = 50;
const MAX_BYTES: usize = 256 << 10;

/// Takes the new files that were moved there for what they were before; the pairs of names, the former first.
pub fn take_in(changes: &mut Changes, states: &States) -> Vec<(RepoPath, RepoPath)> {
    let state = |list: &[FileState], path: &RepoPath| list.iter().find(|file| file.path == *path)?.state;
    let was = |changes: &Changes, path: &RepoPath| state(&changes.before, path);
    let is_new = |file: &&FileState| file.state.is_some() && was(changes, &file.path).is_none();
    let new: Vec<FileState> = changes.files.iter().filter(is_new).cloned().collect();
    let gone = changes.files.iter().filter(|file| file.state.is_none());
    let mut gone: Vec<(RepoPath, Digest)> =
        gone.filter_map(|file| Some((file.path.clone(), was(changes, &file.path)?))).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let load = |digest: &Digest| states.load(digest).ok().flatten().filter(|bytes| bytes.len() <= MAX_BYTES);
    let mut pairs = 0;
    let mut renames = Vec::new();
    for to in new {
        let Some(now) = to.state else { continue };
        let same = gone.iter().position(|(_, then)| *then == now);
        let from = same.or_else(|| {
            let bytes = load(&now)?;
            gone.iter().position(|(_, then)| {
                pairs += 1;
                pairs <= MAX_PAIRS && load(then).is_some_and(|had| likeness::is_renamed(&had, &bytes))
            })
        });
        let Some((from, then)) = from.map(|at| gone.remove(at)) else { continue };
        changes.before.retain(|file| file.path != to.path);
        if then == now {
            changes.files.retain(|file| file.path != to.path);
        } else {
            changes.before.push(FileState { path: to.path.clone(), state: Some(then), file: None });
        }
        renames.push((from, to.path));
    }
    renames
}
