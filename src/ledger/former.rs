//! What a new file was before it was renamed, where git does not see it.

use std::cell::LazyCell;

use crate::attribution::doubt::FIRM_RUN;
use crate::attribution::{likeness, lines};
use crate::git::diff::FileChange;
use crate::git::repo::Repo;
use crate::id::{GitId, RepoPath};
use crate::ledger::attribute::before_bytes;
use crate::ledger::edited::{Edited, Vanished};
use crate::session::edit::{Edit, Known};

/// How many files that are gone a new one is compared with.
const MAX_GONE: usize = 50;

/// The file that a new one was before it was renamed.
pub enum Former<'f> {
    Gone(Gone<'f>),
    /// It never was committed; what it was before that, if it was.
    Uncommitted(&'f Vanished, Option<Gone<'f>>),
    /// The commit has a file with its name, which git put in its place.
    Replaced(&'f Vanished),
    /// Another one is or was the same to the byte, as where a staged rename goes to a branch that has the file still: what
    /// that is called, and its edits until it was so.
    Copied(&'f RepoPath, &'f [Edit]),
}

/// A file that the commit has not any more.
#[derive(Clone, Copy)]
pub struct Gone<'f> {
    /// What became of its name: it is deleted, or another file has it now.
    change: &'f FileChange,
    /// Its edits until it was gone.
    edits: &'f [Edit],
}

impl<'f> Former<'f> {
    pub fn path(&self) -> &'f RepoPath {
        match self {
            Former::Gone(gone) => &gone.change.path,
            Former::Uncommitted(file, _) | Former::Replaced(file) => &file.path,
            Former::Copied(path, _) => path,
        }
    }

    fn gone(&self) -> Option<Gone<'f>> {
        match self {
            Former::Gone(gone) => Some(*gone),
            Former::Uncommitted(_, before) => *before,
            Former::Replaced(_) | Former::Copied(..) => None,
        }
    }

    /// What became of the name under which it was committed.
    pub fn change(&self) -> Option<&'f FileChange> {
        Some(self.gone()?.change)
    }

    /// The file that has its name now.
    pub fn replaced_by(&self) -> Option<&'f GitId> {
        self.change()?.blob.as_ref()
    }

    /// What was done to it.
    pub fn edits(&self) -> impl Iterator<Item = &'f Edit> {
        let between = match self {
            Former::Gone(_) => &[][..],
            Former::Uncommitted(file, _) | Former::Replaced(file) => &file.edits,
            Former::Copied(_, edits) => edits,
        };
        self.gone().map_or(&[][..], |gone| gone.edits).iter().chain(between)
    }

    /// When it was last seen under its name (milliseconds since 1970), if another file has that now.
    pub fn until(&self) -> Option<i64> {
        match self {
            Former::Gone(gone) if gone.change.blob.is_some() => gone.edits.iter().map(|edit| edit.at).max(),
            Former::Replaced(file) => file.edits.iter().map(|edit| edit.at).max(),
            Former::Copied(_, edits) => edits.iter().map(|edit| edit.at).max(),
            _ => None,
        }
    }

    /// Whether only its likeness tells that it is the one: the commit does not delete it.
    pub fn is_guessed(&self) -> bool {
        matches!(self, Former::Uncommitted(..)) || self.replaced_by().is_some()
    }
}

