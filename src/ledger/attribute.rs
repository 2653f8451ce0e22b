//! Whose the lines are that a commit adds: the known edits of its files, the parent's and the committed bytes.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use crate::attribution::commit::{ChangedFile, FileAttribution, attribute};
use crate::attribution::labels::{Authors, Labels, Origin};
use crate::attribution::timeline::{Before, Step, Timeline};
use crate::attribution::{carry, lines};
use crate::digest::Digest;
use crate::git::diff::FileChange;
use crate::git::history;
use crate::git::locate::Location;
use crate::git::repo::{Kind, RepoError};
use crate::host::clock;
use crate::id::{GitId, RepoPath};
use crate::journal::Journal;
use crate::journal::states::FILE_LIMIT;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::LineAuthor;
use crate::session::edit::{Edit, Known};

/// How many deleted files a new one is compared with.
const MAX_GONE: usize = 50;

/// The known edits of the files that a commit changes.
pub struct Edited {
    journal: Option<Journal>,
    by_path: BTreeMap<RepoPath, Vec<Edit>>,
    vanished: OnceCell<Vec<Vanished>>,
    /// The work tree that the commit is made in; none for the main one.
    here: Option<String>,
}

impl Edited {
    pub fn known(ledger: &Ledger, files: &[FileChange]) -> Result<Self, LedgerError> {
        let journal = Journal::open(&ledger.repo.common_dir());
        let mut by_path: BTreeMap<RepoPath, Vec<Edit>> = BTreeMap::new();
        if let Some(journal) = &journal {
            let failed = |source| LedgerError::File { path: journal.dir().to_owned(), source };
            for path in files.iter().flat_map(|file| [Some(&file.path), file.from.as_ref()]).flatten() {
                let edits = journal.edits(path).map_err(failed)?;
                if !edits.is_empty() {
                    by_path.insert(path.clone(), edits);
                }
            }
        }
        let here = ledger.repo.work_tree().and_then(|dir| Location::of(&dir)).and_then(|at| at.linked_name());
        Ok(Edited { journal, by_path, vanished: OnceCell::new(), here })
    }

    /// The edits of a file under its name and the one it had before, oldest first, by work tree; the one at hand first.
    fn of<'e>(&'e self, file: &'e FileChange, former: Option<&'e FileChange>, more: &'e [Edit]) -> Vec<Vec<&'e Edit>> {
        let names = [Some(&file.path), file.from.as_ref(), former.map(|former| &former.path)];
        self.by_tree(names.into_iter().flatten().filter_map(|path| self.by_path.get(path)).flatten().chain(more))
    }

