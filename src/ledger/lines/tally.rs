//! Counting the lines of a history, by what they belong to.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::History;
use super::label::{Label, pieces};
use super::walk::{Fate, Files};
use crate::id::{GitId, RepoPath};
use crate::ledger::query::Book;
use crate::ledger::traces::Evidence;
use crate::time::Time;

/// What lines are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Author,
    Model,
    Agent,
    Path,
    Day,
}

/// Which lines count: those that every part lets through.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Those that these commits brought.
    pub commits: Option<HashSet<GitId>>,
    /// Those of commits that were made from then on, and until then, by their authors' clocks.
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// Those in these files, and in the files of these folders.
    pub paths: Vec<RepoPath>,
}

/// What agents wrote and what became of it, and today's lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Agents' lines that commits added.
    pub added: u64,
    /// Agents' lines of today, in all and by the evidence.
    pub surviving: u64,
    pub exact: u64,
    pub linked: u64,
    pub content: u64,
    /// Agents' lines that are not there any more: others took their place, agents did, or a merge left them out.
    pub changed_by_people: u64,
    pub changed_by_agents: u64,
    pub dropped: u64,
    /// Today's lines, and those of them that are no agent's.
    pub lines: u64,
    pub human: u64,
    pub unattributed: u64,
}

impl Numbers {
    /// Counts lines of today.
    pub fn stand(&mut self, label: Option<&Label>, lines: u64) {
        self.lines += lines;
        let Some(label) = label else {
            self.unattributed += lines;
            return;
        };
        if label.who.is_none() {
            self.human += lines;
            return;
        }
        self.surviving += lines;
        match label.evidence {
            Evidence::Exact => self.exact += lines,
            Evidence::Linked => self.linked += lines,
            Evidence::Content => self.content += lines,
            Evidence::None => {}
        }
    }

    /// Agents' lines of today of all `lines`.
    pub fn share(&self, lines: u64) -> f64 {
        if lines == 0 { 0.0 } else { self.surviving as f64 / lines as f64 }
    }
}

/// The numbers in all, and by what they belong to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Text files of today, and those of them with agents' lines.
    pub files: u64,
    pub agent_files: u64,
    pub total: Numbers,
    pub rows: BTreeMap<String, Numbers>,
    /// Today's files with agents' lines that count, by their numbers in the walk.
    pub paths: Vec<u32>,
}

/// What lines belong to has no name: no model, no agent is known.
pub const UNKNOWN: &str = "unknown";

/// Counts lines.
pub struct Counter<'h> {
    history: &'h History,
    book: &'h Book<'h>,
    wanted: Wanted,
    /// Whether the lines of each commit count.
    counts: Vec<bool>,
    files: std::rc::Rc<Files>,
}

impl<'h> Counter<'h> {
    pub fn new(history: &'h History, book: &'h Book<'h>, wanted: Wanted) -> Self {
        let within = |authored: i64| {
            let time = Time::from_unix(authored);
            wanted.since.is_none_or(|since| time >= since) && wanted.until.is_none_or(|until| time <= until)
        };
        let named = |commit: &GitId| wanted.commits.as_ref().is_none_or(|commits| commits.contains(commit));
        let counts = history.commits.iter().map(|step| named(&step.id) && within(step.authored)).collect();
        let files = history.walk.files(history.commits.len().saturating_sub(1));
        Counter { history, book, wanted, counts, files }
    }

    pub fn count(&self, by: Option<By>) -> Tally {
        let mut tally = Tally::default();
        let standing = self.count_today(by, &mut tally);
        self.count_written(by, &standing, &mut tally);
        tally
    }

