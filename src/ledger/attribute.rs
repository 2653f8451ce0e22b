//! Whose the lines are that a commit adds: the known edits of its files, the parent's and the committed bytes.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::attribution::commit::{ChangedFile, FileAttribution, attribute};
use crate::attribution::doubt::{self, Doubt, FIRM_RUN};
use crate::attribution::labels::{Authors, Labels, Origin};
use crate::attribution::timeline::Timeline;
use crate::attribution::{carry, lines};
use crate::digest::Digest;
use crate::git::diff::FileChange;
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::GitId;
use crate::journal::states::FILE_LIMIT;
use crate::ledger::LedgerError;
use crate::ledger::edited::{Brought, Edited};
use crate::ledger::former::{self, Former};
use crate::ledger::lost::Lost;
use crate::ledger::put_aside;
use crate::session::edit::{Edit, Known};

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

    /// Takes in whose the lines are if this is what another file became, but for lines that the other still has;
    /// whether anything is left to know.
    fn learn_but(&mut self, origins: &Labels, still: &HashSet<&[u8]>) -> bool {
        let known: Vec<Origin> = origins
            .iter()
            .zip(lines::split(&self.bytes))
            .map(|(origin, line)| if still.contains(line) { Origin::Unattributed } else { origin })
            .collect();
        self.learn(known)
    }

    /// Takes in whose the lines are that come from the file of another commit; whether anything is left to know. If it is
    /// in doubt that they do, what is new there beside `before` must be here, too.
    fn learn_through(&mut self, other: &[u8], labels: &Labels, before: &[u8], doubt: Doubt) -> bool {
        let carried = carry::carry(labels, other, &self.bytes, Origin::Unattributed);
        if doubt == Doubt::None {
            return self.learn(carried.iter());
        }
        let new = |labels: &Labels, bytes: &[u8]| -> Labels {
            let origin = |(origin, is_old)| if is_old { Origin::Unattributed } else { origin };
            labels.iter().zip(carry::sources(before, bytes)).map(origin).collect()
        };
        let (had, came) = (new(labels, other), new(&carried, &self.bytes));
        let (had, kept) = (doubt::words_of_agents(&had, other), doubt::words_of_agents(&came, &self.bytes));
        match doubt.lets_all_hold(kept, had) {
            true => self.learn(came.iter()),
            false => self.learn(doubt::in_company(came.iter(), &self.bytes, FIRM_RUN).iter()),
        }
    }

    /// Takes in whose the lines are that git brought, where the timeline knows it; whether anything is left to know.
    fn learn_brought(
        &mut self,
        brought: &Brought,
        mut timeline: Timeline,
        before: &[u8],
        doubt: impl Fn() -> Doubt,
    ) -> bool {
        let mut learn = |timeline: &Timeline| {
            let labels = timeline.project_in_doubt(&brought.theirs, &doubt);
            self.learn_through(&brought.theirs, &labels, before, brought.doubt)
        };
        let left = learn(&timeline);
        // Somebody else may have gone on there from what is known.
        let Some(base) = &brought.base else { return left };
        timeline.seen(base);
        learn(&timeline)
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
    let lost = OnceLock::new();
    let of = |repo: &Repo, some: &[FileChange]| -> Result<Vec<FileAttribution>, LedgerError> {
        some.iter().filter_map(|file| attribute_file(repo, commit, file, (files, &lost), edits).transpose()).collect()
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
    (files, lost): (&[FileChange], &OnceLock<Lost>),
    edits: &Edited,
) -> Result<Option<FileAttribution>, LedgerError> {
    let Some(blob) = &file.blob else { return Ok(None) };
    if let Some(from) = &file.from {
        edits.note_name(from, &file.path, None);
    }
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
            && let Some(former) = former::find(repo, commit, file, &open.bytes, files, edits)
        {
            follow_edits(repo, commit, &mut open, Some(&former), edits, &mut authors);
            edits.note_name(former.path(), &file.path, former.until());
        }
        find_moved(repo, commit, &mut open, (files, lost), edits, &mut authors);
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
    let timelines = edits.of(open.file, former.into_iter().flat_map(Former::edits));
    if timelines.is_empty() {
        return;
    }
    let before = before_bytes(repo, former.and_then(Former::change).unwrap_or(open.file));
    // What has the former name now is another file: what it has too may come from anywhere.
    let replaced = former.and_then(Former::replaced_by).map(|blob| bytes_of(repo, blob));
    let still: HashSet<&[u8]> = replaced.iter().flat_map(|bytes| lines::split(bytes)).collect();
    let doubt = |all: &[&Edit]| match former {
        _ if edits.lies_there(&open.file.path, all) => Doubt::None,
        Some(_) if edits.is_it(edits.file_id(&open.file.path), all.iter().copied()) => Doubt::Little,
        Some(former) if former.is_guessed() => Doubt::Guess,
        _ if edits.is_apart(repo, commit, open.file, all) => Doubt::Much,
        _ => Doubt::Little,
    };
    let mut left = true;
    for all in &timelines {
        let timeline = edits.timeline(since(&before, all), authors);
        let labels = timeline.project_in_doubt(&open.bytes, || doubt(all));
        left = open.learn_but(&labels, &still);
    }
    // What it amends it goes on from, whatever HEAD did meanwhile.
    if left && let Some(amended) = edits.amended(repo, commit, &open.file.path) {
        for all in &timelines {
            let Some(at) = all.iter().rposition(|edit| edit.after == Some(amended)) else { continue };
            let timeline = edits.timeline(since(&before, &all[..=at]), authors);
            left = open.learn_but(&timeline.project_in_doubt(&open.bytes, || Doubt::Little), &still);
        }
    }
    if left && let Some(brought) = edits.brought(repo, commit, open.file) {
        for all in &timelines {
            left = open.learn_brought(&brought, edits.timeline(all, authors), &before, || doubt(all));
        }
    }
    for all in &timelines {
        if left && let Some(aside) = put_aside::find(repo, (&before, &open.bytes), all, edits, authors) {
            left = open.learn_through(&aside.bytes, &aside.labels, &aside.base, Doubt::None);
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
        let labels = match replaced {
            Some(_) => timeline.project_in_doubt(&open.bytes, || doubt(all)),
            None => timeline.project(&open.bytes),
        };
        open.learn_but(&labels, &still);
    }
}

/// Lines that other files of the commit lose with it have been moved here, and into a new file those of files that
/// vanished before they were committed.
fn find_moved(
    repo: &Repo,
    commit: &GitId,
    open: &mut Open<'_>,
    (files, lost): (&[FileChange], &OnceLock<Lost>),
    edits: &Edited,
    authors: &mut Authors,
) {
    let lost = lost.get_or_init(|| Lost::of(repo, files, edits));
    let unknown: HashSet<usize> = open.unknown().collect();
    let lines = lines::split(&open.bytes).enumerate().filter(|(line, _)| unknown.contains(line));
    for other in lost.by(lines.map(|(_, line)| line)).into_iter().map(|at| &files[at]) {
        if other.path == open.file.path {
            continue;
        }
        if open.unknown().next().is_none() {
            return;
        }
        let timelines = edits.of(other, []);
        let before = before_bytes(repo, other);
        let after = other.blob.as_ref().map(|blob| bytes_of(repo, blob)).unwrap_or_default();
        let still: HashSet<&[u8]> = lines::split(&after).collect();
        // A new file may be the old one, and what has its name now another.
        let rewritten = open.file.blob_before.is_none() && edits.is_rewritten(repo, other);
        let was_it = edits.first(&open.file.path).is_some_and(|first| edits.left_so(other.names(), first.before));
        let doubt = if was_it { Doubt::None } else { Doubt::Guess };
        for all in &timelines {
            let mut timeline = edits.timeline(all, authors);
            timeline.seen(&before);
            if rewritten {
                let labels = timeline.project_in_doubt(&open.bytes, || doubt);
                open.learn_but(&labels, &still);
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

/// The file as it was in the first parent; nothing if it was not there.
pub(super) fn before_bytes(repo: &Repo, file: &FileChange) -> Vec<u8> {
    file.blob_before.as_ref().map(|blob| bytes_of(repo, blob)).unwrap_or_default()
}

/// A file's bytes; nothing if they are not here.
fn bytes_of(repo: &Repo, blob: &GitId) -> Vec<u8> {
    repo.read(blob).map(|(_, bytes)| bytes).unwrap_or_default()
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
