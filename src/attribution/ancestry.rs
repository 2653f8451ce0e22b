//! Where each line of a file comes from, carried along a history from its beginning: what `git blame` finds by going
//! back from one file, for all files at once.
//!
//! A commit that changes a file *touches* it; a line is named by the touch that brought it and by its number there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::id::RepoPath;

/// What a commit makes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(rename = "p")]
    pub path: RepoPath,
    #[serde(rename = "n")]
    pub now: Now,
}

/// What a file is after a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Now {
    #[serde(rename = "g")]
    Gone,
    /// Something without lines: a binary file, a link, a submodule.
    #[serde(rename = "b")]
    NoLines,
    /// What the parent of this number has under the same name.
    #[serde(rename = "a")]
    As(usize),
    /// A file of so many lines, of which no parent has any.
    #[serde(rename = "c")]
    New(u32),
    /// What the files of parents became.
    #[serde(rename = "l")]
    From(Vec<Source>),
}

impl Now {
    /// What the file was called before, where that was another name.
    pub fn names(&self) -> impl Iterator<Item = &RepoPath> {
        let sources = if let Now::From(sources) = self { sources.as_slice() } else { &[] };
        sources.iter().filter_map(|source| source.path.as_ref())
    }
}

/// A file of a parent, and how it became that of the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    #[serde(rename = "k", default, skip_serializing_if = "is_first")]
    pub parent: usize,
    /// Its name there, where it is another.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RepoPath>,
    #[serde(rename = "h")]
    pub hunks: Vec<Hunk>,
}

fn is_first(parent: &usize) -> bool {
    *parent == 0
}

/// Lines of the old file that became lines of the new one; what stands between hunks is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u32, u32)", into = "(u32, u32, u32)")]
pub struct Hunk {
    /// How many lines of the old file stand before it.
    pub at: u32,
    pub removed: u32,
    pub added: u32,
}

impl From<(u32, u32, u32)> for Hunk {
    fn from((at, removed, added): (u32, u32, u32)) -> Self {
        Hunk { at, removed, added }
    }
}

impl From<Hunk> for (u32, u32, u32) {
    fn from(hunk: Hunk) -> Self {
        (hunk.at, hunk.removed, hunk.added)
    }
}

/// Lines one after the other that a touch brought, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub touch: u32,
    pub start: u32,
    pub len: u32,
}

/// A file after a touch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// All of its lines.
    pub runs: Vec<Run>,
    /// Those that the touch brought.
    pub added: Vec<Range<u32>>,
    /// What went away, hunk by hunk, and which lines took its place; of merges nothing is told.
    pub replaced: Vec<(Vec<Run>, Range<u32>)>,
}

/// The lines of a new file.
pub fn new_file(touch: u32, lines: u32) -> Followed {
    if lines == 0 {
        return Followed::default();
    }
    let all = 0..lines;
    Followed { runs: vec![Run { touch, start: 0, len: lines }], added: vec![all], replaced: Vec::new() }
}

/// The lines of a file that `touch` made of parents' files. Of a line that several parents have the first one counts.
pub fn follow(touch: u32, sources: &[(&[Run], &[Hunk])]) -> Followed {
    let mut known: Option<Vec<Part>> = None;
    for (runs, hunks) in sources {
        let next = parts(runs, hunks);
        known = Some(match known {
            Some(known) => overlay(known, next),
            None => next,
        });
    }
    let mut followed = Followed::default();
    if let [(runs, hunks)] = sources {
        followed.replaced = replaced(runs, hunks);
    }
    let mut at = 0;
    for part in known.unwrap_or_default() {
        let len = part.len();
        match part {
            Part::Old(run) => push(&mut followed.runs, run),
            Part::New(_) => {
                push(&mut followed.runs, Run { touch, start: at, len });
                match followed.added.last_mut().filter(|last| last.end == at) {
                    Some(last) => last.end += len,
                    None => followed.added.push(at..at + len),
                }
            }
        }
        at += len;
    }
    followed
}

/// Adds a run, joined to the last one where it goes on.
fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.touch == run.touch && last.start + last.len == run.start => last.len += run.len,
        _ => runs.push(run),
    }
}

/// Lines of the new file that one of the old file became, or that it does not have.
#[derive(Debug, Clone, Copy)]
enum Part {
    Old(Run),
    New(u32),
}

impl Part {
    fn len(self) -> u32 {
        match self {
            Part::Old(run) => run.len,
            Part::New(len) => len,
        }
    }

    /// The first `len` lines of it, and the rest.
    fn split(self, len: u32) -> (Part, Part) {
        match self {
            Part::Old(run) => {
                (Part::Old(Run { len, ..run }), Part::Old(Run { start: run.start + len, len: run.len - len, ..run }))
            }
            Part::New(all) => (Part::New(len), Part::New(all - len)),
        }
    }
}

/// The new file as one parent knows it.
fn parts(runs: &[Run], hunks: &[Hunk]) -> Vec<Part> {
    let mut old = Slicer { runs, at: 0, used: 0 };
    let mut parts = Vec::with_capacity(runs.len() + hunks.len() * 2);
    for hunk in hunks {
        old.take(hunk.at.saturating_sub(old.at), |run| parts.push(Part::Old(run)));
        old.take(hunk.removed, |_| ());
        if hunk.added > 0 {
            parts.push(Part::New(hunk.added));
        }
    }
    old.take(u32::MAX, |run| parts.push(Part::Old(run)));
    parts
}

