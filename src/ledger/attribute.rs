//! Whose the lines are that a commit adds: the known edits of its files, the parent's and the committed bytes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::attribution::commit::{ChangedFile, FileAttribution, attribute};
use crate::attribution::labels::{Authors, Labels, Origin};
use crate::attribution::timeline::{Before, Step, Timeline};
use crate::attribution::{carry, lines};
use crate::digest::Digest;
use crate::git::diff::FileChange;
use crate::git::locate::Location;
use crate::git::repo::{Kind, RepoError};
use crate::id::RepoPath;
use crate::journal::Journal;
use crate::journal::states::FILE_LIMIT;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::LineAuthor;
use crate::session::edit::{Edit, Known};

/// The known edits of the files that a commit changes.
pub struct Edited {
    journal: Option<Journal>,
    by_path: BTreeMap<RepoPath, Vec<Edit>>,
    /// Files that the commit deletes.
    gone: Vec<RepoPath>,
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
        let gone = files.iter().filter(|file| file.blob.is_none()).map(|file| file.path.clone()).collect();
        Ok(Edited { journal, by_path, gone, here })
    }

    /// The edits of a file under its name and the one it had before, oldest first, by work tree; the one at hand first.
    pub fn of(&self, file: &FileChange) -> Vec<Vec<&Edit>> {
        let names = [Some(&file.path), file.from.as_ref()].into_iter().flatten().chain(self.former_name(file));
        let mut edits: Vec<&Edit> = names.filter_map(|path| self.by_path.get(path)).flatten().collect();
        edits.sort_by_key(|edit| edit.at);
        let mut trees: Vec<Option<&str>> = edits.iter().map(|edit| edit.work_tree.as_deref()).collect();
        trees.sort_unstable();
        trees.dedup();
        trees.sort_by_key(|tree| *tree != self.here.as_deref());
        let of_tree =
            |tree: Option<&str>| edits.iter().copied().filter(|edit| edit.work_tree.as_deref() == tree).collect();
        trees.into_iter().map(of_tree).collect()
    }

    /// The name of a file that the commit deletes and whose bytes a new one had when it was first edited: it was
    /// renamed, and then changed so much that git does not see it.
    fn former_name(&self, file: &FileChange) -> Option<&RepoPath> {
        if file.from.is_some() || file.blob_before.is_some() {
            return None;
        }
        let Known::Is(Some(first)) = self.by_path.get(&file.path)?.first()?.before else { return None };
        let had = |path: &&RepoPath| {
            self.by_path.get(*path).is_some_and(|edits| edits.iter().any(|edit| edit.after == Some(first)))
        };
        self.gone.iter().find(had)
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

/// Whose the lines are that a commit adds.
pub fn attribute_commit(
    ledger: &Ledger,
    files: &[FileChange],
    edits: &Edited,
) -> Result<Vec<FileAttribution>, LedgerError> {
    let mut attributions = Vec::new();
    for file in files {
        let Some(blob) = &file.blob else { continue };
        if file.binary || file.added.is_empty() {
            continue;
        }
        let bytes = match ledger.repo.read(blob) {
            Ok((Kind::Blob, bytes)) => bytes,
            // A submodule's commit is no file of this repository.
            Ok(_) | Err(RepoError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let added = ranges(file.added.iter().copied());
        let mut authors = Authors::default();
        let timelines = if bytes.len() as u64 <= FILE_LIMIT { edits.of(file) } else { Vec::new() };
        let labels = match timelines.is_empty() {
            true => Labels::all(Origin::Unattributed, lines::count(&bytes)),
            false => labels(file, &bytes, &before_bytes(ledger, file), edits, &timelines, &mut authors),
        };
        attributions.push(attribute(
            &ChangedFile { path: &file.path, bytes: &bytes, added: &added, labels: &labels },
            &authors,
        ));
    }
    Ok(attributions)
}

/// The labels of a file's committed bytes, along the timelines of all work trees: what one does not know another may.
fn labels(
    file: &FileChange,
    bytes: &[u8],
    before: &[u8],
    edits: &Edited,
    timelines: &[Vec<&Edit>],
    authors: &mut Authors,
) -> Labels {
    let mut known: Vec<Origin> = vec![Origin::Unattributed; lines::count(bytes)];
    let mut learn = |labels: &Labels| {
        for (line, origin) in known.iter_mut().zip(labels.iter()) {
            if *line == Origin::Unattributed {
                *line = origin;
            }
        }
        file.added.iter().any(|line| known.get(*line as usize - 1) == Some(&Origin::Unattributed))
    };
    let mut open = true;
    for all in timelines {
        open = learn(&edits.timeline(since(before, all), authors).project(bytes));
    }
    // Whose a line was that is only wrapped or indented anew, or moved, all the edits up to the parent may tell.
    if open && carry::sources(before, bytes).iter().zip(1..).any(|(old, line)| *old && file.added.contains(&line)) {
        for all in timelines {
            let mut timeline = edits.timeline(all, authors);
            timeline.seen(before);
            learn(&timeline.project(bytes));
        }
    }
    known.into_iter().collect()
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
