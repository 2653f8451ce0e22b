//! Whose the lines are that a commit adds: the known edits of its files, the parent's and the committed bytes.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::attribution::commit::{ChangedFile, FileAttribution, attribute};
use crate::attribution::doubt::{self, Doubt, FIRM_RUN};
use crate::attribution::labels::{Authors, Labels, Origin};
use crate::attribution::timeline::Timeline;
use crate::attribution::{carry, likeness, lines};
use crate::digest::Digest;
use crate::git::diff::FileChange;
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::{GitId, RepoPath};
use crate::journal::states::FILE_LIMIT;
use crate::ledger::LedgerError;
use crate::ledger::edited::{Edited, Vanished};
use crate::session::edit::{Edit, Known};

/// How many deleted files a new one is compared with.
const MAX_GONE: usize = 50;
/// From so many files on a second thread pays for itself.
const WORTH_A_THREAD: usize = 8;

/// A file whose lines are to be attributed.
struct Open<'c> {
    file: &'c FileChange,
    bytes: Vec<u8>,
    /// The origin of each line, as far as it is known.
    known: Vec<Origin>,
}

impl Open<'_> {
    /// Takes in what else is known; whether anything is left to know of the lines that the commit adds.
    fn learn(&mut self, origins: impl IntoIterator<Item = Origin>) -> bool {
        for (line, origin) in self.known.iter_mut().zip(origins) {
            if *line == Origin::Unattributed {
                *line = origin;
            }
        }
        self.unknown().next().is_some()
    }

    /// Takes in whose the lines are if this is what another file became, but for lines that the other still has.
    fn learn_but(&mut self, other: &Timeline, doubt: Doubt, still: &[u8]) {
        let still: HashSet<&[u8]> = lines::split(still).collect();
        let origins = other.project_in_doubt(&self.bytes, || doubt);
        let known: Vec<Origin> = origins
            .iter()
            .zip(lines::split(&self.bytes))
            .map(|(origin, line)| if still.contains(line) { Origin::Unattributed } else { origin })
            .collect();
        self.learn(known);
    }

    /// Takes in whose the lines were that another file lost, where enough telling ones stand together.
    fn learn_lost(&mut self, other: &Timeline) {
        let lost = other.lost_in(&self.bytes).into_iter().map(|origin| origin.unwrap_or(Origin::Unattributed));
        let lost = doubt::in_company(lost, &self.bytes, FIRM_RUN);
        self.learn(lost.iter());
    }

    /// The lines that the commit adds and of which nothing is known, counted from 0.
    fn unknown(&self) -> impl Iterator<Item = usize> {
        let added = self.file.added.iter().map(|line| *line as usize - 1);
        added.filter(|line| self.known.get(*line) == Some(&Origin::Unattributed))
    }
}