/// What a new file was, if it was renamed and git does not see it: a file that is gone and whose bytes the new
/// one had when it was first edited under its new name, or is like it; or one that never was
/// committed and was edited lately.
pub fn find<'f>(
    repo: &Repo,
    commit: &GitId,
    file: &FileChange,
    bytes: &[u8],
    files: &'f [FileChange],
    edits: &'f Edited,
) -> Option<Former<'f>> {
    let here = LazyCell::new(|| edits.file_id(&file.path));
    let is_it = |there: &[Edit]| edits.is_it(*here, there);
    if let Some(from) = &file.from {
        // What git sees renamed may have had another name in between.
        let came = |there: &&Vanished| {
            there.edits.first().is_some_and(|edit| edits.left_so([from], edit.before)) || is_it(&there.edits)
        };
        return edits.vanished(repo, commit).iter().find(came).map(|there| Former::Uncommitted(there, None));
    }
    if file.blob_before.is_some() {
        return None;
    }
    let first = edits.first(&file.path).map(|edit| &edit.before);
    if first == Some(&Known::Is(None)) {
        // It was made under this name.
        return None;
    }
    let all_gone = || gone(repo, commit, file, files, edits).take(MAX_GONE);
    let uncommitted = |there: &'f Vanished| {
        let left =
            |gone: &Gone<'_>| there.edits.first().is_some_and(|edit| edits.left_so(gone.change.names(), edit.before));
        Former::Uncommitted(there, all_gone().find(|gone| is_it(gone.edits) || left(gone)))
    };
    // The file system knows it better than its lines do: the name under which it was edited last.
    let there = edits.vanished(repo, commit).iter().find(|there| is_it(&there.edits));
    let is_last = |gone: &Gone<'_>| there.is_none_or(|there| there.path == gone.change.path);
    if let Some(gone) = all_gone().find(|gone| is_last(gone) && is_it(gone.edits)) {
        return Some(Former::Gone(gone));
    }
    if let Some(there) = there {
        return Some(uncommitted(there));
    }
    if let Some(there) = edits.replaced().iter().find(|there| there.path != file.path && is_it(&there.edits)) {
        return Some(Former::Replaced(there));
    }
    let first_bytes = first.and_then(|first| match first {
        Known::Is(Some(digest)) => edits.load(digest),
        _ => None,
    });
    let was_like = |last: &[u8]| first_bytes.as_ref().is_some_and(|first| likeness::is_renamed(last, first));
    let was_there = |edits_there: &[Edit]| {
        let mut known = edits_there.iter().filter_map(|edit| edit.after);
        matches!(first, Some(Known::Is(Some(first))) if known.any(|after| after == *first))
    };
    let renamed = all_gone().find(|Gone { change, edits: there }| {
        let last = || there.iter().filter_map(|edit| edit.after).next_back().and_then(|digest| edits.load(&digest));
        was_there(there)
            || last().is_some_and(|last| likeness::is_renamed(&last, bytes) || was_like(&last))
            || likeness::is_renamed(&before_bytes(repo, change), bytes)
    });
    if let Some(gone) = renamed {
        return Some(Former::Gone(gone));
    }
    let fits = |there: &&Vanished| {
        there.like(bytes).is_some_and(|last| was_there(&there.edits) || likeness::is_renamed(last, bytes))
    };
    let vanished = edits.vanished(repo, commit).iter().find(fits).map(uncommitted);
    vanished.or_else(|| {
        // Few lines may be the same by chance.
        let telling = lines::split(bytes).filter(|line| lines::is_telling(line)).take(FIRM_RUN).count();
        let (path, until) = edits.left_as(repo, commit, file.blob.as_ref()?, bytes).filter(|_| telling == FIRM_RUN)?;
        Some(Former::Copied(path, until))
    })
}

/// The edited files that are gone with a commit: it deletes them, or has other files with their names, which an agent
/// made where it saw none, or which are not those that were edited.
fn gone<'f>(
    repo: &Repo,
    commit: &GitId,
    file: &FileChange,
    files: &'f [FileChange],
    edits: &'f Edited,
) -> impl Iterator<Item = Gone<'f>> {
    let since = edits.since(repo, commit);
    let here = LazyCell::new(|| edits.file_id(&file.path));
    files.iter().filter(|other| other.path != file.path).filter_map(move |change| {
        let edits = match change.blob {
            None => edits.under(&change.path),
            Some(_) => {
                let anew = edits.before_anew(&change.path, since);
                let rewritten = anew.filter(|_| edits.is_rewritten(repo, change));
                // Or somebody made another one, unseen: the file itself is known by its inode.
                rewritten.or_else(|| edits.until_it(*here, edits.under(&change.path)?))
            }
        };
        Some(Gone { change, edits: edits? })
    })
}
