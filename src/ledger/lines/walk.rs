//! A history from its beginning: where each line of each file comes from, and what became of the lines of agents.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use super::label::{Label, Who, pieces};
use crate::attribution::ancestry::{Change, Followed, Hunk, Now, Run, Source, follow, new_file};
use crate::id::{RepoPath, SessionId};
use crate::record::body::SessionRef;

/// What became of an agent's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// It was never seen to go.
    #[default]
    Kept,
    /// A commit has it in another form or place, still as the agent's.
    Carried,
    ByPeople,
    ByAgents,
}

/// An agent's line.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineFate {
    pub fate: Fate,
    /// Whether it is what an earlier line became, and so was written before.
    pub is_carried: bool,
}

/// A commit's change of a file.
pub struct Touch {
    pub commit: u32,
    pub path: u32,
    pub labels: Rc<[Label]>,
    /// As many as there are lines up to the last label.
    pub fates: Vec<LineFate>,
}

/// The lines of a file; `None` of one that has none, as a binary file.
type Text = Option<Rc<[Run]>>;

/// The files of a commit, by the numbers of their paths.
pub type Files = HashMap<u32, Text>;

/// What the walk needs to know of a commit.
pub struct Step<'c> {
    /// The parents' places in the walk.
    pub parents: &'c [usize],
    pub changes: &'c [Change],
    /// The sessions that the commit draws on.
    pub sessions: &'c [SessionRef],
}

/// What was met on the way.
#[derive(Default)]
pub struct Walk {
    numbers: HashMap<RepoPath, u32>,
    pub paths: Vec<Rc<RepoPath>>,
    pub touches: Vec<Touch>,
    /// The calls that labels speak of, by their number.
    pub whos: Vec<Who>,
    /// What a file was renamed to, last.
    renamed: HashMap<u32, u32>,
    /// The files of commits whose children are not all done, and how many of them are not.
    open: HashMap<usize, (Rc<Files>, usize)>,
}

/// Lines that a commit replaced in a file: those that went, the touch, the lines in their place.
struct Replaced {
    gone: Vec<Run>,
    touch: Option<u32>,
    now: Range<u32>,
}

/// Lines in the place of others: those that agents wrote, those that come back, by the call, and all others.
#[derive(Default)]
struct Takers {
    by_agents: u64,
    carried: HashMap<u32, u64>,
    by_others: u64,
}

impl Walk {
    /// Takes in a commit whose parents are done; `children` are those that come. `label` says whose the lines are that
    /// a change of the commit, by its number, brings to a file.
    pub fn step(
        &mut self,
        at: usize,
        step: &Step<'_>,
        children: usize,
        mut label: impl FnMut(u32, &Rc<RepoPath>, &[Range<u32>], &mut Vec<Who>) -> Vec<Label>,
    ) {
        let parents: Vec<Rc<Files>> = step.parents.iter().map(|parent| self.take(*parent)).collect();
        let renamed: HashSet<&RepoPath> = step.changes.iter().flat_map(|change| change.now.names()).collect();
        let mut replaced = Vec::new();
        let (mut gone, mut after): (Vec<u32>, Vec<(u32, Text)>) = (Vec::new(), Vec::new());
        for (number, change) in (0..).zip(step.changes) {
            let path = self.number(&change.path);
            let old = |parent: usize| parents.get(parent).and_then(|files| files.get(&path));
            let followed = match &change.now {
                Now::Gone => {
                    if let (Some(Some(runs)), false) = (old(0), renamed.contains(&change.path)) {
                        replaced.push(Replaced { gone: runs.to_vec(), touch: None, now: 0..0 });
                    }
                    gone.push(path);
                    continue;
                }
                Now::NoLines => {
                    after.push((path, None));
                    continue;
                }
                Now::As(parent) => {
                    after.push((path, old(*parent).cloned().flatten()));
                    continue;
                }
                Now::New(lines) => new_file(self.touches.len() as u32, *lines),
                Now::From(sources) => self.follow(path, sources, &parents),
            };
            let nothing = followed.added.is_empty();
            let touch = self.touch(at, path, |path, whos| label(number, path, &followed.added, whos), nothing);
            if parents.len() == 1 {
                let hunks = followed.replaced.into_iter();
                replaced.extend(hunks.map(|(gone, now)| Replaced { gone, touch: Some(touch), now }));
            }
            after.push((path, Some(followed.runs.into())));
        }
        let first_touch = self.touches.partition_point(|touch| (touch.commit as usize) < at);
        self.tell_fates(&replaced, first_touch, step.sessions);
        let mut files = parents.into_iter().next().unwrap_or_default();
        if !gone.is_empty() || !after.is_empty() {
            let files = Rc::make_mut(&mut files);
            gone.iter().for_each(|path| drop(files.remove(path)));
            files.extend(after);
        }
        self.open.insert(at, (files, children));
    }