/// Whose the lines are that a commit adds. What was renamed beyond git's recognition is noted for later commits.
pub fn attribute_commit(
    repo: &Repo,
    commit: &GitId,
    files: &[FileChange],
    edits: &Edited,
) -> Result<Vec<FileAttribution>, LedgerError> {
    let of = |repo: &Repo, some: &[FileChange]| -> Result<Vec<FileAttribution>, LedgerError> {
        some.iter().filter_map(|file| attribute_file(repo, commit, file, files, edits).transpose()).collect()
    };
    if files.len() < WORTH_A_THREAD {
        return of(repo, files);
    }
    let (these, those) = files.split_at(files.len() / 2);
    let theirs = repo.for_thread();
    std::thread::scope(|scope| {
        let there = scope.spawn(move || of(&theirs, those));
        let mut all = of(repo, these)?;
        all.extend(there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        Ok(all)
    })
}

/// The same of one of its files; `None` where there is nothing to attribute.
fn attribute_file(
    repo: &Repo,
    commit: &GitId,
    file: &FileChange,
    files: &[FileChange],
    edits: &Edited,
) -> Result<Option<FileAttribution>, LedgerError> {
    let Some(blob) = &file.blob else { return Ok(None) };
    edits.note_name(file.from.as_ref(), &file.path);
    if file.binary || file.added.is_empty() {
        return Ok(None);
    }
    let bytes = match repo.read(blob) {
        Ok((Kind::Blob, bytes)) => bytes,
        // A submodule's commit is no file of this repository.
        Ok(_) | Err(RepoError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut authors = Authors::default();
    let mut open = Open { file, known: vec![Origin::Unattributed; lines::count(&bytes)], bytes };
    if open.bytes.len() as u64 <= FILE_LIMIT {
        follow_edits(repo, commit, &mut open, None, edits, &mut authors);
        if open.unknown().next().is_some()
            && let Some(former) = former(repo, commit, file, &open.bytes, files, edits)
        {
            follow_edits(repo, commit, &mut open, Some(&former), edits, &mut authors);
            edits.note_name(Some(former.path()), &file.path);
        }
        find_moved(repo, commit, &mut open, files, edits, &mut authors);
    }
    let added = ranges(file.added.iter().copied());
    let labels: Labels = open.known.into_iter().collect();
    let changed = ChangedFile { path: &file.path, bytes: &open.bytes, added: &added, labels: &labels };
    Ok(Some(attribute(&changed, &authors)))
}

/// Follows a file's timelines in all work trees: what one does not know another may.
fn follow_edits(
    repo: &Repo,
    commit: &GitId,
    open: &mut Open<'_>,
    former: Option<&Former<'_>>,
    edits: &Edited,
    authors: &mut Authors,
) {
    let (change, more) = match former {
        Some(Former::Deleted(change)) => (Some(*change), &[][..]),
        Some(Former::Uncommitted(file, before)) => (*before, &file.edits[..]),
        None => (None, &[][..]),
    };
    let timelines = edits.of(open.file, change, more);
    if timelines.is_empty() {
        return;
    }
    let before = before_bytes(repo, change.unwrap_or(open.file));
    let mut left = true;
    let doubt = |all: &[&Edit]| match former {
        _ if edits.lies_there(repo, &open.file.path, all) => Doubt::None,
        Some(Former::Uncommitted(..)) => Doubt::Guess,
        _ if edits.is_apart(repo, commit, open.file, all) => Doubt::Much,
        _ => Doubt::Little,
    };
    for all in &timelines {
        let timeline = edits.timeline(since(&before, all), authors);
        let labels = timeline.project_in_doubt(&open.bytes, || doubt(all));
        left = open.learn(labels.iter());
    }
    if left && let Some(theirs) = edits.brought(repo, open.file) {
        for all in &timelines {
            let labels = edits.timeline(all, authors).project_in_doubt(&theirs, || doubt(all));
            left = open.learn(carry::carry(&labels, &theirs, &open.bytes, Origin::Unattributed).iter());
        }
    }
    if !left {
        return;
    }
    // Whose a line was that is only wrapped or indented anew, or moved, all the edits up to the parent may tell; so may
    // they of a file that is again as it once was, and of lines that git brings from other commits.
    let now = Digest::of(&open.bytes);
    let was = |edit: &&Edit| edit.after == Some(now) || edit.before == Known::Is(Some(now));
    let from = carry::sources(&before, &open.bytes);
    let is_carried = open.unknown().any(|line| from.get(line) == Some(&true));
    if !is_carried && !timelines.iter().flatten().any(was) && !edits.repeats(repo, commit) {
        return;
    }
    for all in &timelines {
        let mut timeline = edits.timeline(all, authors);
        timeline.seen(&before);
        open.learn(timeline.project(&open.bytes).iter());
    }
}

/// Lines that other files of the commit lose with it have been moved here, and into a new file those of files that
/// vanished before they were committed.
fn find_moved(
    repo: &Repo,
    commit: &GitId,
    open: &mut Open<'_>,
    files: &[FileChange],
    edits: &Edited,
    authors: &mut Authors,
) {
    let others =
        files.iter().filter(|other| other.path != open.file.path && (other.removed > 0 || other.blob.is_none()));
    for other in others {
        if open.unknown().next().is_none() {
            return;
        }
        let timelines = edits.of(other, None, &[]);
        if timelines.is_empty() {
            continue;
        }
        let before = before_bytes(repo, other);
        let had: HashSet<&[u8]> = lines::split(&before).filter(|line| lines::is_telling(line)).collect();
        let new: Vec<&[u8]> = lines::split(&open.bytes).collect();
        if !open.unknown().any(|line| had.contains(new[line])) {
            continue;
        }
        let after = other.blob.as_ref().and_then(|blob| repo.read(blob).ok()).map(|(_, bytes)| bytes);
        let after = after.unwrap_or_default();
        // A new file may be the old one, and what has its name now another.
        let rewritten = open.file.blob_before.is_none() && other.removed as usize * 2 >= lines::count(&before);
        let was_it = edits.first(&open.file.path).is_some_and(|first| edits.left_so(other.names(), first.before));
        let doubt = if was_it { Doubt::None } else { Doubt::Guess };
        for all in &timelines {
            let mut timeline = edits.timeline(all, authors);
            timeline.seen(&before);
            if rewritten {
                open.learn_but(&timeline, doubt, &after);
            }
            timeline.seen(&after);
            open.learn_lost(&timeline);
        }
    }
    if open.file.blob_before.is_some() || open.unknown().next().is_none() {
        return;
    }
    for there in edits.vanished(repo, commit) {
        if there.like(&open.bytes).is_none() {
            continue;
        }
        for all in edits.by_tree(there.edits.iter()) {
            let mut timeline = edits.timeline(&all, authors);
            timeline.seen(b"");
            open.learn_lost(&timeline);
        }
    }
}

/// The file that a new one was before it was renamed.
enum Former<'f> {
    Deleted(&'f FileChange),
    /// It never was committed; what it was before that, if it was.
    Uncommitted(&'f Vanished, Option<&'f FileChange>),
}

impl Former<'_> {
    fn path(&self) -> &RepoPath {
        match self {
            Former::Deleted(change) => &change.path,
            Former::Uncommitted(file, _) => &file.path,
        }
    }
}

/// What a new file was, if it was renamed and git does not see it: a file that the commit deletes and whose bytes the new
/// one had when it was first edited under its new name, or is like it; or one that never was
/// committed and was edited lately.
fn former<'f>(
    repo: &Repo,
    commit: &GitId,
    file: &FileChange,
    bytes: &[u8],
    files: &'f [FileChange],
    edits: &'f Edited,
) -> Option<Former<'f>> {
    if let Some(from) = &file.from {
        // What git sees renamed may have had another name in between.
        let came = |there: &&Vanished| there.edits.first().is_some_and(|edit| edits.left_so([from], edit.before));
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
    let gone = || files.iter().filter(|other| other.blob.is_none() && edits.under(&other.path).is_some());
    let first_bytes = first.and_then(|first| match first {
        Known::Is(Some(digest)) => edits.load(digest),
        _ => None,
    });
    let was_like = |last: &[u8]| first_bytes.as_ref().is_some_and(|first| likeness::is_renamed(last, first));
    let was_there = |edits_there: &[Edit]| {
        let mut known = edits_there.iter().filter_map(|edit| edit.after);
        matches!(first, Some(Known::Is(Some(first))) if known.any(|after| after == *first))
    };
    let renamed = gone().take(MAX_GONE).find(|gone| {
        let there = edits.under(&gone.path).unwrap_or_default();
        let last = || there.iter().filter_map(|edit| edit.after).next_back().and_then(|digest| edits.load(&digest));
        was_there(there)
            || last().is_some_and(|last| likeness::is_renamed(&last, bytes) || was_like(&last))
            || likeness::is_renamed(&before_bytes(repo, gone), bytes)
    });
    if let Some(change) = renamed {
        return Some(Former::Deleted(change));
    }
    let fits = |there: &&Vanished| {
        was_there(&there.edits) || there.like(bytes).is_some_and(|last| likeness::is_renamed(last, bytes))
    };
    let there = edits.vanished(repo, commit).iter().find(fits)?;
    let before = |gone: &&FileChange| there.edits.first().is_some_and(|edit| edits.left_so(gone.names(), edit.before));
    Some(Former::Uncommitted(there, gone().take(MAX_GONE).find(before)))
}

/// The file as it was in the first parent; nothing if it was not there.
fn before_bytes(repo: &Repo, file: &FileChange) -> Vec<u8> {
    file.blob_before.as_ref().and_then(|blob| repo.read(blob).ok()).map(|(_, bytes)| bytes).unwrap_or_default()
}

/// The edits that count: those since the file last was as the parent has it. What stood in it then, the commit does
/// not add.
fn since<'e>(before: &[u8], edits: &'e [&'e Edit]) -> &'e [&'e Edit] {
    let before = Digest::of(before);
    match edits.iter().rposition(|edit| edit.after == Some(before)) {
        Some(at) => &edits[at + 1..],
        None => edits,
    }
}

/// Line numbers in ascending order as ranges.
fn ranges(numbers: impl Iterator<Item = u32>) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if *last.end() + 1 == number => *last = *last.start()..=number,
            _ => ranges.push(number..=number),
        }
    }
    ranges
}