fn replaced(runs: &[Run], hunks: &[Hunk]) -> Vec<(Vec<Run>, Range<u32>)> {
    let mut old = Slicer { runs, at: 0, used: 0 };
    let mut shift = 0i64;
    let mut replaced = Vec::new();
    for hunk in hunks {
        old.take(hunk.at.saturating_sub(old.at), |_| ());
        let mut gone = Vec::new();
        old.take(hunk.removed, |run| gone.push(run));
        let start = u32::try_from(i64::from(hunk.at) + shift).unwrap_or_default();
        replaced.push((gone, start..start + hunk.added));
        shift += i64::from(hunk.added) - i64::from(hunk.removed);
    }
    replaced
}

/// What the second knows of what the first does not.
fn overlay(first: Vec<Part>, second: Vec<Part>) -> Vec<Part> {
    let mut parts = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter();
    let mut other = second.next();
    for mut part in first {
        while part.len() > 0 {
            let Some(next) = other else {
                parts.push(part);
                break;
            };
            let len = part.len().min(next.len());
            let (head, rest) = part.split(len);
            let (their, left) = next.split(len);
            parts.push(if matches!(head, Part::New(_)) { their } else { head });
            part = rest;
            other = if left.len() > 0 { Some(left) } else { second.next() };
        }
    }
    parts
}

/// Takes runs from the top, in pieces of any length.
struct Slicer<'a> {
    runs: &'a [Run],
    /// How many lines were taken, in all and of the first run.
    at: u32,
    used: u32,
}

impl Slicer<'_> {
    fn take(&mut self, mut lines: u32, mut each: impl FnMut(Run)) {
        while let (Some(run), true) = (self.runs.first(), lines > 0) {
            let len = lines.min(run.len - self.used);
            each(Run { touch: run.touch, start: run.start + self.used, len });
            lines -= len;
            self.at += len;
            self.used += len;
            if self.used == run.len {
                (self.runs, self.used) = (&self.runs[1..], 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hunk(at: u32, removed: u32, added: u32) -> Hunk {
        Hunk { at, removed, added }
    }

    /// Each line as `touch.number`.
    fn shown(runs: &[Run]) -> String {
        let line =
            |run: &Run| (run.start..run.start + run.len).map(|n| format!("{}.{n}", run.touch)).collect::<Vec<_>>();
        runs.iter().flat_map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_move_with_what_is_put_before_them() {
        let one = new_file(1, 4).runs;
        for (hunks, expected, gone) in [
            (vec![], "1.0 1.1 1.2 1.3", ""),
            (vec![hunk(0, 0, 1)], "2.0 1.0 1.1 1.2 1.3", ""),
            (vec![hunk(4, 0, 1)], "1.0 1.1 1.2 1.3 2.4", ""),
            (vec![hunk(1, 2, 1)], "1.0 2.1 1.3", "1.1 1.2>1..2"),
            (vec![hunk(0, 1, 2), hunk(3, 1, 0)], "2.0 2.1 1.1 1.2", "1.0>0..2|1.3>4..4"),
            (vec![hunk(0, 4, 0)], "", "1.0 1.1 1.2 1.3>0..0"),
        ] {
            let followed = follow(2, &[(&one, &hunks)]);
            assert_eq!(shown(&followed.runs), expected, "{hunks:?}");
            let replaced = followed.replaced.iter().filter(|(runs, _)| !runs.is_empty());
            let replaced: Vec<String> = replaced.map(|(runs, now)| format!("{}>{now:?}", shown(runs))).collect();
            assert_eq!(replaced.join("|"), gone, "{hunks:?}");
        }
    }

    #[test]
    fn a_merge_takes_from_the_first_parent_that_has_a_line() {
        let (one, two) = (new_file(1, 3).runs, new_file(2, 4).runs);
        // x a b y: the first parent has a, b and what is c there; the second has x, a, b and something else.
        let followed = follow(3, &[(&one, &[hunk(0, 0, 1), hunk(2, 1, 1)]), (&two, &[hunk(3, 1, 1)])]);
        assert_eq!(shown(&followed.runs), "2.0 1.0 1.1 3.3");
        assert_eq!((followed.added.len(), followed.added[0].clone(), followed.replaced.len()), (1, 3..4, 0));
    }

    proptest! {
        #[test]
        fn any_hunks_are_followed_without_harm(
            lines in 0u32..50,
            hunks in proptest::collection::vec((0u32..60, 0u32..60, 0u32..60), 0..6),
            others in proptest::collection::vec((0u32..60, 0u32..60, 0u32..60), 0..6),
        ) {
            let (hunks, others): (Vec<Hunk>, Vec<Hunk>) =
                (hunks.into_iter().map(Hunk::from).collect(), others.into_iter().map(Hunk::from).collect());
            let runs = new_file(1, lines).runs;
            let followed = follow(2, &[(&runs, &hunks), (&runs, &others)]);
            let (len, added) = followed.added.iter().fold((0, 0), |(_, sum), range| (range.end, sum + range.len()));
            let all: u32 = followed.runs.iter().map(|run| run.len).sum();
            prop_assert!(len <= all && added <= all as usize);
            let one = follow(2, &[(&runs, &hunks)]);
            let back: Hunk = serde_json::from_str(&serde_json::to_string(&Hunk { at: lines, removed: 1, added: 2 }).unwrap()).unwrap();
            prop_assert_eq!(back.at, lines);
            prop_assert!(one.replaced.len() == hunks.len());
        }
    }
}
