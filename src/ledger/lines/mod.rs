//! The lines of a whole repository: where each of today's comes from, whose it is, and what became of what agents wrote.
//!
//! Bottom up: [`label`] says whose the lines are that a commit brings, [`walk`] follows all files along the history,
//! [`tally`] counts, [`cache`] keeps what was found. The answer about a line is that of `blame`.

mod cache;
pub mod label;
pub mod tally;
pub mod walk;

use std::collections::HashMap;

use crate::digest::Digest;
use crate::git::history;
use crate::git::line_changes::{self, Parents};
use crate::host::progress::Bar;
use crate::id::GitId;
use crate::ledger::lines::cache::Cache;
use crate::ledger::lines::label::Labeller;
use crate::ledger::lines::walk::{Step, Walk};
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;

/// A history that was walked to its end.
pub struct History {
    /// The commits, each after its parents.
    pub commits: Vec<history::Step>,
    pub walk: Walk,
    /// Traces that could not be read.
    pub troubles: Vec<String>,
}

impl Ledger {
    /// Walks the history of a commit. What was found is kept for the next time.
    pub fn history(&self, book: &Book<'_>, tip: &GitId) -> Result<History, LedgerError> {
        let mut cache = Cache::load(self);
        let commits = history::ancestry(&self.repo, tip)?;
        self.read_changes(&mut cache, &commits)?;
        let (walk, troubles) = self.walk(book, &mut cache, &commits);
        cache.save(self)?;
        Ok(History { commits, walk, troubles })
    }

    /// Reads what the commits change that the cache does not know.
    fn read_changes(&self, cache: &mut Cache, commits: &[history::Step]) -> Result<(), LedgerError> {
        let new = commits.iter().filter(|step| cache.get(&step.id).is_none());
        let new: Vec<Parents> =
            new.map(|step| Parents { commit: step.id.clone(), parents: step.parents.clone() }).collect();
        if new.is_empty() {
            return Ok(());
        }
        let bar = Bar::new("commits", new.len() as u64);
        line_changes::read(&self.repo, &new, |parents, changes| {
            cache.insert(parents.commit.clone(), changes);
            bar.step(1);
        })?;
        Ok(())
    }

    fn walk(&self, book: &Book<'_>, cache: &mut Cache, commits: &[history::Step]) -> (Walk, Vec<String>) {
        cache.labels_by(self.labels_from(book));
        let places: HashMap<&GitId, usize> = commits.iter().enumerate().map(|(at, step)| (&step.id, at)).collect();
        let parents: Vec<Vec<usize>> = commits
            .iter()
            .map(|step| step.parents.iter().filter_map(|parent| places.get(parent).copied()).collect())
            .collect();
        let mut children = vec![0; commits.len()];
        parents.iter().flatten().for_each(|parent| children[*parent] += 1);

        let to_label = commits.iter().filter(|step| cache.get(&step.id).is_some_and(|known| known.labels.is_none()));
        let bar = Bar::new("commits", to_label.count() as u64);
        let mut labeller = Labeller::new(Origins::new(self, book), &cache.whos);
        let mut walk = Walk::default();
        walk.whos.clone_from(&cache.whos);
        for (at, commit) in commits.iter().enumerate() {
            let Some(known) = cache.get_mut(&commit.id) else { continue };
            let sessions = match book.record_of(&commit.id).map(|entry| &entry.body) {
                Some(Body::Commit(body)) => body.sessions.as_slice(),
                _ => &[],
            };
            let step = Step { parents: &parents[at], changes: &known.changes, sessions };
            match &known.labels {
                Some(labels) => walk.step(at, &step, children[at], |number, _, _, _| {
                    let labels = labels.iter().find(|(change, _)| *change == number);
                    labels.map(|(_, labels)| labels.clone()).unwrap_or_default()
                }),
                None => {
                    let mut labels = Vec::new();
                    walk.step(at, &step, children[at], |number, path, added, whos| {
                        let found = labeller.label(&commit.id, path, added, whos);
                        if !found.is_empty() {
                            labels.push((number, found.clone()));
                        }
                        found
                    });
                    known.labels = Some(labels);
                    cache.changed = true;
                    bar.step(1);
                }
            }
        }
        cache.whos.clone_from(&walk.whos);
        (walk, labeller.origins().troubles().iter().map(ToString::to_string).collect())
    }

    /// What labels are made from: the records of commits and links that hold, whose writers are enrolled, and which of the
    /// commits are here.
    fn labels_from(&self, book: &Book<'_>) -> Digest {
        let mut known: Vec<String> = Vec::new();
        for entry in book.report.entries().filter(|entry| entry.good) {
            match &entry.body {
                Body::Commit(body) => {
                    let (is_here, pending) = (self.repo.contains_now(&body.commit), book.is_pending(entry));
                    known.push(format!("{} {is_here} {pending}\n", entry.id));
                }
                Body::Link(_) => known.push(format!("{}\n", entry.id)),
                _ => {}
            }
        }
        known.sort_unstable();
        Digest::of(known.concat().as_bytes())
    }
}