    fn by_tree<'e>(&self, edits: impl Iterator<Item = &'e Edit>) -> Vec<Vec<&'e Edit>> {
        let mut edits: Vec<&Edit> = edits.collect();
        edits.sort_by_key(|edit| edit.at);
        let mut trees: Vec<Option<&str>> = edits.iter().map(|edit| edit.work_tree.as_deref()).collect();
        trees.sort_unstable();
        trees.dedup();
        trees.sort_by_key(|tree| *tree != self.here.as_deref());
        let of_tree =
            |tree: Option<&str>| edits.iter().copied().filter(|edit| edit.work_tree.as_deref() == tree).collect();
        trees.into_iter().map(of_tree).collect()
    }

    fn vanished(&self, ledger: &Ledger, commit: &GitId) -> &[Vanished] {
        self.vanished.get_or_init(|| self.find_vanished(ledger, commit))
    }

    /// The files that were edited lately and that the commit has not: what is there still was copied, not renamed.
    fn find_vanished(&self, ledger: &Ledger, commit: &GitId) -> Vec<Vanished> {
        let Some(journal) = &self.journal else { return Vec::new() };
        // What cannot be read is not known; the commit is recorded all the same.
        let recent = journal.recent_files(MAX_GONE).unwrap_or_default().into_iter();
        let vanished = recent.filter(|path| history::blob_at(&ledger.repo, commit, path).is_ok_and(|at| at.is_none()));
        vanished.filter_map(|path| Some(Vanished { edits: journal.edits(&path).ok()?, path })).collect()
    }

    /// All edits of a file under its name and the one it had before.
    pub fn all_of<'e>(&'e self, file: &'e FileChange) -> impl Iterator<Item = &'e Edit> {
        let names = [Some(&file.path), file.from.as_ref()];
        names.into_iter().flatten().filter_map(|path| self.by_path.get(path)).flatten()
    }

    /// Remembers that a file had another name. That it cannot be written down costs later commits some knowledge only.
    fn note_name(&self, from: Option<&RepoPath>, to: &RepoPath) {
        if let (Some(journal), Some(from)) = (&self.journal, from) {
            drop(journal.renamed(from, to, clock::now_millis()));
        }
    }

    fn load(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.journal.as_ref()?.states().load(digest).ok().flatten()
    }

    /// A file's timeline in one work tree.
    fn timeline(&self, edits: &[&Edit], authors: &mut Authors) -> Timeline {
        let mut timeline = Timeline::default();
        for edit in edits {
            let before = match edit.before {
                Known::Is(Some(digest)) => self.load(&digest),
                _ => None,
            };
            let after = edit.after.map(|digest| self.load(&digest));
            if matches!(after, Some(None)) {
                // The bytes are gone: what the file became by this edit cannot be told, and is nobody's.
                continue;
            }
            let after = after.flatten();
            let author = authors.add(LineAuthor { session: edit.session.clone(), call: edit.call.clone() });
            timeline.step(&Step {
                before: match (&edit.before, &before) {
                    (Known::Is(None), _) => Before::NoFile,
                    (Known::Is(Some(_)), Some(bytes)) => Before::Bytes(bytes),
                    _ => Before::Unknown,
                },
                after: after.as_deref(),
                author,
                reach: edit.reach,
            });
        }
        timeline
    }
}

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
    fn learn_but(&mut self, other: &Timeline, still: &[u8]) {
        let still: HashSet<&[u8]> = lines::split(still).collect();
        let origins = other.project(&self.bytes);
        let known: Vec<Origin> = origins
            .iter()
            .zip(lines::split(&self.bytes))
            .map(|(origin, line)| if still.contains(line) { Origin::Unattributed } else { origin })
            .collect();
        self.learn(known);
    }

    /// Takes in whose the lines were that another file lost.
    fn learn_lost(&mut self, other: &Timeline) {
        let lost = other.lost_in(&self.bytes);
        self.learn(lost.into_iter().map(|origin| origin.unwrap_or(Origin::Unattributed)));
    }

    /// The lines that the commit adds and of which nothing is known, counted from 0.
    fn unknown(&self) -> impl Iterator<Item = usize> {
        let added = self.file.added.iter().map(|line| *line as usize - 1);
        added.filter(|line| self.known.get(*line) == Some(&Origin::Unattributed))
    }
}