    /// What became of files of the parents.
    fn follow(&mut self, path: u32, sources: &[Source], parents: &[Rc<Files>]) -> Followed {
        let name = |source: &Source| source.path.as_ref().map_or(path, |path| self.number(path));
        let names: Vec<u32> = sources.iter().map(name).collect();
        let text = |(source, name): (&'_ Source, &u32)| parents.get(source.parent)?.get(name)?.clone();
        let texts: Vec<Text> = sources.iter().zip(&names).map(text).collect();
        let known = texts.iter().zip(sources).filter_map(|(text, source)| Some((text.as_deref()?, &*source.hunks)));
        let known: Vec<(&[Run], &[Hunk])> = known.collect();
        self.renamed.extend(names.into_iter().filter(|name| *name != path).map(|name| (name, path)));
        follow(self.touches.len() as u32, &known)
    }

    /// The files of a commit that is done, once more for each of its children.
    fn take(&mut self, at: usize) -> Rc<Files> {
        match self.open.get_mut(&at) {
            Some((files, children)) if *children > 1 => {
                *children -= 1;
                files.clone()
            }
            _ => self.open.remove(&at).map(|(files, _)| files).unwrap_or_default(),
        }
    }

    /// The files of the last commit.
    pub fn files(&self, at: usize) -> Rc<Files> {
        self.open.get(&at).map(|(files, _)| files.clone()).unwrap_or_default()
    }

    /// What a file is called in `files`, if renamed since, else as it was.
    pub fn name_in(&self, files: &Files, path: u32) -> u32 {
        let mut at = path;
        // Names may go round in a circle.
        for _ in 0..self.renamed.len() {
            match self.renamed.get(&at) {
                Some(next) if !files.contains_key(&at) => at = *next,
                _ => break,
            }
        }
        if files.contains_key(&at) { at } else { path }
    }

    fn number(&mut self, path: &RepoPath) -> u32 {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let number = self.paths.len() as u32;
        self.paths.push(Rc::new(path.clone()));
        self.numbers.insert(path.clone(), number);
        number
    }

    fn touch(
        &mut self,
        at: usize,
        path: u32,
        label: impl FnOnce(&Rc<RepoPath>, &mut Vec<Who>) -> Vec<Label>,
        nothing: bool,
    ) -> u32 {
        let name = self.paths[path as usize].clone();
        let labels: Rc<[Label]> = if nothing { Rc::default() } else { label(&name, &mut self.whos).into() };
        let last = labels.iter().rev().find(|label| label.who.is_some());
        let fates = vec![LineFate::default(); last.map_or(0, |label| label.end as usize)];
        self.touches.push(Touch { commit: at as u32, path, labels, fates });
        self.touches.len() as u32 - 1
    }

    /// Says of the agents' lines that a commit replaced who did it. The lines of a call that come back in the same
    /// commit were not written anew: they were moved, wrapped or indented.
    fn tell_fates(&mut self, replaced: &[Replaced], first_touch: usize, sessions: &[SessionRef]) {
        let gone: Vec<Vec<(u32, u32, u32)>> = replaced.iter().map(|hunk| self.agents_lines(&hunk.gone)).collect();
        let mut back: HashMap<u32, u64> = HashMap::new();
        gone.iter().flatten().for_each(|(who, ..)| *back.entry(*who).or_default() += 1);
        let mut carried: HashMap<u32, u64> = HashMap::new();
        let mut wrote = false;
        for touch in &mut self.touches[first_touch..] {
            for label in touch.labels.iter() {
                let Some(who) = label.who else { continue };
                let left = back.entry(who).or_default();
                let again = (*left).min(u64::from(label.end - label.start));
                *left -= again;
                *carried.entry(who).or_default() += again;
                wrote |= again < u64::from(label.end - label.start);
                let end = label.start + again as u32;
                touch.fates[label.start as usize..end as usize].iter_mut().for_each(|line| line.is_carried = true);
            }
        }
        // A session counts for what it did to the files, not for its lines that people moved.
        let moved: HashSet<&SessionId> = carried
            .iter()
            .filter(|(_, lines)| **lines > 0)
            .filter_map(|(who, _)| Some(&self.whos.get(*who as usize)?.session))
            .collect();
        let is_agents = wrote || sessions.iter().any(|drawn| !moved.contains(&drawn.session));
        let takers: Vec<Takers> = replaced.iter().map(|hunk| self.takers(hunk)).collect();
        // What came back came back where it stood, as far as it can be.
        let mut is_back: HashSet<(u32, u32)> = HashSet::new();
        let mut take = |gone: &[(u32, u32, u32)], mut most: HashMap<u32, u64>| {
            for (who, touch, line) in gone {
                let (here, left) = (most.entry(*who).or_default(), carried.entry(*who).or_default());
                if *here > 0 && *left > 0 && is_back.insert((*touch, *line)) {
                    *here -= 1;
                    *left -= 1;
                }
            }
        };
        gone.iter().zip(&takers).for_each(|(gone, takers)| take(gone, takers.carried.clone()));
        gone.iter().for_each(|gone| take(gone, gone.iter().map(|(who, ..)| (*who, u64::MAX)).collect()));
        for (gone, takers) in gone.iter().zip(takers) {
            let mut by_others = takers.by_others;
            for (_, touch, line) in gone {
                let fate = if is_back.contains(&(*touch, *line)) {
                    Fate::Carried
                } else if by_others > 0 {
                    // A place that both took is shared line by line.
                    by_others -= u64::from(takers.by_agents > 0);
                    Fate::ByPeople
                } else if takers.by_agents > 0 || is_agents {
                    Fate::ByAgents
                } else {
                    Fate::ByPeople
                };
                let line = &mut self.touches[*touch as usize].fates[*line as usize];
                if line.fate == Fate::Kept {
                    line.fate = fate;
                }
            }
        }
    }

    /// Whose the lines are that took a place.
    fn takers(&self, hunk: &Replaced) -> Takers {
        let mut takers = Takers::default();
        let Some(touch) = hunk.touch.and_then(|touch| self.touches.get(touch as usize)) else { return takers };
        pieces(&touch.labels, hunk.now.clone(), |lines, label| {
            let Some(who) = label.and_then(|label| label.who) else {
                takers.by_others += lines.len() as u64;
                return;
            };
            for line in lines {
                match touch.fates[line as usize].is_carried {
                    true => *takers.carried.entry(who).or_default() += 1,
                    false => takers.by_agents += 1,
                }
            }
        });
        takers
    }

    /// Of some lines those of agents: the call, the touch, the line.
    fn agents_lines(&self, runs: &[Run]) -> Vec<(u32, u32, u32)> {
        let mut found = Vec::new();
        for run in runs {
            let labels = &self.touches[run.touch as usize].labels;
            if labels.is_empty() {
                continue;
            }
            pieces(labels, run.start..run.start + run.len, |lines, label| {
                if let Some(who) = label.and_then(|label| label.who) {
                    found.extend(lines.map(|line| (who, run.touch, line)));
                }
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::{CallId, RecordId};
    use crate::ledger::traces::Evidence;

    fn path(name: &str) -> RepoPath {
        name.parse().unwrap()
    }

    fn edit(at: u32, removed: u32, added: u32) -> Change {
        let source = Source { parent: 0, path: None, hunks: vec![Hunk { at, removed, added }] };
        Change { path: path("f"), now: Now::From(vec![source]) }
    }

    /// A file of ten lines of an agent's call, and a commit that changes it and brings `labels`; the lines' fates, and
    /// how many of the new lines were written then.
    fn fates(change: Change, labels: &[(u32, u32, u32)], is_agents: bool) -> (String, usize) {
        let label = |(start, end, who): &(u32, u32, u32)| Label {
            start: *start,
            end: *end,
            who: Some(*who),
            evidence: Evidence::Exact,
        };
        let who = Who { session: SessionId::from_agent("s"), call: CallId::from_agent("c"), model: None };
        let mut walk = Walk { whos: vec![who; 4], ..Walk::default() };
        let session = SessionRef { session: SessionId::from_agent("t"), record: RecordId(Digest::ZERO) };
        let sessions: &[SessionRef] = if is_agents { &[session] } else { &[] };
        let new = [Change { path: path("f"), now: Now::New(10) }];
        walk.step(0, &Step { parents: &[], changes: &new, sessions: &[] }, 1, |_, _, _, _| vec![label(&(0, 10, 1))]);
        let labels: Vec<Label> = labels.iter().map(label).collect();
        walk.step(1, &Step { parents: &[0], changes: &[change], sessions }, 0, |_, _, _, _| labels.clone());
        let letter = |line: &LineFate| match line.fate {
            Fate::Kept => '.',
            Fate::Carried => 'c',
            Fate::ByPeople => 'P',
            Fate::ByAgents => 'A',
        };
        let written = walk.touches[1..].iter().flat_map(|touch| touch.labels.iter().map(move |label| (touch, label)));
        let written = written.flat_map(|(touch, label)| &touch.fates[label.start as usize..label.end as usize]);
        (walk.touches[0].fates.iter().map(letter).collect(), written.filter(|line| !line.is_carried).count())
    }

    #[test]
    fn a_line_that_went_was_taken_by_who_took_its_place() {
        let gone = Change { path: path("f"), now: Now::Gone };
        for (change, labels, is_agents, expected) in [
            (edit(2, 3, 2), &[][..], false, ("..PPP.....", 0)),
            (edit(2, 3, 2), &[], true, ("..PPP.....", 0)),
            (edit(2, 3, 2), &[(2, 4, 2)], true, ("..AAA.....", 2)),
            // One of the agent's lines and one of somebody else's stand there now.
            (edit(2, 3, 2), &[(2, 3, 2)], true, ("..PAA.....", 1)),
            // Nothing stands there now: who drew on a session did it.
            (edit(2, 3, 0), &[], false, ("..PPP.....", 0)),
            (edit(2, 3, 0), &[], true, ("..AAA.....", 0)),
            (gone.clone(), &[], false, ("PPPPPPPPPP", 0)),
            (gone, &[], true, ("AAAAAAAAAA", 0)),
            // Indented anew, two of them, and a third written over.
            (edit(2, 3, 3), &[(2, 4, 1)], false, ("..ccP.....", 0)),
            (edit(0, 0, 2), &[(0, 1, 3)], false, ("..........", 1)),
        ] {
            let found = fates(change.clone(), labels, is_agents);
            assert_eq!((found.0.as_str(), found.1), expected, "{change:?} {labels:?} {is_agents}");
        }
    }

    #[test]
    fn files_keep_their_lines_under_other_names() {
        let mut walk = Walk::default();
        let new = [Change { path: path("a"), now: Now::New(3) }];
        walk.step(0, &Step { parents: &[], changes: &new, sessions: &[] }, 1, |_, _, _, _| Vec::new());
        let source = Source { parent: 0, path: Some(path("a")), hunks: vec![Hunk { at: 3, removed: 0, added: 1 }] };
        let rename =
            [Change { path: path("a"), now: Now::Gone }, Change { path: path("b"), now: Now::From(vec![source]) }];
        walk.step(1, &Step { parents: &[0], changes: &rename, sessions: &[] }, 0, |_, _, _, _| Vec::new());
        let files = walk.files(1);
        let names: Vec<&str> = files.keys().map(|path| walk.paths[*path as usize].as_str()).collect();
        assert_eq!(names, ["b"]);
        let runs: Vec<Run> = files.values().flatten().flat_map(|runs| runs.to_vec()).collect();
        assert_eq!(runs, [Run { touch: 0, start: 0, len: 3 }, Run { touch: 1, start: 3, len: 1 }]);
        assert_eq!(walk.name_in(&files, walk.numbers[&path("a")]), walk.numbers[&path("b")]);
    }
}