    /// Whether a file is asked for.
    fn is_wanted(&self, path: u32) -> bool {
        let path = self.history.walk.paths[path as usize].as_str();
        let within = |folder: &RepoPath| {
            let rest = path.strip_prefix(folder.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.wanted.paths.is_empty() || self.wanted.paths.iter().any(within)
    }

    /// The lines of a file of today, from the top: the commit that brought them, by its number, and whose they are.
    pub fn lines(&self, path: u32, mut each: impl FnMut(usize, Option<&Label>, u64)) {
        let walk = &self.history.walk;
        for run in self.files.get(&path).into_iter().flatten().flat_map(|runs| runs.iter()) {
            let touch = &walk.touches[run.touch as usize];
            pieces(&touch.labels, run.start..run.start + run.len, |lines, label| {
                each(touch.commit as usize, label, lines.len() as u64);
            });
        }
    }

    /// The name of a file, by its number in the walk.
    pub fn path(&self, path: u32) -> &RepoPath {
        &self.history.walk.paths[path as usize]
    }

    /// Counts today's lines; which lines of each touch there are among them, where agents wrote any.
    fn count_today(&self, by: Option<By>, tally: &mut Tally) -> HashSet<(u32, u32)> {
        let walk = &self.history.walk;
        let mut standing = HashSet::new();
        for (path, runs) in self.files.iter() {
            let Some(runs) = runs.as_ref().filter(|_| self.is_wanted(*path)) else { continue };
            tally.files += 1;
            let before = tally.total.surviving;
            self.lines(*path, |commit, label, lines| {
                if !self.counts[commit] {
                    return;
                }
                tally.total.stand(label, lines);
                if let Some(key) = by.and_then(|by| self.key(by, commit, *path, label)) {
                    tally.rows.entry(key).or_default().stand(label, lines);
                }
            });
            if tally.total.surviving > before {
                tally.agent_files += 1;
                tally.paths.push(*path);
            }
            for run in runs.iter().filter(|run| !walk.touches[run.touch as usize].labels.is_empty()) {
                standing.extend((run.start..run.start + run.len).map(|line| (run.touch, line)));
            }
        }
        tally.paths.sort_by_key(|path| &walk.paths[*path as usize]);
        standing
    }

    /// Counts what agents wrote, and what became of it.
    fn count_written(&self, by: Option<By>, standing: &HashSet<(u32, u32)>, tally: &mut Tally) {
        let walk = &self.history.walk;
        for (number, touch) in (0..).zip(&walk.touches) {
            let commit = touch.commit as usize;
            if touch.labels.is_empty() || !self.counts[commit] {
                continue;
            }
            let path = walk.name_in(&self.files, touch.path);
            if !self.is_wanted(path) {
                continue;
            }
            for label in touch.labels.iter().filter(|label| label.who.is_some()) {
                let mut found = Numbers::default();
                for line in label.start..label.end {
                    let state = touch.fates.get(line as usize).copied().unwrap_or_default();
                    found.added += u64::from(!state.is_carried);
                    if standing.contains(&(number, line)) {
                        continue;
                    }
                    match state.fate {
                        Fate::ByPeople => found.changed_by_people += 1,
                        Fate::ByAgents => found.changed_by_agents += 1,
                        Fate::Kept => found.dropped += 1,
                        Fate::Carried => {}
                    }
                }
                let key = by.and_then(|by| self.key(by, commit, path, Some(label)));
                let row = key.map(|key| tally.rows.entry(key).or_default());
                for numbers in row.into_iter().chain([&mut tally.total]) {
                    numbers.added += found.added;
                    numbers.changed_by_people += found.changed_by_people;
                    numbers.changed_by_agents += found.changed_by_agents;
                    numbers.dropped += found.dropped;
                }
            }
        }
    }

    /// What a line belongs to; `None` where that makes no sense of it.
    fn key(&self, by: By, commit: usize, path: u32, label: Option<&Label>) -> Option<String> {
        let step = &self.history.commits[commit];
        let who = || Some(&self.history.walk.whos[label?.who? as usize]);
        Some(match by {
            By::Author => step.author_email.clone(),
            By::Day => Time::from_unix(step.authored).day(),
            By::Path => self.history.walk.paths[path as usize].to_string(),
            By::Model => who()?.model.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            By::Agent => self.book.agent(&who()?.session).unwrap_or(UNKNOWN).to_owned(),
        })
    }
}
