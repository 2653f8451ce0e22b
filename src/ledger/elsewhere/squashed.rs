//! Whose lines are that come with a whole branch, or with a whole file of one: squashes and rebases made where no hook of
//! ours ran.

use std::collections::HashSet;

use super::{Asked, CLOCKS_DIFFER, Elsewhere, FEW, MAX_NAMES, Range, Says, Witness};
use crate::attribution::carry::carry_known;
use crate::attribution::content::Which;
use crate::attribution::labels::Origin;
use crate::attribution::{likeness, lines};
use crate::git::history;
use crate::id::{GitId, RepoPath};
use crate::ledger::squashes::Squashes;
use crate::ledger::traces::{Evidence, Found, Traces, file_at};
use crate::ledger::verify::Entry;
use crate::time::Time;

/// How many of the records before a commit are asked for a file of its.
const MAX_ASKED: usize = 500;
/// So many telling lines of a file nobody writes twice.
const SURE: usize = 3;

/// A file as a recorded commit has it.
struct State<'b> {
    entry: &'b Entry,
    path: RepoPath,
    /// `None` where the commit is not here.
    bytes: Option<Vec<u8>>,
}

impl<'b> Elsewhere<'b> {
    /// The records of the commits that this one is all of.
    pub(super) fn squashed(&mut self, commit: &GitId, parent: Option<&GitId>) -> Vec<&'b Entry> {
        let Some(tree) = self.tree_of(commit) else { return Vec::new() };
        let squashes = self.squashes.get_or_insert_with(|| Squashes::new(self.book));
        let mut entries = squashes.of(&tree, parent, &mut self.ancestry);
        entries.retain(|entry| self.is_source(commit, entry));
        entries
    }

    /// By the records of the commits that this one is all of, oldest last: what each says of its lines is carried on to
    /// the next, as far as these commits are here; of the others the hashes tell.
    pub(super) fn find_squashed(
        &mut self,
        traces: &mut Traces<'_>,
        asked: &Asked<'_>,
        squashed: &[&'b Entry],
        found: &mut [Option<Found>],
    ) {
        let mut bytes = asked.before.clone().unwrap_or_default();
        let mut known: Vec<Option<u32>> = vec![None; lines::count(&bytes)];
        let mut gone = Vec::new();
        for State { entry, path, bytes: next } in self.states(asked, squashed).into_iter().rev() {
            let Some(next) = next else {
                gone.push(Witness { entry, path, says: Says::Whose });
                continue;
            };
            known = carry_known(&known, &bytes, &next);
            bytes = next;
            for range in traces.ranges(entry, &path) {
                let at = matches!(range.origin(), Origin::Agent(_)).then_some(self.ranges.len() as u32);
                let lines = (range.start as usize).saturating_sub(1)..(range.end as usize).min(known.len());
                known.get_mut(lines).unwrap_or_default().fill(at);
                self.ranges.push(Range { entry, range, lines: 0 });
            }
        }
        let known = carry_known(&known, &bytes, &asked.bytes);
        self.take(found, &known, Evidence::Content);
        if !gone.is_empty() {
            let which = Which::New { before: asked.before.as_deref().unwrap_or_default(), least: 1 };
            let known = self.known(traces, gone).find(&asked.bytes, which);
            self.take(found, &known, Evidence::Content);
        }
    }

    /// How the commits that this one is all of, newest first, had its file, under the name that each had for it; of those
    /// that changed it.
    fn states(&self, asked: &Asked<'_>, squashed: &[&'b Entry]) -> Vec<State<'b>> {
        let mut states: Vec<State<'_>> = Vec::new();
        let mut path = asked.path.clone();
        // A file that one has and the next has not was renamed, where they are alike.
        let newer = std::iter::once(None).chain(squashed.iter().copied().map(Some));
        for (entry, newer) in squashed.iter().zip(newer) {
            let Some(body) = entry.as_commit() else { continue };
            let file = |path: &RepoPath| file_at(self.ledger, &body.commit, path);
            if body.files.iter().any(|file| file.path == path) {
                let bytes = file(&path);
                states.push(State { entry, path: path.clone(), bytes });
                continue;
            }
            // Once it is there under its own name, another file is not it.
            if file(&path).is_none()
                && let Some(state) = self.renamed_in(entry, newer, &states, asked)
            {
                path = state.path.clone();
                states.push(state);
            }
        }
        states
    }
    /// The file of a commit that the next newer one has not, and that is like the oldest of these states.
    fn renamed_in(
        &self,
        entry: &'b Entry,
        newer: Option<&Entry>,
        states: &[State<'_>],
        asked: &Asked<'_>,
    ) -> Option<State<'b>> {
        let (body, newer) = (entry.as_commit()?, &newer?.as_commit()?.tree);
        let then = states.iter().rev().find_map(|state| state.bytes.as_ref()).unwrap_or(&asked.bytes);
        let agents = body.files.iter().filter(|file| file.agent > 0).take(MAX_NAMES).map(|file| &file.path);
        agents.filter(|path| self.blob(newer, path).is_none()).find_map(|path| {
            let bytes = file_at(self.ledger, &body.commit, path);
            let bytes = bytes.filter(|had| had == then || likeness::is_renamed(had, then))?;
            Some(State { entry, path: path.clone(), bytes: Some(bytes) })
        })
    }

    /// By the records of a branch that has the very same new file: what that branch renamed stands beside its former
    /// self where the rest of the branch did not come along.
    pub(super) fn find_copied(&mut self, traces: &mut Traces<'_>, asked: &Asked<'_>, found: &mut [Option<Found>]) {
        let is_telling = |line: &&[u8]| lines::is_telling(line);
        let is_open = lines::split(&asked.bytes).zip(&*found).any(|(line, found)| found.is_none() && is_telling(&line));
        if !is_open || lines::split(&asked.bytes).filter(is_telling).take(SURE).count() < SURE {
            return;
        }
        let recent = self.recent(asked);
        let branch = self.with_file(asked, recent.into_iter());
        if !branch.is_empty() {
            self.find_squashed(traces, asked, &branch, found);
        }
    }

    /// The records before a commit, newest first.
    fn recent(&mut self, asked: &Asked<'_>) -> Vec<&'b Entry> {
        let Some(time) = self.time(asked.commit) else { return Vec::new() };
        let squashes = self.squashes.get_or_insert_with(|| Squashes::new(self.book));
        let recent = squashes.until(Time::from_unix(time.unix() + CLOCKS_DIFFER)).take(MAX_ASKED);
        recent.map(|(entry, _)| entry).collect()
    }

    /// By the records of a branch that has the very same file, where the rest of the commit is not the branch's: another
    /// one came in between. What the commit has new must say more than a person may write, too.
    pub(super) fn find_same(&mut self, traces: &mut Traces<'_>, asked: &Asked<'_>, found: &mut [Option<Found>]) {
        let before: HashSet<&[u8]> = asked.before.iter().flat_map(|bytes| lines::split(bytes)).collect();
        let new = || lines::split(&asked.bytes).filter(|line| !before.contains(line));
        let says_enough =
            new().any(lines::is_long) || new().filter(|line| lines::is_telling(line)).take(FEW).count() == FEW;
        if !says_enough {
            return;
        }
        let mut entries = self.agents.get(asked.path).cloned().unwrap_or_default();
        entries.extend(self.nobodys(asked).into_iter().map(|witness| witness.entry));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
        let branch = self.with_file(asked, entries.into_iter().take(MAX_ASKED));
        if !branch.is_empty() {
            self.find_squashed(traces, asked, &branch, found);
        }
    }

    /// The records of a branch of which one of these commits has this very file, newest first.
    fn with_file(&mut self, asked: &Asked<'_>, entries: impl Iterator<Item = &'b Entry>) -> Vec<&'b Entry> {
        let Some(blob) = self.tree_of(asked.commit).and_then(|tree| self.blob(&tree, asked.path)) else {
            return Vec::new();
        };
        let parent = history::first_parent(&self.ledger.repo, asked.commit);
        let squashes = self.squashes.take().unwrap_or_else(|| Squashes::new(self.book));
        let mut has_it = entries.filter_map(|entry| {
            let body = entry.as_commit()?;
            let has_it = self.blob(&body.tree, asked.path).as_ref() == Some(&blob);
            let branch = (has_it && self.is_source(asked.commit, entry))
                .then(|| squashes.branch(vec![&body.commit], parent.as_ref(), &mut self.ancestry))?;
            (!branch.is_empty()).then_some(branch)
        });
        let branch = has_it.next().unwrap_or_default();
        drop(has_it);
        self.squashes = Some(squashes);
        branch
    }
}