/// Whose the lines are that a commit adds. What was renamed beyond git's recognition is noted for later commits.
pub fn attribute_commit(
    ledger: &Ledger,
    commit: &GitId,
    files: &[FileChange],
    edits: &Edited,
) -> Result<Vec<FileAttribution>, LedgerError> {
    let mut authors = Authors::default();
    let mut attributions = Vec::new();
    for file in files {
        let Some(blob) = &file.blob else { continue };
        edits.note_name(file.from.as_ref(), &file.path);
        if file.binary || file.added.is_empty() {
            continue;
        }
        let bytes = match ledger.repo.read(blob) {
            Ok((Kind::Blob, bytes)) => bytes,
            // A submodule's commit is no file of this repository.
            Ok(_) | Err(RepoError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut open = Open { file, known: vec![Origin::Unattributed; lines::count(&bytes)], bytes };
        if open.bytes.len() as u64 <= FILE_LIMIT {
            follow_edits(ledger, &mut open, None, edits, &mut authors);
            if open.unknown().next().is_some()
                && let Some(former) = former(ledger, commit, file, &open.bytes, files, edits)
            {
                follow_edits(ledger, &mut open, Some(&former), edits, &mut authors);
                edits.note_name(Some(former.path()), &file.path);
            }
            find_moved(ledger, commit, &mut open, files, edits, &mut authors);
        }
        let added = ranges(file.added.iter().copied());
        let labels: Labels = open.known.into_iter().collect();
        let changed = ChangedFile { path: &file.path, bytes: &open.bytes, added: &added, labels: &labels };
        attributions.push(attribute(&changed, &authors));
    }
    Ok(attributions)
}

/// Follows a file's timelines in all work trees: what one does not know another may.
fn follow_edits(
    ledger: &Ledger,
    open: &mut Open<'_>,
    former: Option<&Former<'_>>,
    edits: &Edited,
    authors: &mut Authors,
) {
    let (change, more) = match former {
        Some(Former::Deleted(change)) => (Some(*change), &[][..]),
        Some(Former::Uncommitted(file)) => (None, &file.edits[..]),
        None => (None, &[][..]),
    };
    let timelines = edits.of(open.file, change, more);
    if timelines.is_empty() {
        return;
    }
    let before = before_bytes(ledger, change.unwrap_or(open.file));
    let mut left = true;
    for all in &timelines {
        let labels = edits.timeline(since(&before, all), authors).project(&open.bytes);
        left = open.learn(labels.iter());
    }
    // Whose a line was that is only wrapped or indented anew, or moved, all the edits up to the parent may tell.
    let from = if left { carry::sources(&before, &open.bytes) } else { Vec::new() };
    if !open.unknown().any(|line| from.get(line) == Some(&true)) {
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
    ledger: &Ledger,
    commit: &GitId,
    open: &mut Open<'_>,
    files: &[FileChange],
    edits: &Edited,
    authors: &mut Authors,
) {
    let others =
        files.iter().filter(|other| other.path != open.file.path && (other.removed > 0 || other.blob.is_none()));
    for other in others {
        let timelines = edits.of(other, None, &[]);
        if timelines.is_empty() || open.unknown().next().is_none() {
            continue;
        }
        let before = before_bytes(ledger, other);
        let had: HashSet<&[u8]> = lines::split(&before).filter(|line| lines::is_telling(line)).collect();
        let new: Vec<&[u8]> = lines::split(&open.bytes).collect();
        if !open.unknown().any(|line| had.contains(new[line])) {
            continue;
        }
        let after = other.blob.as_ref().and_then(|blob| ledger.repo.read(blob).ok()).map(|(_, bytes)| bytes);
        let after = after.unwrap_or_default();
        // A new file may be the old one, and what has its name now another.
        let rewritten = open.file.blob_before.is_none() && other.removed as usize * 2 >= lines::count(&before);
        for all in &timelines {
            let mut timeline = edits.timeline(all, authors);
            timeline.seen(&before);
            if rewritten {
                open.learn_but(&timeline, &after);
            }
            timeline.seen(&after);
            open.learn_lost(&timeline);
        }
    }
    if open.file.blob_before.is_some() || open.unknown().next().is_none() {
        return;
    }
    for there in edits.vanished(ledger, commit) {
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
    /// It never was committed.
    Uncommitted(&'f Vanished),
}

impl Former<'_> {
    fn path(&self) -> &RepoPath {
        match self {
            Former::Deleted(change) => &change.path,
            Former::Uncommitted(file) => &file.path,
        }
    }
}

/// A file that was edited lately and that the commit has not.
struct Vanished {
    path: RepoPath,
    edits: Vec<Edit>,
}

/// What a new file was, if it was renamed and git does not see it: a file that the commit deletes and whose bytes the new
/// one had when it was first edited under its new name, or half of its lines but for white space; or one that never was
/// committed and was edited lately.
fn former<'f>(
    ledger: &Ledger,
    commit: &GitId,
    file: &FileChange,
    bytes: &[u8],
    files: &'f [FileChange],
    edits: &'f Edited,
) -> Option<Former<'f>> {
    if file.from.is_some() || file.blob_before.is_some() {
        return None;
    }
    let first = edits.by_path.get(&file.path).and_then(|edits| edits.first()).map(|edit| &edit.before);
    if first == Some(&Known::Is(None)) {
        // It was made under this name.
        return None;
    }
    let gone = files.iter().filter(|other| other.blob.is_none() && edits.by_path.contains_key(&other.path));
    // Half of the new one comes from it, or half of what it had came here.
    let half_of = |had: &[u8]| {
        let kept = carry::sources(had, bytes).into_iter().filter(|from| *from).count();
        let came = || carry::sources(bytes, had).into_iter().filter(|to| *to).count();
        kept * 2 >= lines::count(bytes).max(1) || (kept >= 2 && came() * 2 >= lines::count(had))
    };
    let fits = |edits_there: &[Edit]| {
        let mut known = edits_there.iter().filter_map(|edit| edit.after);
        if matches!(first, Some(Known::Is(Some(first))) if known.clone().any(|after| after == *first)) {
            return true;
        }
        known.next_back().and_then(|digest| edits.load(&digest)).is_some_and(|last| half_of(&last))
    };
    let renamed = gone.take(MAX_GONE).find(|gone| {
        edits.by_path.get(&gone.path).is_some_and(|edits| fits(edits)) || half_of(&before_bytes(ledger, gone))
    });
    if let Some(change) = renamed {
        return Some(Former::Deleted(change));
    }
    edits.vanished(ledger, commit).iter().find(|there| fits(&there.edits)).map(Former::Uncommitted)
}

/// The file as it was in the first parent; nothing if it was not there.
fn before_bytes(ledger: &Ledger, file: &FileChange) -> Vec<u8> {
    file.blob_before.as_ref().and_then(|blob| ledger.repo.read(blob).ok()).map(|(_, bytes)| bytes).unwrap_or_default()
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
